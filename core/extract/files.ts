/** The stages that list and store attachments. @module */
import type { Change, SourceFile } from "../ports/mod.ts";
import type { AttachmentOwner, AttachmentRecord, RecordByKind } from "../records/mod.ts";
import { ownerKey } from "../records/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import type { RefusedError } from "../errors.ts";
import { SetAsideError } from "../errors.ts";
import type { Settings } from "../config/types.ts";
import { forEachOpen, isAboutRecord, issue, orSetAside, state } from "./open_details.ts";
import { readsExecutions } from "./selection.ts";

/** Times a file is opened whose body breaks off. */
const BODY_ATTEMPTS = 5;

/** Which records have their attachments listed, per option. */
export function attachmentStages(include: Settings["include"], after: string[]): Stage[] {
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
    const watched = watch(opened.body);
    try {
      return await ctx.blobs.put(watched.body);
    } catch (error) {
      // A disk that refuses is no fault of the file.
      if (ctx.readSignal.aborted || !watched.broke()) throw error;
      if (attempt >= BODY_ATTEMPTS) {
        return await leaveFile(ctx, owner, file, brokenOff(file, error));
      }
      await ctx.clock.sleep(500 * attempt, ctx.readSignal);
    }
  }
}

function brokenOff(file: AttachmentRecord, cause: unknown): SetAsideError {
  return new SetAsideError(
    "unreadable",
    `Cannot read attachment "${file.id}": its body broke off ${BODY_ATTEMPTS} times`,
    { cause },
  );
}

/** A body that remembers whether reading it failed, as opposed to what became of its bytes. */
function watch(
  body: ReadableStream<Uint8Array>,
): { body: ReadableStream<Uint8Array>; broke: () => boolean } {
  const reader = body.getReader();
  let isBroken = false;
  return {
    broke: () => isBroken,
    body: new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          isBroken = true;
          throw error;
        }
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 }),
  };
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
    return await leaveFile(ctx, owner, file, error);
  }
}

/** Says why a file has no bytes; the transform sets it aside. */
async function leaveFile(
  ctx: RunContext,
  owner: AttachmentOwner,
  file: AttachmentRecord,
  error: RefusedError | SetAsideError,
): Promise<null> {
  const key = `${ownerKey(owner)}#${file.id}`;
  const about = { kind: "attachment", key, reason: "attachment-unreadable" };
  await ctx.commit([issue(ctx, about, error)]);
  return null;
}
