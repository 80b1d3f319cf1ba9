/**
 * Stages that ask once per record: scripts, execution steps, attachments. They dominate the number
 * of requests, so each is checkpointed per record and read in the order in which the load needs it.
 * @module
 */
import type {
  Change,
  Detail,
  DetailRow,
  DetailTask,
  SourceFile,
  UnreadableRow,
} from "../ports/mod.ts";
import type { AttachmentOwner, AttachmentRecord, ListKind, RecordByKind } from "../records/mod.ts";
import { ownerKey } from "../records/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { pool, unit } from "../engine/stage.ts";
import { RefusedError, SetAsideError } from "../errors.ts";
import type { Settings } from "../config/types.ts";
import { readsExecutions, stepStatusFilter } from "./selection.ts";

/** Records looked at per step: one read for their details, then their requests. */
const BATCH = 200;

export function detailStages(settings: Settings, after: string[]): Stage[] {
  const { include } = settings;
  const stages: Stage[] = [];
  if (include.testCases) {
    stages.push({ name: "extract.script", phase: "extract", after, run: readScripts });
  }
  if (readsExecutions(include) && include.executionSteps !== "none") {
    stages.push({
      name: "extract.executionSteps",
      phase: "extract",
      after,
      run: readExecutionSteps,
    });
  }
  return [...stages, ...attachmentStages(include, after)];
}

/** Which records have their attachments listed, per option. */
function attachmentStages(include: Settings["include"], after: string[]): Stage[] {
  const mode = include.attachments;
  if (mode === "none") return [];
  const stages: Stage[] = [];
  const add = (kind: AttachmentKind, steps: boolean): void => {
    stages.push({
      name: `extract.attachments.${kind}`,
      phase: "extract",
      // Step ids come with the scripts and the execution steps.
      after: steps ? [...after, STEP_STAGE[kind]].filter((name) => name !== "") : after,
      run: (ctx) => readAttachments(ctx, kind, steps),
    });
  };
  const all = mode === "all";
  if (include.testCases) add("testCase", all);
  if (mode === "cases") return stages;
  if (include.testPlans) add("testPlan", false);
  if (include.testCycles) add("testCycle", false);
  if (readsExecutions(include)) {
    add("execution", all && include.executionSteps !== "none");
  }
  return stages;
}

type AttachmentKind = "testCase" | "testPlan" | "testCycle" | "execution";
const STEP_STAGE: Record<AttachmentKind, string> = {
  testCase: "extract.script",
  execution: "extract.executionSteps",
  testPlan: "",
  testCycle: "",
};

interface OpenDetails<K extends ListKind> {
  stage: string;
  kind: K;
  task: DetailTask;
  key: (record: RecordByKind[K]) => string;
  wanted: (record: RecordByKind[K]) => boolean;
  total: number | null;
  work: (record: RecordByKind[K], key: string) => Promise<void>;
}

/**
 * Does `work` for every wanted record without a detail row, in canonical order. Returns false when it
 * stopped early. One pool for all pages: the next page is read while requests are in flight.
 */
async function forEachOpen<K extends ListKind>(
  ctx: RunContext,
  options: OpenDetails<K>,
): Promise<boolean> {
  const count = { done: 0 };
  const report = (): void =>
    ctx.progress(options.stage, { done: count.done, total: options.total });
  const open = openRecords(ctx, options, count);
  await pool(open, ctx.settings.source.concurrency, ctx.stopping, async (record) => {
    const key = options.key(record);
    await unit(ctx, options.stage, key, () => options.work(record, key));
    count.done++;
    report();
    ctx.topics.bump(options.stage);
  });
  report();
  return !ctx.stopping();
}

async function* openRecords<K extends ListKind>(
  ctx: RunContext,
  options: OpenDetails<K>,
  count: { done: number },
): AsyncGenerator<RecordByKind[K], void, undefined> {
  let after: string | null = null;
  do {
    const page: { rows: RecordByKind[K][]; cursor: string | null } = await ctx.store.records(
      ctx.scope.id,
      options.kind,
      { after, limit: BATCH },
    );
    const rows = page.rows.filter(options.wanted);
    const known = await ctx.store.details(ctx.scope.id, options.task, rows.map(options.key));
    count.done += known.size;
    for (const record of rows) if (!known.has(options.key(record))) yield record;
    after = page.cursor;
  } while (after !== null);
}

