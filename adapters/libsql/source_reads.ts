/** Reads of what came from the source. @module */
import { Buffer } from "node:buffer";
import { zstdDecompressSync } from "node:zlib";
import {
  type AttachmentRecord,
  type ExecutionStepRecord,
  LIST_KINDS,
  type ListKind,
  type RecordByKind,
  type StepRecord,
  type TestScript,
} from "../../core/records/mod.ts";
import type { DetailRow, DetailTask, Inventory, Keyset, Rows } from "../../core/ports/mod.ts";
import type { Connection, Row } from "./connection.ts";
import { readByKeys, readPage } from "./reads.ts";
import { decoder, names, packed } from "./rows.ts";
import { RECORD_TABLES, SHAPES } from "./shapes.ts";
import { ATTACHMENT_MEMBERS, EXECUTION_STEP_MEMBERS, STEP_MEMBERS } from "./source_changes.ts";

/** Keys per query where rows are small, and where they carry long texts. */
const MANY = 1_000;
const FEW = 50;

/** Records of a kind in canonical order. */
export function records<K extends ListKind>(
  connection: Connection,
  scopeId: number,
  kind: K,
  page: Keyset,
): Promise<Rows<RecordByKind[K]>> {
  const table = RECORD_TABLES[kind];
  return readPage(connection, {
    sql: `SELECT ${packed(table.shape, table.members)} FROM "${table.shape.table}"
      WHERE "scope_id" = ?${table.where}`,
    args: [scopeId],
    order: table.order.map((column) => `"${column}"`),
    decode: table.decode as (row: Row) => RecordByKind[K],
    orderOf: (record) => table.orderOf(record),
  }, page);
}

/** Records by key. */
export async function recordsByKey<K extends ListKind>(
  connection: Connection,
  scopeId: number,
  kind: K,
  keys: string[],
): Promise<Map<string, RecordByKind[K]>> {
  const { shape, members, keyColumn, where, decode } = RECORD_TABLES[kind];
  const sql = `SELECT ${packed(shape, members)} FROM "${shape.table}" WHERE "scope_id" = ?${where}
    AND "${keyColumn}" IN (SELECT value FROM json_each(?))`;
  const rows = await readByKeys(
    keys,
    MANY,
    (some) => connection.query(sql, scopeId, JSON.stringify(some)),
  );
  const found = rows.map(decode) as RecordByKind[K][];
  return new Map(found.map((record) => [keyOf(record), record]));
}

function keyOf(record: RecordByKind[ListKind]): string {
  return record.kind === "testCase" ? record.key : record.id;
}

/** Number of records per kind. */
export async function countRecords(
  connection: Connection,
  scopeId: number,
): Promise<Record<ListKind, number>> {
  const results = await connection.queryAll(LIST_KINDS.map((kind) => {
    const { shape, where } = RECORD_TABLES[kind];
    const sql = `SELECT count(*) FROM "${shape.table}" WHERE "scope_id" = ?${where}`;
    return { sql, args: [scopeId] };
  }));
  const counts = LIST_KINDS.map((kind, index) => [kind, Number(results[index]?.[0]?.[0] ?? 0)]);
  return Object.fromEntries(counts) as Record<ListKind, number>;
}

