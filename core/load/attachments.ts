/**
 * Uploads files that did not ride inside their parent's create. Uploads to one object go one after
 * another; what may already be there is looked up first, many objects in one request.
 * @module
 */
import type { Change, FileUpload, FoundFile, TargetRow } from "../ports/mod.ts";
import { InDoubtError, RefusedError } from "../errors.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { pool } from "../engine/stage.ts";
import { lossChange } from "../transform/stages/rows.ts";
import { contentTypeOf } from "./content_type.ts";
import type { InlineKind } from "./inline_files.ts";
import { inlineNote } from "./inline_files.ts";
import { firstLookMs } from "./reconcile.ts";
import { setAsideRow } from "./set_aside.ts";
import { noteSent, settledAtOf, untilSettled } from "./settling.ts";
import { storedHash } from "./stored_hash.ts";

const STAGE = "load.attachment";
type FileObject = FileUpload["object"];

export function attachmentsStage(after: string[], parents: string[], planners: string[]): Stage {
  return {
    name: STAGE,
    phase: "load",
    after,
    run: (ctx) => uploadAll(ctx, parents, planners),
  };
}

/** A row together with the object it goes to. */
interface Job {
  row: TargetRow;
  object: FileObject;
  /** The parent was in the target before this run, perhaps with its files. */
  wasThere: boolean;
}

async function uploadAll(
  ctx: RunContext,
  parents: string[],
  planners: string[],
): Promise<boolean> {
  for (;;) {
    const since = ctx.topics.version;
    const upstreamDone = [...parents, ...planners].every(ctx.isDone);
    const { open, moved } = await uploadPass(ctx, upstreamDone);
    if (ctx.stopping()) return false;
    if (upstreamDone && open === 0) return true;
    if (!moved) await ctx.topics.wait([...parents, ...planners], since, 1_000);
  }
}

/** One walk over all open rows; `open` = rows that were found open at its start. */
async function uploadPass(
  ctx: RunContext,
  upstreamDone: boolean,
): Promise<{ open: number; moved: boolean }> {
  let open = 0;
  let moved = false;
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      "attachment",
      { after, limit: 200, states: ["pending", "sending", "inDoubt"] },
    );
    open += page.rows.length;
    const jobs = await jobsOf(ctx, page.rows, upstreamDone);
    if (jobs.length > 0) moved = true;
    const lookedAt = ctx.clock.monotonic();
    const present = await lookUp(ctx, jobs.filter(mayBeThere));
    const groups = new Map<string, Job[]>();
    for (const job of jobs) {
      const key = objectKey(job.object);
      groups.set(key, [...groups.get(key) ?? [], job]);
    }
    const { concurrency } = ctx.settings.target;
    await pool(groups, concurrency, ctx.stopping, async ([key, members]) => {
      for (const job of members) {
        if (ctx.stopping()) return;
        await settleFile(ctx, job, { files: present.get(key) ?? [], lookedAt });
      }
      ctx.topics.bump(STAGE);
    });
    after = page.cursor;
  } while (after !== null && !ctx.stopping());
  return { open, moved };
}

function objectKey(object: FileObject): string {
  return `${object.kind}/${object.id}`;
}

/** Sent inside a create or by an upload whose answer was lost. */
function mayBeThere(job: Job): boolean {
  return job.row.state !== "pending" || job.row.detail.inlined === true || job.wasThere;
}

/** Rows whose object exists; rows of set-aside parents are set aside on the way. */
async function jobsOf(
  ctx: RunContext,
  rows: TargetRow[],
  upstreamDone: boolean,
): Promise<Job[]> {
  const jobs: Job[] = [];
  const parents = new Map<string, TargetRow>();
  for (const kind of ["testCase", "testLog", "release"] as const) {
    const keys = rows.flatMap((row) => row.parentKind === kind ? row.parentKey ?? [] : []);
    for (const [key, parent] of await ctx.store.targetsByKey(ctx.scope.id, kind, keys)) {
      parents.set(`${kind}/${key}`, parent);
    }
  }
  // Once the parent is loaded nobody else touches its files; before, its create took some along.
  const current = await ctx.store.targetsByKey(
    ctx.scope.id,
    "attachment",
    rows.map((row) => row.key),
  );
  for (const row of current.values()) {
    if (!isOpen(row)) continue;
    const parent = parents.get(`${row.parentKind}/${row.parentKey}`);
    if (parent?.state === "loaded") {
      const object = await objectOf(ctx, row, parent, upstreamDone);
      const wasThere = parent.origin !== "created";
      if (object !== null) jobs.push({ row, object, wasThere });
    } else if (parent?.state === "setAside" || (upstreamDone && parent?.state !== "inDoubt")) {
      const why =
        `The file waits for ${row.parentKind} ${row.parentKey}, which is not in the target`;
      await setAsideRow(ctx, row, "parent-set-aside", why, null);
    }
  }
  return jobs.sort((a, b) => a.row.ord - b.row.ord);
}

