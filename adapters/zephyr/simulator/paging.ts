/** The two ways of paging, with their traps. @module */
import { hashNumbers, hashText } from "../../simulator_kit/mod.ts";
import type { Query } from "./answers.ts";
import type { Settings } from "./settings.ts";

/** Rows to page through: positions stand for rows. */
export interface RowSet {
  /** Positions in ascending order of id. */
  positions: Uint32Array;
  idAt(position: number): number;
  /** One row as JSON text. */
  render(position: number): string;
}

export interface PageRequest {
  query: Query;
  settings: Settings;
  /** URL of the list, without query. */
  url: string;
  /** Most rows of a page of this list. */
  cap: number;
}

const MAX_START = 1_000_000;

/** Body of an offset page. `ordered` gives the positions in the order of the list. */
export function offsetPage(rows: RowSet, ordered: Uint32Array, request: PageRequest): string {
  const { query, settings } = request;
  const size = Math.min(query.integer("maxResults", 1) ?? 10, request.cap);
  const asked = query.integer("startAt", 0, MAX_START) ?? 0;
  // A page-number backend: a start in the middle of a page falls back to the page's first row.
  const start = asked - (asked % size);
  const slice = ordered.subarray(start, start + size);
  const total = ordered.length;
  const isLast = start + size >= total;
  const next = isLast
    ? null
    : `${request.url}?${query.with({ startAt: start + size, maxResults: size })}`;
  const keep = settings.dropOptionalPagingKeys
    ? keptKeys(hashText(`${request.url}?${query.with({})}`, settings.seed), isLast)
    : { next: true, total: true, isLast: true };
  const head = JSON.stringify({
    next: keep.next ? next : undefined,
    startAt: start,
    maxResults: size,
    total: keep.total ? total : undefined,
    isLast: keep.isLast ? isLast : undefined,
  });
  if (slice.length === 0 && settings.dropOptionalPagingKeys) return head;
  return `${head.slice(0, -1)},"values":[${renderRows(rows, slice)}]}`;
}

/** A page that is not the last one keeps `next`: without it the documented rules end the list. */
function keptKeys(
  draw: number,
  isLast: boolean,
): { next: boolean; total: boolean; isLast: boolean } {
  const some = { next: (draw & 1) === 0, total: (draw & 2) === 0, isLast: (draw & 4) === 0 };
  return isLast ? some : { ...some, next: true };
}

function renderRows(rows: RowSet, positions: Uint32Array): string {
  let text = "";
  for (let i = 0; i < positions.length; i++) {
    text += (i === 0 ? "" : ",") + rows.render(positions[i] ?? 0);
  }
  return text;
}

/** Body of a cursor page: ascending ids, inclusive start, null at the end. */
export function cursorPage(rows: RowSet, request: PageRequest): string {
  const { query, settings } = request;
  const limit = Math.min(query.integer("limit", 1) ?? 10, request.cap);
  const from = query.integer("startAtId", 0) ?? 0;
  const first = firstAtOrAfter(rows, from);
  const draw = hashNumbers(settings.seed, hashText(request.url), from);
  const size = settings.shortCursorPages ? shortSize(rows, first, from, limit, draw) : limit;
  const slice = rows.positions.subarray(first, first + size);
  const onePast = settings.shortCursorPages && slice.length > 0 && draw % 3 === 0;
  const nextId = nextCursor(rows, first + slice.length, onePast);
  const next = nextId === null
    ? null
    : `${request.url}?${query.with({ limit, startAtId: nextId })}`;
  const head = JSON.stringify({ next, nextStartAtId: nextId, limit });
  return `${head.slice(0, -1)},"values":[${renderRows(rows, slice)}]}`;
}

/** Zero only where the cursor moves on all the same, so that no client can be caught in a loop. */
function shortSize(
  rows: RowSet,
  first: number,
  from: number,
  limit: number,
  draw: number,
): number {
  const position = rows.positions[first];
  if (position === undefined) return 0;
  if (from > 0 && rows.idAt(position) > from) return 0;
  return draw % 2 === 0 ? limit : Math.max(1, Math.floor(limit * ((draw % 83) / 100)));
}

/** The id of the next row, or one past the last row's id, which may belong to no row. */
function nextCursor(rows: RowSet, end: number, onePast: boolean): number | null {
  const next = rows.positions[end];
  if (next === undefined) return null;
  const last = rows.positions[end - 1];
  return onePast && last !== undefined ? rows.idAt(last) + 1 : rows.idAt(next);
}

function firstAtOrAfter(rows: RowSet, id: number): number {
  let low = 0;
  let high = rows.positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows.idAt(rows.positions[middle] ?? 0) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The same rows in a stable order that has nothing to do with ids. */
export function hashOrdered(rows: RowSet, seed: number): Uint32Array {
  // Rank and position share one number: 32 + 21 bits.
  const ranked = new Float64Array(rows.positions.length);
  rows.positions.forEach((position, i) => {
    ranked[i] = hashNumbers(seed, 31, rows.idAt(position)) * 2_097_152 + position;
  });
  return Uint32Array.from(ranked.sort(), (value) => value % 2_097_152);
}