/** Counts for plans and summaries. */
export async function inventory(connection: Connection, scopeId: number): Promise<Inventory> {
  const queries = [
    `SELECT "folder_type", count(*), 0 FROM "folder" WHERE "scope_id" = ? GROUP BY 1`,
    `SELECT "script_route", count(*), sum("link_count") FROM "test_case" WHERE "scope_id" = ? GROUP BY 1`,
    `SELECT '', count(*), sum("link_count") FROM "test_plan" WHERE "scope_id" = ?`,
    `SELECT '', count(*), sum("link_count") FROM "test_cycle" WHERE "scope_id" = ?`,
    `SELECT "status_id", count(*), sum("link_count") FROM "test_execution" WHERE "scope_id" = ? GROUP BY 1`,
    `SELECT '', sum("steps"), 0 FROM "execution_script" WHERE "scope_id" = ?`,
    `SELECT '', count(*), sum("size") FROM "attachment" WHERE "scope_id" = ?`,
  ];
  const results = await connection.queryAll(queries.map((sql) => ({ sql, args: [scopeId] })));
  const [
    folders = [],
    cases = [],
    plans = [],
    cycles = [],
    executions = [],
    steps = [],
    files = [],
  ] = results.map((rows) => rows.map(toGroup));
  const perKind = [cases, plans, cycles, executions];
  const sum = (rows: Group[], of: "count" | "sum"): number =>
    rows.reduce((total, row) => total + row[of], 0);
  const count = (rows: Group[], name: string): number =>
    rows.find((row) => row.name === name)?.count ?? 0;
  return {
    folders: {
      TEST_CASE: count(folders, "TEST_CASE"),
      TEST_PLAN: count(folders, "TEST_PLAN"),
      TEST_CYCLE: count(folders, "TEST_CYCLE"),
    },
    testCases: sum(cases, "count"),
    scripts: { teststeps: count(cases, "teststeps"), testscript: count(cases, "testscript") },
    testPlans: sum(plans, "count"),
    testCycles: sum(cycles, "count"),
    executions: sum(executions, "count"),
    executionsByStatus: Object.fromEntries(executions.map((row) => [row.name, row.count])),
    executionSteps: sum(steps, "count"),
    attachments: sum(files, "count"),
    attachmentBytes: sum(files, "sum"),
    links: perKind.reduce((total, rows) => total + sum(rows, "sum"), 0),
  };
}

interface Group {
  name: string;
  count: number;
  sum: number;
}
function toGroup([name, count, sum]: Row): Group {
  return { name: String(name ?? ""), count: Number(count ?? 0), sum: Number(sum ?? 0) };
}

type StepRow = Omit<StepRecord, "call"> & {
  callKey: string | null;
  callParameters: { name: string; value: string | null }[] | null;
};
const readStep = decoder<StepRow>(SHAPES.testStep, STEP_MEMBERS);
function toStep({ callKey, callParameters, ...step }: StepRow): StepRecord {
  return {
    ...step,
    call: callKey === null ? null : { key: callKey, parameters: callParameters ?? [] },
  };
}

/** Scripts with their steps. */
export async function scripts(
  connection: Connection,
  scopeId: number,
  caseKeys: string[],
): Promise<Map<string, TestScript>> {
  const wanted = `"scope_id" = ? AND "case_key" IN (SELECT value FROM json_each(?))`;
  const heads = await readByKeys(caseKeys, MANY, (keys) =>
    connection.query(
      `SELECT "case_key", "type", "text" FROM "test_script" WHERE ${wanted}`,
      scopeId,
      JSON.stringify(keys),
    ));
  const found = new Map<string, TestScript>();
  for (const [key, type, text] of heads) {
    found.set(String(key), { type, text, steps: [] } as unknown as TestScript);
  }
  const rows = await readByKeys([...found.keys()], FEW, (keys) =>
    connection.query(
      `SELECT ${packed(SHAPES.testStep, STEP_MEMBERS)}, "case_key" FROM "test_step"
        WHERE ${wanted} ORDER BY "case_key", "ordinal"`,
      scopeId,
      JSON.stringify(keys),
    ));
  for (const row of rows) {
    found.get(String(row[1]))?.steps.push(toStep(readStep(row)));
  }
  return found;
}

const readExecutionStep = decoder<ExecutionStepRecord>(SHAPES.executionStep, [
  ...EXECUTION_STEP_MEMBERS,
]);

/** Steps of executions; a known execution without steps has an empty list. */
export async function executionSteps(
  connection: Connection,
  scopeId: number,
  executionIds: string[],
): Promise<Map<string, ExecutionStepRecord[]>> {
  const wanted = `"scope_id" = ? AND "execution_id" IN (SELECT value FROM json_each(?))`;
  const heads = await readByKeys(executionIds, MANY, (ids) =>
    connection.query(
      `SELECT "execution_id" FROM "execution_script" WHERE ${wanted}`,
      scopeId,
      JSON.stringify(ids),
    ));
  const found = new Map<string, ExecutionStepRecord[]>(heads.map(([id]) => [String(id), []]));
  const members = [...EXECUTION_STEP_MEMBERS];
  const rows = await readByKeys([...found.keys()], FEW, (ids) =>
    connection.query(
      `SELECT ${packed(SHAPES.executionStep, members)}, "execution_id" FROM "execution_step"
        WHERE ${wanted} ORDER BY "execution_id", "ordinal"`,
      scopeId,
      JSON.stringify(ids),
    ));
  for (const row of rows) found.get(String(row[1]))?.push(readExecutionStep(row));
  return found;
}

