/**
 * The true content of a simulated project: what a complete extraction has to find.
 * `undefined` = the key is missing in the answer, `null` and `""` are sent as they are.
 * @module
 */

export type Maybe<T> = T | null | undefined;
export type SimFolderType = "TEST_CASE" | "TEST_PLAN" | "TEST_CYCLE";
export type SimStatusType = "TEST_CASE" | "TEST_PLAN" | "TEST_CYCLE" | "TEST_EXECUTION";
export type SimLinkType = "COVERAGE" | "BLOCKS" | "RELATED";

export interface SimProject {
  id: number;
  jiraProjectId: number;
  key: string;
  enabled: boolean;
}

/** A priority, status or environment. */
export interface SimLookup {
  id: number;
  projectId: number;
  name: string;
  description: Maybe<string>;
  index: number;
  color: string | undefined;
  isDefault: boolean;
  archived: boolean;
}

export interface SimStatus extends SimLookup {
  type: SimStatusType;
}

export interface SimFolder {
  id: number;
  projectId: number;
  folderType: SimFolderType;
  parentId: number | null;
  name: string;
  index: number;
}

export interface SimIssueLink {
  id: number;
  issueId: number;
  type: SimLinkType;
}

export interface SimWebLink {
  id: number;
  url: string;
  description: Maybe<string>;
  type: SimLinkType;
}

export type SimOwner = Maybe<{ accountId: string | null }>;
export type SimCustomFields = Record<string, unknown>;

export interface SimCase {
  /** Row id of the current version. */
  id: number;
  projectId: number;
  key: string;
  /** Row ids of versions 1 to n; the last one is `id`. */
  versionIds: number[];
  name: string;
  folderId: number | null;
  statusId: number;
  priorityId: number;
  owner: SimOwner;
  componentId: Maybe<number>;
  createdOn: string;
  objective: Maybe<string>;
  precondition: Maybe<string>;
  estimatedTime: Maybe<number>;
  labels: string[];
  scriptKind: "steps" | "plain" | "bdd";
  customFields: SimCustomFields;
  issues: SimIssueLink[];
  webLinks: SimWebLink[];
  /** Archived cases are neither listed nor readable, but still referred to. */
  archived: boolean;
  /** Last change, ms since the epoch. */
  updatedAt: number;
}

export interface SimCall {
  key: string;
  parameters: { name: string; type: "MANUAL_INPUT" | "DEFAULT_VALUE"; value: string }[];
}

export interface SimStep {
  id: number;
  description: Maybe<string>;
  testData: Maybe<string>;
  expectedResult: Maybe<string>;
  customFields: SimCustomFields | undefined;
  call: SimCall | null;
}

export interface SimScript {
  id: number;
  kind: "steps" | "plain" | "bdd";
  /** Only for `plain` and `bdd`. */
  text: string;
  steps: SimStep[];
}

export interface SimCycle {
  id: number;
  projectId: number;
  key: string;
  name: string;
  folderId: number | null;
  statusId: number;
  description: Maybe<string>;
  plannedStartDate: Maybe<string>;
  plannedEndDate: Maybe<string>;
  owner: SimOwner;
  jiraVersionId: Maybe<number>;
  customFields: SimCustomFields;
  issues: SimIssueLink[];
  webLinks: SimWebLink[];
  plans: { linkId: number; planId: number }[];
  updatedAt: number;
}

export interface SimPlan {
  id: number;
  projectId: number;
  key: string;
  name: string;
  objective: Maybe<string>;
  folderId: number | null;
  statusId: number;
  owner: SimOwner;
  labels: string[];
  customFields: SimCustomFields;
  issues: SimIssueLink[];
  webLinks: SimWebLink[];
  cycles: { linkId: number; cycleId: number }[];
  updatedAt: number;
}

