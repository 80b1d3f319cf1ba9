/**
 * Plans runs and logs: all executions of one case at a time, so that runs become loadable as their
 * cases do, and the logs of a run get their order in time.
 * @module
 */
import type { Change } from "../../ports/mod.ts";
import type { ExecutionRecord, TestCycleRecord } from "../../records/mod.ts";
import { keyNumber, ownerKey } from "../../records/mod.ts";
import type { RunContext, Stage } from "../../engine/stage.ts";
import { stepStatusFilter } from "../../extract/selection.ts";
import { payloadHash } from "../mod.ts";
import { transformOf } from "./context.ts";
import { type Batch, readBatch } from "./execution_batch.ts";
import { caseShapeOf, runChanges, withoutCase } from "./execution_logs.ts";
import { lossChange, targetRow } from "./rows.ts";
import type { Needed } from "./waiting.ts";
import { readsFiles, waitForDetails } from "./waiting.ts";

/** Small, so that the last logs follow soon after the last steps were read. */
const BATCH = 50;
const NOTE = "plan/execution";
const STAGE = "transform.execution";

interface PlanNote {
  /** Cursor of the last page before the first execution that is not planned yet. */
  after: string | null;
  /** Case of that execution: what the page holds before it is planned. */
  from?: string | null;
  /** Everything is planned. */
  ended?: boolean;
  /** Next load order number. */
  seq: number;
  done: number;
}

export function executionsStage(after: string[]): Stage {
  return { name: STAGE, phase: "transform", after, run: planExecutions };
}

async function planExecutions(ctx: RunContext): Promise<boolean> {
  const note = await ctx.note<PlanNote>(NOTE) ?? { after: null, seq: 1, done: 0 };
  if (note.ended === true) return true;
  const total = (await ctx.store.countRecords(ctx.scope.id)).execution;
  const wantsSteps = await stepStatusFilter(ctx);
  let { after, seq, done } = note;
  let skipTo = note.from;
  let carry: ExecutionRecord[] = [];
  /** Cursor before the page in which the carried rows begin. */
  let carriedFrom = after;
  for (;;) {
    const page: { rows: ExecutionRecord[]; cursor: string | null } = await ctx.store.records(
      ctx.scope.id,
      "execution",
      { after, limit: BATCH },
    );
    const ended = page.cursor === null;
    const last = page.rows.at(-1)?.testCaseKey;
    const rows = [...carry, ...startingWith(skipTo, page.rows)];
    skipTo = undefined;
    const complete = ended ? rows : rows.filter((row) => row.testCaseKey !== last);
    const rest = ended ? [] : rows.filter((row) => row.testCaseKey === last);
    if (carry[0]?.testCaseKey !== last || carry.length === 0) carriedFrom = after;
    if (complete.length > 0) {
      if (!await waitForExecutions(ctx, complete, wantsSteps)) return false;
      const planned = await planBatch(ctx, complete, seq, wantsSteps);
      seq = planned.seq;
      done += complete.length;
      const place = ended ? { after: null, ended } : { after: carriedFrom, from: last ?? null };
      await ctx.commit([
        ...planned.changes,
        ctx.noteChange(NOTE, { ...place, seq, done } satisfies PlanNote),
      ]);
      ctx.progress(STAGE, { done, total });
      ctx.topics.bump(STAGE);
    }
    carry = rest;
    after = page.cursor;
    if (after === null) return true;
    if (ctx.stopping()) return false;
  }
}

/**
 * The rows from the first one of a case on. What stands before it is planned: planned once more
 * without its case's rows of earlier pages it would come after them, whatever its time.
 */
function startingWith(
  caseKey: string | null | undefined,
  rows: ExecutionRecord[],
): ExecutionRecord[] {
  if (caseKey === undefined) return rows;
  const first = rows.findIndex((row) => row.testCaseKey === caseKey);
  return first < 0 ? rows : rows.slice(first);
}

