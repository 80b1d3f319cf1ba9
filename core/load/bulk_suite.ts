/** A suite whose logs go in bulk: its runs, and what of them is still to be sent. @module */
import type { TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { isBulk } from "./bulk_view.ts";
import { caseKeyOfRun } from "./prepare.ts";

/** A run and its logs that are not known to be in the target, in order of time. */
export interface BulkRun {
  row: TargetRow;
  logs: TargetRow[];
  /** Row of the planned case. */
  testCase: TargetRow | undefined;
}

export interface BulkSuite {
  row: TargetRow;
  runs: Map<string, BulkRun>;
}

/** Keys named in one read. */
const CHUNK = 500;

/** Reads the runs of a suite that go in bulk and have anything left to do. */
export async function readSuite(ctx: RunContext, row: TargetRow): Promise<BulkSuite> {
  const { store, scope } = ctx;
  const all = await store.targetChildren(scope.id, "testRun", "testSuite", [row.key]);
  const rows = all.filter(isBulk);
  const runs = new Map<string, BulkRun>();
  for (let at = 0; at < rows.length; at += CHUNK) {
    const part = rows.slice(at, at + CHUNK);
    const keys = part.map((run) => run.key);
    const cases = await store.targetsByKey(scope.id, "testCase", keys.map(caseKeyOfRun));
    const logs = await store.targetChildren(scope.id, "testLog", "testRun", keys);
    for (const run of part) {
      runs.set(run.key, { row: run, logs: [], testCase: cases.get(caseKeyOfRun(run.key)) });
    }
    for (const log of logs) {
      if (isBulk(log) && isOpen(log)) runs.get(log.parentKey ?? "")?.logs.push(log);
    }
  }
  for (const [key, run] of runs) {
    if (run.logs.length === 0 && !isOpen(run.row)) runs.delete(key);
  }
  return { row, runs };
}

function isOpen(row: TargetRow): boolean {
  return row.state === "pending" || row.state === "sending" || row.state === "inDoubt";
}

/** Logs that may be sent now, in order of runs and, within a run, of time. */
export function pendingLogs(suite: BulkSuite): TargetRow[] {
  return [...suite.runs.values()].flatMap((run) =>
    run.logs.filter((row) => row.state === "pending")
  );
}

/** Logs whose outcome is not known, by the batch they were sent in. */
export function logsInFlight(suite: BulkSuite): Map<string, TargetRow[]> {
  const batches = new Map<string, TargetRow[]>();
  for (const { logs } of suite.runs.values()) {
    for (const row of logs) {
      if (row.state === "pending" || row.state === "loaded") continue;
      const id = typeof row.detail.batch === "string" ? row.detail.batch : "";
      batches.set(id, [...batches.get(id) ?? [], row]);
    }
  }
  return batches;
}

/** Pages of all suites of the run. */
export async function* suiteRows(ctx: RunContext): AsyncGenerator<TargetRow> {
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      "testSuite",
      { after, limit: 200 },
    );
    yield* page.rows;
    after = page.cursor;
  } while (after !== null);
}
