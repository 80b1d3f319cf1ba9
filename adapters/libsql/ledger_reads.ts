/** Reads of the ledgers: target map, losses, issues, runs and their counters. @module */
import type {
  DifferenceRow,
  EventRow,
  IssueRow,
  Keyset,
  LossRow,
  Phase,
  Rows,
  Run,
  Store,
  TargetCount,
  TargetKind,
  TargetRow,
  TargetState,
} from "../../core/ports/mod.ts";
import type { Connection, Row, Statement } from "./connection.ts";
import { TARGET_MEMBERS } from "./ledger_changes.ts";
import { readByKeys, readPage } from "./reads.ts";
import { decoder, membersOf, packed } from "./rows.ts";
import { SHAPES } from "./shapes.ts";

const TARGET_COLUMNS = `${packed(SHAPES.target, TARGET_MEMBERS)}, "ord", "key"`;
const readTarget = decoder<TargetRow>(SHAPES.target, TARGET_MEMBERS);
const KEYS_PER_READ = 500;

const STATES: readonly TargetState[] = [
  "pending",
  "sending",
  "inDoubt",
  "loaded",
  "setAside",
  "withoutTarget",
];

/** Rows of a kind in order. The rows of each state lie in order, so several states are merged. */
export async function targets(
  connection: Connection,
  scopeId: number,
  kind: TargetKind,
  page: Keyset & { states?: TargetState[]; everInDoubt?: boolean },
): Promise<Rows<TargetRow>> {
  const states = [...new Set(page.states ?? STATES)];
  if (states.length === 0) return { rows: [], cursor: null };
  if (page.everInDoubt === true) {
    return await inDoubtTargets(connection, scopeId, kind, page, states);
  }
  const after: [number, string] | null = page.after === null ? null : JSON.parse(page.after);
  const doubt = page.everInDoubt === undefined ? "" : ` AND "ever_in_doubt" = 0`;
  const where = after === null ? "" : ` AND ("ord", "key") > (?3, ?4)`;
  const sql = states.map((_, index) =>
    `SELECT ${TARGET_COLUMNS} FROM "target_map" INDEXED BY "target_map_order" WHERE "scope_id" = ?1
      AND "kind" = ?2 AND "state" = ?${index + 6}${doubt}${where}`
  ).join(" UNION ALL ");
  const rows = await connection.query(
    `${sql} ORDER BY "ord", "key" LIMIT ?5`,
    ...[scopeId, kind, after?.[0] ?? null, after?.[1] ?? null, page.limit + 1, ...states],
  );
  const kept = rows.slice(0, page.limit).map(readTarget);
  const last = kept.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return { rows: kept, cursor: more ? JSON.stringify([last.ord, last.key]) : null };
}

function inDoubtTargets(
  connection: Connection,
  scopeId: number,
  kind: TargetKind,
  page: Keyset,
  states: TargetState[],
): Promise<Rows<TargetRow>> {
  return readPage(connection, {
    sql: `SELECT ${TARGET_COLUMNS} FROM "target_map" INDEXED BY "target_map_doubt"
      WHERE "scope_id" = ? AND "kind" = ? AND "ever_in_doubt" = 1
        AND "state" IN (SELECT value FROM json_each(?))`,
    args: [scopeId, kind, JSON.stringify(states)],
    order: [`"ord"`, `"key"`],
    decode: readTarget,
    orderOf: (row) => [row.ord, row.key],
  }, page);
}

/** Rows with a target id that the pass has not seen. */
export function unseen(
  connection: Connection,
  scopeId: number,
  kind: TargetKind,
  pass: number,
  page: Keyset,
): Promise<Rows<TargetRow>> {
  const part = (comparison: string): string =>
    `SELECT ${TARGET_COLUMNS} FROM "target_map" INDEXED BY "target_map_seen" WHERE "scope_id" = ?
      AND "kind" = ? AND "target_id" IS NOT NULL AND "seen_pass" ${comparison} ?`;
  return readPage(connection, {
    sql: `SELECT * FROM (${part("<")} UNION ALL ${part(">")}) WHERE true`,
    args: [scopeId, kind, pass, scopeId, kind, pass],
    order: [`"ord"`, `"key"`],
    decode: readTarget,
    orderOf: (row) => [row.ord, row.key],
  }, page);
}

/** Rows by a column that holds one of the values. */
async function targetsWhere(
  connection: Connection,
  scopeId: number,
  kind: TargetKind,
  by: { index: string; condition: string; args?: string[] },
  values: string[],
): Promise<TargetRow[]> {
  const rows = await readByKeys(values, KEYS_PER_READ, (some) =>
    connection.query(
      `SELECT ${TARGET_COLUMNS} FROM "target_map" ${by.index} WHERE "scope_id" = ? AND "kind" = ?
        AND ${by.condition} IN (SELECT value FROM json_each(?))`,
      ...[scopeId, kind, ...(by.args ?? []), JSON.stringify(some)],
    ));
  return rows.map(readTarget);
}

