/** Reads of the memory store that compute something. @module */
import {
  type FolderRecord,
  type ListKind,
  recordKey,
  type TestCaseRecord,
} from "../../core/records/mod.ts";
import type { CustomFieldStats, Inventory, TargetCount } from "../../core/ports/mod.ts";
import { compareKeys, idKey, sorted, type SortKey } from "./keyset.ts";
import { detailPages } from "./changes.ts";
import type { ScopeTables, StoredRecord } from "./tables.ts";

/** Canonical order of a kind. */
export function recordOrder({ record }: StoredRecord): SortKey {
  switch (record.kind) {
    case "testCase":
      return [record.ord, record.key];
    case "testCycle":
    case "testPlan":
      return [record.ord, ...idKey(record.id)];
    case "execution":
      return [record.ord, record.testCaseKey ?? "", record.cycleId ?? "", ...idKey(record.id)];
    default:
      return idKey(record.id);
  }
}

/** Returns the records of one kind in order. */
export function recordsInOrder(scope: ScopeTables, kind: ListKind): StoredRecord[] {
  return sorted(scope.records[kind].values(), recordOrder);
}

/** Counts what there is; see {@linkcode Inventory}. */
export function takeInventory(scope: ScopeTables): Inventory {
  const of = scope.records;
  const all = Object.values(of).flatMap((rows) => [...rows.values()].map((row) => row.record));
  const folders: Inventory["folders"] = { TEST_CASE: 0, TEST_PLAN: 0, TEST_CYCLE: 0 };
  const byStatus: Record<string, number> = {};
  const scripts = { teststeps: 0, testscript: 0 };
  let links = 0;
  for (const record of all) {
    if ("links" in record) links += record.links.length;
    if (record.kind === "folder") folders[(record as FolderRecord).folderType]++;
    if (record.kind === "testCase") {
      const route = (record as TestCaseRecord).scriptRoute;
      if (route !== null) scripts[route]++;
    }
    if (record.kind === "execution") {
      byStatus[record.statusId ?? ""] = (byStatus[record.statusId ?? ""] ?? 0) + 1;
    }
  }
  const files = [...scope.attachments.values()].flat();
  return {
    folders,
    testCases: of.testCase.size,
    scripts,
    testPlans: of.testPlan.size,
    testCycles: of.testCycle.size,
    executions: of.execution.size,
    executionsByStatus: byStatus,
    executionSteps: [...scope.executionSteps.values()].flat().length,
    attachments: files.length,
    attachmentBytes: files.reduce((sum, file) => sum + (file.size ?? 0), 0),
    links,
  };
}

/** Distinct (case, version, version row) with the sort key of each. */
export function versionsExecuted(
  scope: ScopeTables,
): { order: SortKey; caseKey: string; version: number | null; versionId: string | null }[] {
  const found = new Map<string, ReturnType<typeof versionsExecuted>[number]>();
  for (const { record } of scope.records.execution.values()) {
    if (record.kind !== "execution" || record.testCaseKey === null) continue;
    const { testCaseKey, testCaseVersion: version, testCaseVersionId: versionId } = record;
    const order = [record.ord, testCaseKey, version ?? -1, versionId ?? ""];
    found.set(JSON.stringify(order), { order, caseKey: testCaseKey, version, versionId });
  }
  return [...found.values()];
}

/** Statistics of every custom field of a kind; see {@linkcode CustomFieldStats}. */
export function fieldStats(
  scope: ScopeTables,
  kind: "testCase" | "testCycle" | "testPlan",
): CustomFieldStats[] {
  const stats = new Map<string, { row: CustomFieldStats; values: Map<string, number> }>();
  for (const { record } of scope.records[kind].values()) {
    if (!("customFields" in record)) continue;
    for (const [name, value] of Object.entries(record.customFields)) {
      const entry = stats.get(name) ?? { row: emptyStats(name), values: new Map() };
      stats.set(name, entry);
      countValue(entry.row, entry.values, value);
    }
  }
  const done = [...stats.values()].map(({ row, values }) => ({
    ...row,
    values: sorted(
      [...values].map(([value, count]) => ({ value, count })),
      (entry) => [-entry.count, entry.value],
    ).slice(0, 201),
  }));
  return sorted(done, (row) => [row.name]);
}