async function readScripts(ctx: RunContext): Promise<boolean> {
  const total = (await ctx.store.countRecords(ctx.scope.id)).testCase;
  return await forEachOpen(ctx, {
    stage: "extract.script",
    kind: "testCase",
    task: "script",
    key: (record) => record.key,
    wanted: () => true,
    total,
    work: (record, key) =>
      readDetail(
        ctx,
        { task: "script", kind: "testCase", key },
        () => ctx.source.script(record, ctx.readSignal),
        (script) => ({
          change: { op: "script", caseKey: key, script },
          count: script.steps.length,
        }),
      ),
  });
}

/** Reads the details of one record and keeps them, or the reason why there are none. */
async function readDetail<T>(
  ctx: RunContext,
  about: { task: "script" | "executionSteps"; kind: "testCase" | "execution"; key: string },
  read: () => Promise<Detail<T> | null>,
  keep: (value: T) => { change: Change; count: number },
): Promise<void> {
  const { task, kind, key } = about;
  const detail = await orSetAside(ctx, task, kind, key, read);
  if (detail === "setAside") return;
  if (detail === null) return await ctx.commit([state(task, key, "gone", 0)]);
  const { change, count } = keep(detail.value);
  await ctx.commit([
    ...bodies(task, key, detail.raw),
    change,
    state(task, key, "done", count),
    ...unreadable(ctx, kind, key, detail.unreadable),
  ]);
}

async function readExecutionSteps(ctx: RunContext): Promise<boolean> {
  const wanted = await stepStatusFilter(ctx);
  const inventory = await ctx.store.inventory(ctx.scope.id);
  const total = Object.entries(inventory.executionsByStatus)
    .filter(([statusId]) => wanted(statusId === "" ? null : statusId))
    .reduce((sum, [, count]) => sum + count, 0);
  return await forEachOpen(ctx, {
    stage: "extract.executionSteps",
    kind: "execution",
    task: "executionSteps",
    key: (record) => record.id,
    wanted: (record) => wanted(record.statusId),
    total,
    work: (record, key) =>
      readDetail(
        ctx,
        { task: "executionSteps", kind: "execution", key },
        () => ctx.source.executionSteps(record, ctx.readSignal),
        (steps) => ({
          change: { op: "executionSteps", executionId: key, steps },
          count: steps.length,
        }),
      ),
  });
}

async function readAttachments(
  ctx: RunContext,
  kind: AttachmentKind,
  withSteps: boolean,
): Promise<boolean> {
  if (!ctx.sourceProfile.attachments) return true;
  const stage = `extract.attachments.${kind}`;
  const total = (await ctx.store.countRecords(ctx.scope.id))[kind];
  return await forEachOpen(ctx, {
    stage,
    kind,
    task: "attachments",
    key: (record) => ownerKey(ownerOf(record)),
    wanted: () => true,
    total,
    work: async (record, key) => {
      const owner = ownerOf(record);
      for (const step of withSteps ? await stepOwners(ctx, owner) : []) {
        await readFiles(ctx, step, ownerKey(step));
      }
      await readFiles(ctx, owner, key);
    },
  });
}

function ownerOf(record: RecordByKind[AttachmentKind]): AttachmentOwner {
  return {
    kind: record.kind,
    key: record.kind === "testCase" ? record.key : record.id,
    stepId: null,
  };
}

/** The steps of a record that may carry files; those without an id cannot be asked for. */
async function stepOwners(ctx: RunContext, owner: AttachmentOwner): Promise<AttachmentOwner[]> {
  const isCase = owner.kind === "testCase";
  const steps = isCase
    ? (await ctx.store.scripts(ctx.scope.id, [owner.key])).get(owner.key)?.steps
    : (await ctx.store.executionSteps(ctx.scope.id, [owner.key])).get(owner.key);
  return (steps ?? []).flatMap((step) =>
    step.id === null
      ? []
      : [{ kind: isCase ? "testStep" : "executionStep", key: owner.key, stepId: step.id }]
  );
}

