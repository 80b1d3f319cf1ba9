/** Statements that keep the ledgers: target map, losses, issues, runs and their counters. @module */
import type { Change, TargetRow } from "../../core/ports/mod.ts";
import type { Statement } from "./connection.ts";
import { jsonLists, lastByKey } from "./json_list.ts";
import { encode, insert, membersOf, names, ROWS } from "./rows.ts";
import { SHAPES } from "./shapes.ts";

type ChangeOf<Op extends Change["op"]> = Extract<Change, { op: Op }>;

/** Members of a target row as the port knows it. */
export const TARGET_MEMBERS = membersOf(SHAPES.target, "scopeId", "seenPass");

/** SQL that merges two JSON objects: keys given replace whole values, a null removes its key. */
function merged(before: string, given: string): string {
  // json_patch alone would mix nested objects, so those that come anew are taken out first.
  const replaced =
    `(SELECT json_group_object(f.key, NULL) FROM json_each(${given}) f WHERE f.type = 'object')`;
  return `json_patch(json_patch(${before}, ${replaced}), ${given})`;
}

const PLAN_AGAIN = `("target_map"."state" = 'pending' OR ("target_map"."target_id" IS NULL
  AND "target_map"."state" IN ('withoutTarget', 'setAside')))`;
const PLAN_CONFLICT = `UPDATE SET ${
  ["recordKind", "parentKind", "parentKey", "ord", "payloadHash", "steps", "stepsAsText", "links"]
    .map((member) => names(SHAPES.target, [member]))
    .map((column) => `${column} = excluded.${column}`).join(", ")
}, "detail" = ${merged(`"target_map"."detail"`, `excluded."detail"`)},
  "state" = CASE WHEN ${PLAN_AGAIN} THEN excluded."state" ELSE "state" END,
  "last_error" = CASE WHEN ${PLAN_AGAIN} THEN excluded."last_error" ELSE "last_error" END`;

/** Plans rows; what was sent stays sent. All changes have the same `onlyNew`. */
export function planStatements(scopeId: number, changes: ChangeOf<"planTargets">[]): Statement[] {
  const rows = changes.flatMap((change) =>
    change.rows.map((row) => [
      ...TARGET_MEMBERS.map((member) => row[member as keyof TargetRow]),
      scopeId,
    ])
  );
  const conflict = changes[0]?.onlyNew === true ? "NOTHING" : PLAN_CONFLICT;
  return insert(SHAPES.target, [...TARGET_MEMBERS, "scopeId"], rows, { conflict });
}

type TargetChange = ChangeOf<"targets">["rows"][number];

/** Overwrites named columns; rows that name the same columns share a statement. */
export function targetStatements(scopeId: number, changes: ChangeOf<"targets">[]): Statement[] {
  const rows = new Map<string, TargetChange>();
  for (const row of changes.flatMap((change) => change.rows)) {
    const key = JSON.stringify([row.kind, row.key]);
    rows.set(key, mergeChanges(rows.get(key), row));
  }
  const groups = new Map<string, TargetChange[]>();
  for (const row of rows.values()) {
    const set = TARGET_MEMBERS.filter((member) =>
      member !== "kind" && member !== "key" && row[member as keyof TargetRow] !== undefined
    );
    const group = groups.get(set.join());
    if (group === undefined) groups.set(set.join(), [row]);
    else group.push(row);
  }
  return [...groups].flatMap(([set, group]) =>
    set === "" ? [] : updateTargets(scopeId, set.split(","), group)
  );
}

/** Two changes of one row in one batch become one. */
function mergeChanges(before: TargetChange | undefined, row: TargetChange): TargetChange {
  if (before === undefined) return row;
  const named = Object.entries(row).filter(([, value]) => value !== undefined);
  const both = { ...before, ...Object.fromEntries(named) };
  if (before.detail !== undefined || row.detail !== undefined) {
    both.detail = { ...before.detail, ...row.detail };
  }
  return both;
}

function updateTargets(scopeId: number, set: string[], rows: TargetChange[]): Statement[] {
  const assignments = set.map((member, index) => {
    const value = `(r.v ->> ${index + 3})`;
    const given = member === "detail" ? merged(`"target_map"."detail"`, value) : value;
    return `${names(SHAPES.target, [member])} = ${given}`;
  });
  const kinds = set.map((member) => SHAPES.target.columns.get(member)?.kind ?? "text");
  const values = rows.map((row) => [
    scopeId,
    row.kind,
    row.key,
    ...set.map((member, index) =>
      encode(kinds[index] ?? "text", row[member as keyof TargetChange])
    ),
  ]);
  // The scope comes with each row: as a constant it makes the planner read the whole scope per row.
  return jsonLists(values).map((list) => ({
    sql: `${ROWS} UPDATE "target_map" SET ${assignments.join(", ")} FROM r
      WHERE "scope_id" = r.v ->> 0 AND "kind" = r.v ->> 1 AND "key" = r.v ->> 2`,
    args: [list],
  }));
}

/** Removes rows of the target map. */
export function removeStatements(
  scopeId: number,
  changes: ChangeOf<"removeTargets">[],
): Statement[] {
  const keys = changes.flatMap((change) => change.rows.map((row) => [row.kind, row.key]));
  return jsonLists(keys).map((list) => ({
    sql: `DELETE FROM "target_map" WHERE "scope_id" = ?
      AND ("kind", "key") IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`,
    args: [scopeId, list],
  }));
}

