/**
 * Rows of the lists → canonical records. Identity and joins are checked by schema, everything
 * else is read tolerantly: the vendor adds keys and nulls without notice.
 * @module
 */
import { z } from "zod";
import {
  type ExecutionRecord,
  type FolderRecord,
  keyNumber,
  type ListKind,
  type LookupRecord,
  type RecordByKind,
  type StatusType,
  type TestCaseRecord,
  type TestCycleRecord,
  type TestPlanRecord,
} from "../../core/records/mod.ts";
import type { PageRecord, UnreadableRow, UnreadValue } from "../../core/ports/source.ts";
import {
  asObject,
  decodePart,
  pathOf,
  toAccountId,
  toCustomFields,
  toFlag,
  toId,
  toInstant,
  toLabels,
  toLinkedIds,
  toLinks,
  toNumber,
  toRefId,
  toText,
} from "./values.ts";

const id = z.union([z.int(), z.string().trim().min(1)]).transform(String);
const key = z.string().trim().min(1);

const idRow = z.looseObject({ id });
const keyRow = z.looseObject({ id, key });
const folderRow = z.looseObject({
  id,
  folderType: z.enum(["TEST_CASE", "TEST_PLAN", "TEST_CYCLE"]),
});

type IdRow = z.infer<typeof idRow>;
type KeyRow = z.infer<typeof keyRow>;

/** What a row of each kind becomes. Throws `z.ZodError` when identity or a join is missing. */
const READERS: {
  [K in ListKind]: (row: unknown, statusType: StatusType | null) => RecordByKind[K];
} = {
  priority: (row) => toLookup("priority", idRow.parse(row), null),
  status: (row, statusType) => toLookup("status", idRow.parse(row), statusType),
  environment: (row) => toLookup("environment", idRow.parse(row), null),
  folder: (row) => toFolder(folderRow.parse(row)),
  testPlan: (row) => toPlan(keyRow.parse(row)),
  testCycle: (row) => toCycle(keyRow.parse(row)),
  testCase: (row) => toTestCase(keyRow.parse(row)),
  execution: (row) => toExecution(idRow.parse(row)),
};

/** Reads one row; a row without identity comes back as unreadable with the reason. */
export function readRow<K extends ListKind>(
  kind: K,
  row: unknown,
  ordinal: number,
  statusType: StatusType | null = null,
): { record: RecordByKind[K]; unread?: UnreadValue[] } | { unreadable: UnreadableRow } {
  try {
    const record = READERS[kind](row, statusType);
    const unread = unreadValues(kind, row);
    return unread.length === 0 ? { record } : { record, unread };
  } catch (error) {
    return { unreadable: unreadableRow(row, ordinal, reasonOf(error)) };
  }
}

/** Reads all rows of a page; order kept, ordinals = positions in the page. */
export function readRows<K extends ListKind>(
  kind: K,
  rows: unknown[],
  statusType: StatusType | null,
): { records: PageRecord<K>[]; unreadable: UnreadableRow[] } {
  const records: PageRecord<K>[] = [];
  const unreadable: UnreadableRow[] = [];
  rows.forEach((row, ordinal) => {
    const result = readRow(kind, row, ordinal, statusType);
    if ("record" in result) records.push({ ordinal, ...result });
    else unreadable.push(result.unreadable);
  });
  return { records, unreadable };
}

/** Values that have to be of one form, and how they are read. */
const FORMS: Partial<Record<ListKind, Record<string, (value: unknown) => unknown>>> = {
  testCase: { createdOn: toInstant, estimatedTime: toNumber },
  testCycle: { plannedStartDate: toInstant, plannedEndDate: toInstant },
  execution: { actualEndDate: toInstant, estimatedTime: toNumber, executionTime: toNumber },
};

/** What stands in the row and cannot be read: the record goes on without it. */
function unreadValues(kind: ListKind, row: unknown): UnreadValue[] {
  const object = asObject(row) ?? {};
  return Object.entries(FORMS[kind] ?? {}).flatMap(([field, read]) => {
    const value = object[field];
    if (value === null || value === undefined || value === "" || read(value) !== null) return [];
    return [{ field, value: JSON.stringify(value) }];
  });
}

/** Describes a row that cannot be used, with its key or id when at least that is there. */
export function unreadableRow(row: unknown, ordinal: number, reason: string): UnreadableRow {
  const object = asObject(row);
  return { ordinal, key: object === null ? null : toId(object.key) ?? toId(object.id), reason };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  return error.issues.map((issue) => `${issue.path.join(".") || "row"}: ${issue.message}`).join(
    "; ",
  )
    .slice(0, 500);
}

