/**
 * Manual test logs.
 * @module
 */
import {
  type Answer,
  type Call,
  created,
  isRecord,
  type Json,
  objectBody,
  ok,
  optionalId,
  optionalList,
  optionalText,
  pagedAnswer,
  pathId,
  refuse,
  type Route,
} from "./call.ts";
import { readInstant } from "./dates.ts";
import { storeInline } from "./files.ts";
import { noteLog, refreshRunStatus, runOf } from "./routes_runs.ts";
import { storeHtml } from "./text.ts";
import type { QtestState } from "./state.ts";
import type {
  Status,
  Step,
  StepLog,
  TestCaseEntity,
  TestLogEntity,
  TestRunEntity,
  Version,
} from "./types.ts";
import { approvedVersion, currentVersion, logView } from "./views.ts";

/** The vendor's answer to most things it dislikes in a log. */
const GENERIC = "Request data is invalid";

function statusOf(state: QtestState, value: unknown): Status {
  if (!isRecord(value) || value.id === undefined || value.id === null) refuse(400, GENERIC);
  const id = optionalId(value, "id");
  const status = state.statuses.find((item) => item.id === id && item.active);
  if (status === undefined) refuse(400, GENERIC);
  const extra = Object.keys(value).some((key) => key !== "id" && key !== "name");
  if (extra && state.switches.statusExtraKeys === "refuse") refuse(400, GENERIC);
  return status;
}

function instantOf(body: Json, key: string): number {
  const instant = readInstant(body[key], { fraction: false });
  if (instant === null) refuse(400, GENERIC);
  return instant;
}

function versionOf(state: QtestState, testCase: TestCaseEntity, body: Json): Version {
  const given = optionalId(body, "test_case_version_id");
  if (given !== undefined) {
    const version = testCase.versions.find((item) => item.id === given);
    if (version === undefined) refuse(400, GENERIC);
    return version;
  }
  const approved = approvedVersion(testCase);
  if (approved !== undefined) return approved;
  if (state.switches.logWithoutApprovedVersion === "refuse") {
    refuse(400, "The test case has no approved version");
  }
  return currentVersion(testCase);
}

interface PlannedStep {
  step: Step;
  calledTestCaseId: number | null;
  parentStepId: number | null;
}

/** Steps a log of a version has to report: a call stands for the steps of the called case. */
function plannedSteps(state: QtestState, version: Version): PlannedStep[] {
  return version.steps.flatMap((step): PlannedStep[] => {
    const called = step.calledTestCaseId === null
      ? undefined
      : state.get("test-cases", step.calledTestCaseId);
    if (called === undefined) return [{ step, calledTestCaseId: null, parentStepId: null }];
    const { steps } = approvedVersion(called) ?? currentVersion(called);
    return steps.map((inner) => ({
      step: inner,
      calledTestCaseId: called.id,
      parentStepId: step.id,
    }));
  });
}

interface StepLogDraft {
  stepLog: StepLog;
  attachments: unknown[];
}

function readStepLog(
  state: QtestState,
  item: unknown,
  planned: PlannedStep,
  order: number,
): StepLogDraft {
  if (!isRecord(item)) refuse(400, GENERIC);
  const { step } = planned;
  const isOwn = (optionalId(item, "test_step_id") ?? step.id) === step.id &&
    (optionalId(item, "order") ?? order) === order;
  if (!isOwn) refuse(400, GENERIC);
  if (planned.calledTestCaseId !== null) {
    const isNamed = optionalId(item, "called_test_case_id") === planned.calledTestCaseId &&
      optionalId(item, "parent_test_step_id") === planned.parentStepId;
    if (!isNamed) refuse(400, GENERIC);
  }
  const at = item.exe_date === undefined || item.exe_date === null
    ? null
    : instantOf(item, "exe_date");
  return {
    stepLog: {
      id: 0,
      stepId: step.id,
      order,
      statusId: statusOf(state, item.status).id,
      description: step.description,
      expected: step.expected,
      actual: storeHtml(state, optionalText(item, "actual_result")),
      at,
      calledTestCaseId: planned.calledTestCaseId,
      parentStepId: planned.parentStepId,
    },
    attachments: optionalList(item, "attachments") ?? [],
  };
}

/** Step logs are given for all steps of the version, or for none. */
function readStepLogs(state: QtestState, version: Version, items: unknown[]): StepLogDraft[] {
  if (items.length === 0) return [];
  const planned = plannedSteps(state, version);
  if (items.length !== planned.length) refuse(400, GENERIC);
  const orderOf = (item: unknown): number => isRecord(item) ? Number(item.order ?? 0) : 0;
  const sorted = [...items].sort((a, b) => orderOf(a) - orderOf(b));
  return planned.map((plan, index) => readStepLog(state, sorted[index], plan, index + 1));
}

interface LogDraft {
  name: string;
  versionId: number;
  statusId: number;
  startAt: number;
  endAt: number;
  note: string;
  plannedTime?: number;
  actualTime?: number;
  buildNumber?: string;
  buildUrl?: string;
  stepLogs: StepLog[];
}

