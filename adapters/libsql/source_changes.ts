/** Statements that keep what came from the source: pages, records, details. @module */
import { Buffer } from "node:buffer";
import { constants, zstdCompressSync } from "node:zlib";
import { recordKey, type StepRecord } from "../../core/records/mod.ts";
import type { Change } from "../../core/ports/mod.ts";
import type { Statement } from "./connection.ts";
import { jsonLists, lastByKey } from "./json_list.ts";
import { insert, insertBytes, ROWS } from "./rows.ts";
import { RECORD_TABLES, recordHash, SHAPES } from "./shapes.ts";

type ChangeOf<Op extends Change["op"]> = Extract<Change, { op: Op }>;

/** A server refuses arguments of more than 5 MB, and binary ones grow by a third on the way. */
const BYTES_PER_PART = 3_500_000;
const ZSTD = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
};

const PAGE_MEMBERS = ["scopeId", "list", "at", "part", "rows", "size", "body"];

/** Cuts a body into parts as they are kept. */
function compress(body: Uint8Array): Uint8Array[] {
  const whole = zstdCompressSync(body, ZSTD);
  const parts: Uint8Array[] = [];
  for (let start = 0; start === 0 || start < whole.length; start += BYTES_PER_PART) {
    parts.push(new Uint8Array(whole.subarray(start, start + BYTES_PER_PART)));
  }
  return parts;
}

/** Keeps pages; the first page of a detail (`KEY#0`) removes the later ones of an older reading. */
export function pageStatements(scopeId: number, changes: ChangeOf<"page">[]): Statement[] {
  const rows: unknown[][] = [];
  const surplus: unknown[][] = [];
  const tails: unknown[][] = [];
  for (const { list, at, body, rows: count } of changes) {
    const parts = compress(body);
    parts.forEach((part, index) =>
      rows.push([scopeId, list, at, index, count, body.byteLength, Buffer.from(part)])
    );
    surplus.push([list, at, parts.length]);
    const isDetail = list === "script" || list === "executionSteps";
    if (isDetail && at.endsWith("#0")) tails.push([list, at.slice(0, -2)]);
  }
  return [
    ...deletePages(
      scopeId,
      tails,
      `p."at" > (j.value ->> 1) || '#0' AND p."at" < (j.value ->> 1) || '$'`,
    ),
    ...insertBytes(SHAPES.page, PAGE_MEMBERS, rows),
    ...deletePages(scopeId, surplus, `p."at" = j.value ->> 1 AND p."part" >= j.value ->> 2`),
  ];
}

function deletePages(scopeId: number, places: unknown[][], where: string): Statement[] {
  return jsonLists(places).map((list) => ({
    sql: `DELETE FROM "page" WHERE "id" IN (SELECT p."id" FROM json_each(?) j
      CROSS JOIN "page" p ON p."scope_id" = ? AND p."list" = j.value ->> 0 AND ${where})`,
    args: [list, scopeId],
  }));
}

