/** Turns the changes of one `apply` into few statements. @module */
import type { Change, Lease } from "../../core/ports/mod.ts";
import type { Statement } from "./connection.ts";
import * as ledger from "./ledger_changes.ts";
import * as source from "./source_changes.ts";

type Op = Change["op"];
type ChangeOf<O extends Op> = Extract<Change, { op: O }>;
type Builders = { [O in Op]: (scopeId: number, changes: ChangeOf<O>[]) => Statement[] };

const BUILDERS: Omit<Builders, "records"> = {
  page: source.pageStatements,
  script: source.scriptStatements,
  executionSteps: source.executionStepStatements,
  attachments: source.attachmentStatements,
  attachmentStored: source.attachmentStoredStatements,
  detail: source.detailStatements,
  removeDetails: source.removeDetailStatements,
  checkpoint: ledger.checkpointStatements,
  planTargets: ledger.planStatements,
  targets: ledger.targetStatements,
  removeTargets: ledger.removeStatements,
  seen: ledger.seenStatements,
  losses: ledger.lossStatements,
  issue: ledger.issueStatements,
  clearIssues: ledger.clearIssueStatements,
  run: ledger.runStatements,
  event: ledger.eventStatements,
  requests: ledger.requestStatements,
  clearDifferences: ledger.clearDifferenceStatements,
  differences: ledger.differenceStatements,
};

/** Ops that write the same table keep their order; all others may be moved together. */
const TABLES: Record<Op, string> = {
  page: "page",
  records: "records",
  script: "script",
  executionSteps: "executionSteps",
  attachments: "attachment",
  attachmentStored: "attachment",
  detail: "detail",
  removeDetails: "detail",
  checkpoint: "checkpoint",
  planTargets: "target",
  targets: "target",
  removeTargets: "target",
  seen: "target",
  losses: "loss",
  issue: "issue",
  clearIssues: "issue",
  run: "run",
  event: "event",
  requests: "requests",
  clearDifferences: "difference",
  differences: "difference",
};

/** Builds the statements of changes; records come after all pages, which they point at. */
export function changeStatements(scopeId: number, changes: Change[]): Statement[] {
  const pages = changes.filter((change) => change.op === "page");
  const tables = new Map<string, Change[]>([["page", []], ["records", []]]);
  for (const change of changes) {
    const table = TABLES[change.op];
    const list = tables.get(table);
    if (list === undefined) tables.set(table, [change]);
    else list.push(change);
  }
  return [...tables.values()].flatMap(runsOfOneOp).flatMap((list) => {
    const op = list[0]?.op;
    if (op === undefined) return [];
    if (op === "records") {
      return source.recordStatements(scopeId, list as ChangeOf<"records">[], pages);
    }
    const build = BUILDERS[op] as (scopeId: number, changes: Change[]) => Statement[];
    return build(scopeId, list);
  });
}

/** Neighbours that can share a statement. */
function runsOfOneOp(changes: Change[]): Change[][] {
  const runs: Change[][] = [];
  for (const change of changes) {
    const last = runs.at(-1);
    const [first] = last ?? [];
    if (first !== undefined && sortOf(first) === sortOf(change)) last?.push(change);
    else runs.push([change]);
  }
  return runs;
}

function sortOf(change: Change): string {
  return change.op === "planTargets" && change.onlyNew === true ? "planNewTargets" : change.op;
}

/**
 * First statement of every batch of a lease holder: fails, and the batch with it, when the lease is
 * another's, or when a batch of this name took place already (its answer was lost).
 */
export function guardStatement(lease: Lease, batch: string): Statement {
  return {
    sql: `INSERT INTO "lease" ("scope_id", "owner", "epoch", "host", "pid", "heartbeat_at",
      "expires_at", "last_write")
      SELECT ?1, (SELECT "owner" FROM "lease" WHERE "scope_id" = ?1 AND "owner" = ?2
        AND "epoch" = ?3 AND "last_write" IS NOT ?4), ?3, '', 0, '', '', ?4 WHERE true
      ON CONFLICT ("scope_id") DO UPDATE SET "last_write" = excluded."last_write"`,
    args: [lease.scopeId, lease.owner, lease.epoch, batch],
  };
}
