/** Rows to and from records, by the tables of `schema.ts`; builds the statements that insert them. @module */
import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Row, Statement } from "./connection.ts";
import { jsonLists } from "./json_list.ts";

type Kind = "text" | "number" | "boolean" | "json" | "bytes";
interface Column {
  name: string;
  kind: Kind;
}
type Bound = Statement["args"][number];

/** A table as far as rows need it. */
export interface Shape {
  table: string;
  /** Member of the record → column, generated columns excluded. */
  columns: Map<string, Column>;
  key: string[];
}

const KINDS: Record<string, Kind> = {
  string: "text",
  number: "number",
  boolean: "boolean",
  json: "json",
  custom: "bytes",
};

/** Reads the shape of a drizzle table. `key` are the columns of its identity. */
export function shapeOf(table: SQLiteTable, ...key: string[]): Shape {
  const columns = new Map<string, Column>();
  for (const [member, column] of Object.entries(getTableColumns(table))) {
    if (column.generated !== undefined) continue;
    columns.set(member, { name: column.name, kind: KINDS[column.dataType] ?? "text" });
  }
  return { table: getTableName(table), columns, key };
}

/** Members of a shape, without some. */
export function membersOf(shape: Shape, ...without: string[]): string[] {
  return [...shape.columns.keys()].filter((member) => !without.includes(member));
}

function columnOf(shape: Shape, member: string): Column {
  const column = shape.columns.get(member);
  if (column === undefined) throw new RangeError(`${shape.table} has no ${member}`);
  return column;
}

/** Column names of members, quoted, for SQL text. */
export function names(shape: Shape, members: string[], prefix = ""): string {
  return members.map((member) => `${prefix}"${columnOf(shape, member).name}"`).join(", ");
}

/** Encodes one value. Text is always text: a number bound to a text column would become `5.0`. */
export function encode(kind: Kind, value: unknown): Bound {
  if (value === null || value === undefined) return null;
  switch (kind) {
    case "text":
      // A half character would become invalid UTF-8, over which the driver ends the process when it reads it.
      return String(value).toWellFormed();
    case "number":
      return Number(value);
    case "boolean":
      return value ? 1 : 0;
    case "json":
      return wellFormedJson(JSON.stringify(value));
    case "bytes":
      return value as Uint8Array;
  }
}

/** JSON escapes half characters, but the database would unescape them. */
function wellFormedJson(json: string): string {
  if (!/\\ud[89a-f]/i.test(json)) return json;
  return JSON.stringify(JSON.parse(json, (_, value) => {
    if (typeof value === "string") return value.toWellFormed();
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    const entries = Object.entries(value).map(([key, item]) => [key.toWellFormed(), item]);
    return Object.fromEntries(entries);
  }));
}

function decodeValue(kind: Kind, value: unknown): unknown {
  if (value === null) return null;
  if (kind === "json") return JSON.parse(String(value));
  return kind === "boolean" ? value !== 0 : value;
}

/**
 * Selects members as one JSON array a row, for {@linkcode decoder}: the driver builds an object with
 * two properties per column, which costs four times as much.
 */
export function packed(shape: Shape, members: string[]): string {
  return `json_array(${names(shape, members)})`;
}

/** Returns a reader of rows whose first column is `packed(shape, members)`. */
export function decoder<T>(
  shape: Shape,
  members: string[],
  constants: Record<string, unknown> = {},
): (row: Row) => T {
  const kinds = members.map((member) => columnOf(shape, member).kind);
  return ([text]) => {
    const values: unknown[] = JSON.parse(String(text));
    const record: Record<string, unknown> = { ...constants };
    for (let index = 0; index < members.length; index++) {
      record[members[index] as string] = decodeValue(kinds[index] as Kind, values[index]);
    }
    return record as T;
  };
}

export interface InsertOptions {
  /** `update` overwrites all members that are no key; or the text after ON CONFLICT DO. @default {"update"} */
  conflict?: "update" | "none" | string;
  /** A last column that comes from another table instead of the rows: the id of a page. */
  from?: { column: string; select: string; where: string; args: Bound[] };
}

/**
 * Builds statements that insert rows of `members`; the values come in the order of `members`.
 * All rows of a statement are one JSON argument: half the time of `VALUES` with a parameter each.
 */
export function insert(
  shape: Shape,
  members: string[],
  rows: unknown[][],
  options: InsertOptions = {},
): Statement[] {
  const kinds = members.map((member) => columnOf(shape, member).kind);
  const encoded = rows.map((row) => row.map((value, index) => encode(kinds[index] as Kind, value)));
  const { from } = options;
  const values = members.map((_, index) => `r.v ->> ${index}`).join(", ");
  const select = from === undefined
    ? `${values} FROM r WHERE true`
    : `${values}, ${from.select} FROM r, ${from.where}`;
  const columns = from === undefined ? "" : `, "${from.column}"`;
  const sql = `${ROWS} INSERT INTO "${shape.table}" (${names(shape, members)}${columns})
    SELECT ${select} ${conflictClause(shape, members, options)}`;
  return jsonLists(encoded).map((list) => ({ sql, args: [list, ...(from?.args ?? [])] }));
}

/** Start of a statement that reads rows `r.v ->> n` from one JSON argument, each row parsed once. */
export const ROWS = `WITH r(v) AS MATERIALIZED (SELECT jsonb(value) FROM json_each(?))`;

/** Builds a statement that inserts few rows with a parameter per value, as bytes need it. */
export function insertBytes(shape: Shape, members: string[], rows: unknown[][]): Statement[] {
  if (rows.length === 0) return [];
  const kinds = members.map((member) => columnOf(shape, member).kind);
  const row = `(${members.map(() => "?").join(", ")})`;
  return [{
    sql: `INSERT INTO "${shape.table}" (${names(shape, members)})
      VALUES ${rows.map(() => row).join(", ")} ${conflictClause(shape, members, {})}`,
    args: rows.flatMap((values) =>
      values.map((value, index) => encode(kinds[index] as Kind, value))
    ),
  }];
}

function conflictClause(shape: Shape, members: string[], options: InsertOptions): string {
  const { from, conflict = "update" } = options;
  if (conflict === "none") return "";
  const updated = conflict === "update" ? overwrite(shape, members, from?.column) : conflict;
  return `ON CONFLICT (${names(shape, shape.key)}) DO ${updated}`;
}

function overwrite(shape: Shape, members: string[], more?: string): string {
  const columns = members.filter((member) => !shape.key.includes(member))
    .map((member) => columnOf(shape, member).name)
    .concat(more ?? []);
  return `UPDATE SET ${columns.map((name) => `"${name}" = excluded."${name}"`).join(", ")}`;
}