/** Inserts or replaces list records; each points at the page of its change. */
export function recordStatements(
  scopeId: number,
  changes: ChangeOf<"records">[],
  pages: ChangeOf<"page">[],
): Statement[] {
  const entries = changes.flatMap(({ list, at, records }) =>
    records.map(({ ordinal, record }) => ({ list, at, ordinal, record }))
  );
  const groups = new Map<string, typeof entries>();
  for (
    const entry of lastByKey(entries, (e) => `${e.record.kind}/${recordKey(e.record)}`).values()
  ) {
    const key = JSON.stringify([entry.record.kind, entry.list, entry.at]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  const kept = new Set(pages.map((page) => JSON.stringify([page.list, page.at])));
  const bare = changes.filter(({ list, at }) => !kept.has(JSON.stringify([list, at])))
    .map(({ list, at }) => [scopeId, list, at, 0, 0, 0]);
  const members = PAGE_MEMBERS.slice(0, -1);
  return [
    ...insert(SHAPES.page, members, bare, { conflict: "NOTHING" }),
    ...[...groups.values()].flatMap((group) => recordGroup(scopeId, group)),
  ];
}

function recordGroup(
  scopeId: number,
  group: { list: string; at: string; ordinal: number; record: Parameters<typeof recordKey>[0] }[],
): Statement[] {
  const [first] = group;
  if (first === undefined) return [];
  const table = RECORD_TABLES[first.record.kind];
  const withLinks = table.shape.columns.has("linkCount");
  const members = [...table.members, "scopeId", "ordinal", "hash"];
  if (withLinks) members.push("linkCount");
  const rows = group.map(({ ordinal, record }) => {
    const values = record as unknown as Record<string, unknown>;
    const row = table.members.map((member) => values[member]);
    row.push(scopeId, ordinal, recordHash(record));
    if (withLinks) row.push("links" in record ? record.links.length : 0);
    return row;
  });
  return insert(table.shape, members, rows, {
    from: {
      column: "page_id",
      select: `p."id"`,
      where: `"page" p WHERE p."scope_id" = ? AND p."list" = ? AND p."at" = ? AND p."part" = 0`,
      args: [scopeId, first.list, first.at],
    },
  });
}

function deleteBy(table: string, column: string, scopeId: number, keys: string[]): Statement[] {
  return jsonLists(keys).map((list) => ({
    sql:
      `DELETE FROM "${table}" WHERE "scope_id" = ? AND "${column}" IN (SELECT value FROM json_each(?))`,
    args: [scopeId, list],
  }));
}

/** Replaces scripts with their steps. */
export function scriptStatements(scopeId: number, changes: ChangeOf<"script">[]): Statement[] {
  const scripts = lastByKey(changes, (change) => change.caseKey);
  const steps = [...scripts.values()].flatMap(({ caseKey, script }) =>
    script.steps.map((step, ordinal) => [scopeId, caseKey, ordinal, ...stepValues(step)])
  );
  const heads = [...scripts.values()].map((
    { caseKey, script },
  ) => [scopeId, caseKey, script.type, script.text]);
  return [
    ...deleteBy("test_step", "case_key", scopeId, [...scripts.keys()]),
    ...insert(SHAPES.testScript, ["scopeId", "caseKey", "type", "text"], heads),
    ...insert(SHAPES.testStep, ["scopeId", "caseKey", "ordinal", ...STEP_MEMBERS], steps),
  ];
}

/** Columns of a script step after its place. */
export const STEP_MEMBERS = [
  "id",
  "description",
  "testData",
  "expectedResult",
  "customFields",
  "callKey",
  "callParameters",
];
function stepValues(step: StepRecord): unknown[] {
  const { id, description, testData, expectedResult, customFields, call } = step;
  const parameters = call === null ? null : call.parameters;
  return [id, description, testData, expectedResult, customFields, call?.key ?? null, parameters];
}

/** Columns of an execution step after its place. */
export const EXECUTION_STEP_MEMBERS = [
  "id",
  "description",
  "testData",
  "expectedResult",
  "actualResult",
  "dataRow",
  "statusId",
] as const;

/** Replaces the steps of executions. */
export function executionStepStatements(
  scopeId: number,
  changes: ChangeOf<"executionSteps">[],
): Statement[] {
  const lists = lastByKey(changes, (change) => change.executionId);
  const rows = [...lists.values()].flatMap(({ executionId, steps }) =>
    steps.map((step, ordinal) => [
      scopeId,
      executionId,
      ordinal,
      ...EXECUTION_STEP_MEMBERS.map((member) => step[member]),
    ])
  );
  const heads = [...lists.values()].map((
    { executionId, steps },
  ) => [scopeId, executionId, steps.length]);
  const members = ["scopeId", "executionId", "ordinal", ...EXECUTION_STEP_MEMBERS];
  return [
    ...deleteBy("execution_step", "execution_id", scopeId, [...lists.keys()]),
    ...insert(SHAPES.executionScript, ["scopeId", "executionId", "steps"], heads),
    ...insert(SHAPES.executionStep, members, rows),
  ];
}

/** Members of an attachment row after its scope. */
export const ATTACHMENT_MEMBERS = [
  "owner",
  "id",
  "ownerKind",
  "ownerKey",
  "stepId",
  "name",
  "ord",
  "size",
  "sha256",
];

/** Replaces the files of owners; a file listed again keeps its stored bytes. */
export function attachmentStatements(
  scopeId: number,
  changes: ChangeOf<"attachments">[],
): Statement[] {
  const lists = lastByKey(changes, (change) => change.ownerKey);
  const rows = [...lists.values()].flatMap(({ ownerKey, attachments }) =>
    attachments.map((
      { id, owner, name, ord, size, sha256 },
    ) => [scopeId, ownerKey, id, owner.kind, owner.key, owner.stepId, name, ord, size, sha256])
  );
  const stay = [...lists.values()].map((
    { ownerKey, attachments },
  ) => [ownerKey, attachments.map((row) => row.id)]);
  const drop = jsonLists(stay).map((list) => ({
    sql: `DELETE FROM "attachment" WHERE "scope_id" = ? AND ("owner", "id") IN (
      SELECT a."owner", a."id" FROM json_each(?) j
      CROSS JOIN "attachment" a ON a."scope_id" = ? AND a."owner" = j.value ->> 0
      WHERE a."id" NOT IN (SELECT value FROM json_each(j.value, '$[1]')))`,
    args: [scopeId, list, scopeId],
  }));
  const conflict =
    `UPDATE SET "owner_kind" = excluded."owner_kind", "owner_key" = excluded."owner_key",
    "step_id" = excluded."step_id", "name" = excluded."name", "ord" = excluded."ord",
    "size" = coalesce(excluded."size", "size"), "sha256" = coalesce(excluded."sha256", "sha256")`;
  return [
    ...drop,
    ...insert(SHAPES.attachment, ["scopeId", ...ATTACHMENT_MEMBERS], rows, { conflict }),
  ];
}

/** Notes that bytes of files are stored. */
export function attachmentStoredStatements(
  scopeId: number,
  changes: ChangeOf<"attachmentStored">[],
): Statement[] {
  const last = lastByKey(changes, (change) => JSON.stringify([change.ownerKey, change.id]));
  const rows = [...last.values()].map((
    row,
  ) => [scopeId, row.ownerKey, row.id, row.size, row.sha256]);
  // The scope comes with each row: as a constant it makes the planner read the whole scope per row.
  return jsonLists(rows).map((list) => ({
    sql: `${ROWS} UPDATE "attachment" SET "size" = r.v ->> 3, "sha256" = r.v ->> 4 FROM r
      WHERE "scope_id" = r.v ->> 0 AND "owner" = r.v ->> 1 AND "id" = r.v ->> 2`,
    args: [list],
  }));
}

/** Notes which details were fetched. */
export function detailStatements(scopeId: number, changes: ChangeOf<"detail">[]): Statement[] {
  const rows = changes.flatMap((change) =>
    change.rows.map(({ task, key, state, count }) => [scopeId, task, key, state, count])
  );
  return insert(SHAPES.detail, ["scopeId", "task", "key", "state", "count"], rows);
}

/** Forgets that details were fetched. */
export function removeDetailStatements(
  scopeId: number,
  changes: ChangeOf<"removeDetails">[],
): Statement[] {
  return changes.flatMap(({ task, keys }): Statement[] => {
    const sql = `DELETE FROM "detail" WHERE "scope_id" = ? AND "task" = ?`;
    if (keys === null) return [{ sql, args: [scopeId, task] }];
    return jsonLists(keys).map((list) => ({
      sql: `${sql} AND "key" IN (SELECT value FROM json_each(?))`,
      args: [scopeId, task, list],
    }));
  });
}