function isOpen(row: TargetRow): boolean {
  return row.state === "pending" || row.state === "sending" || row.state === "inDoubt";
}

/** The object of a row; null while step ids are not known yet. */
async function objectOf(
  ctx: RunContext,
  row: TargetRow,
  parent: TargetRow,
  upstreamDone: boolean,
): Promise<FileObject | null> {
  const kind = row.detail.object as FileObject["kind"];
  const whole: FileObject = {
    kind: row.parentKind as FileObject["kind"],
    id: parent.targetId ?? "",
  };
  if (kind !== "testStep" && kind !== "testStepLog") return whole;
  const step = typeof row.detail.step === "number" ? row.detail.step : -1;
  let stepIds = parent.detail.stepIds;
  if (!Array.isArray(stepIds) && kind === "testStepLog") stepIds = await stepLogIds(ctx, parent);
  const id = stepIds?.[step];
  if (id) return { kind, id };
  return upstreamDone ? whole : null;
}

/** Step log ids of a log whose create did not answer with them. */
async function stepLogIds(ctx: RunContext, log: TargetRow): Promise<string[] | null> {
  const runs = await ctx.store.targetsByKey(ctx.scope.id, "testRun", [log.parentKey ?? ""]);
  const runId = runs.get(log.parentKey ?? "")?.targetId;
  if (!runId) return null;
  for await (const page of ctx.target.children("testLog", runId, ctx.readSignal)) {
    const found = page.find((item) => item.id === log.targetId);
    const ids = found?.log?.steps?.map((step) => step.id ?? "");
    if (ids === undefined) continue;
    await ctx.commit([{
      op: "targets",
      rows: [{ kind: "testLog", key: log.key, detail: { stepIds: ids } }],
    }]);
    return ids;
  }
  return null;
}

/** Files of many objects that no row of ours names yet. */
async function lookUp(ctx: RunContext, jobs: Job[]): Promise<Map<string, FoundFile[]>> {
  const idsByKind = new Map<FileObject["kind"], Set<string>>();
  for (const { object } of jobs) {
    idsByKind.set(object.kind, (idsByKind.get(object.kind) ?? new Set()).add(object.id));
  }
  const present = new Map<string, FoundFile[]>();
  for (const [kind, ids] of idsByKind) {
    for (const id of ids) present.set(`${kind}/${id}`, []);
    const files = await ctx.target.files(kind, [...ids], ctx.readSignal);
    const mapped = await ctx.store.targetsById(ctx.scope.id, "attachment", files.map((f) => f.id));
    for (const file of files) {
      if (!mapped.has(file.id)) present.get(`${kind}/${file.objectId}`)?.push(file);
    }
  }
  return present;
}

/** Brings one file to an end: found there, uploaded, set aside, or left in doubt when stopping. */
async function settleFile(
  ctx: RunContext,
  job: Job,
  present: { files: FoundFile[]; lookedAt: number },
): Promise<void> {
  const { row } = job;
  if (mayBeThere(job)) {
    if (await takeFound(ctx, job, present.files)) return;
    // Absence counts only for a look that began after the settling time.
    if (row.state !== "pending" && present.lookedAt < settledAtOf(ctx, row)) {
      await untilSettled(ctx, row);
      const later = await lookUp(ctx, [job]);
      if (await takeFound(ctx, job, later.get(objectKey(job.object)) ?? [])) return;
    }
    if (row.detail.inlined === true && row.state === "pending") {
      // The tenant drops files inside creates: later creates go without.
      await ctx.commit([ctx.noteChange(inlineNote(row.parentKind as InlineKind), false)]);
    }
  }
  for (let attempt = 1; !ctx.stopping(); attempt++) {
    if (await upload(ctx, job)) return;
    const found = await findAfterDoubt(ctx, job);
    if (found !== null && await takeFound(ctx, job, found)) return;
    if (attempt < 5) continue;
    const why = `The upload of "${row.detail.name}" was answered with errors ${attempt} times`;
    return await setAsideRow(ctx, row, "refused", `${why}: ${row.lastError ?? ""}`, null);
  }
}

