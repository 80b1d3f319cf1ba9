/** Executions become test logs, or losses where their status means that nothing was done. @module */
import type { ExecutionRecord, ExecutionStepRecord } from "../records/mod.ts";
import { SetAsideError } from "../errors.ts";
import type { CaseShape, LogPlan } from "./types.ts";
import { instantMs, isoSeconds } from "./dates.ts";
import { noteOf } from "./execution_note.ts";
import { isEmptyValue, plainOf } from "./fields_values.ts";
import { Ledger } from "./ledger.ts";
import { ADHOC_NAME } from "./roots.ts";
import type { Scope } from "./scope.ts";
import { richText } from "./scope.ts";
import { isStatusMerged, statusId, statusRule, unexecutedId } from "./statuses.ts";
import { withTestData } from "./steps.ts";

/** What is known of the case's versions when its executions are planned. */
export interface VersionInfo {
  /** Number of the newest version; null = not known, which counts as the executed one. */
  currentVersion?: number | null;
}

type StepLogs = NonNullable<NonNullable<LogPlan["draft"]>["steps"]>;

/**
 * The target's status id for a status of the source; null = no log. The mapping check keeps a load
 * from starting with a status that has no place; one that turns up later must not vanish.
 * @throws {SetAsideError} reason `status-unmapped`
 */
function resolveStatus(scope: Scope, record: ExecutionRecord, ledger: Ledger): string | null {
  const { context, names } = scope;
  const id = record.statusId;
  const lookup = id === null ? undefined : context.lookups.get(`status/${id}`);
  const name = id === null ? "" : names.lookup("status", id);
  const { target } = statusRule(context.mapping, name, lookup);
  if (target === null) return null;
  const found = target === undefined ? null : statusId(context.profile, target);
  if (found !== null && target !== undefined) {
    if (isStatusMerged(name, target)) ledger.add("status", "status-merged", name, target);
    return found;
  }
  throw new SetAsideError(
    "status-unmapped",
    `Cannot transform execution "${record.key ?? record.id}": status "${name}" ` +
      (target === undefined ? "has no mapping" : `maps to "${target}", which the target lacks`),
    { hint: `Set statuses.execution["${name}"] in the mapping file and retry the record.` },
  );
}

/** Plans the log of an execution. `steps` are those extracted, null when none were asked for. */
export function planExecution(
  scope: Scope,
  record: ExecutionRecord,
  steps: ExecutionStepRecord[] | null,
  shape: CaseShape | null,
  versions: VersionInfo,
): LogPlan {
  const ledger = new Ledger("execution", record.id);
  const status = resolveStatus(scope, record, ledger);
  const count = steps?.length ?? 0;
  lostCycle(scope, record, ledger);
  if (status === null) {
    noLog(scope, record, count, ledger);
    return {
      draft: null,
      losses: ledger.rows,
      links: record.links.length,
      stepLogs: 0,
      stepsAsText: count,
    };
  }
  const { start, end } = timesOf(scope, record, ledger);
  oldVersion(record, versions, ledger);
  const logs = steps !== null && count > 0 && matches(steps, shape)
    ? stepLogs(scope, steps, ledger)
    : null;
  const table = logs === null && steps !== null && count > 0 ? steps : null;
  if (table !== null) {
    const before = `${count} step${count === 1 ? "" : "s"}`;
    ledger.add("steps", "steps-in-note", before, "table in the note, without expected results");
  }
  if (record.estimatedTimeMs !== null) {
    ledger.add("estimatedTime", "no-field", String(record.estimatedTimeMs), null);
  }
  const noteHtml = noteOf(scope, record, table, ledger);
  return {
    draft: { kind: "testLog", statusId: status, start, end, noteHtml, steps: logs },
    losses: ledger.rows,
    links: record.links.length,
    stepLogs: logs?.length ?? 0,
    stepsAsText: table?.length ?? 0,
  };
}

