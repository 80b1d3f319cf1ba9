/** Records and rows for tests of stores: every member is set to something telling. @module */
import {
  type AttachmentOwner,
  type AttachmentRecord,
  type ExecutionRecord,
  type FolderRecord,
  keyNumber,
  type LinkRecord,
  type ListKind,
  type LookupRecord,
  type RecordByKind,
  type TestCaseRecord,
  type TestCycleRecord,
  type TestPlanRecord,
} from "../../core/records/mod.ts";
import type { Change, IssueRow, Run, TargetKind, TargetRow } from "../../core/ports/mod.ts";

export const SPEC = {
  sourceUrl: "https://source/v2",
  sourceProject: "A",
  targetUrl: "https://target",
  targetProject: "1001",
  rootName: "Zephyr A",
};

/** An instant some seconds into the tests' time. */
export function isoAt(seconds: number): string {
  return new Date(Date.UTC(2024, 0, 1) + seconds * 1_000).toISOString();
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A page of records and the records: what one committed page is. */
export function pageOf(list: string, at: string, records: RecordByKind[ListKind][]): Change[] {
  const body = bytes(JSON.stringify({ values: records }));
  return [
    { op: "page", list, at, body, rows: records.length },
    { op: "records", list, at, records: records.map((record, ordinal) => ({ ordinal, record })) },
  ];
}

const LINKS: LinkRecord[] = [
  { id: "1", type: "web", url: "https://x/?a=1", description: "d", issueId: null, relation: null },
  { id: "2", type: "issue", url: null, description: null, issueId: "305177", relation: "COVERAGE" },
];

export function aCase(key: string): TestCaseRecord {
  return {
    kind: "testCase",
    id: `50${keyNumber(key)}`,
    key,
    ord: keyNumber(key),
    name: `Case ${key}`,
    folderId: "7",
    statusId: "30",
    priorityId: "20",
    ownerId: "557058:abc",
    componentId: null,
    createdOn: "2023-01-02T03:04:05Z",
    objective: "<b>o</b>",
    precondition: null,
    estimatedTimeMs: 60_000,
    labels: ["a", "b c"],
    scriptRoute: "teststeps",
    customFields: { Browser: "Chrome", Count: 3, Tags: ["x"], None: null },
    links: LINKS,
  };
}

export function aCycle(id: string, key: string): TestCycleRecord {
  return {
    kind: "testCycle",
    id,
    key,
    ord: keyNumber(key),
    name: `Cycle ${key}`,
    folderId: null,
    statusId: "31",
    description: "d",
    plannedStartDate: "2023-01-01T00:00:00Z",
    plannedEndDate: null,
    ownerId: null,
    jiraVersionId: "10001",
    customFields: {},
    links: LINKS,
    planIds: ["12"],
  };
}

export function aPlan(id: string, key: string): TestPlanRecord {
  return {
    kind: "testPlan",
    id,
    key,
    ord: keyNumber(key),
    name: null,
    objective: "o",
    folderId: "8",
    statusId: "32",
    ownerId: null,
    labels: [],
    customFields: {},
    links: LINKS,
    cycleIds: [],
  };
}

export function anExecution(
  id: string,
  testCaseKey: string | null,
  cycleId: string | null,
): ExecutionRecord {
  return {
    kind: "execution",
    id,
    key: `A-E${id}`,
    testCaseKey,
    ord: keyNumber(testCaseKey ?? ""),
    testCaseVersion: 1,
    testCaseVersionId: "77",
    cycleId,
    statusId: "40",
    environmentId: null,
    jiraVersionId: null,
    actualEndDate: "2023-05-05T05:05:05Z",
    estimatedTimeMs: null,
    executionTimeMs: 1_234,
    executedById: "u",
    assignedToId: null,
    comment: "c",
    automated: true,
    customFields: {},
    links: LINKS,
  };
}

export function aFolder(
  id: string,
  folderType: FolderRecord["folderType"] = "TEST_CASE",
  parentId: string | null = null,
): FolderRecord {
  return { kind: "folder", id, folderType, parentId, name: `Folder ${id}`, index: 3 };
}

export function aLookup(kind: LookupRecord["kind"], id: string): LookupRecord {
  const statusType = kind === "status" ? "TEST_CASE" : null;
  return { kind, id, name: "Name", statusType, index: null, isDefault: true, isArchived: false };
}

export function aFile(
  id: string,
  kind: AttachmentOwner["kind"],
  key: string,
  ord: number,
  stepId: string | null = null,
): AttachmentRecord {
  const owner = { kind, key, stepId };
  return { kind: "attachment", id, owner, name: `f${id}.png`, ord, size: null, sha256: null };
}

export function aTarget(kind: TargetKind, key: string): TargetRow {
  return {
    kind,
    key,
    recordKind: kind === "testLog" ? "execution" : null,
    parentKind: null,
    parentKey: null,
    ord: keyNumber(key),
    state: "pending",
    targetId: null,
    payloadHash: "h",
    attempt: 0,
    sentAt: null,
    everInDoubt: false,
    origin: null,
    runId: null,
    steps: 1,
    stepsAsText: 0,
    links: 0,
    detail: {},
    lastError: null,
  };
}

export function aRun(id: string, scopeId: number, at: number): Run {
  return {
    id,
    scopeId,
    state: "created",
    phases: { extract: "active", transform: "pending", load: "pending", validate: "pending" },
    createdAt: isoAt(at),
    updatedAt: isoAt(at),
    completedAt: null,
    result: null,
    reason: "waits",
    workedMs: 0,
    config: { source: { projectKey: "A" }, list: [1] },
    summary: null,
  };
}

export function anIssue(key: string, more: Partial<IssueRow> = {}): IssueRow {
  return {
    phase: "load",
    kind: "testCase",
    key,
    level: "error",
    reason: "refused",
    message: "no",
    payload: `{"a":1}`,
    setAside: false,
    attempts: 1,
    at: isoAt(1),
    ...more,
  };
}
