/** What went in bulk, for the least number of requests. @module */
import type { Store, TargetKind, TargetRow } from "../ports/mod.ts";
import type { BulkWork } from "../plan/minimum.ts";
import { BATCH_LOGS } from "./bulk.ts";
import { isBulk } from "./bulk_view.ts";

const LIST_PAGE = 999;

/** Counts the loaded runs and logs that jobs made, suite by suite. */
export async function bulkWork(store: Store, scopeId: number): Promise<BulkWork> {
  const runs = await countBySuite(store, scopeId, "testRun");
  const logs = await countBySuite(store, scopeId, "testLog");
  const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0);
  const pages = (counts: Map<string, number>, size: number): number =>
    sum([...counts.values()].map((count) => Math.ceil(count / size)));
  return {
    runs: sum([...runs.values()]),
    logs: sum([...logs.values()]),
    batches: pages(logs, BATCH_LOGS),
    reads: pages(runs, LIST_PAGE),
  };
}

async function countBySuite(
  store: Store,
  scopeId: number,
  kind: TargetKind,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await store.targets(scopeId, kind, {
      after,
      limit: 1_000,
      states: ["loaded"],
    });
    for (const row of page.rows) {
      if (!isBulk(row) || row.origin !== "created") continue;
      // `SA-R5/SA-T1` stands below `SA-R5`.
      const runKey = kind === "testRun" ? row.key : row.parentKey ?? "";
      const suite = runKey.slice(0, runKey.indexOf("/"));
      counts.set(suite, (counts.get(suite) ?? 0) + 1);
    }
    after = page.cursor;
  } while (after !== null);
  return counts;
}
