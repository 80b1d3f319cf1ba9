/**
 * Canonical records of the source: what every source adapter produces, every store keeps and the
 * transform reads. All ids are strings (vendor ids are int64), all instants ISO-8601 UTC with second
 * precision, all durations milliseconds. `null` means "the vendor says nothing".
 *
 * Identity: test case = `key`; cycle and plan = `id` (with `key`); execution, folder, step,
 * attachment and lookup = `id`.
 * @module
 */

/** Kinds of source records that are counted in every summary. */
export const RECORD_KINDS = [
  "folder",
  "testCase",
  "testPlan",
  "testCycle",
  "execution",
  "executionStep",
  "attachment",
  "link",
] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** Kinds that arrive through list pages and have a table of their own. */
export const LIST_KINDS = [
  "priority",
  "status",
  "environment",
  "folder",
  "testPlan",
  "testCycle",
  "testCase",
  "execution",
] as const;
export type ListKind = (typeof LIST_KINDS)[number];

export type FolderType = "TEST_CASE" | "TEST_PLAN" | "TEST_CYCLE";
export type StatusType = "TEST_CASE" | "TEST_PLAN" | "TEST_CYCLE" | "TEST_EXECUTION";

/** A priority, status or environment; the vendor names them only by id elsewhere. */
export interface LookupRecord {
  kind: "priority" | "status" | "environment";
  id: string;
  name: string | null;
  /** Only for statuses: the body has no type, it comes from the request. */
  statusType: StatusType | null;
  index: number | null;
  isDefault: boolean;
  isArchived: boolean;
}

export interface FolderRecord {
  kind: "folder";
  id: string;
  folderType: FolderType;
  parentId: string | null;
  name: string | null;
  index: number;
}

/** One web link or issue link of a record; both come inline in list rows. */
export interface LinkRecord {
  id: string;
  type: "web" | "issue";
  /** Web link: the URL (any string). Issue link: the Jira issue URL of the vendor, if given. */
  url: string | null;
  description: string | null;
  /** Jira's numeric issue id; issue keys are not in the API. */
  issueId: string | null;
  /** COVERAGE, BLOCKS, RELATED … as the vendor says. */
  relation: string | null;
}

/** Values by display name, as received: string, number, boolean, string[], null. */
export type CustomFields = Record<string, unknown>;

export interface TestCaseRecord {
  kind: "testCase";
  /** Row id of the latest version; not the identity. */
  id: string;
  key: string;
  /** Number in the key (`KEY-T12` → 12): the canonical order. */
  ord: number;
  name: string | null;
  folderId: string | null;
  statusId: string | null;
  priorityId: string | null;
  ownerId: string | null;
  componentId: string | null;
  createdOn: string | null;
  objective: string | null;
  precondition: string | null;
  estimatedTimeMs: number | null;
  labels: string[];
  /** From the suffix of `testScript.self`: which of the two routes answers. */
  scriptRoute: "teststeps" | "testscript" | null;
  customFields: CustomFields;
  links: LinkRecord[];
}

/** A step of a step-by-step script; either own text or a call to another case. */
export interface StepRecord {
  id: string | null;
  description: string | null;
  testData: string | null;
  expectedResult: string | null;
  customFields: CustomFields;
  call: { key: string; parameters: { name: string; value: string | null }[] } | null;
}

/** The script of a case, complete and in order. */
export interface TestScript {
  /** `none`: the vendor has neither steps nor text. */
  type: "steps" | "plain" | "bdd" | "none";
  text: string | null;
  steps: StepRecord[];
}

export interface TestCycleRecord {
  kind: "testCycle";
  id: string;
  key: string;
  ord: number;
  name: string | null;
  folderId: string | null;
  statusId: string | null;
  description: string | null;
  plannedStartDate: string | null;
  plannedEndDate: string | null;
  ownerId: string | null;
  jiraVersionId: string | null;
  customFields: CustomFields;
  links: LinkRecord[];
  /** Ids of the plans this cycle is linked to. */
  planIds: string[];
}

export interface TestPlanRecord {
  kind: "testPlan";
  id: string;
  key: string;
  ord: number;
  name: string | null;
  objective: string | null;
  folderId: string | null;
  statusId: string | null;
  ownerId: string | null;
  labels: string[];
  customFields: CustomFields;
  links: LinkRecord[];
  cycleIds: string[];
}

export interface ExecutionRecord {
  kind: "execution";
  id: string;
  key: string | null;
  /** Parsed from `testCase.self`; null when the vendor names no case. */
  testCaseKey: string | null;
  /** Number in `testCaseKey`: executions are read in the order (ord, testCaseKey, cycleId, id). */
  ord: number;
  testCaseVersion: number | null;
  /** Version-row id: differs from the case's id when the version is superseded. */
  testCaseVersionId: string | null;
  /** null = ad-hoc execution. */
  cycleId: string | null;
  statusId: string | null;
  environmentId: string | null;
  jiraVersionId: string | null;
  actualEndDate: string | null;
  estimatedTimeMs: number | null;
  executionTimeMs: number | null;
  executedById: string | null;
  assignedToId: string | null;
  comment: string | null;
  automated: boolean;
  customFields: CustomFields;
  links: LinkRecord[];
}

/** A step as it was when executed; data-driven executions repeat the list per data row. */
export interface ExecutionStepRecord {
  id: string | null;
  description: string | null;
  testData: string | null;
  expectedResult: string | null;
  actualResult: string | null;
  dataRow: number | null;
  statusId: string | null;
}

/** Where an attachment hangs. `testStep` and `executionStep` name the step by its id. */
export interface AttachmentOwner {
  kind: "testCase" | "testStep" | "testCycle" | "testPlan" | "execution" | "executionStep";
  /** Key of the case, id of the cycle, plan or execution. */
  key: string;
  /** Only for the two step kinds. */
  stepId: string | null;
}

export interface AttachmentRecord {
  kind: "attachment";
  /** Vendor's id, unique per owner. */
  id: string;
  owner: AttachmentOwner;
  name: string;
  /** Position in the vendor's list. */
  ord: number;
  /** null until the bytes are stored. */
  size: number | null;
  sha256: string | null;
}

/** Every record kind by its name, for generic signatures. */
export interface RecordByKind {
  priority: LookupRecord;
  status: LookupRecord;
  environment: LookupRecord;
  folder: FolderRecord;
  testPlan: TestPlanRecord;
  testCycle: TestCycleRecord;
  testCase: TestCaseRecord;
  execution: ExecutionRecord;
}

/** The identity under which a list record is stored and looked up. */
export function recordKey(record: RecordByKind[ListKind]): string {
  return record.kind === "testCase" ? record.key : record.id;
}

/** Stable text for an attachment owner: `execution/123`, `testStep/KEY-T1/77`. */
export function ownerKey(owner: AttachmentOwner): string {
  return owner.stepId === null
    ? `${owner.kind}/${owner.key}`
    : `${owner.kind}/${owner.key}/${owner.stepId}`;
}

/** Number at the end of a vendor key (`KEY-T12` → 12), 0 when there is none. */
export function keyNumber(key: string): number {
  return Number(/(\d+)$/.exec(key)?.[1] ?? 0);
}