/** One row for each value that an execution without log leaves behind. */
function noLog(scope: Scope, record: ExecutionRecord, stepCount: number, ledger: Ledger): void {
  const { names } = scope;
  const lost = (field: string, value: string | null): void => {
    if (value !== null && value !== "") ledger.add(field, "no-log", value, null);
  };
  const name = record.statusId === null ? "none" : names.lookup("status", record.statusId);
  ledger.add("status", "no-log", name, null);
  lost("comment", record.comment);
  lost("executedBy", record.executedById);
  lost("assignedTo", record.assignedToId);
  if (record.environmentId !== null) {
    lost("environment", names.lookup("environment", record.environmentId));
  }
  if (record.jiraVersionId !== null) {
    lost("jiraVersion", names.jira("Jira version", record.jiraVersionId));
  }
  lost("actualEndDate", record.actualEndDate);
  lost("executionTime", record.executionTimeMs === null ? null : String(record.executionTimeMs));
  lost("estimatedTime", record.estimatedTimeMs === null ? null : String(record.estimatedTimeMs));
  if (record.automated) lost("automated", "yes");
  if (stepCount > 0) lost("steps", `${stepCount} step${stepCount === 1 ? "" : "s"}`);
  for (const [field, value] of Object.entries(record.customFields)) {
    if (!isEmptyValue(value)) lost(field, plainOf(value));
  }
  for (const link of record.links) {
    ledger.add("link", "no-log", link.url ?? link.issueId ?? link.description, null);
  }
}

function timesOf(
  scope: Scope,
  record: ExecutionRecord,
  ledger: Ledger,
): { start: string; end: string } {
  const cycle = record.cycleId === null ? undefined : scope.context.cycles.get(record.cycleId);
  const actual = instantMs(record.actualEndDate);
  const endMs = actual ?? instantMs(cycle?.plannedEndDate ?? null) ??
    instantMs(scope.context.runStartedAt) ?? 0;
  const end = isoSeconds(endMs);
  if (actual === null) ledger.add("actualEndDate", "no-end-date", record.actualEndDate, end);
  const spent = record.executionTimeMs ?? 0;
  // Less than nothing, or since before computers kept the time: a mistake of whoever sent it.
  if (spent < 0 || spent > endMs) {
    ledger.add("executionTime", "value-unfit", `${spent}`, end);
    return { start: end, end };
  }
  return { start: isoSeconds(endMs - spent), end };
}

/** An execution whose cycle is gone counts as one without cycle. */
function lostCycle(scope: Scope, record: ExecutionRecord, ledger: Ledger): void {
  const { cycles, include } = scope.context;
  if (record.cycleId === null || !include.testCycles || cycles.has(record.cycleId)) return;
  ledger.add("testCycle", "missing-parent", record.cycleId, ADHOC_NAME);
}

function oldVersion(record: ExecutionRecord, versions: VersionInfo, ledger: Ledger): void {
  const current = versions.currentVersion ?? null;
  if (current === null || record.testCaseVersion === null) return;
  if (record.testCaseVersion >= current) return;
  ledger.add(
    "testCaseVersion",
    "old-version",
    `version ${record.testCaseVersion}`,
    `version ${current}`,
  );
}

/** Whether the executed steps are those of the loaded case, one to one. */
function matches(steps: ExecutionStepRecord[], shape: CaseShape | null): boolean {
  return shape !== null && !shape.hasCall && steps.length === shape.stepCount &&
    steps.every((step) => step.dataRow === null);
}

function stepLogs(scope: Scope, steps: ExecutionStepRecord[], ledger: Ledger): StepLogs {
  const unexecuted = unexecutedId(scope.context.profile);
  return steps.map((step, index) => {
    const text = (html: string | null, part: string): string =>
      richText(scope, html, ledger, `step ${index + 1} ${part}`);
    const status = stepStatus(scope, step, index + 1, ledger) ?? unexecuted ?? "";
    return {
      order: index + 1,
      statusId: status,
      descriptionHtml: withTestData(
        text(step.description, "description"),
        text(step.testData, "test data"),
      ),
      expectedHtml: text(step.expectedResult, "expected result"),
      actualHtml: text(step.actualResult, "actual result"),
    };
  });
}

function stepStatus(
  scope: Scope,
  step: ExecutionStepRecord,
  number: number,
  ledger: Ledger,
): string | null {
  if (step.statusId === null) return null;
  const name = scope.names.lookup("status", step.statusId);
  const lookup = scope.context.lookups.get(`status/${step.statusId}`);
  const { target } = statusRule(scope.context.mapping, name, lookup);
  const field = `step ${number} status`;
  const label = target ?? "Unexecuted";
  const id = target === undefined || target === null
    ? null
    : statusId(scope.context.profile, target);
  if (id === null && target !== null) ledger.add(field, "status-unmapped", name, "Unexecuted");
  // Statuses of steps are not known before the load starts, so no check can ask for a mapping.
  else if (isStatusMerged(name, label)) ledger.add(field, "status-merged", name, label);
  return id;
}