const ATTACHMENT_COLUMNS = names(SHAPES.attachment, ATTACHMENT_MEMBERS);
function readAttachment(row: Row): { owner: string; record: AttachmentRecord } {
  const [owner, id, kind, key, stepId, name, ord, size, sha256] = row;
  const record = { kind: "attachment", id, owner: { kind, key, stepId }, name, ord, size, sha256 };
  return { owner: String(owner), record: record as unknown as AttachmentRecord };
}

/** Files by owner. */
export async function attachments(
  connection: Connection,
  scopeId: number,
  owners: string[],
): Promise<Map<string, AttachmentRecord[]>> {
  const rows = await readByKeys(owners, MANY, (keys) =>
    connection.query(
      `SELECT ${ATTACHMENT_COLUMNS} FROM "attachment" WHERE "scope_id" = ?
        AND "owner" IN (SELECT value FROM json_each(?))
        ORDER BY "owner", "ord", "id_length", "id"`,
      scopeId,
      JSON.stringify(keys),
    ));
  const found = new Map<string, AttachmentRecord[]>();
  for (const { owner, record } of rows.map(readAttachment)) {
    const list = found.get(owner);
    if (list === undefined) found.set(owner, [record]);
    else list.push(record);
  }
  return found;
}

/** All files by owner and position. */
export async function allAttachments(
  connection: Connection,
  scopeId: number,
  page: Keyset,
  stored: boolean | undefined,
): Promise<Rows<AttachmentRecord>> {
  const isStored = stored === undefined ? "" : ` AND "sha256" IS ${stored ? "NOT " : ""}NULL`;
  const found = await readPage(connection, {
    sql: `SELECT ${ATTACHMENT_COLUMNS} FROM "attachment" WHERE "scope_id" = ?${isStored}`,
    args: [scopeId],
    order: [`"owner"`, `"ord"`, `"id_length"`, `"id"`],
    decode: readAttachment,
    orderOf: ({ owner, record: { ord, id } }) => [owner, ord, id.length, id],
  }, page);
  return { ...found, rows: found.rows.map(({ record }) => record) };
}

const DETAIL_MEMBERS = ["task", "key", "state", "count"];
const readDetail = decoder<DetailRow>(SHAPES.detail, DETAIL_MEMBERS);

/** Which details of a task were fetched. */
export async function details(
  connection: Connection,
  scopeId: number,
  task: DetailTask,
  keys: string[],
): Promise<Map<string, DetailRow>> {
  const rows = await readByKeys(keys, MANY, (some) =>
    connection.query(
      `SELECT ${packed(SHAPES.detail, DETAIL_MEMBERS)} FROM "detail"
        WHERE "scope_id" = ? AND "task" = ? AND "key" IN (SELECT value FROM json_each(?))`,
      scopeId,
      task,
      JSON.stringify(some),
    ));
  return new Map(rows.map(readDetail).map((row) => [row.key, row]));
}

/** Case keys that executions name and no record has. */
export async function unknownCaseKeys(connection: Connection, scopeId: number): Promise<string[]> {
  const rows = await connection.query(
    `SELECT DISTINCT e."ord", e."case_sort" FROM "test_execution" e
      WHERE e."scope_id" = ?1 AND e."case_sort" <> '' AND NOT EXISTS (
        SELECT 1 FROM "test_case" c WHERE c."scope_id" = ?1 AND c."key" = e."case_sort")
      ORDER BY e."ord", e."case_sort"`,
    scopeId,
  );
  return rows.map(([, key]) => String(key));
}

interface ExecutedVersion {
  caseKey: string;
  version: number | null;
  versionId: string | null;
}

