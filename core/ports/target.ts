/**
 * Where records are written. Vocabulary of the target: module, release, test cycle (a folder of the
 * execution tree), test suite, test run, test log. All texts named `…Html` are rich text; all others
 * are plain. Ids are strings.
 * @module
 */

/** Artefact kinds of the target; a row of the target map has one of them. */
export const TARGET_KINDS = [
  "field",
  "module",
  "release",
  "testCycle",
  "testCase",
  "testSuite",
  "testRun",
  "testLog",
  "attachment",
  "requirementLink",
  /** Test plan folders have no artefact; their rows are always `withoutTarget`. */
  "planFolder",
] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** Kinds that are created by one POST with a draft. */
export type DraftKind =
  | "module"
  | "release"
  | "testCycle"
  | "testCase"
  | "testSuite"
  | "testRun"
  | "testLog";

/** Object types that have fields of their own. Cycles, modules and logs have none. */
export const FIELD_OBJECTS = ["testCase", "testSuite", "testRun", "release"] as const;
export type FieldObject = (typeof FIELD_OBJECTS)[number];

export type FieldType =
  | "text"
  | "richText"
  | "number"
  | "date"
  | "dateTime"
  | "combo"
  | "multiSelect"
  | "checkbox"
  | "user"
  | "url"
  /** A data type the adapter does not know: never written. */
  | "other";

export interface FieldOption {
  /** The vendor's value id. */
  id: string;
  label: string;
}

/** A field as the target has it. */
export interface TargetField {
  id: string;
  object: FieldObject;
  label: string;
  type: FieldType;
  /** The vendor's number for the type, kept for messages. */
  dataType: number | null;
  multiple: boolean;
  required: boolean;
  isSystem: boolean;
  /** Stable name of a system field (`PlannedStartDateTestSuite`), labels can be renamed. */
  originalName: string | null;
  /** Active options only. */
  options: FieldOption[];
  defaultValue: string | null;
}

/** A value of a field, by meaning; the adapter encodes it. */
export type FieldValue =
  | { type: "text"; text: string }
  | { type: "richText"; html: string }
  | { type: "number"; value: number }
  /** ISO date or date-time, UTC, seconds. */
  | { type: "date"; iso: string }
  | { type: "dateTime"; iso: string }
  /** Option labels, in order; empty clears. */
  | { type: "options"; labels: string[] }
  /** The target's user ids. */
  | { type: "users"; ids: string[] }
  | { type: "boolean"; value: boolean };

export interface DraftField {
  field: TargetField;
  value: FieldValue;
}

export type ContainerType = "root" | "release" | "testCycle" | "testSuite";
export interface Container {
  type: ContainerType;
  /** null only for `root`. */
  id: string | null;
}

export interface ModuleDraft {
  kind: "module";
  /** null = design root. */
  parentId: string | null;
  name: string;
  descriptionHtml: string;
}
export interface ReleaseDraft {
  kind: "release";
  name: string;
  descriptionHtml: string;
  fields: DraftField[];
}
export interface TestCycleDraft {
  kind: "testCycle";
  parent: Container;
  name: string;
  descriptionHtml: string;
}
export interface StepDraft {
  descriptionHtml: string;
  expectedHtml: string;
  /** Set for a called test case. */
  calledTestCaseId: string | null;
}
export interface TestCaseDraft {
  kind: "testCase";
  parentId: string;
  name: string;
  /** Position among siblings, 1-based; null lets the target choose. */
  order: number | null;
  descriptionHtml: string;
  preconditionHtml: string;
  steps: StepDraft[];
  fields: DraftField[];
  /** Sent inside the create when the target takes them (see {@linkcode TargetProfile}). */
  attachments: InlineFile[];
}
export interface TestSuiteDraft {
  kind: "testSuite";
  parent: Container;
  name: string;
  targetReleaseId: string | null;
  fields: DraftField[];
}
export interface TestRunDraft {
  kind: "testRun";
  parent: Container;
  name: string;
  testCaseId: string;
  testCaseVersionId: string | null;
  fields: DraftField[];
}
export interface StepLogDraft {
  /** Id of the case's step in the target. */
  testStepId: string | null;
  /** 1-based. */
  order: number;
  statusId: string;
  descriptionHtml: string;
  expectedHtml: string;
  actualHtml: string;
  calledTestCaseId: string | null;
  parentTestStepId: string | null;
}
export interface TestLogDraft {
  kind: "testLog";
  runId: string;
  statusId: string;
  /** ISO UTC, seconds, no fraction. */
  start: string;
  end: string;
  noteHtml: string;
  testCaseVersionId: string | null;
  steps: StepLogDraft[];
  attachments: InlineFile[];
}
export type Draft =
  | ModuleDraft
  | ReleaseDraft
  | TestCycleDraft
  | TestCaseDraft
  | TestSuiteDraft
  | TestRunDraft
  | TestLogDraft;

