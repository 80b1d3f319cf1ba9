/**
 * What the simulated tenant holds. Instants are epoch milliseconds, ids are site-wide.
 * @module
 */

/** Kinds of objects with an id of their own. */
export type Kind =
  | "modules"
  | "releases"
  | "builds"
  | "requirements"
  | "test-cases"
  | "test-cycles"
  | "test-suites"
  | "test-runs"
  | "test-logs"
  | "defects";

export type ContainerType = "root" | "release" | "test-cycle" | "test-suite";

/** Values by field id: text, or the numeric ids of options or users. */
export type Properties = Map<number, string | number[]>;

export interface Base {
  id: number;
  pid: string;
  name: string;
  order: number;
  createdAt: number;
  modifiedAt: number;
  creatorId: number;
}
export interface ModuleEntity extends Base {
  kind: "modules";
  parentId: number;
  description: string;
  shared: boolean;
}
export interface ReleaseEntity extends Base {
  kind: "releases";
  description: string;
  note: string;
  startAt: number | null;
  endAt: number | null;
  closed: boolean;
  properties: Properties;
}
export interface BuildEntity extends Base {
  kind: "builds";
  releaseId: number;
  properties: Properties;
}
export interface RequirementEntity extends Base {
  kind: "requirements";
  parentId: number;
  externalId: string | null;
  properties: Properties;
}
export interface StepField {
  id: number;
  name: string;
  type: string;
  value: string;
}
export interface Step {
  id: number;
  order: number;
  description: string;
  expected: string;
  calledTestCaseId: number | null;
  customFields: StepField[];
}
export interface Version {
  id: number;
  major: number;
  minor: number;
  approved: boolean;
  name: string;
  description: string;
  precondition: string;
  steps: readonly Step[];
}
export interface TestCaseEntity extends Base {
  kind: "test-cases";
  parentId: number;
  properties: Properties;
  /** Oldest first; the last one is current. */
  versions: Version[];
}
export interface TestCycleEntity extends Base {
  kind: "test-cycles";
  parentType: ContainerType;
  parentId: number;
  description: string;
  targetReleaseId: number | null;
  targetBuildId: number | null;
}
export interface TestSuiteEntity extends Base {
  kind: "test-suites";
  parentType: ContainerType;
  parentId: number;
  targetReleaseId: number | null;
  targetBuildId: number | null;
  properties: Properties;
}
export interface TestRunEntity extends Base {
  kind: "test-runs";
  parentType: ContainerType;
  parentId: number;
  testCaseId: number;
  versionId: number;
  properties: Properties;
  /** In the order of submission. */
  logIds: number[];
  isAutomation: boolean;
  locked: boolean;
}
export interface StepLog {
  id: number;
  stepId: number | null;
  order: number;
  statusId: number;
  description: string;
  expected: string;
  actual: string;
  at: number | null;
  calledTestCaseId: number | null;
  parentStepId: number | null;
}
export interface TestLogEntity extends Base {
  kind: "test-logs";
  runId: number;
  versionId: number;
  statusId: number;
  startAt: number;
  endAt: number;
  note: string;
  plannedTime: number;
  actualTime: number;
  buildNumber: string;
  buildUrl: string;
  stepLogs: StepLog[];
}
export interface DefectEntity extends Base {
  kind: "defects";
}
export type Entity =
  | ModuleEntity
  | ReleaseEntity
  | BuildEntity
  | RequirementEntity
  | TestCaseEntity
  | TestCycleEntity
  | TestSuiteEntity
  | TestRunEntity
  | TestLogEntity
  | DefectEntity;

export interface Attachment {
  id: number;
  objectType: string;
  objectId: number;
  name: string;
  contentType: string;
  bytes: Uint8Array<ArrayBuffer>;
  createdAt: number;
  authorId: number;
}
export interface Comment {
  id: number;
  objectType: string;
  objectId: number;
  content: string;
  createdAt: number;
  modifiedAt: number;
  userId: number;
}
export interface User {
  id: number;
  username: string;
  firstName: string;
  lastName: string;
  email: string;
  active: boolean;
}
export interface FieldOption {
  value: number;
  label: string;
  order: number;
  isDefault: boolean;
  isActive: boolean;
  color: string;
}
export interface Field {
  id: number;
  objectType: string;
  label: string;
  dataType: number;
  attributeType: string;
  multiple: boolean;
  required: boolean;
  searchable: boolean;
  isSystem: boolean;
  isActive: boolean;
  originalName: string | null;
  defaultValue: string | null;
  order: number;
  options: FieldOption[];
}
export interface Status {
  id: number;
  name: string;
  isDefault: boolean;
  color: string;
  active: boolean;
}
export interface Job {
  id: number;
  acceptedAt: number;
  dueAt: number;
  state: "IN_WAITING" | "IN_PROCESSING" | "SUCCESS" | "FAILED";
  content: string;
  /** Does the work; returns the content of a success, throws on failure. */
  apply: (() => string) | null;
}