/** Distinct versions that executions name. Looks at `limit` cases a page, so it never sorts them all. */
export async function executedVersions(
  connection: Connection,
  scopeId: number,
  page: Keyset,
): Promise<Rows<ExecutedVersion>> {
  const after: [number, string, number, string] = page.after === null
    ? [-1, "", -2, ""]
    : JSON.parse(page.after);
  const cases = await connection.query(
    `SELECT DISTINCT "ord", "case_sort" FROM "test_execution"
      WHERE "scope_id" = ? AND ("ord", "case_sort") >= (?, ?) AND "case_sort" <> ''
      ORDER BY "ord", "case_sort" LIMIT ?`,
    scopeId,
    after[0],
    after[1],
    page.limit + 2,
  );
  const last = cases.at(-1);
  if (last === undefined) return { rows: [], cursor: null };
  const rows = await connection.query(
    `SELECT DISTINCT "ord", "case_sort", ifnull("test_case_version", -1) AS "v",
        ifnull("test_case_version_id", '') AS "i"
      FROM "test_execution" WHERE "scope_id" = ? AND "case_sort" <> ''
        AND ("ord", "case_sort") >= (?, ?) AND ("ord", "case_sort") <= (?, ?)
        AND ("ord", "case_sort", "v", "i") > (?, ?, ?, ?)
      ORDER BY "ord", "case_sort", "v", "i" LIMIT ?`,
    ...[scopeId, after[0], after[1], last[0] ?? null, last[1] ?? null, ...after, page.limit + 1],
  );
  const kept = rows.slice(0, page.limit);
  const cursor = rows.length > page.limit ? JSON.stringify(kept.at(-1)) : null;
  return { rows: kept.map(toVersion), cursor };
}

function toVersion([, key, version, versionId]: Row): ExecutedVersion {
  return {
    caseKey: String(key),
    version: version === -1 ? null : Number(version),
    versionId: versionId === "" ? null : String(versionId),
  };
}

/** JSON of one record as received. */
export async function raw(
  connection: Connection,
  scopeId: number,
  kind: ListKind | "script" | "executionSteps",
  key: string,
): Promise<string | null> {
  if (kind === "script" || kind === "executionSteps") {
    return await rawDetail(connection, scopeId, kind, key);
  }
  const { shape, keyColumn, where } = RECORD_TABLES[kind];
  const rows = await connection.query(
    `SELECT r."ordinal", p."body" FROM "${shape.table}" r
      JOIN "page" a ON a."id" = r."page_id"
      JOIN "page" p ON p."scope_id" = a."scope_id" AND p."list" = a."list" AND p."at" = a."at"
      WHERE r."scope_id" = ?${where} AND r."${keyColumn}" = ? ORDER BY p."part"`,
    scopeId,
    key,
  );
  const ordinal = rows[0]?.[0];
  const body = joinParts(rows.map((row) => row[1]));
  return body === null ? null : rawRow(body, Number(ordinal));
}

async function rawDetail(
  connection: Connection,
  scopeId: number,
  list: string,
  key: string,
): Promise<string | null> {
  const rows = await connection.query(
    `SELECT "at", "body" FROM "page" WHERE "scope_id" = ? AND "list" = ?
      AND "at" >= ? AND "at" < ? ORDER BY length("at"), "at", "part"`,
    scopeId,
    list,
    `${key}#`,
    `${key}$`,
  );
  const bodies = [...Map.groupBy(rows, (row) => String(row[0])).values()]
    .map((parts) => joinParts(parts.map((row) => row[1])));
  return bodies.length === 0 ? null : `[${bodies.join(",")}]`;
}

function joinParts(parts: unknown[]): string | null {
  if (parts.length === 0 || parts.includes(null)) return null;
  const bytes = parts.map((part) => Buffer.from(part as ArrayBuffer));
  return zstdDecompressSync(Buffer.concat(bytes)).toString("utf8");
}

/** Cuts one row out of a page; numbers keep their digits, which may exceed what a double holds. */
function rawRow(body: string, ordinal: number): string | null {
  const exact = JSON as unknown as {
    parse(
      text: string,
      reviver: (k: string, v: unknown, c: { source: string }) => unknown,
    ): unknown;
    rawJSON(text: string): unknown;
  };
  const page = exact.parse(
    body,
    (_, value, { source }) => typeof value === "number" ? exact.rawJSON(source) : value,
  ) as { values?: unknown[] } | unknown[];
  const rows = Array.isArray(page) ? page : page.values;
  const row = Array.isArray(rows) ? rows[ordinal] : page;
  return row === undefined ? null : JSON.stringify(row);
}
