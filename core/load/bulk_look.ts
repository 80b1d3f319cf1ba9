/** Finds the runs and logs that a batch made, through the list routes. @module */
import type { Found, TargetRow, TestRunDraft } from "../ports/mod.ts";
import { RefusedError } from "../errors.ts";
import type { RunContext } from "../engine/stage.ts";
import { pool } from "../engine/stage.ts";
import { transformOf } from "../transform/stages/context.ts";
import { compareFound } from "../validate/compare.ts";
import type { BulkRun, BulkSuite } from "./bulk_suite.ts";
import { keyOfFound } from "./identity.ts";
import { caseKeyOfRun } from "./prepare.ts";
import { foundDetail } from "./reconcile.ts";

/** Lists of logs read at once. */
const READERS = 4;
/** Runs taken in one commit. */
const CHUNK = 200;

/**
 * Takes the runs of a suite that are in the target into the map: by their key, else by their case,
 * which a job plans once per suite. A run that lacks our fields gets them.
 */
export async function takeRuns(ctx: RunContext, suite: BulkSuite): Promise<void> {
  const open = [...suite.runs.values()].filter(({ row }) => row.state !== "loaded");
  if (open.length === 0 || suite.row.targetId === null) return;
  const { context } = await transformOf(ctx);
  const byKey = new Map<string, Found>();
  const byCase = new Map<string, Found[]>();
  const parent = { type: "testSuite" as const, id: suite.row.targetId };
  for await (const page of ctx.target.children("testRun", parent, ctx.readSignal)) {
    for (const found of page) {
      const key = keyOfFound(found, context);
      if (key !== null) byKey.set(key, byKey.get(key) ?? found);
      const caseId = found.testCaseId ?? "";
      if (key === null) byCase.set(caseId, [...byCase.get(caseId) ?? [], found]);
    }
  }
  const strangers = [...byCase.values()].flat().map((found) => found.id);
  const mapped = await ctx.store.targetsById(ctx.scope.id, "testRun", strangers);
  const matched = open.flatMap((run) => {
    const found = byKey.get(run.row.key) ??
      byCase.get(run.testCase?.targetId ?? "")?.find((item) => !mapped.has(item.id));
    return found === undefined ? [] : [{ run, found }];
  });
  for (let at = 0; at < matched.length; at += CHUNK) {
    await takeMatched(ctx, suite, matched.slice(at, at + CHUNK));
  }
}

async function takeMatched(
  ctx: RunContext,
  suite: BulkSuite,
  matched: { run: BulkRun; found: Found }[],
): Promise<void> {
  const keys = matched.map(({ run }) => caseKeyOfRun(run.row.key));
  const records = await ctx.store.recordsByKey(ctx.scope.id, "testCase", keys);
  const { transform, context } = await transformOf(ctx);
  const cycle = [...context.cycles.values()].find((item) => item.key === suite.row.key) ?? null;
  const rows = [];
  for (const { run: { row, testCase }, found } of matched) {
    const caseKey = caseKeyOfRun(row.key);
    const draft: TestRunDraft = {
      ...transform.testRun(cycle, records.get(caseKey)?.name, caseKey).draft,
      parent: { type: "testSuite", id: suite.row.targetId },
      testCaseId: testCase?.targetId ?? "",
      testCaseVersionId: testCase?.detail.versionId ?? null,
    };
    if (compareFound(draft, found).length > 0) await putRight(ctx, found.id, draft);
    rows.push({
      kind: "testRun" as const,
      key: row.key,
      state: "loaded" as const,
      targetId: found.id,
      origin: "created" as const,
      runId: ctx.run.id,
      lastError: null,
      detail: { ...foundDetail(found), batch: null },
    });
  }
  await ctx.commit([{ op: "targets", rows }]);
  for (const { run: { row }, found } of matched) {
    row.state = "loaded";
    row.targetId = found.id;
  }
}

/** A log of the map and what was found for it: more than one is a copy. */
export type FoundLogs = Map<string, Found[]>;

/** Reads the logs of the runs of these rows and says which belong to which row. */
export async function findLogs(
  ctx: RunContext,
  rows: TargetRow[],
  runs: Map<string, TargetRow>,
): Promise<FoundLogs> {
  const found: FoundLogs = new Map();
  const groups = new Map<string, TargetRow[]>();
  for (const row of rows) {
    const key = row.parentKey ?? "";
    groups.set(key, [...groups.get(key) ?? [], row]);
  }
  await pool(groups, READERS, () => ctx.readSignal.aborted, async ([runKey, members]) => {
    const runId = runs.get(runKey)?.targetId;
    if (runId == null) return;
    const logs: Found[] = [];
    for await (const page of ctx.target.children("testLog", runId, ctx.readSignal)) {
      logs.push(...page);
    }
    for (const [key, list] of await matchLogs(ctx, members, logs)) found.set(key, list);
  });
  ctx.readSignal.throwIfAborted();
  return found;
}

/** By marker; without markers by time and place in the order, as far as the map does not know them. */
async function matchLogs(ctx: RunContext, rows: TargetRow[], logs: Found[]): Promise<FoundLogs> {
  const { context, transform } = await transformOf(ctx);
  const matched: FoundLogs = new Map();
  const wanted = new Set(rows.map((row) => row.key));
  const sorted = logs.toSorted((a, b) => Number(a.id) - Number(b.id));
  if (context.marker !== "none") {
    for (const log of sorted) {
      const key = keyOfFound(log, context);
      if (key !== null && wanted.has(key)) matched.set(key, [...matched.get(key) ?? [], log]);
    }
    return matched;
  }
  const mapped = await ctx.store.targetsById(ctx.scope.id, "testLog", logs.map((log) => log.id));
  const free = sorted.filter((log) => !mapped.has(log.id));
  const executions = await ctx.store.recordsByKey(ctx.scope.id, "execution", [...wanted]);
  for (const row of rows) {
    const record = executions.get(row.key);
    const draft = record === undefined
      ? null
      : transform.executionLog(record, null, null, {}).draft;
    const at = free.findIndex(({ log }) => log?.start === draft?.start && log?.end === draft?.end);
    const [log] = at < 0 ? [] : free.splice(at, 1);
    if (log !== undefined) matched.set(row.key, [log]);
  }
  return matched;
}

/** Makes a run of a job what it would be otherwise. */
async function putRight(ctx: RunContext, id: string, draft: TestRunDraft): Promise<void> {
  try {
    await ctx.target.update(id, draft, {
      signal: ctx.signal,
      intent: () => Promise.resolve(ctx.assertMayWrite()),
    });
  } catch (error) {
    // The run holds its logs all the same (somebody may have it open); validation tells what differs.
    if (!(error instanceof RefusedError)) throw error;
    const { message } = error;
    ctx.log({ level: "warning", event: "load.runUpdateRefused", data: { id, message } });
  }
}