async function waitForExecutions(
  ctx: RunContext,
  rows: ExecutionRecord[],
  wantsSteps: (statusId: string | null) => boolean,
): Promise<boolean> {
  const needed: Needed[] = [];
  const stepped = rows.filter((row) => wantsSteps(row.statusId)).map((row) => row.id);
  if (ctx.settings.include.executionSteps !== "none") {
    needed.push({ task: "executionSteps", stage: "extract.executionSteps", keys: stepped });
  }
  if (readsFiles(ctx, "execution")) {
    needed.push({
      task: "attachments",
      stage: "extract.attachments.execution",
      keys: rows.map((row) => ownerKey({ kind: "execution", key: row.id, stepId: null })),
    });
  }
  return await waitForDetails(ctx, needed) && await waitForCases(ctx, rows);
}

/** The shape of a case is known once it is planned. */
async function waitForCases(ctx: RunContext, waiting: ExecutionRecord[]): Promise<boolean> {
  const keys = [...new Set(waiting.flatMap((row) => row.testCaseKey ?? []))];
  for (;;) {
    const since = ctx.topics.version;
    const finished = ctx.isDone("transform.testCase");
    const rows = await ctx.store.targetsByKey(ctx.scope.id, "testCase", keys);
    // A row that was only adopted from the target does not say how many steps there will be.
    const open = keys.filter((key) => {
      const row = rows.get(key);
      return row?.state !== "setAside" && (row === undefined || caseShapeOf(row) === null);
    });
    if (finished || open.length === 0) return true;
    const listed = await ctx.store.recordsByKey(ctx.scope.id, "testCase", open);
    if (listed.size === 0) return true;
    if (ctx.stopping()) return false;
    await ctx.topics.wait(["transform.testCase"], since, 1_000);
  }
}

async function planBatch(
  ctx: RunContext,
  rows: ExecutionRecord[],
  firstSeq: number,
  wantsSteps: (statusId: string | null) => boolean,
): Promise<{ changes: Change[]; seq: number }> {
  const batch = await readBatch(ctx, rows, wantsSteps);
  const changes: Change[] = [];
  let seq = firstSeq;
  for (const [caseKey, executions] of groupBy(rows, (row) => row.testCaseKey ?? "")) {
    if (caseKey === "") {
      for (const row of executions) changes.push(...await withoutCase(ctx, batch, row, seq++));
      continue;
    }
    changes.push(...await placeholderChanges(ctx, batch, caseKey));
    const { context } = await transformOf(ctx);
    const cycleOf = (row: ExecutionRecord): TestCycleRecord | null =>
      row.cycleId === null ? null : context.cycles.get(row.cycleId) ?? null;
    for (const [suiteKey, members] of groupBy(executions, (row) => cycleOf(row)?.key ?? "adhoc")) {
      const first = members[0];
      if (first === undefined) continue;
      const planned = await runChanges(ctx, batch, {
        suiteKey,
        caseKey,
        cycle: cycleOf(first),
        executions: members,
        seq,
      });
      changes.push(...planned.changes);
      seq = planned.seq;
    }
  }
  return { changes, seq };
}

function groupBy<T>(items: T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** A case that no list holds gets a stand-in, so that its executions have a place. */
async function placeholderChanges(
  ctx: RunContext,
  batch: Batch,
  caseKey: string,
): Promise<Change[]> {
  // A row that was only adopted from the target is not planned yet.
  const isPlanned = batch.cases.get(caseKey)?.detail.placeholder === true;
  if (isPlanned || batch.names.has(caseKey)) return [];
  const { transform, context: { automation } } = await transformOf(ctx);
  const planned = transform.placeholder(caseKey);
  const roots = transform.roots();
  return [
    {
      op: "planTargets",
      rows: [
        targetRow({
          kind: "module",
          key: "archived",
          ord: Number.MAX_SAFE_INTEGER,
          parentKind: "module",
          parentKey: "root",
          payloadHash: payloadHash(roots.archivedModule),
        }),
        targetRow({
          kind: "testCase",
          key: caseKey,
          ord: keyNumber(caseKey),
          parentKind: "module",
          parentKey: "archived",
          payloadHash: payloadHash(planned.draft),
          detail: {
            placeholder: true,
            stepCount: 0,
            hasCall: false,
            calls: [],
            namedCalls: [],
            ...(automation != null && automation.takesCase(caseKey) ? { automation: true } : {}),
          },
        }),
      ],
    },
    lossChange("testCase", caseKey, planned.losses),
  ];
}
