/**
 * Where everything is kept: pages as received, canonical records, ledgers, runs.
 *
 * One rule: every effect goes through {@linkcode Store.apply}, a list of changes in one transaction
 * that takes place whole or not at all and only while the caller's lease holds. A unit of work
 * commits its effect and its checkpoint in the same call.
 * @module
 */
import type {
  AttachmentRecord,
  ExecutionStepRecord,
  ListKind,
  RecordByKind,
  RecordKind,
  TestScript,
} from "../records/mod.ts";
import type { TargetKind } from "./target.ts";

/** One source project going to one target project under one root: the unit of "exactly once". */
export interface ScopeSpec {
  sourceUrl: string;
  sourceProject: string;
  targetUrl: string;
  targetProject: string;
  rootName: string;
}
export interface Scope extends ScopeSpec {
  id: number;
}

export const RUN_STATES = [
  "created",
  "planned",
  "extracting",
  "transforming",
  "loading",
  "validating",
  "completed",
  "paused",
  "failed",
  "cancelled",
  "rolling-back",
  "rolled-back",
] as const;
export type RunState = (typeof RUN_STATES)[number];

export const PHASES = ["extract", "transform", "load", "validate"] as const;
export type Phase = (typeof PHASES)[number];
export type PhaseState = "pending" | "active" | "done";

/** One migration run; `runId` is what people and routes use. */
export interface Run {
  id: string;
  scopeId: number;
  state: RunState;
  phases: Record<Phase, PhaseState>;
  createdAt: string;
  updatedAt: string;
  completedAt: string | null;
  /** Exit code of a completed run. */
  result: number | null;
  /** Why the run waits, is paused or failed; for people. */
  reason: string | null;
  /** Working milliseconds over all processes that advanced it. */
  workedMs: number;
  /** The configuration it was started with, without secrets. */
  config: unknown;
  /** Final summary document (see `core/report`). */
  summary: unknown;
}

/** Proof of holding a scope; every write of the owner names it. */
export interface Lease {
  scopeId: number;
  owner: string;
  epoch: number;
}
export interface LeaseRow extends Lease {
  host: string;
  pid: number;
  /** ISO with milliseconds. */
  heartbeatAt: string;
  expiresAt: string;
}

export type TargetState =
  /** Planned, nothing sent. */
  | "pending"
  /** Intent committed; after a crash the outcome is unknown. */
  | "sending"
  | "inDoubt"
  | "loaded"
  | "setAside"
  /** Kept elsewhere, with a loss row. */
  | "withoutTarget";

/** A row of the target map: one artefact to make, or a source record without one. */
export interface TargetRow {
  kind: TargetKind;
  /** Source identity within the kind: case key, folder id, `KEY-R5/KEY-T1`, execution id … */
  key: string;
  /** Source record this row stands for in the counts; null for auxiliary artefacts (roots, runs, placeholders). */
  recordKind: RecordKind | null;
  parentKind: TargetKind | null;
  parentKey: string | null;
  /** Total order of loading within the kind; unique together with `key`. */
  ord: number;
  state: TargetState;
  targetId: string | null;
  payloadHash: string | null;
  /** How often a create was sent. */
  attempt: number;
  /** ISO with milliseconds of the last send. */
  sentAt: string | null;
  /** Whether any attempt was ever in doubt: looked up once more at the end. */
  everInDoubt: boolean;
  /** How it came to be loaded. */
  origin: "created" | "adopted" | "updated" | "unchanged" | null;
  /** Run that created or adopted it. */
  runId: string | null;
  /** Execution steps that travel as step logs / only as text (counts). */
  steps: number;
  stepsAsText: number;
  /** Links carried by the artefact. */
  links: number;
  /** Facts from the answer that later stages need. */
  detail: TargetDetail;
  /** Last refusal or doubt, for people. */
  lastError: string | null;
}
export interface TargetDetail {
  pid?: string | null;
  webUrl?: string | null;
  versionId?: string | null;
  stepIds?: string[] | null;
  [key: string]: unknown;
}

export interface LossRow {
  /** Record kind or target kind as people know it. */
  kind: string;
  key: string;
  field: string;
  rule: string;
  before: string | null;
  after: string | null;
}