function emptyStats(name: string): CustomFieldStats {
  const strings = { date: 0, dateTime: 0, withMarkup: 0, maxLength: 0 };
  return { name, count: 0, types: {}, values: [], strings };
}

function countValue(row: CustomFieldStats, values: Map<string, number>, value: unknown): void {
  const isList = Array.isArray(value);
  if (value === null || value === "" || (isList && value.length === 0)) return;
  const type = (isList ? "array" : typeof value) as keyof CustomFieldStats["types"];
  row.count++;
  row.types[type] = (row.types[type] ?? 0) + 1;
  for (const item of isList ? value : [value]) {
    const text = typeof item === "object" ? JSON.stringify(item) : String(item);
    values.set(text, (values.get(text) ?? 0) + 1);
  }
  if (typeof value === "string") countString(row.strings, value);
}

function countString(strings: CustomFieldStats["strings"], value: string): void {
  if (/^\d{4}-\d\d-\d\d$/.test(value)) strings.date++;
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) strings.dateTime++;
  if (/<\/?[A-Za-z][^]*>/.test(value)) strings.withMarkup++;
  strings.maxLength = Math.max(strings.maxLength, [...value].length);
}

/** Returns the JSON of one record as received. */
export function rawRecord(
  scope: ScopeTables,
  kind: ListKind | "script" | "executionSteps",
  key: string,
): string | null {
  if (kind === "script" || kind === "executionSteps") {
    const bodies = detailPages(scope, kind, key).map((page) => scope.pages.get(page));
    return bodies.length === 0 ? null : `[${bodies.join(",")}]`;
  }
  const stored = scope.records[kind].get(key);
  const body = stored && scope.pages.get(stored.page);
  return body === undefined || stored === undefined ? null : rawRow(body, stored.ordinal);
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

/** Finds records by text in key, id or name: equal keys first, then by kind and order. */
export function searchRecords(
  scope: ScopeTables,
  text: string,
  limit: number,
): { kind: ListKind; key: string; name: string | null }[] {
  const wanted = lower(text);
  const found = SEARCH_ORDER.flatMap((kind, index) =>
    recordsInOrder(scope, kind).map(({ record }) => {
      const name = "name" in record ? record.name : null;
      const keys = "key" in record && record.key !== null ? [record.key, record.id] : [record.id];
      const texts = name === null ? keys : [...keys, name];
      const matches = texts.some((value) => lower(value).includes(wanted));
      const rank = keys.some((value) => lower(value) === wanted) ? 0 : 1;
      return { matches, order: [rank, index], row: { kind, key: recordKey(record), name } };
    })
  ).filter((entry) => entry.matches);
  return found.sort((a, b) => compareKeys(a.order, b.order)).slice(0, limit).map(({ row }) => row);
}

/** ASCII letters only, as SQL's LIKE compares. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Groups the target map; see {@linkcode TargetCount}. */
export function countTargetRows(scope: ScopeTables): TargetCount[] {
  const groups = new Map<string, TargetCount>();
  for (const row of scope.targets.values()) {
    const { kind, recordKind, state, origin, runId } = row;
    const key = JSON.stringify([kind, state, recordKind, origin, runId]);
    const group = groups.get(key) ??
      { kind, recordKind, state, origin, runId, count: 0, steps: 0, stepsAsText: 0, links: 0 };
    groups.set(key, group);
    group.count++;
    group.steps += row.steps;
    group.stepsAsText += row.stepsAsText;
    group.links += row.links;
  }
  return sorted(
    groups.values(),
    (row) => [row.kind, row.state, row.recordKind ?? "", row.origin ?? "", row.runId ?? ""],
  );
}
