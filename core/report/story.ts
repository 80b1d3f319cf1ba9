/** One source record from end to end: what came in, what was made of it, and what was lost. @module */
import {
  type IssueRow,
  type LossRow,
  type Store,
  TARGET_KINDS,
  type TargetKind,
  type TargetRow,
} from "../ports/mod.ts";
import { LIST_KINDS, type ListKind, type RecordByKind, recordKey } from "../records/mod.ts";
import { jsonOrText } from "./format.ts";
import { allRows } from "./rows.ts";

/** A record and the list it is in. */
export interface FoundRecord {
  kind: ListKind;
  record: RecordByKind[ListKind];
}

/** Everything known about one record. */
export interface Story {
  kind: string;
  key: string;
  id: string;
  /** The body as received. */
  source: unknown;
  details: Record<string, unknown>;
  targets: TargetRow[];
  losses: LossRow[];
  issues: IssueRow[];
}

/** Artefacts under whose source key a record of a kind may stand. */
const TARGETS_OF: Partial<Record<ListKind, readonly TargetKind[]>> = {
  testCase: ["testCase"],
  testCycle: ["testSuite"],
  testPlan: ["release"],
  execution: ["testLog"],
  folder: ["module", "testCycle", "planFolder"],
};

/** Candidates taken from the search, which puts exact matches first. */
const SEARCH_ROWS = 50;

/** Tells the stories of all records of that key or id; none when nothing is known of it. */
export async function storiesOf(store: Store, scopeId: number, key: string): Promise<Story[]> {
  const found = await findRecords(store, scopeId, key);
  const entities = found.filter(({ kind }) => TARGETS_OF[kind] !== undefined);
  const chosen = entities.length > 0 ? entities : found;
  const stories = await Promise.all(chosen.map((record) => tell(store, scopeId, record)));
  if (stories.length > 0) return stories;
  const rest = await tellUnread(store, scopeId, key);
  return rest === null ? [] : [rest];
}

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

async function tell(store: Store, scopeId: number, { kind, record }: FoundRecord): Promise<Story> {
  const id = recordKey(record);
  const key = shownKey(record);
  const names = [...new Set([key, id])];
  const details: Record<string, unknown> = {};
  if (kind === "testCase") details.script = jsonOrText(await store.raw(scopeId, "script", id));
  if (kind === "execution") {
    details.steps = jsonOrText(await store.raw(scopeId, "executionSteps", id));
  }
  return {
    kind,
    key,
    id,
    source: jsonOrText(await store.raw(scopeId, kind, id)),
    details,
    targets: await targetsOf(store, scopeId, TARGETS_OF[kind] ?? [], names),
    ...await ledgers(store, scopeId, names),
  };
}

/** A record that could not be read has no row of its own; its issue tells the story. */
async function tellUnread(store: Store, scopeId: number, key: string): Promise<Story | null> {
  const targets = await targetsOf(store, scopeId, TARGET_KINDS, [key]);
  const rest = await ledgers(store, scopeId, [key]);
  if (targets.length + rest.issues.length + rest.losses.length === 0) return null;
  return { kind: "unknown", key, id: key, source: null, details: {}, targets, ...rest };
}

async function targetsOf(
  store: Store,
  scopeId: number,
  kinds: readonly TargetKind[],
  keys: string[],
): Promise<TargetRow[]> {
  const maps = await Promise.all(kinds.map((kind) => store.targetsByKey(scopeId, kind, keys)));
  return maps.flatMap((map) => [...map.values()]);
}

async function ledgers(
  store: Store,
  scopeId: number,
  keys: readonly string[],
): Promise<{ losses: LossRow[]; issues: IssueRow[] }> {
  const losses: LossRow[] = [];
  const issues: IssueRow[] = [];
  for (const key of keys) {
    for await (const row of allRows((page) => store.losses(scopeId, page, { key }))) {
      losses.push(row);
    }
    for await (const row of allRows((page) => store.issues(scopeId, page, { key }))) {
      issues.push(row);
    }
  }
  return { losses, issues };
}