/** Adopts the file of the row's name; two of one name are told apart by their bytes. */
async function takeFound(ctx: RunContext, job: Job, present: FoundFile[]): Promise<boolean> {
  const { row, object } = job;
  const same = present.filter((file) => hasName(file, row.detail.name));
  let chosen = same[0];
  if (same.length > 1) {
    for (const file of same) {
      if (await storedHash(ctx, object, file.id) === row.detail.sha256) {
        chosen = file;
        break;
      }
    }
  }
  if (chosen === undefined) return false;
  present.splice(present.indexOf(chosen), 1);
  await markLoaded(ctx, row, chosen);
  return true;
}

async function markLoaded(ctx: RunContext, row: TargetRow, file: FoundFile): Promise<void> {
  row.state = "loaded";
  const { storedName = row.detail.name } = file;
  const loaded: Change = {
    op: "targets",
    rows: [{
      kind: "attachment",
      key: row.key,
      state: "loaded",
      targetId: file.id,
      // Found although nothing was ever sent for it: somebody else's run made it.
      origin: row.attempt > 0 || row.detail.inlined === true ? "created" : "unchanged",
      runId: ctx.run.id,
      lastError: null,
    }],
  };
  const isRenamed = storedName !== row.detail.name;
  await ctx.commit([loaded, ...isRenamed ? [renamedChange(row, String(storedName))] : []]);
}

function renamedChange(row: TargetRow, storedName: string): Change {
  const { kind, key } = row;
  const before = String(row.detail.name);
  const loss = { kind, key, field: "name", rule: "file-name-encoded", before, after: storedName };
  return { op: "losses", phase: "load", kind, key, rows: [loss] };
}

function hasName(file: FoundFile, name: unknown): boolean {
  return file.name === name || file.storedName === name;
}

/** One upload; false = its outcome is unknown. */
async function upload(ctx: RunContext, job: Job): Promise<boolean> {
  const { row, object } = job;
  const { name, sha256, size } = row.detail;
  try {
    const stored = await ctx.target.upload({
      object,
      name: String(name),
      contentType: contentTypeOf(String(name)),
      size: Number(size),
      open: () => ctx.blobs.open(String(sha256)),
    }, {
      signal: ctx.signal,
      intent: async () => {
        ctx.assertMayWrite();
        row.state = "sending";
        noteSent(ctx, row);
        row.attempt++;
        await ctx.commit([{
          op: "targets",
          rows: [{
            kind: "attachment",
            key: row.key,
            state: "sending",
            sentAt: row.sentAt,
            attempt: row.attempt,
          }],
        }]);
        ctx.assertStillHeld();
      },
    });
    await markLoaded(ctx, row, stored);
    return true;
  } catch (error) {
    if (error instanceof RefusedError) {
      await refused(ctx, row, error);
      return true;
    }
    if (!(error instanceof InDoubtError)) throw error;
    row.state = "inDoubt";
    row.lastError = error.message;
    await ctx.commit([{
      op: "targets",
      rows: [{
        kind: "attachment",
        key: row.key,
        state: "inDoubt",
        everInDoubt: true,
        lastError: error.message,
      }],
    }]);
    return false;
  }
}

async function refused(ctx: RunContext, row: TargetRow, error: RefusedError): Promise<void> {
  row.state = "setAside";
  if (error.status !== 413) return await setAsideRow(ctx, row, "refused", error.message, null);
  const { name, sha256, size } = row.detail;
  const folder = row.key.replace(/#[^#]*$/, "");
  const kept = await ctx.blobs.export(String(sha256), `attachments/${folder}/${name}`);
  await ctx.commit([
    {
      op: "targets",
      rows: [{ kind: "attachment", key: row.key, state: "withoutTarget", detail: { file: kept } }],
    },
    lossChange("attachment", row.key, [{
      kind: "attachment",
      key: row.key,
      field: "file",
      rule: "attachment-too-large",
      before: `${name} (${size} bytes)`,
      after: kept,
    }]),
  ]);
}

/** Looks at once and again after the settling time; null when the run is stopping. */
async function findAfterDoubt(ctx: RunContext, job: Job): Promise<FoundFile[] | null> {
  await ctx.clock.sleep(firstLookMs(ctx.settings), ctx.readSignal);
  const first = (await lookUp(ctx, [job])).get(objectKey(job.object)) ?? [];
  if (first.some((file) => hasName(file, job.row.detail.name))) return first;
  await untilSettled(ctx, job.row);
  return (await lookUp(ctx, [job])).get(objectKey(job.object)) ?? [];
}
