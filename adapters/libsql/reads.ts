/** Pages of rows in key order, and answers that a server finds too large. @module */
import type { Keyset, Rows } from "../../core/ports/mod.ts";
import { StoreError } from "../../core/errors.ts";
import { TOO_LARGE } from "./errors.ts";
import type { Connection, Row, Statement, Value } from "./connection.ts";

/** A query without its order and limit. */
export interface PageQuery<T> {
  /** SELECT … FROM … WHERE …; conditions can be appended with AND. */
  sql: string;
  args: Statement["args"];
  /** Columns of the order, unique together, as SQL. */
  order: string[];
  decode: (row: Row) => T;
  /** Values of the order columns of a row. */
  orderOf: (value: T, row: Row) => Value[];
}

/** Reads one page; the cursor is the order values of its last row. May hold fewer rows than asked for. */
export async function readPage<T>(
  connection: Connection,
  query: PageQuery<T>,
  page: Keyset,
): Promise<Rows<T>> {
  const after: Value[] | null = page.after === null ? null : JSON.parse(page.after);
  const order = query.order.join(", ");
  const condition = after === null ? "" : ` AND (${order}) > (${after.map(() => "?").join(", ")})`;
  const sql = `${query.sql}${condition} ORDER BY ${order} LIMIT ?`;
  const limit = Math.max(1, Math.min(page.limit, 10_000));
  const { rows, limit: taken } = await shrinking(
    limit,
    (count) => connection.query(sql, ...query.args, ...(after ?? []), count + 1),
  );
  const kept = rows.slice(0, taken);
  const values = kept.map(query.decode);
  const last = values.at(-1);
  const lastRow = kept.at(-1);
  const more = rows.length > taken && last !== undefined && lastRow !== undefined;
  return { rows: values, cursor: more ? JSON.stringify(query.orderOf(last, lastRow)) : null };
}

async function shrinking(
  limit: number,
  read: (count: number) => Promise<Row[]>,
): Promise<{ rows: Row[]; limit: number }> {
  for (let count = limit;; count = Math.max(1, count >> 2)) {
    try {
      return { rows: await read(count), limit: count };
    } catch (error) {
      if (!tooLarge(error) || count === 1) throw error;
    }
  }
}

/** Reads rows for many keys, some at a time; halves the keys when the answer is too large. */
export async function readByKeys(
  keys: string[],
  keysPerRead: number,
  read: (keys: string[]) => Promise<Row[]>,
): Promise<Row[]> {
  const unique = [...new Set(keys)];
  const rows: Row[] = [];
  for (let start = 0; start < unique.length; start += keysPerRead) {
    for (const row of await readHalving(unique.slice(start, start + keysPerRead), read)) {
      rows.push(row);
    }
  }
  return rows;
}

async function readHalving(
  keys: string[],
  read: (keys: string[]) => Promise<Row[]>,
): Promise<Row[]> {
  try {
    return await read(keys);
  } catch (error) {
    if (!tooLarge(error) || keys.length === 1) throw error;
    const middle = keys.length >> 1;
    const left = await readHalving(keys.slice(0, middle), read);
    return left.concat(await readHalving(keys.slice(middle), read));
  }
}

function tooLarge(error: unknown): boolean {
  return error instanceof StoreError && error.message.endsWith(TOO_LARGE);
}
