/**
 * What the vendor's documents leave open, one switch each with both positions.
 * @module
 */

/** Behaviours that differ between tenants or that no public source settles. */
export interface QtestSwitches {
  /** Answers of creates and updates hold the steps (step logs) with their ids. */
  stepIdsInAnswer: boolean;
  /** Inline `attachments` of a test case create: stored or silently dropped. */
  inlineCaseAttachments: "accept" | "ignore";
  /** Inline `attachments` of steps inside a test case create. */
  inlineStepAttachments: "accept" | "ignore";
  /** Inline `attachments` of a manual test log. */
  inlineLogAttachments: "accept" | "ignore";
  /** Answers of creates list the inline attachments that were stored. */
  attachmentsInAnswer: boolean;
  /** A log without version id when no version is approved: uses the latest, or 400. */
  logWithoutApprovedVersion: "latest" | "refuse";
  /** Age in ms a created object needs before search finds it. */
  searchLagMs: number;
  /** `size` of `GET test-cases` and `requirements` is silently capped here. */
  maxListSize: number;
  /** An empty `expected` (or `description`) of a step. */
  emptyExpected: "accept" | "refuse";
  /** `Retry-After` on 429. */
  retryAfter: "seconds" | "zero" | "absent";
  /** How the minute budget is counted. */
  rateWindow: "fixed" | "sliding" | "bucket";
  /** A request answered 429 still uses up budget. */
  count429: boolean;
  /** Deleting a suite with runs, a release with children, a case with runs: takes them along, or 400. */
  deleteCascades: boolean;
  /** Offset of the dates in answers, as `-04:00`. */
  siteOffset: string;
  /** The token may read and create fields (false: 403 on every field route). */
  fieldManagement: boolean;
  /** Automation is activated in the project. */
  automation: boolean;
  /** `PUT test-cases` with steps: replaces all (every step gets a new id) or upserts by id. */
  stepsReplaceOnPut: boolean;
  /** A percent-encoded `File-Name` is decoded. */
  filenamePercentDecoded: boolean;
  /** Combo values come back as JSON numbers. */
  numericComboValues: boolean;
  /** A property whose field the project does not have: 400, or dropped silently. */
  unknownField: "refuse" | "ignore";
  /** Extra keys (`is_default`, `active`) in the status of a manual log: ignored, or 400. */
  statusExtraKeys: "accept" | "refuse";
  /** The run's Status field uses the execution status ids, or ids of its own. */
  runStatusValues: "shared" | "own";
  /** Ids of Incomplete and Blocked are swapped and a custom status exists. */
  unusualStatusIds: boolean;
  /** `properties` of the case nested in a run or log. */
  nestedProperties: "full" | "null";
  /** `GET test-runs/{id}` fills `latest_test_log` (search always does). */
  latestLogOnRun: boolean;
  /** A failing entry undoes its whole bulk job. */
  bulkAtomic: boolean;
  /** Entries a bulk request may hold; more → 413. */
  bulkMaxLogs: number;
  /** Time from the acceptance of a bulk job to its end, ms. */
  bulkDelayMs: number;
  /** Names of automation results mapped in the project, name → execution status. */
  automationStatuses: Record<string, string>;
  /** An upload may only be downloaded with `forceDownload=true` for this long, ms. */
  scanDelayMs: number;
  /** Largest attachment, raw or base64, bytes. */
  maxAttachmentBytes: number;
  /** Rich text comes back in the server's own markup. */
  normaliseHtml: boolean;
  /** Label of a text field of test cases that the project requires; null = none. */
  requiredField: string | null;
  /** An access token dies this long after its last use instead of its issue. */
  idleExpiry: boolean;
  /** Two siblings (modules, cycles) may not have one name: 400. */
  uniqueSiblings: boolean;
}

/** Named sets of switches. */
export type SwitchPreset = "generous" | "strict";

const RESULTS = {
  PASSED: "Passed",
  FAILED: "Failed",
  INCOMPLETE: "Incomplete",
  BLOCKED: "Blocked",
};

const GENEROUS: QtestSwitches = {
  stepIdsInAnswer: true,
  inlineCaseAttachments: "accept",
  inlineStepAttachments: "accept",
  inlineLogAttachments: "accept",
  attachmentsInAnswer: true,
  logWithoutApprovedVersion: "latest",
  searchLagMs: 0,
  maxListSize: 999,
  emptyExpected: "accept",
  retryAfter: "seconds",
  rateWindow: "fixed",
  count429: false,
  deleteCascades: true,
  siteOffset: "+00:00",
  fieldManagement: true,
  automation: true,
  stepsReplaceOnPut: true,
  filenamePercentDecoded: true,
  numericComboValues: false,
  unknownField: "ignore",
  statusExtraKeys: "accept",
  runStatusValues: "shared",
  unusualStatusIds: false,
  nestedProperties: "full",
  latestLogOnRun: true,
  bulkAtomic: false,
  bulkMaxLogs: 1000,
  bulkDelayMs: 30,
  automationStatuses: { ...RESULTS, PASS: "Passed", FAIL: "Failed", SKIP: "Incomplete" },
  scanDelayMs: 0,
  maxAttachmentBytes: 50 * 1024 * 1024,
  normaliseHtml: true,
  requiredField: null,
  idleExpiry: false,
  uniqueSiblings: false,
};

const STRICT: QtestSwitches = {
  ...GENEROUS,
  stepIdsInAnswer: false,
  inlineCaseAttachments: "ignore",
  inlineStepAttachments: "ignore",
  inlineLogAttachments: "ignore",
  attachmentsInAnswer: false,
  logWithoutApprovedVersion: "refuse",
  searchLagMs: 200,
  maxListSize: 100,
  emptyExpected: "refuse",
  retryAfter: "absent",
  rateWindow: "sliding",
  count429: true,
  deleteCascades: false,
  siteOffset: "-04:00",
  stepsReplaceOnPut: false,
  filenamePercentDecoded: false,
  numericComboValues: true,
  unknownField: "refuse",
  statusExtraKeys: "refuse",
  runStatusValues: "own",
  unusualStatusIds: true,
  nestedProperties: "null",
  latestLogOnRun: false,
  bulkAtomic: true,
  bulkMaxLogs: 100,
  bulkDelayMs: 150,
  automationStatuses: RESULTS,
  scanDelayMs: 100,
  idleExpiry: true,
  uniqueSiblings: true,
};

/** Returns a preset with single switches changed. */
export function resolveSwitches(
  preset: SwitchPreset,
  changes: Partial<QtestSwitches> = {},
): QtestSwitches {
  return { ...(preset === "strict" ? STRICT : GENEROUS), ...changes };
}