export type IssueLevel = "info" | "warning" | "error" | "critical";
/** Something people should see: a set-aside record (level error) or a finding of a check. */
export interface IssueRow {
  phase: Phase;
  kind: string;
  key: string;
  level: IssueLevel;
  /** Machine word: `unreadable`, `refused`, `parent-set-aside`, a validation rule's id … */
  reason: string;
  message: string;
  /** JSON text of what was to be sent or was received; at most 64 kB. */
  payload: string | null;
  /** True for a record that was set aside (as opposed to a finding). */
  setAside: boolean;
  attempts: number;
  at: string;
}

export interface EventRow {
  id: number;
  runId: string | null;
  type: string;
  at: string;
  data: Record<string, unknown>;
}

export interface DifferenceRow {
  runId: string;
  kind: string;
  key: string;
  targetId: string | null;
  /** `different` needs `field`; the others leave it null. */
  verdict: "different" | "missing" | "extra" | "duplicate";
  field: string | null;
  expected: string | null;
  actual: string | null;
}

/** Details that are fetched per record, after the lists. */
export type DetailTask = "script" | "executionSteps" | "attachments" | "version" | "tombstone";
export interface DetailRow {
  task: DetailTask;
  /** Case key, execution id, or attachment owner key. */
  key: string;
  /** `gone`: the vendor no longer has it. `setAside`: unreadable, an issue says why. */
  state: "done" | "gone" | "setAside";
  /** Number of steps or files; for `version` the newest version number. */
  count: number;
}

/** One effect. All changes of one {@linkcode Store.apply} happen together. */
export type Change =
  /** A body as received. `list` = `testCase`, `status/TEST_CASE`, `script` …; same (list, at) replaces. */
  | { op: "page"; list: string; at: string; body: Uint8Array; rows: number }
  /** Inserts or replaces list records; `ordinal` is the position in the page's values. */
  | {
    op: "records";
    list: string;
    at: string;
    records: { ordinal: number; record: RecordByKind[ListKind] }[];
  }
  | { op: "script"; caseKey: string; script: TestScript }
  | { op: "executionSteps"; executionId: string; steps: ExecutionStepRecord[] }
  /** Replaces the list of files of one owner. */
  | { op: "attachments"; ownerKey: string; attachments: AttachmentRecord[] }
  | { op: "attachmentStored"; ownerKey: string; id: string; size: number; sha256: string }
  | { op: "detail"; rows: DetailRow[] }
  /** Forgets that details were fetched, so that they are fetched again; null = all of the task. */
  | { op: "removeDetails"; task: DetailTask; keys: string[] | null }
  /** JSON value under a name, per scope; null deletes. */
  | { op: "checkpoint"; name: string; value: unknown }
  /** Inserts rows; an existing (kind, key) keeps state, target id, attempts and origin, and takes the rest. */
  | {
    op: "planTargets";
    rows: TargetRow[];
    /** Leave rows that exist as they are. */
    onlyNew?: boolean;
  }
  /** Overwrites the named columns of existing rows. */
  | {
    op: "targets";
    rows: (Pick<TargetRow, "kind" | "key"> & Partial<Omit<TargetRow, "kind" | "key">>)[];
  }
  | { op: "removeTargets"; rows: Pick<TargetRow, "kind" | "key">[] }
  /** Marks rows as seen by a validation pass. */
  | { op: "seen"; kind: TargetKind; keys: string[]; pass: number }
  /** Replaces all loss rows of (phase, kind, key) by these. */
  | { op: "losses"; phase: Phase; kind: string; key: string; rows: LossRow[] }
  /** Inserts or replaces by (phase, kind, key, reason); `attempts` counts up on replace. */
  | { op: "issue"; runId: string; row: IssueRow }
  /** Deletes issues of (phase, kind, key): the record is well again. */
  | { op: "clearIssues"; phase: Phase; kind: string; key: string }
  | { op: "run"; id: string; set: Partial<Omit<Run, "id" | "scopeId" | "createdAt">> }
  | { op: "event"; runId: string | null; type: string; at: string; data: Record<string, unknown> }
  /** Adds to the counters of requests sent. */
  | {
    op: "requests";
    runId: string;
    rows: { system: "source" | "target"; route: string; status: string; count: number }[];
  }
  /** Replaces the stored differences of a run. */
  | { op: "clearDifferences"; runId: string }
  | { op: "differences"; rows: DifferenceRow[] };

