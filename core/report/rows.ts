/** Reading a run's lists from the store, page by page. @module */
import type { Keyset, Rows, Store, TargetKind, TargetRow } from "../ports/mod.ts";
import type { ListKind } from "../records/mod.ts";
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

async function toRedirects(
  store: Store,
  scopeId: number,
  kind: ListKind,
  rows: TargetRow[],
): Promise<Redirect[]> {
  const own = rows.filter((row) => row.recordKind === kind && row.targetId !== null);
  const records = await store.recordsByKey(scopeId, kind, own.map((row) => row.key));
  return own.map((row) => {
    const record = records.get(row.key);
    const key = record !== undefined && "key" in record ? record.key : null;
    return {
      kind,
      key: key ?? row.key,
      sourceId: record?.id ?? row.key,
      targetKind: row.kind,
      targetId: row.targetId ?? "",
      pid: row.detail.pid ?? null,
      url: row.detail.webUrl ?? null,
    };
  });
}
