/** Where the records of every kind are: extracted, loaded, kept elsewhere, set aside. @module */
import type { Run, Store, TargetCount } from "../ports/mod.ts";
import type { RecordKind } from "../records/mod.ts";
import { RECORD_KINDS } from "../records/mod.ts";
import type { KindCounts, Summary } from "../report/model.ts";

/** Where the records of every kind are, as the store has it now. */
export async function recordCounts(
  { store, run }: { store: Store; run: Run },
  targets: TargetCount[],
): Promise<Summary["counts"]> {
  const inventory = await store.inventory(run.scopeId);
  const issues = await store.countIssues(run.scopeId);
  const unreadable = (kind: RecordKind, phase: "extract" | "transform"): number =>
    issues.filter((row) => row.phase === phase && row.kind === kind && row.setAside)
      .reduce((sum, row) => sum + row.count, 0);
  const { folders } = inventory;
  const extracted: Record<RecordKind, number> = {
    folder: folders.TEST_CASE + folders.TEST_PLAN + folders.TEST_CYCLE,
    testCase: inventory.testCases,
    testPlan: inventory.testPlans,
    testCycle: inventory.testCycles,
    execution: inventory.executions,
    executionStep: inventory.executionSteps,
    attachment: inventory.attachments,
    link: inventory.links,
  };
  const counts = {} as Summary["counts"];
  for (const kind of RECORD_KINDS) {
    const row = tally(kind, targets, { runId: run.id, linksMove: movesLinks(run) });
    // Rows that could not be read at all have no record; script problems have one.
    const lost = await lostRows(store, run.scopeId, kind, unreadable(kind, "extract"));
    row.extracted = extracted[kind] + lost;
    row.setAside += lost;
    row.transformed = Math.max(0, row.transformed - unreadable(kind, "transform"));
    counts[kind] = row;
  }
  return counts;
}

/** Extract issues of rows without identity, as opposed to details of stored records. */
async function lostRows(
  store: Store,
  scopeId: number,
  kind: RecordKind,
  any: number,
): Promise<number> {
  if (any === 0) return 0;
  let lost = 0;
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Store["issues"]>> = await store.issues(
      scopeId,
      { after, limit: 500 },
      { setAside: true, phase: "extract" },
    );
    lost += page.rows.filter((row) => row.kind === kind && row.reason === "unreadable").length;
    after = page.cursor;
  } while (after !== null);
  return lost;
}

/** Sums the rows of the target map that stand for records of one kind. */
function tally(
  kind: RecordKind,
  targets: TargetCount[],
  { runId, linksMove }: { runId: string; linksMove: boolean },
): KindCounts {
  const counts: KindCounts = {
    extracted: 0,
    transformed: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    withoutTarget: 0,
    setAside: 0,
  };
  for (const row of targets) {
    const amount = amountOf(kind, row, linksMove);
    counts.transformed += amount.moved + amount.text;
    if (row.state === "loaded") {
      counts[outcomeOf(row, runId)] += amount.moved;
      counts.withoutTarget += amount.text;
    } else if (row.state === "withoutTarget") counts.withoutTarget += amount.moved + amount.text;
    else if (row.state === "setAside") counts.setAside += amount.moved + amount.text;
  }
  return counts;
}

/** How many records of the kind a group of rows stands for. */
function amountOf(
  kind: RecordKind,
  row: TargetCount,
  linksMove: boolean,
): { moved: number; text: number } {
  if (kind === "executionStep") {
    return row.kind === "testLog" ? { moved: row.steps, text: row.stepsAsText } : NOTHING;
  }
  // Links that are switched off stand in the loss ledger alone.
  if (kind === "link") {
    return linksMove ? { moved: row.links, text: 0 } : { moved: 0, text: row.links };
  }
  return row.recordKind === kind ? { moved: row.count, text: 0 } : NOTHING;
}

/** By the configuration the run was started with. */
function movesLinks({ config }: Run): boolean {
  return (config as { include?: { links?: boolean } } | null)?.include?.links !== false;
}

const NOTHING = { moved: 0, text: 0 };

function outcomeOf(row: TargetCount, runId: string): "created" | "updated" | "unchanged" {
  if (row.runId !== runId) return "unchanged";
  if (row.origin === "created") return "created";
  return row.origin === "updated" ? "updated" : "unchanged";
}