/** Rows by key. */
export async function targetsByKey(
  connection: Connection,
  scopeId: number,
  kind: TargetKind,
  keys: string[],
): Promise<Map<string, TargetRow>> {
  const rows = await targetsWhere(
    connection,
    scopeId,
    kind,
    { index: "", condition: `"key"` },
    keys,
  );
  return new Map(rows.map((row) => [row.key, row]));
}

/** Rows by target id. */
export async function targetsById(
  connection: Connection,
  scopeId: number,
  kind: TargetKind,
  targetIds: string[],
): Promise<Map<string, TargetRow>> {
  const rows = await targetsWhere(
    connection,
    scopeId,
    kind,
    { index: `INDEXED BY "target_map_target"`, condition: `"target_id"` },
    targetIds,
  );
  return new Map(rows.map((row) => [row.targetId ?? "", row]));
}

/** Children of parents in order. */
export async function targetChildren(
  connection: Connection,
  scopeId: number,
  kind: TargetKind,
  parentKind: TargetKind,
  parentKeys: string[],
): Promise<TargetRow[]> {
  const by = {
    index: `INDEXED BY "target_map_children"`,
    condition: `"parent_kind" = ? AND "parent_key"`,
    args: [parentKind],
  };
  const rows = await targetsWhere(connection, scopeId, kind, by, parentKeys);
  return rows.sort((a, b) => a.ord - b.ord || (a.key < b.key ? -1 : 1));
}

/** Counts of the target map; read from one index, in its order. */
export async function countTargets(
  connection: Connection,
  scopeId: number,
  kind?: TargetKind,
): Promise<TargetCount[]> {
  const ofKind = kind === undefined ? "" : ` AND "kind" = ?`;
  const rows = await connection.query(
    `SELECT "kind", "state", "record_kind", "origin", "run_id", count(*), sum("steps"),
        sum("steps_as_text"), sum("links")
      FROM "target_map" INDEXED BY "target_map_counts" WHERE "scope_id" = ?${ofKind}
      GROUP BY "kind", "state", "record_kind", "origin", "run_id"`,
    ...(kind === undefined ? [scopeId] : [scopeId, kind]),
  );
  return rows.map(([kind, state, recordKind, origin, runId, count, steps, stepsAsText, links]) =>
    ({ kind, recordKind, state, origin, runId, count, steps, stepsAsText, links }) as TargetCount
  );
}

type Loss = LossRow & { phase: Phase };

/** Losses by record. */
export async function losses(
  connection: Connection,
  scopeId: number,
  page: Keyset,
  where: { rule?: string; key?: string } = {},
): Promise<Rows<Loss>> {
  const byRule = where.rule === undefined ? "" : ` AND "rule" = ?`;
  const args: Statement["args"] = where.rule === undefined ? [scopeId] : [scopeId, where.rule];
  const part = (condition = ""): string =>
    `SELECT * FROM "loss" WHERE "scope_id" = ?${byRule}${condition}`;
  // Two parts, because one condition with OR would not use an index.
  const byKey = [part(` AND "key" = ? AND "about_key" IS NULL`), part(` AND "about_key" = ?`)];
  const { key } = where;
  return await readPage(connection, {
    sql: `SELECT coalesce("about_kind", "kind"), coalesce("about_key", "key"), "field", "rule",
        "before", "after", "phase", "key", "phase", "kind", "ordinal"
      FROM (${key === undefined ? part() : byKey.join(" UNION ALL ")}) WHERE true`,
    args: key === undefined ? args : [...args, key, ...args, key],
    order: [`"key"`, `"phase"`, `"kind"`, `"ordinal"`],
    decode: ([kind, key, field, rule, before, after, phase]) =>
      ({ kind, key, field, rule, before, after, phase }) as Loss,
    orderOf: (_, row) => row.slice(7),
  }, page);
}

/** Losses per rule. */
export async function countLosses(
  connection: Connection,
  scopeId: number,
): Promise<Record<string, number>> {
  const rows = await connection.query(
    `SELECT "rule", count(*) FROM "loss" WHERE "scope_id" = ? GROUP BY "rule"`,
    scopeId,
  );
  return Object.fromEntries(rows.map(([rule, count]) => [String(rule), Number(count)]));
}

