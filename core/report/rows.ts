/** Reading a run's lists from the store, page by page. @module */
import type { Keyset, Rows, Store, TargetKind, TargetRow } from "../ports/mod.ts";
import type { ListKind, RecordByKind } from "../records/mod.ts";
import type { ReportContent } from "./content.ts";
import type { Redirect } from "./csv.ts";
import type { Summary } from "./model.ts";

const PAGE_ROWS = 1_000;

/** Yields every row of a keyset-paged list. */
export async function* allRows<T>(read: (page: Keyset) => Promise<Rows<T>>): AsyncIterable<T> {
  let after: string | null = null;
  do {
    const { rows, cursor }: Rows<T> = await read({ after, limit: PAGE_ROWS });
    yield* rows;
    after = cursor;
  } while (after !== null);
}

/** Builds the content of a report over a store; lists are read when a renderer asks for them. */
export function contentFromStore(
  store: Store,
  scopeId: number,
  summary: Summary,
  about: Pick<ReportContent, "source" | "target" | "generatedAt" | "accepted">,
): ReportContent {
  return {
    ...about,
    summary,
    losses: () => allRows((page) => store.losses(scopeId, page)),
    issues: () => allRows((page) => store.issues(scopeId, page)),
    differences: () => allRows((page) => store.differences(summary.runId, page)),
  };
}

/** Artefacts that stand for a source record, with the list the record is in. */
const REDIRECTED: readonly { target: TargetKind; kind: ListKind }[] = [
  { target: "module", kind: "folder" },
  { target: "testCycle", kind: "folder" },
  { target: "testCase", kind: "testCase" },
  { target: "release", kind: "testPlan" },
  { target: "testSuite", kind: "testCycle" },
  { target: "testLog", kind: "execution" },
];

/** Yields what every loaded record became, kind by kind, in loading order. */
export async function* redirects(store: Store, scopeId: number): AsyncIterable<Redirect> {
  for (const { target, kind } of REDIRECTED) {
    let after: string | null = null;
    do {
      const { rows, cursor }: Rows<TargetRow> = await store.targets(scopeId, target, {
        after,
        limit: PAGE_ROWS,
        states: ["loaded"],
      });
      yield* await toRedirects(store, scopeId, kind, rows);
      after = cursor;
    } while (after !== null);
  }
}

type RecordsByName = Map<string, RecordByKind[ListKind]>;

/** Placeholders of archived cases stand for no record but for a key people may look up. */
function standsForRecord(row: TargetRow, kind: ListKind): boolean {
  return row.targetId !== null && (row.recordKind === kind || row.kind === "testCase");
}

async function toRedirects(
  store: Store,
  scopeId: number,
  kind: ListKind,
  rows: TargetRow[],
): Promise<Redirect[]> {
  const own = rows.filter((row) => standsForRecord(row, kind));
  const records = await namedRecords(store, scopeId, kind, own.map((row) => row.key));
  const runs = await runsOf(store, scopeId, own);
  return own.map((row) => {
    const record = records.get(row.key);
    const key = record !== undefined && "key" in record ? record.key : null;
    return {
      kind,
      key: key ?? row.key,
      sourceId: record?.id ?? "",
      targetKind: row.kind,
      targetId: row.targetId ?? "",
      pid: row.detail.pid ?? null,
      // A test log has no address; its run shows it.
      url: row.detail.webUrl ?? runs.get(row.parentKey ?? "")?.detail.webUrl ?? null,
    };
  });
}

/** Records by the name their artefact has in the target map: the identity, or the key of cycles and plans. */
async function namedRecords(
  store: Store,
  scopeId: number,
  kind: ListKind,
  names: string[],
): Promise<RecordsByName> {
  const found: RecordsByName = await store.recordsByKey(scopeId, kind, names);
  if (kind !== "testCycle" && kind !== "testPlan") return found;
  const wanted = new Set(names);
  for await (const record of allRows((page) => store.records(scopeId, kind, page))) {
    if (wanted.has(record.key)) found.set(record.key, record);
  }
  return found;
}

async function runsOf(
  store: Store,
  scopeId: number,
  rows: readonly TargetRow[],
): Promise<Map<string, TargetRow>> {
  const keys = rows.filter((row) => row.kind === "testLog" && row.parentKey !== null)
    .map((row) => row.parentKey ?? "");
  return keys.length === 0 ? new Map() : await store.targetsByKey(scopeId, "testRun", keys);
}