/** Keyset page: `after` is the `cursor` of the last row seen, null starts. */
export interface Keyset {
  after: string | null;
  limit: number;
}
export interface Rows<T> {
  rows: T[];
  /** Cursor of the last row; null when nothing follows. */
  cursor: string | null;
}

/** Keeps everything. All reads see every committed `apply`. Errors are {@linkcode StoreError}. */
export interface Store {
  /** Creates or upgrades the schema in one transaction; refuses a newer one (state `newer`). */
  migrate(): Promise<void>;
  close(): Promise<void>;

  /** Returns the scope of this pair, creating it when new. */
  openScope(spec: ScopeSpec): Promise<Scope>;
  scopes(): Promise<Scope[]>;

  createRun(run: Run): Promise<void>;
  run(id: string): Promise<Run | null>;
  /** Newest first. */
  runs(scopeId: number | null): Promise<Run[]>;

  /**
   * Takes the scope's lease when it is free, expired, or its owner is `isDead`; the epoch grows by
   * one each time. Returns null and the holder when it is held.
   */
  acquireLease(
    request: {
      scopeId: number;
      owner: string;
      host: string;
      pid: number;
      now: string;
      expiresAt: string;
    },
    isDead: (row: LeaseRow) => boolean,
  ): Promise<{ lease: Lease; holder: null } | { lease: null; holder: LeaseRow }>;
  /** False when the lease is no longer ours. */
  heartbeat(lease: Lease, now: string, expiresAt: string): Promise<boolean>;
  releaseLease(lease: Lease): Promise<void>;
  leaseOf(scopeId: number): Promise<LeaseRow | null>;

  /** Applies all changes in one transaction; throws {@linkcode LeaseLostError} and changes nothing when the epoch moved on. */
  apply(lease: Lease, changes: Change[]): Promise<void>;

  /** Requests from other processes (pause, resume, cancel, limits): last one per name wins. Needs no lease. */
  requestControl(runId: string, name: string, value: unknown): Promise<void>;
  controls(runId: string): Promise<Record<string, unknown>>;

  checkpoint(scopeId: number, name: string): Promise<unknown>;

  /** Records of a kind in canonical order (see the record's `ord`), keyset-paged. */
  records<K extends ListKind>(
    scopeId: number,
    kind: K,
    page: Keyset,
  ): Promise<Rows<RecordByKind[K]>>;
  recordsByKey<K extends ListKind>(
    scopeId: number,
    kind: K,
    keys: string[],
  ): Promise<Map<string, RecordByKind[K]>>;
  countRecords(scopeId: number): Promise<Record<ListKind, number>>;
  /** Counts of folders per type, executions per status id, files and steps: for plans and summaries. */
  inventory(scopeId: number): Promise<Inventory>;
  scripts(scopeId: number, caseKeys: string[]): Promise<Map<string, TestScript>>;
  executionSteps(
    scopeId: number,
    executionIds: string[],
  ): Promise<Map<string, ExecutionStepRecord[]>>;
  /** By owner key. */
  attachments(scopeId: number, ownerKeys: string[]): Promise<Map<string, AttachmentRecord[]>>;
  /** Attachments in the order (owner key, ord). */
  allAttachments(
    scopeId: number,
    page: Keyset,
    where?: { stored?: boolean },
  ): Promise<Rows<AttachmentRecord>>;
  details(scopeId: number, task: DetailTask, keys: string[]): Promise<Map<string, DetailRow>>;
  /** Keys named by executions (with at least one row) that no test case record has, in order. */
  unknownCaseKeys(scopeId: number): Promise<string[]>;
  /** Distinct (case key, version, version-row id) that executions name, by case, keyset-paged. */
  executedVersions(
    scopeId: number,
    page: Keyset,
  ): Promise<Rows<{ caseKey: string; version: number | null; versionId: string | null }>>;
  /** Every distinct display name of custom fields of a kind, with value statistics. */
  customFieldStats(
    scopeId: number,
    kind: "testCase" | "testCycle" | "testPlan",
  ): Promise<CustomFieldStats[]>;
  /** The raw JSON of one record as received; null when unknown. */
  raw(
    scopeId: number,
    kind: ListKind | "script" | "executionSteps",
    key: string,
  ): Promise<string | null>;
  /** Records whose key or name contains the text. */
  search(
    scopeId: number,
    text: string,
    limit: number,
  ): Promise<{ kind: ListKind; key: string; name: string | null }[]>;