const ISSUE_MEMBERS = membersOf(SHAPES.issue, "scopeId", "id", "runId");
const readIssue = decoder<IssueRow>(SHAPES.issue, ISSUE_MEMBERS);

/** Issues in the order they came up. */
export async function issues(
  connection: Connection,
  scopeId: number,
  page: Keyset,
  where: { setAside?: boolean; key?: string; phase?: Phase } = {},
): Promise<Rows<IssueRow>> {
  const conditions = [`"scope_id" = ?`];
  const args: Statement["args"] = [scopeId];
  if (where.setAside !== undefined) {
    conditions.push(`"set_aside" = ?`);
    args.push(where.setAside ? 1 : 0);
  }
  if (where.key !== undefined) {
    conditions.push(`"key" = ?`);
    args.push(where.key);
  }
  if (where.phase !== undefined) {
    conditions.push(`"phase" = ?`);
    args.push(where.phase);
  }
  return await readPage(connection, {
    sql: `SELECT ${packed(SHAPES.issue, ISSUE_MEMBERS)}, "id" FROM "issue"
      WHERE ${conditions.join(" AND ")}`,
    args,
    order: [`"id"`],
    decode: readIssue,
    orderOf: (_, row) => [row[1] ?? null],
  }, page);
}

/** Issues per phase, kind and level. */
export async function countIssues(
  connection: Connection,
  scopeId: number,
): ReturnType<Store["countIssues"]> {
  const rows = await connection.query(
    `SELECT "phase", "kind", "level", "set_aside", count(*) FROM "issue" WHERE "scope_id" = ?
      GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    scopeId,
  );
  return rows.map(([phase, kind, level, setAside, count]) =>
    ({ phase, kind, level, setAside: setAside === 1, count }) as Awaited<
      ReturnType<Store["countIssues"]>
    >[number]
  );
}

const DIFFERENCE_MEMBERS = membersOf(SHAPES.difference, "id");

/** Differences of a run in the order they were found. */
export function differences(
  connection: Connection,
  runId: string,
  page: Keyset,
): Promise<Rows<DifferenceRow>> {
  return readPage(connection, {
    sql: `SELECT ${packed(SHAPES.difference, DIFFERENCE_MEMBERS)}, "id" FROM "difference"
      WHERE "run_id" = ?`,
    args: [runId],
    order: [`"id"`],
    decode: decoder<DifferenceRow>(SHAPES.difference, DIFFERENCE_MEMBERS),
    orderOf: (_, row) => [row[1] ?? null],
  }, page);
}

const EVENT_MEMBERS = ["id", "runId", "type", "at", "data"];

/** Events after an id; of all runs when `runId` is null. */
export async function events(
  connection: Connection,
  runId: string | null,
  afterId: number,
  limit: number,
): Promise<EventRow[]> {
  const ofRun = runId === null ? "" : ` AND "run_id" = ?`;
  const rows = await connection.query(
    `SELECT ${packed(SHAPES.event, EVENT_MEMBERS)} FROM "event" WHERE "id" > ?${ofRun}
      ORDER BY "id" LIMIT ?`,
    ...(runId === null ? [afterId, limit] : [afterId, runId, limit]),
  );
  return rows.map(decoder<EventRow>(SHAPES.event, EVENT_MEMBERS));
}

/** Requests sent per system, route and status. */
export async function requestCounts(
  connection: Connection,
  runId: string,
): ReturnType<Store["requestCounts"]> {
  const rows = await connection.query(
    `SELECT "system", "route", "status", "count" FROM "request_count" WHERE "run_id" = ?
      ORDER BY "system", "route", "status"`,
    runId,
  );
  return rows.map(([system, route, status, count]) => ({
    system: system as "source" | "target",
    route: String(route),
    status: String(status),
    count: Number(count),
  }));
}

const RUN_MEMBERS = membersOf(SHAPES.run, "sequence");
const readRun = decoder<Run>(SHAPES.run, RUN_MEMBERS);
const RUN_COLUMNS = packed(SHAPES.run, RUN_MEMBERS);

/** One run. */
export async function run(connection: Connection, id: string): Promise<Run | null> {
  const [row] = await connection.query(`SELECT ${RUN_COLUMNS} FROM "run" WHERE "id" = ?`, id);
  return row === undefined ? null : readRun(row);
}

/** Runs, newest first. */
export async function runs(connection: Connection, scopeId: number | null): Promise<Run[]> {
  const rows = await connection.query(
    `SELECT ${RUN_COLUMNS} FROM "run" WHERE ?1 IS NULL OR "scope_id" = ?1
      ORDER BY "created_at" DESC, "sequence" DESC`,
    scopeId,
  );
  return rows.map((row: Row) => readRun(row));
}