/** Appends a log to a run. */
export function makeLog(
  state: QtestState,
  run: TestRunEntity,
  userId: number,
  draft: LogDraft,
): TestLogEntity {
  const entity: TestLogEntity = {
    ...state.base("test-logs", userId, draft.name),
    kind: "test-logs",
    runId: run.id,
    versionId: draft.versionId,
    statusId: draft.statusId,
    startAt: draft.startAt,
    endAt: draft.endAt,
    note: draft.note,
    plannedTime: draft.plannedTime ?? 0,
    actualTime: draft.actualTime ?? 0,
    buildNumber: draft.buildNumber ?? "",
    buildUrl: draft.buildUrl ?? "",
    stepLogs: draft.stepLogs.map((step) => ({ ...step, id: state.nextId() })),
  };
  for (const step of entity.stepLogs) state.logOfStepLog.set(step.id, entity.id);
  state.add(entity);
  noteLog(state, run, entity.id, entity.statusId);
  return entity;
}

function createLog(call: Call): Answer {
  const { state } = call;
  const run = runOf(call);
  if (run.locked) refuse(400, "Test run was locked");
  const body = objectBody(call);
  const testCase = state.get("test-cases", run.testCaseId);
  if (testCase === undefined) refuse(400, GENERIC);
  const status = statusOf(state, body.status);
  const startAt = instantOf(body, "exe_start_date");
  const endAt = instantOf(body, "exe_end_date");
  if (endAt < startAt) refuse(400, GENERIC);
  const version = versionOf(state, testCase, body);
  const steps = readStepLogs(state, version, optionalList(body, "test_step_logs") ?? []);
  const inline = optionalList(body, "attachments") ?? [];
  storeInline(call, null, 0, [...inline, ...steps.flatMap((step) => step.attachments)]);
  const log = makeLog(state, run, call.user.id, {
    name: optionalText(body, "name") ?? run.name,
    versionId: version.id,
    statusId: status.id,
    startAt,
    endAt,
    note: storeHtml(state, optionalText(body, "note")),
    plannedTime: optionalId(body, "planned_exe_time"),
    actualTime: optionalId(body, "actual_exe_time"),
    buildNumber: optionalText(body, "build_number"),
    buildUrl: optionalText(body, "build_url"),
    stepLogs: steps.map((step) => step.stepLog),
  });
  if (state.switches.inlineLogAttachments === "accept") {
    storeInline(call, "test-logs", log.id, inline);
    steps.forEach((step, index) => {
      storeInline(call, "test-step-logs", log.stepLogs[index]?.id ?? 0, step.attachments);
    });
  }
  return created(answerLog(state, log));
}

function answerLog(state: QtestState, log: TestLogEntity): Json {
  const { stepIdsInAnswer, attachmentsInAnswer } = state.switches;
  const view = logView(state, log, { steps: stepIdsInAnswer });
  if (!attachmentsInAnswer) delete view.attachments;
  return view;
}

function logOf(call: Call): TestLogEntity {
  const run = runOf(call);
  const log = call.state.get("test-logs", pathId(call, "id"));
  if (log === undefined || log.runId !== run.id) refuse(404, "Test log does not exist");
  return log;
}

function updateLog(call: Call): Answer {
  const { state } = call;
  const log = logOf(call);
  const run = runOf(call);
  if (run.locked) refuse(400, "Test run was locked");
  if (log.creatorId !== call.user.id) refuse(403, "You can only modify your own test logs");
  const body = objectBody(call);
  const status = statusOf(state, body.status);
  const startAt = instantOf(body, "exe_start_date");
  const endAt = instantOf(body, "exe_end_date");
  const given = optionalList(body, "test_step_logs") ?? [];
  const changes = given.map((item) => {
    if (!isRecord(item)) refuse(400, GENERIC);
    const step = log.stepLogs.find((known) => known.order === optionalId(item, "order"));
    if (step === undefined) refuse(400, GENERIC);
    return { step, item, statusId: statusOf(state, item.status).id };
  });
  for (const { step, item, statusId } of changes) {
    step.statusId = statusId;
    const actual = optionalText(item, "actual_result");
    if (actual !== undefined) step.actual = storeHtml(state, actual);
  }
  const note = optionalText(body, "note");
  if (note !== undefined) log.note = storeHtml(state, note);
  Object.assign(log, { statusId: status.id, startAt, endAt });
  state.touch(log);
  refreshRunStatus(state, run);
  return ok(answerLog(state, log));
}

function lastRun(call: Call): Answer {
  const log = call.state.get("test-logs", runOf(call).logIds.at(-1) ?? 0);
  if (log === undefined) refuse(404, "The test run has not been executed");
  const expand = call.query.get("expand") ?? "";
  return ok(logView(call.state, log, {
    testCase: expand.includes("testcase"),
    stepDetails: expand.includes("teststeplog.teststep"),
  }));
}

function listLogs(call: Call): Answer {
  const logs = runOf(call).logIds.map((id) => call.state.get("test-logs", id))
    .filter((log) => log !== undefined);
  return pagedAnswer(call, logs, (log) => logView(call.state, log));
}

const LOGS = "/api/v3/projects/{projectId}/test-runs/{testRunId}/test-logs";

export const LOG_ROUTES: Route[] = [
  { method: "GET", path: LOGS, run: listLogs },
  { method: "POST", path: LOGS, run: createLog },
  { method: "GET", path: `${LOGS}/last-run`, run: lastRun },
  { method: "GET", path: `${LOGS}/{id}`, run: (call) => ok(logView(call.state, logOf(call))) },
  { method: "PUT", path: `${LOGS}/{id}`, run: updateLog },
];