  targets(
    scopeId: number,
    kind: TargetKind,
    page: Keyset & { states?: TargetState[]; everInDoubt?: boolean },
  ): Promise<Rows<TargetRow>>;
  targetsByKey(scopeId: number, kind: TargetKind, keys: string[]): Promise<Map<string, TargetRow>>;
  targetsById(
    scopeId: number,
    kind: TargetKind,
    targetIds: string[],
  ): Promise<Map<string, TargetRow>>;
  /** Children rows of one parent in order. */
  targetChildren(
    scopeId: number,
    kind: TargetKind,
    parentKind: TargetKind,
    parentKeys: string[],
  ): Promise<TargetRow[]>;
  /** Rows with a target id that the pass has not seen. */
  unseen(scopeId: number, kind: TargetKind, pass: number, page: Keyset): Promise<Rows<TargetRow>>;
  /** Counts rows by what they became, of one kind or of all. */
  countTargets(scopeId: number, kind?: TargetKind): Promise<TargetCount[]>;

  losses(
    scopeId: number,
    page: Keyset,
    where?: { rule?: string; key?: string },
  ): Promise<Rows<LossRow & { phase: Phase }>>;
  countLosses(scopeId: number): Promise<Record<string, number>>;
  issues(
    scopeId: number,
    page: Keyset,
    where?: { setAside?: boolean; key?: string; phase?: Phase },
  ): Promise<Rows<IssueRow>>;
  countIssues(
    scopeId: number,
  ): Promise<{ phase: Phase; kind: string; level: IssueLevel; setAside: boolean; count: number }[]>;
  differences(runId: string, page: Keyset): Promise<Rows<DifferenceRow>>;
  events(runId: string | null, afterId: number, limit: number): Promise<EventRow[]>;
  /**
   * Appends an event without a lease: who asked for what (audit), which notification was delivered.
   * A store without it keeps no such trail.
   */
  appendEvent?(event: Omit<EventRow, "id">): Promise<void>;
  requestCounts(
    runId: string,
  ): Promise<{ system: "source" | "target"; route: string; status: string; count: number }[]>;
}

export interface Inventory {
  folders: Record<"TEST_CASE" | "TEST_PLAN" | "TEST_CYCLE", number>;
  testCases: number;
  /** By script route: cases whose script needs a request. */
  scripts: { teststeps: number; testscript: number };
  testPlans: number;
  testCycles: number;
  executions: number;
  /** Executions per status id ("" when null). */
  executionsByStatus: Record<string, number>;
  executionSteps: number;
  attachments: number;
  attachmentBytes: number;
  links: number;
}

export interface CustomFieldStats {
  name: string;
  /** Rows with a value that is not null, "" or []. */
  count: number;
  /** Number of those by JSON type; arrays of text count as `array`. */
  types: Partial<Record<"string" | "number" | "boolean" | "array" | "object", number>>;
  /** Distinct values (array elements for arrays) with counts, at most 201 of them, most frequent first. */
  values: { value: string; count: number }[];
  /** Among string values. */
  strings: { date: number; dateTime: number; withMarkup: number; maxLength: number };
}

export interface TargetCount {
  kind: TargetKind;
  recordKind: RecordKind | null;
  state: TargetState;
  origin: TargetRow["origin"];
  /** Created or adopted by this run; null for rows not loaded yet. */
  runId: string | null;
  count: number;
  steps: number;
  stepsAsText: number;
  links: number;
}