/** Lists the files of one owner and stores their bytes; the detail row comes last. */
async function readFiles(ctx: RunContext, owner: AttachmentOwner, key: string): Promise<void> {
  const listed = await orSetAside(
    ctx,
    "attachments",
    owner.kind,
    key,
    () => ctx.source.attachments(owner, ctx.readSignal),
  );
  if (listed === "setAside" || listed === null) return;
  const files = listed.map((file, ord): AttachmentRecord => ({
    kind: "attachment",
    id: file.id,
    owner,
    name: file.name,
    ord,
    size: null,
    sha256: null,
  }));
  for (const file of files) {
    const stored = await storeFile(ctx, owner, file);
    file.size = stored?.size ?? null;
    file.sha256 = stored?.sha256 ?? null;
  }
  const changes: Change[] = [state("attachments", key, "done", files.length)];
  if (files.length > 0) changes.unshift({ op: "attachments", ownerKey: key, attachments: files });
  await ctx.commit(changes);
}

async function storeFile(
  ctx: RunContext,
  owner: AttachmentOwner,
  file: AttachmentRecord,
): Promise<{ sha256: string; size: number } | null> {
  // A body that breaks off leaves nothing behind, so the file is simply opened again.
  for (let attempt = 1;; attempt++) {
    const opened = await openFile(ctx, owner, file);
    if (opened === null) return null;
    try {
      return await ctx.blobs.put(opened.body);
    } catch (error) {
      if (ctx.readSignal.aborted || attempt >= 5 || !isBrokenBody(error)) throw error;
      await ctx.clock.sleep(500 * attempt, ctx.readSignal);
    }
  }
}

/** Opens a file; null when it is gone or refused, which sets the file alone aside later on. */
async function openFile(
  ctx: RunContext,
  owner: AttachmentOwner,
  file: AttachmentRecord,
): Promise<SourceFile | null> {
  try {
    return await ctx.source.download(owner, file.id, ctx.readSignal);
  } catch (error) {
    if (!isAboutRecord(error)) throw error;
    const key = `${ownerKey(owner)}#${file.id}`;
    await ctx.commit([
      issue(ctx, { kind: "attachment", key, reason: "attachment-unreadable" }, error),
    ]);
    return null;
  }
}

/** Whether a stream broke on the way, as opposed to a disk that refused. */
function isBrokenBody(error: unknown): boolean {
  return !(error instanceof Error && /ENOSPC|EROFS|EACCES|disk/i.test(error.message));
}

/** Runs a read; a refusal of this one record sets it aside instead of ending the run. */
async function orSetAside<T>(
  ctx: RunContext,
  task: DetailTask,
  kind: string,
  key: string,
  read: () => Promise<T>,
): Promise<T | "setAside"> {
  try {
    return await read();
  } catch (error) {
    if (!isAboutRecord(error)) throw error;
    const reason = `${task}-unreadable`;
    await ctx.commit([
      state(task, key, "setAside", 0),
      issue(ctx, { kind, key, reason, setAside: true }, error),
    ]);
    return "setAside";
  }
}

function isAboutRecord(error: unknown): error is RefusedError | SetAsideError {
  return error instanceof RefusedError || error instanceof SetAsideError;
}

function issue(
  ctx: RunContext,
  about: { kind: string; key: string; reason: string; setAside?: boolean },
  error: RefusedError | SetAsideError,
): Change {
  return {
    op: "issue",
    runId: ctx.run.id,
    row: {
      phase: "extract",
      level: "error",
      message: error.message,
      payload: error instanceof RefusedError ? error.answer : null,
      setAside: false,
      attempts: 1,
      at: ctx.nowIso(),
      ...about,
    },
  };
}

function state(task: DetailTask, key: string, value: DetailRow["state"], count: number): Change {
  return { op: "detail", rows: [{ task, key, state: value, count }] };
}

function bodies(list: string, key: string, raw: Uint8Array[]): Change[] {
  return raw.map((body, index) => ({ op: "page", list, at: `${key}#${index}`, body, rows: 1 }));
}

function unreadable(ctx: RunContext, kind: string, key: string, rows: UnreadableRow[]): Change[] {
  return rows.map((row) => ({
    op: "issue",
    runId: ctx.run.id,
    row: {
      phase: "extract",
      kind,
      key,
      level: "error",
      reason: `step-${row.ordinal}-unreadable`,
      message: row.reason,
      payload: null,
      setAside: false,
      attempts: 1,
      at: ctx.nowIso(),
    },
  }));
}