export interface SimExecution {
  id: number;
  key: string | undefined;
  projectId: number;
  caseKey: string;
  version: number;
  versionId: number;
  /** null = ad hoc. */
  cycleId: number | null;
  statusId: number;
  environmentId: Maybe<number>;
  jiraVersionId: Maybe<number>;
  actualEndDate: Maybe<string>;
  estimatedTime: Maybe<number>;
  executionTime: Maybe<number>;
  executedById: Maybe<string>;
  assignedToId: Maybe<string>;
  comment: Maybe<string>;
  automated: boolean;
  customFields: SimCustomFields;
  issues: SimIssueLink[];
  updatedAt: number;
}

export interface SimExecutionStep {
  id: number;
  description: Maybe<string>;
  testData: Maybe<string>;
  expectedResult: Maybe<string>;
  actualResult: Maybe<string>;
  dataRow: number | null;
  statusId: number;
}

/** Where a file hangs; `id` is the case key, or the id of the cycle, plan or execution. */
export interface SimAttachmentOwner {
  kind: "testCase" | "testStep" | "testCycle" | "testPlan" | "execution" | "executionStep";
  id: string;
  /** Only for the two step kinds. */
  stepId?: number;
}

export interface SimAttachment {
  id: number;
  name: string;
  size: number;
  owner: SimAttachmentOwner;
}

/** Executions in ascending order of id; rows are built when asked for and not kept. */
export interface SimExecutionTable extends Iterable<SimExecution> {
  readonly length: number;
  /** Throws RangeError outside 0 … length − 1. */
  at(index: number): SimExecution;
  /** Cheaper than `at`: the cycle and the case key alone. */
  pairAt(index: number): { cycleId: number | null; caseKey: string };
  /** Cheaper than `at`. */
  idAt(index: number): number;
  /** Position of an id, or -1. */
  indexOf(id: number): number;
  /** Adds a row at the end; its id must be the largest. */
  push(row: SimExecution): void;
  replace(index: number, row: SimExecution): void;
}

export type SimPreset = "demo" | "tiny" | "hostile" | "bulk";

export interface DatasetOptions {
  /** Same seed and options, same data. */
  seed: number;
  /** Cases that are listed; archived ones come on top. @default {200} */
  cases?: number;
  /** @default {1000} */
  executions?: number;
  /** @default {"SA"} */
  projectKey?: string;
  /** Least number of folders over all types. @default {depends on `cases`, at least 25} */
  folders?: number;
  /**
   * `demo`: every kind of content, all values have a place in the default mapping. `tiny`: the same
   * with 12 cases and 30 executions. `hostile`: also statuses and priorities nobody maps, folder
   * loops and twins among siblings. `bulk`: lean rows without files, for benchmarks.
   * @default {"demo"}
   */
  preset?: SimPreset;
}

/** Numbers of a dataset as a complete extraction counts them. */
export interface DatasetCounts {
  folder: number;
  testCase: number;
  testPlan: number;
  testCycle: number;
  execution: number;
  executionStep: number;
  attachment: number;
  /** Web and issue links of cases, cycles, plans and executions (without plan-cycle links). */
  link: number;
}

/** A whole simulated tenant with one project of interest. */
export interface ZephyrDataset {
  readonly options: Required<DatasetOptions>;
  /** The project that is migrated. */
  readonly project: SimProject;
  readonly projects: SimProject[];
  readonly folders: SimFolder[];
  readonly priorities: SimLookup[];
  readonly statuses: SimStatus[];
  readonly environments: SimLookup[];
  readonly plans: SimPlan[];
  readonly cycles: SimCycle[];
  /** All cases in ascending order of id: archived ones and those of other projects included. */
  readonly cases: SimCase[];
  readonly executions: SimExecutionTable;
  caseByKey(key: string): SimCase | undefined;
  /** Empty script for an unknown key. */
  script(key: string): SimScript;
  setScript(key: string, script: SimScript): void;
  executionSteps(execution: SimExecution): SimExecutionStep[];
  /** Files of one owner in the vendor's order. */
  attachments(owner: SimAttachmentOwner): SimAttachment[];
  addAttachment(attachment: SimAttachment): void;
  attachmentBytes(attachment: SimAttachment): Uint8Array<ArrayBuffer>;
  /** Walks everything once: a second or so for very large sets. */
  counts(): DatasetCounts;
}
