/** Order and keyset pages over arrays. @module */
import type { Keyset, Rows } from "../../core/ports/mod.ts";

export type SortKey = (string | number)[];

/** Compares two sort keys part by part; parts at one position have one type. */
export function compareKeys(a: SortKey, b: SortKey): number {
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    if (left < right) return -1;
    if (left > right) return 1;
  }
  return a.length < b.length ? -1 : 0;
}

/** Returns a copy in the order of `keyOf`. */
export function sorted<T>(rows: Iterable<T>, keyOf: (row: T) => SortKey): T[] {
  return [...rows].sort((a, b) => compareKeys(keyOf(a), keyOf(b)));
}

/** Cuts one page out of rows in any order; the cursor is the sort key as JSON. */
export function pageOf<T>(
  rows: Iterable<T>,
  page: Keyset,
  keyOf: (row: T) => SortKey,
): Rows<T> {
  const after: SortKey | null = page.after === null ? null : JSON.parse(page.after);
  const rest = sorted(rows, keyOf).filter((row) =>
    after === null || compareKeys(keyOf(row), after) > 0
  );
  const taken = rest.slice(0, page.limit);
  const last = taken.at(-1);
  const cursor = rest.length > taken.length && last !== undefined
    ? JSON.stringify(keyOf(last))
    : null;
  return { rows: structuredClone(taken), cursor };
}

/** Sort key of an id: ids are numbers written as text, so shorter ones come first. */
export function idKey(id: string): SortKey {
  return [id.length, id];
}