/** A result of a batch: a log, and its run where the suite has none of the case yet. */
export interface BulkLogDraft {
  /** Name and fields of the run, for when it is made. */
  runName: string;
  runFields: DraftField[];
  /** What the case is recognised by. */
  automationContent: string;
  testCaseVersionId: string | null;
  /** Name of the result in the project's automation settings. */
  result: string;
  /** ISO UTC, seconds, no fraction. */
  start: string;
  end: string;
  noteHtml: string;
  /** In order; the texts are those of the case, which the target would change otherwise. */
  steps: { result: string; descriptionHtml: string; expectedHtml: string; actualHtml: string }[];
  attachments: InlineFile[];
}

/** Results of one suite that are submitted together; those of one run stand in order of time. */
export interface LogBatch {
  suiteId: string;
  logs: BulkLogDraft[];
}

/** A batch on its way through the target's queue. */
export interface BulkJob {
  id: string;
  state: "running" | "succeeded" | "failed";
  /** The vendor's word for the state. */
  word: string;
  /** What the vendor says of a failed one. */
  message: string | null;
}

/** A small file carried inside a create. */
export interface InlineFile {
  name: string;
  contentType: string;
  bytes: Uint8Array;
}

/** What a create answered. */
export interface Created {
  id: string;
  /** Label people see, `TC-12`. */
  pid: string | null;
  webUrl: string | null;
  /** Test cases and runs. */
  versionId: string | null;
  /** Test cases: step ids in order; logs: step log ids in order; null when the answer holds none. */
  stepIds: string[] | null;
  /** Inline files that the answer confirms; null when it says nothing of them. */
  attachments: { id: string; name: string }[] | null;
}

/** An artefact read back, decoded to the shapes of the drafts. */
export interface Found {
  kind: DraftKind;
  id: string;
  pid: string | null;
  webUrl: string | null;
  /** Module, cycle, suite, run: the container's id; log: the run's id; null = root or not told. */
  parentId: string | null;
  parentType: ContainerType | "module" | "testRun" | null;
  name: string;
  descriptionHtml: string | null;
  preconditionHtml: string | null;
  /** Position among siblings as the target reports it. */
  order: number | null;
  fields: { fieldId: string; label: string; value: FieldValue | null }[];
  steps: FoundStep[] | null;
  versionId: string | null;
  /** Cases: whether that version is approved; absent where the target does not tell. */
  isApproved?: boolean;
  /** Runs: the planned case. */
  testCaseId: string | null;
  /** Suites. */
  targetReleaseId: string | null;
  /** Logs. */
  log: FoundLog | null;
}
export interface FoundStep {
  id: string;
  order: number;
  descriptionHtml: string;
  expectedHtml: string;
  calledTestCaseId: string | null;
}
export interface FoundLog {
  statusId: string | null;
  statusName: string | null;
  /** ISO UTC, seconds. */
  start: string | null;
  end: string | null;
  noteHtml: string;
  /** null when the route did not tell (as opposed to an empty list). */
  steps:
    | {
      id: string | null;
      testStepId: string | null;
      order: number;
      statusId: string | null;
      statusName: string | null;
      actualHtml: string;
    }[]
    | null;
}

export interface ExecutionStatus {
  id: string;
  name: string;
  isDefault: boolean;
}
export interface TargetUser {
  id: string;
  username: string;
  name: string;
  email: string | null;
}

/** What the pre-flight finds out about the target; a snapshot is kept in the store. */
export interface TargetProfile {
  version: string | null;
  site: string | null;
  project: { id: string; name: string; automation: boolean };
  user: { id: string; username: string };
  fields: TargetField[];
  /** Object types whose fields the token may not read (403). */
  fieldsHidden: FieldObject[];
  statuses: ExecutionStatus[];
  users: TargetUser[];
  permissions: {
    /** May create custom fields and allowed values. */
    manageFields: boolean;
    /** Permissions missing for the load, as `test_case.create`. */
    missing: string[];
    /** The user may not approve, so only approved versions of cases take results. */
    approvedOnly?: boolean;
  };
  /** Largest attachment in bytes. */
  maxAttachmentBytes: number;
  /** Requests left this month, when the vendor tells. */
  monthRemaining: number | null;
}

export interface FieldDraft {
  object: FieldObject;
  label: string;
  type: FieldType;
  options: string[];
}

/** Hooks of one write. */
export interface WriteOptions {
  signal: AbortSignal;
  /**
   * Called once per attempt, after a slot was granted and immediately before bytes leave.
   * When it rejects nothing is sent and its error is thrown on. This is where the caller commits
   * its intent and checks its lease.
   */
  intent: () => Promise<void>;
}