/** Marks rows as seen. */
export function seenStatements(scopeId: number, changes: ChangeOf<"seen">[]): Statement[] {
  return changes.flatMap(({ kind, keys, pass }) =>
    jsonLists(keys).map((list) => ({
      sql: `UPDATE "target_map" SET "seen_pass" = ? WHERE "scope_id" = ? AND "kind" = ?
        AND "key" IN (SELECT value FROM json_each(?))`,
      args: [pass, scopeId, kind, list],
    }))
  );
}

/** Replaces the losses of records. */
export function lossStatements(scopeId: number, changes: ChangeOf<"losses">[]): Statement[] {
  const lists = lastByKey(changes, (c) => JSON.stringify([c.key, c.phase, c.kind]));
  const drop = jsonLists([...lists.values()].map((c) => [c.key, c.phase, c.kind])).map((list) => ({
    sql: `DELETE FROM "loss" WHERE "scope_id" = ? AND ("key", "phase", "kind") IN (
      SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))`,
    args: [scopeId, list],
  }));
  const rows = [...lists.values()].flatMap(({ key, phase, kind, rows }) =>
    rows.map((row, ordinal) => [
      scopeId,
      key,
      phase,
      kind,
      ordinal,
      row.field,
      row.rule,
      row.before,
      row.after,
      row.kind === kind ? null : row.kind,
      row.key === key ? null : row.key,
    ])
  );
  return [...drop, ...insert(SHAPES.loss, membersOf(SHAPES.loss), rows)];
}

/** Keeps issues; one that is there already counts up. */
export function issueStatements(scopeId: number, changes: ChangeOf<"issue">[]): Statement[] {
  const members = membersOf(SHAPES.issue, "id");
  const rows = changes.map(({ runId, row }) => {
    const values: Record<string, unknown> = { ...row, runId, scopeId };
    return members.map((member) => values[member]);
  });
  const replaced = ["runId", "level", "message", "payload", "setAside", "at"]
    .map((member) => names(SHAPES.issue, [member]))
    .map((column) => `${column} = excluded.${column}`).join(", ");
  return insert(SHAPES.issue, members, rows, {
    conflict: `UPDATE SET ${replaced}, "attempts" = "issue"."attempts" + 1`,
  });
}

/** Deletes the issues of records. */
export function clearIssueStatements(
  scopeId: number,
  changes: ChangeOf<"clearIssues">[],
): Statement[] {
  return jsonLists(changes.map((c) => [c.key, c.phase, c.kind])).map((list) => ({
    sql: `DELETE FROM "issue" WHERE "scope_id" = ? AND ("key", "phase", "kind") IN (
      SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))`,
    args: [scopeId, list],
  }));
}

/** Changes columns of runs of this scope. */
export function runStatements(scopeId: number, changes: ChangeOf<"run">[]): Statement[] {
  return changes.flatMap(({ id, set }) => {
    const named = Object.entries(set).filter(([, value]) => value !== undefined);
    if (named.length === 0) return [];
    const columns = named.map(([member]) => `${names(SHAPES.run, [member])} = ?`);
    const args = named.map(([member, value]) =>
      encode(SHAPES.run.columns.get(member)?.kind ?? "text", value)
    );
    return [{
      sql: `UPDATE "run" SET ${columns.join(", ")} WHERE "id" = ? AND "scope_id" = ?`,
      args: [...args, id, scopeId],
    }];
  });
}

/** Sets and deletes checkpoints. */
export function checkpointStatements(
  scopeId: number,
  changes: ChangeOf<"checkpoint">[],
): Statement[] {
  const last = [...lastByKey(changes, (change) => change.name).values()];
  const isGone = ({ value }: ChangeOf<"checkpoint">): boolean =>
    value === null || value === undefined;
  const gone = last.filter(isGone).map((change) => change.name);
  const kept = last.filter((change) => !isGone(change));
  return [
    ...jsonLists(gone).map((list) => ({
      sql: `DELETE FROM "checkpoint" WHERE "scope_id" = ?
        AND "name" IN (SELECT value FROM json_each(?))`,
      args: [scopeId, list],
    })),
    ...insert(
      SHAPES.checkpoint,
      ["scopeId", "name", "value"],
      kept.map(({ name, value }) => [scopeId, name, value]),
    ),
  ];
}

/** Appends events. */
export function eventStatements(
  _: number,
  changes: Omit<ChangeOf<"event">, "op">[],
): Statement[] {
  const rows = changes.map(({ runId, type, at, data }) => [runId, type, at, data]);
  return insert(SHAPES.event, ["runId", "type", "at", "data"], rows, { conflict: "none" });
}

/** Adds to request counters. */
export function requestStatements(_: number, changes: ChangeOf<"requests">[]): Statement[] {
  const rows = changes.flatMap(({ runId, rows }) =>
    rows.map(({ system, route, status, count }) => [runId, system, route, status, count])
  );
  return insert(SHAPES.requestCount, membersOf(SHAPES.requestCount), rows, {
    conflict: `UPDATE SET "count" = "request_count"."count" + excluded."count"`,
  });
}

/** Forgets the differences of runs. */
export function clearDifferenceStatements(
  _: number,
  changes: ChangeOf<"clearDifferences">[],
): Statement[] {
  return changes.map(({ runId }) => ({
    sql: `DELETE FROM "difference" WHERE "run_id" = ?`,
    args: [runId],
  }));
}

/** Appends differences. */
export function differenceStatements(_: number, changes: ChangeOf<"differences">[]): Statement[] {
  const members = membersOf(SHAPES.difference, "id");
  const rows = changes.flatMap((change) =>
    change.rows.map((row) => members.map((member) => row[member as keyof typeof row]))
  );
  return insert(SHAPES.difference, members, rows, { conflict: "none" });
}
