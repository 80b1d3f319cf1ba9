/** Statistics and search over records. @module */
import type { ListKind } from "../../core/records/mod.ts";
import type { CustomFieldStats } from "../../core/ports/mod.ts";
import { StoreError } from "../../core/errors.ts";
import type { Connection, Row } from "./connection.ts";
import { TOO_LARGE } from "./errors.ts";
import { RECORD_TABLES } from "./shapes.ts";

type FieldKind = "testCase" | "testCycle" | "testPlan";
const VALUES_PER_FIELD = 201;
const DATE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]";

/** All (name, type, value) of one kind that are not blank. */
function fieldsSql(kind: FieldKind): string {
  return `FROM "${RECORD_TABLES[kind].shape.table}" r, json_each(r."custom_fields") f
    WHERE r."scope_id" = ?1`;
}
const FILLED =
  `f.type <> 'null' AND f.atom IS NOT '' AND NOT (f.type = 'array' AND f.value = '[]')`;

/** Statistics of every custom field of a kind, sorted by name. */
export async function customFieldStats(
  connection: Connection,
  scopeId: number,
  kind: FieldKind,
): Promise<CustomFieldStats[]> {
  const isText = `f.type = 'text'`;
  const rows = await connection.query(
    `SELECT f.key, f.type, count(CASE WHEN ${FILLED} THEN 1 END),
        sum(${isText} AND f.value GLOB '${DATE}'),
        sum(${isText} AND f.value GLOB '${DATE}T[0-9][0-9]:[0-9][0-9]*'),
        sum(${isText} AND (f.value GLOB '*<[A-Za-z]*>*' OR f.value GLOB '*</[A-Za-z]*>*')),
        max(CASE WHEN ${isText} THEN length(f.value) ELSE 0 END)
      ${fieldsSql(kind)} GROUP BY f.key, f.type`,
    scopeId,
  );
  const stats = new Map<string, CustomFieldStats>();
  for (const row of rows) addType(stats, row);
  const names = [...stats.keys()].sort();
  for (const [name, value, count] of await fieldValues(connection, scopeId, kind, names)) {
    stats.get(String(name))?.values.push({ value: String(value), count: Number(count) });
  }
  return [...stats.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

const TYPES: Record<string, keyof CustomFieldStats["types"]> = {
  text: "string",
  integer: "number",
  real: "number",
  true: "boolean",
  false: "boolean",
  array: "array",
  object: "object",
};

function addType(stats: Map<string, CustomFieldStats>, row: Row): void {
  const [key, jsonType, count, date, dateTime, withMarkup, maxLength] = row;
  const name = String(key);
  const entry = stats.get(name) ?? {
    name,
    count: 0,
    types: {},
    values: [],
    strings: { date: 0, dateTime: 0, withMarkup: 0, maxLength: 0 },
  };
  stats.set(name, entry);
  const type = TYPES[String(jsonType)];
  const filled = Number(count);
  if (type === undefined || filled === 0) return;
  entry.count += filled;
  entry.types[type] = (entry.types[type] ?? 0) + filled;
  if (type !== "string") return;
  entry.strings = {
    date: Number(date),
    dateTime: Number(dateTime),
    withMarkup: Number(withMarkup),
    maxLength: Number(maxLength),
  };
}

/** Most frequent values per field, all fields at once or, when that is too much for a server, one by one. */
async function fieldValues(
  connection: Connection,
  scopeId: number,
  kind: FieldKind,
  fields: string[],
): Promise<Row[]> {
  try {
    return await connection.query(valuesSql(kind), scopeId, JSON.stringify(fields));
  } catch (error) {
    const tooLarge = error instanceof StoreError && error.message.endsWith(TOO_LARGE);
    if (!tooLarge || fields.length < 2) throw error;
    const middle = fields.length >> 1;
    const left = await fieldValues(connection, scopeId, kind, fields.slice(0, middle));
    return left.concat(await fieldValues(connection, scopeId, kind, fields.slice(middle)));
  }
}

function valuesSql(kind: FieldKind): string {
  const text = (row: string): string =>
    `CASE ${row}.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN 'null'
      WHEN 'real' THEN json_quote(${row}.value) ELSE CAST(${row}.value AS TEXT) END`;
  return `WITH wanted(name) AS (SELECT value FROM json_each(?2)),
    filled AS (SELECT f.key AS name, f.type, f.value ${fieldsSql(kind)}
      AND f.key IN wanted AND ${FILLED}),
    item AS (
      SELECT f.name, ${text("f")} AS value FROM filled f WHERE f.type <> 'array'
      UNION ALL
      SELECT f.name, ${text("e")} FROM filled f, json_each(f.value) e WHERE f.type = 'array'),
    counted AS (SELECT name, value, count(*) AS n FROM item GROUP BY name, value),
    ranked AS (SELECT *, row_number() OVER (PARTITION BY name ORDER BY n DESC, value) AS rank
      FROM counted)
    SELECT name, value, n FROM ranked WHERE rank <= ${VALUES_PER_FIELD} ORDER BY name, rank`;
}

const SEARCH_ORDER: ListKind[] = [
  "testCase",
  "testCycle",
  "testPlan",
  "folder",
  "execution",
  "priority",
  "status",
  "environment",
];

/** Records whose key, id or name contains a text: equal keys first, then by kind and order. */
export async function search(
  connection: Connection,
  scopeId: number,
  text: string,
  limit: number,
): Promise<{ kind: ListKind; key: string; name: string | null }[]> {
  const pattern = `%${text.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
  const results = await connection.queryAll(SEARCH_ORDER.map((kind) => {
    const { shape, where, order, keyColumn } = RECORD_TABLES[kind];
    const keys = shape.columns.has("key") ? [`"key"`, `"id"`] : [`"id"`];
    const name = shape.columns.has("name") ? `"name"` : "NULL";
    const like = [...keys, name].map((column) => `${column} LIKE ?2 ESCAPE '\\'`).join(" OR ");
    const equal = keys.map((column) => `lower(${column}) = lower(?3)`).join(" OR ");
    return {
      sql: `SELECT "${keyColumn}", ${name}, CASE WHEN ${equal} THEN 0 ELSE 1 END AS "rank"
        FROM "${shape.table}" WHERE "scope_id" = ?1${where} AND (${like})
        ORDER BY "rank", ${order.map((column) => `"${column}"`).join(", ")} LIMIT ?4`,
      args: [scopeId, pattern, text, limit],
    };
  }));
  const found = results.flatMap((rows, index) =>
    rows.map(([key, name, rank]) => ({
      rank: Number(rank),
      row: {
        kind: SEARCH_ORDER[index] as ListKind,
        key: String(key),
        name: name === null || name === undefined ? null : String(name),
      },
    }))
  );
  return found.sort((a, b) => a.rank - b.rank).slice(0, limit).map(({ row }) => row);
}