export interface RemoveOptions extends WriteOptions {
  /**
   * Takes everything below a module or test cycle along. Sent once: a lost answer is thrown, since a
   * large removal may go on for long. @default {false}
   */
  force?: boolean;
}

export interface FileUpload {
  /** What it is attached to: the four slots the target has. */
  object: { kind: "testCase" | "testStep" | "testLog" | "testStepLog" | "release"; id: string };
  name: string;
  contentType: string;
  size: number;
  /** Opens the bytes anew; called once per attempt. */
  open: () => Promise<ReadableStream<Uint8Array>>;
}
export interface FoundFile {
  id: string;
  name: string;
  objectId: string;
  /** How the target spells the name, where that differs. */
  storedName?: string;
}

/**
 * The target system.
 *
 * Writes are sent exactly once per call: 429 and an expired token are waited out or refreshed inside
 * (the request had no effect), everything else comes out as {@linkcode RefusedError} (certainly not
 * done), {@linkcode InDoubtError} (unknown), {@linkcode AccessError} or {@linkcode StopError}.
 * Reads are retried inside as long as the system's outage limit allows.
 */
export interface Target {
  /** Reads everything that the load depends on. About 10 requests, changes nothing. */
  profile(signal: AbortSignal): Promise<TargetProfile>;

  createField(draft: FieldDraft, options: WriteOptions): Promise<TargetField>;
  /** Adds options to a field and returns it as it is then. At most 100 labels a request. */
  addOptions(field: TargetField, labels: string[], options: WriteOptions): Promise<TargetField>;

  create(draft: Draft, options: WriteOptions): Promise<Created>;
  /** Replaces the content of an artefact; steps are sent as a full list. Safe to repeat. */
  update(id: string, draft: Draft, options: WriteOptions): Promise<Created>;
  /** Approves a test case; the version id changes. Safe to repeat. */
  approve(testCaseId: string, options: WriteOptions): Promise<{ versionId: string | null }>;

  /**
   * Queues results that take effect when their job ends. Not safe to repeat: logs are appended again.
   * A target without it knows no bulk logs.
   */
  submitLogs?(batch: LogBatch, options: WriteOptions): Promise<{ jobId: string }>;
  /** Reads the state of a job; null when the target no longer knows it. */
  bulkJob?(jobId: string, signal: AbortSignal): Promise<BulkJob | null>;

  /** Uploads a file as raw bytes; not safe to repeat. */
  upload(file: FileUpload, options: WriteOptions): Promise<FoundFile>;
  /** Links test cases to a requirement; returns the ids that the target says are linked now. */
  linkRequirement(
    requirementId: string,
    testCaseIds: string[],
    options: WriteOptions,
  ): Promise<string[]>;
  /**
   * Deletes an artefact; true when it is gone, also when it was gone before. Safe to repeat. Ids of
   * what hangs on something else name it: `testCase/12/345` for the file 345 of case 12, `66/12,13`
   * for the links of requirement 66 to cases 12 and 13, `501/7` for the option 7 of field 501.
   * False for test logs, which go with their run only. Throws {@linkcode RefusedError} where the
   * target keeps it, {@linkcode RetryError} where a forced removal may still be under way.
   */
  remove(kind: TargetKind, id: string, options: RemoveOptions): Promise<boolean>;

  /**
   * Yields the direct children of one kind below one parent through *list* routes, which see a
   * write as soon as it is committed. Parent: module id for modules and cases, container for
   * cycles, suites and runs, run id for logs; null = root (and for releases). Every page is read.
   */
  children(
    kind: DraftKind,
    parent: Container | string | null,
    signal: AbortSignal,
  ): AsyncIterable<Found[]>;

  /**
   * Yields every artefact of one kind in the project with its full content, by the cheapest bulk
   * routes (trees for modules and cycles, search at 999 a page for the rest). May lag behind writes.
   */
  sweep(kind: DraftKind, signal: AbortSignal): AsyncIterable<Found[]>;

  /** Reads one artefact whole; null when it is gone. Cases come with steps. */
  read(kind: DraftKind, id: string, signal: AbortSignal): Promise<Found | null>;

  /** Lists the files of many objects of one kind; batched where the target allows. */
  files(
    kind: FileUpload["object"]["kind"],
    objectIds: string[],
    signal: AbortSignal,
  ): Promise<FoundFile[]>;
  /** Opens a stored file. */
  file(
    object: FileUpload["object"],
    fileId: string,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array> | null>;

  /** Finds requirements by the Jira key in their External Id. */
  findRequirement(jiraKey: string, signal: AbortSignal): Promise<{ id: string } | null>;
  /** Ids of the test cases linked to each requirement. */
  linkedTestCases(requirementIds: string[], signal: AbortSignal): Promise<Map<string, string[]>>;
}
