/** Finding records by what people know them by: a key, or an id. @module */
import type { Store } from "../../core/ports/mod.ts";
import { LIST_KINDS, type ListKind, type RecordByKind, recordKey } from "../../core/records/mod.ts";

/** A record and the list it is in. */
export interface FoundRecord {
  kind: ListKind;
  record: RecordByKind[ListKind];
}

/** Candidates taken from the search, which puts exact matches first. */
const SEARCH_ROWS = 50;

/** Returns the records of that identity or key; entities before lookups. */
export async function findRecords(
  store: Store,
  scopeId: number,
  key: string,
): Promise<FoundRecord[]> {
  const found: FoundRecord[] = [];
  for (const kind of [...LIST_KINDS].reverse()) {
    const record = (await store.recordsByKey(scopeId, kind, [key])).get(key);
    if (record !== undefined) found.push({ kind, record });
  }
  if (found.length > 0) return found;
  const hits = await resolveHits(store, scopeId, await store.search(scopeId, key, SEARCH_ROWS));
  return hits.filter(({ record }) => shownKey(record) === key);
}

/** Reads the records that a search names by their identity. */
export async function resolveHits(
  store: Store,
  scopeId: number,
  hits: readonly { kind: ListKind; key: string }[],
): Promise<FoundRecord[]> {
  const maps = new Map<ListKind, Map<string, RecordByKind[ListKind]>>();
  for (const kind of new Set(hits.map((hit) => hit.kind))) {
    const keys = hits.filter((hit) => hit.kind === kind).map((hit) => hit.key);
    maps.set(kind, await store.recordsByKey(scopeId, kind, keys));
  }
  return hits.flatMap(({ kind, key }) => {
    const record = maps.get(kind)?.get(key);
    return record === undefined ? [] : [{ kind, record }];
  });
}

/** What people know a record by: its key where the vendor has one, else its id. */
export function shownKey(record: RecordByKind[ListKind]): string {
  return "key" in record && record.key !== null ? record.key : recordKey(record);
}