function toLookup(
  kind: LookupRecord["kind"],
  row: IdRow,
  statusType: StatusType | null,
): LookupRecord {
  return {
    kind,
    id: row.id,
    name: toText(row.name),
    statusType,
    index: toNumber(row.index),
    isDefault: toFlag(row.default),
    isArchived: toFlag(row.archived),
  };
}

function toFolder(row: z.infer<typeof folderRow>): FolderRecord {
  const parentId = toId(row.parentId);
  return {
    kind: "folder",
    id: row.id,
    folderType: row.folderType,
    parentId: parentId === "0" ? null : parentId,
    name: toText(row.name),
    index: toNumber(row.index) ?? 0,
  };
}

function toTestCase(row: KeyRow): TestCaseRecord {
  return {
    kind: "testCase",
    id: row.id,
    key: row.key,
    ord: keyNumber(row.key),
    name: toText(row.name),
    folderId: toRefId(row.folder),
    statusId: toRefId(row.status),
    priorityId: toRefId(row.priority),
    ownerId: toAccountId(row.owner),
    componentId: toRefId(row.component),
    createdOn: toInstant(row.createdOn),
    objective: toText(row.objective),
    precondition: toText(row.precondition),
    estimatedTimeMs: toNumber(row.estimatedTime),
    labels: toLabels(row.labels),
    scriptRoute: toScriptRoute(row.testScript),
    customFields: toCustomFields(row.customFields),
    links: toLinks(row.links),
  };
}

function toScriptRoute(testScript: unknown): TestCaseRecord["scriptRoute"] {
  const suffix = /\/(teststeps|testscript)\/?$/i.exec(pathOf(asObject(testScript)?.self))?.[1];
  return suffix === undefined ? null : suffix.toLowerCase() as "teststeps" | "testscript";
}

function toCycle(row: KeyRow): TestCycleRecord {
  return {
    kind: "testCycle",
    id: row.id,
    key: row.key,
    ord: keyNumber(row.key),
    name: toText(row.name),
    folderId: toRefId(row.folder),
    statusId: toRefId(row.status),
    description: toText(row.description),
    plannedStartDate: toInstant(row.plannedStartDate),
    plannedEndDate: toInstant(row.plannedEndDate),
    ownerId: toAccountId(row.owner),
    jiraVersionId: toRefId(row.jiraProjectVersion),
    customFields: toCustomFields(row.customFields),
    links: toLinks(row.links),
    planIds: toLinkedIds(asObject(row.links)?.testPlans, "testPlanId"),
  };
}

function toPlan(row: KeyRow): TestPlanRecord {
  return {
    kind: "testPlan",
    id: row.id,
    key: row.key,
    ord: keyNumber(row.key),
    name: toText(row.name),
    objective: toText(row.objective),
    folderId: toRefId(row.folder),
    statusId: toRefId(row.status),
    ownerId: toAccountId(row.owner),
    labels: toLabels(row.labels),
    customFields: toCustomFields(row.customFields),
    links: toLinks(row.links),
    cycleIds: toLinkedIds(asObject(row.links)?.testCycles, "testCycleId"),
  };
}

function toExecution(row: IdRow): ExecutionRecord {
  const testCase = toCaseReference(row.testCase);
  return {
    kind: "execution",
    id: row.id,
    key: toId(row.key),
    testCaseKey: testCase.key,
    ord: keyNumber(testCase.key ?? ""),
    testCaseVersion: testCase.version,
    testCaseVersionId: testCase.id,
    cycleId: toRefId(row.testCycle),
    statusId: toRefId(row.testExecutionStatus),
    environmentId: toRefId(row.environment),
    jiraVersionId: toRefId(row.jiraProjectVersion),
    actualEndDate: toInstant(row.actualEndDate),
    estimatedTimeMs: toNumber(row.estimatedTime),
    executionTimeMs: toNumber(row.executionTime),
    executedById: toAccountId(row.executedById),
    assignedToId: toAccountId(row.assignedToId),
    comment: toText(row.comment),
    automated: toFlag(row.automated),
    customFields: toCustomFields(row.customFields),
    links: toLinks(row.links),
  };
}

/** Key and version stand only in `self`; the id is a version row's, not the case's. */
function toCaseReference(
  value: unknown,
): { key: string | null; version: number | null; id: string | null } {
  const reference = asObject(value);
  if (reference === null) return { key: null, version: null, id: null };
  const path = /\/testcases\/([^/]+)(?:\/versions\/(\d+))?/.exec(pathOf(reference.self));
  return {
    key: path?.[1] === undefined ? toId(reference.key) : decodePart(path[1]),
    version: toNumber(path?.[2]),
    id: toId(reference.id),
  };
}
