/**
 * Automation logs: one at a time, in bulk below a suite, in bulk as a tree.
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
  pathId,
  refuse,
  type Route,
} from "./call.ts";
import { readInstant } from "./dates.ts";
import { applyProperties } from "./fields.ts";
import { storeInline } from "./files.ts";
import { makeCycle } from "./routes_cycles.ts";
import { makeRun, runOf } from "./routes_runs.ts";
import { makeTestCase } from "./routes_cases.ts";
import { makeModule } from "./routes_modules.ts";
import { changeVersion } from "./steps.ts";
import { storeHtml } from "./text.ts";
import { makeLog } from "./routes_logs.ts";
import type { QtestState } from "./state.ts";
import type {
  ContainerType,
  Job,
  Properties,
  Step,
  StepLog,
  TestCaseEntity,
  TestLogEntity,
  TestRunEntity,
} from "./types.ts";
import { approvedVersion, currentVersion, logView } from "./views.ts";

interface Entry {
  body: Json;
  name: string;
  content: string;
  statusName: string;
  startAt: number;
  endAt: number;
  moduleNames: string[];
}

function readEntry(item: unknown): Entry {
  if (!isRecord(item)) refuse(400, "test_logs holds something else");
  const text = (key: string): string => {
    const value = optionalText(item, key) ?? "";
    if (value === "") refuse(400, `${key} of a test log is required`);
    return value;
  };
  const instant = (key: string): number =>
    readInstant(item[key], { fraction: true }) ?? refuse(400, `${key} of a test log is invalid`);
  return {
    body: item,
    name: text("name"),
    content: text("automation_content"),
    statusName: text("status"),
    startAt: instant("exe_start_date"),
    endAt: instant("exe_end_date"),
    moduleNames: (optionalList(item, "module_names") ?? []).map(String),
  };
}

function readBatch(call: Call, body: Json): Entry[] {
  if (!call.state.switches.automation) refuse(400, "The automation parameter is invalid");
  if (call.query.get("type") === null) refuse(400, "type is required");
  const logs = optionalList(body, "test_logs");
  if (logs === undefined || logs.length === 0) refuse(400, "test_logs is required");
  if (logs.length > call.state.switches.bulkMaxLogs) refuse(413, "Too many test logs");
  return logs.map(readEntry);
}

function mappedStatus(state: QtestState, name: unknown): number {
  const mapped = typeof name === "string" ? state.switches.automationStatuses[name] : undefined;
  const status = state.statuses.find((item) => item.name === mapped);
  if (status === undefined) throw new Error(`Automation status "${String(name)}" is not mapped`);
  return status.id;
}

/** Step logs of an entry in order: 0-based and without gaps, or alphabetical when none is numbered. */
function readSteps(state: QtestState, entry: Entry): StepLog[] {
  const items = (optionalList(entry.body, "test_step_logs") ?? []).filter(isRecord);
  const isNumbered = items.some((item) => item.order !== undefined);
  const sorted = [...items].sort((a, b) =>
    isNumbered
      ? Number(a.order) - Number(b.order)
      : String(a.description).localeCompare(String(b.description))
  );
  return sorted.map((item, index): StepLog => {
    if (isNumbered && Number(item.order) !== index) {
      throw new Error("The order of test steps has to be continuous, starting from zero");
    }
    if (typeof item.description !== "string" || typeof item.expected_result !== "string") {
      throw new Error("description and expected_result of a test step log are required");
    }
    return {
      id: 0,
      stepId: null,
      order: index + 1,
      statusId: mappedStatus(state, item.status),
      description: storeHtml(state, item.description),
      expected: storeHtml(state, item.expected_result),
      actual: storeHtml(state, optionalText(item, "actual_result")),
      at: readInstant(item.exe_date, { fraction: true }),
      calledTestCaseId: null,
      parentStepId: null,
    };
  });
}

interface Place {
  parentType: ContainerType;
  parentId: number;
  moduleId: (entry: Entry) => number;
}

function designSteps(state: QtestState, caseId: number, logs: StepLog[]): Step[] {
  return logs.map((log) => {
    const id = state.nextId();
    state.caseOfStep.set(id, caseId);
    return {
      id,
      order: log.order,
      description: log.description,
      expected: log.expected,
      calledTestCaseId: null,
      customFields: [],
    };
  });
}

/** The case of an entry: the one with its automation content, or a new automation case. */
function caseFor(call: Call, entry: Entry, logs: StepLog[], place: Place): TestCaseEntity {
  const { state } = call;
  const known = state.caseOfContent(entry.content);
  if (known !== undefined) {
    const { steps } = currentVersion(known);
    const isSame = logs.length === 0 || (steps.length === logs.length &&
      steps.every((step, index) => step.description === logs[index]?.description));
    if (!isSame) changeVersion(state, known, { steps: designSteps(state, known.id, logs) });
    return known;
  }
  if (optionalId(entry.body, "test_case_version_id") !== undefined) {
    throw new Error("test_case_version_id is given for a test case that does not exist");
  }
  const values: Properties = new Map();
  const set = (name: string, value: string | number[]): void => {
    const field = state.fieldByName("test-cases", name);
    if (field !== undefined) values.set(field.id, value);
  };
  set("AutomationContentTestCase", entry.content);
  set("AutomationTestCase", [712]);
  set("TypeTestCase", [702]);
  const given = optionalList(entry.body, "testcase_properties");
  return makeTestCase(state, call.user, {
    name: entry.name.slice(0, 500),
    parentId: place.moduleId(entry),
    properties: applyProperties(state, "test-cases", values, given, "lenient"),
    steps: (caseId) => designSteps(state, caseId, logs),
  });
}

/** Version a log of an entry belongs to. */
function versionFor(entry: Entry, testCase: TestCaseEntity): number {
  const given = optionalId(entry.body, "test_case_version_id");
  if (given === undefined) return (approvedVersion(testCase) ?? currentVersion(testCase)).id;
  if (!testCase.versions.some((version) => version.id === given)) {
    throw new Error("test_case_version_id is invalid");
  }
  return given;
}

/** Checks all of an entry first, then makes what is missing and appends the log. */
function applyEntry(call: Call, entry: Entry, place: Place): TestLogEntity {
  const { state } = call;
  const statusId = mappedStatus(state, entry.statusName);
  const steps = readSteps(state, entry);
  const given = optionalList(entry.body, "properties");
  const values = applyProperties(state, "test-runs", new Map(), given, "lenient");
  const inline = optionalList(entry.body, "attachments") ?? [];
  storeInline(call, null, 0, inline);
  const testCase = caseFor(call, entry, steps, place);
  const versionId = versionFor(entry, testCase);
  const known = state.runsOfCase(testCase.id).find((run) =>
    run.parentType === place.parentType && run.parentId === place.parentId
  );
  const draft = {
    parentType: place.parentType,
    parentId: place.parentId,
    name: entry.name.slice(0, 500),
    testCase,
    versionId,
    properties: values,
    isAutomation: true,
  };
  const run = known ?? makeRun(state, call.user, draft);
  return appendLog(call, run, entry, { statusId, steps, versionId, inline, testCase });
}

function appendLog(
  call: Call,
  run: TestRunEntity,
  entry: Entry,
  parts: {
    statusId: number;
    steps: StepLog[];
    versionId: number;
    inline: unknown[];
    testCase: TestCaseEntity;
  },
): TestLogEntity {
  const design = currentVersion(parts.testCase).steps;
  const log = makeLog(call.state, run, call.user.id, {
    name: entry.name,
    versionId: parts.versionId,
    statusId: parts.statusId,
    startAt: entry.startAt,
    endAt: entry.endAt,
    note: storeHtml(call.state, optionalText(entry.body, "note")),
    buildNumber: optionalText(entry.body, "build_number"),
    buildUrl: optionalText(entry.body, "build_url"),
    stepLogs: parts.steps.map((step, index) => ({ ...step, stepId: design[index]?.id ?? null })),
  });
  storeInline(call, "test-logs", log.id, parts.inline);
  return log;
}

/** Queues the entries; they take effect when the job ends. */
function enqueue(
  call: Call,
  entries: Entry[],
  placeOf: (entry: Entry) => Place,
  result: () => Json,
): Answer {
  const { state } = call;
  const job = state.addJob(() => {
    if (state.switches.bulkAtomic) { for (const entry of entries) probeEntry(state, entry); }
    const failures: string[] = [];
    for (const entry of entries) {
      try {
        applyEntry(call, entry, placeOf(entry));
      } catch (error) {
        failures.push(`${entry.name}: ${error instanceof Error ? error.message : "failed"}`);
      }
    }
    if (failures.length > 0) throw new Error(failures.join("; "));
    return JSON.stringify({ ...result(), totalTestLogs: entries.length });
  }, state.switches.bulkDelayMs);
  return created(jobView(job));
}

/** Throws for what would make an entry fail, before any entry of its job has an effect. */
function probeEntry(state: QtestState, entry: Entry): void {
  mappedStatus(state, entry.statusName);
  readSteps(state, entry);
  const given = optionalList(entry.body, "properties");
  applyProperties(state, "test-runs", new Map(), given, "lenient");
  const known = state.caseOfContent(entry.content);
  if (known !== undefined) versionFor(entry, known);
  else if (optionalId(entry.body, "test_case_version_id") !== undefined) {
    throw new Error("test_case_version_id is given for a test case that does not exist");
  }
}

function jobView(job: Job): Json {
  return {
    id: job.id,
    state: job.state,
    type: "AUTOMATION_TEST_LOG",
    contentType: "application/json",
    content: job.content,
  };
}

function folder(call: Call, name: string, parentId: number): number {
  const known = call.state.children("modules", "module", parentId)
    .find((item) => item.name === name);
  return (known ?? makeModule(call.state, call.user, { name, parentId })).id;
}

function bulkSuite(call: Call): Answer {
  const { state } = call;
  if (call.params.testRunId !== "0") refuse(400, "The id of the test run has to be 0");
  const body = objectBody(call);
  if (!/^\d{4}-\d{2}-\d{2}/.test(optionalText(body, "execution_date") ?? "")) {
    refuse(400, "execution_date is required");
  }
  const entries = readBatch(call, body);
  const suite = state.find("test-suites", String(body.test_suite ?? ""));
  if (suite === undefined) refuse(400, "test_suite is invalid");
  const given = body.parent_module;
  const parent = given === undefined || given === null
    ? undefined
    : state.find("modules", String(given));
  if (given !== undefined && given !== null && parent === undefined) {
    refuse(400, "parent_module is invalid");
  }
  const parentId = parent?.id ?? 0;
  const moduleId = (): number =>
    body.skipCreatingAutomationModule === true && parentId !== 0
      ? parentId
      : folder(call, "Automation", parentId);
  const place: Place = { parentType: "test-suite", parentId: suite.id, moduleId };
  return enqueue(call, entries, () => place, () => ({
    testSuiteId: suite.id,
    testSuiteName: suite.name,
  }));
}

function bulkTree(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const entries = readBatch(call, body);
  const root = state.find("test-cycles", String(body.test_cycle ?? ""));
  if (root === undefined) refuse(400, "test_cycle is invalid");
  if (entries.some((entry) => entry.moduleNames.length === 0)) {
    refuse(400, "module_names of a test log is required");
  }
  const cycleFor = (names: string[]): number =>
    names.reduce((parentId, name) => {
      const known = state.children("test-cycles", "test-cycle", parentId)
        .find((item) => item.name === name);
      return (known ?? makeCycle(state, call.user, { name, parentType: "test-cycle", parentId }))
        .id;
    }, root.id);
  const moduleId = (entry: Entry): number =>
    entry.moduleNames.reduce((parentId, name) => folder(call, name, parentId), 0);
  return enqueue(
    call,
    entries,
    (entry) => ({ parentType: "test-cycle", parentId: cycleFor(entry.moduleNames), moduleId }),
    () => ({ testCycleId: root.id, testCycleName: root.name }),
  );
}

function singleLog(call: Call): Answer {
  if (!call.state.switches.automation) refuse(400, "The automation parameter is invalid");
  const entry = readEntry(objectBody(call));
  if (call.params.testRunId !== "0") {
    const run = runOf(call);
    const testCase = call.state.get("test-cases", run.testCaseId);
    if (testCase === undefined) refuse(400, "Test case does not exist");
    return answered(() => {
      const statusId = mappedStatus(call.state, entry.statusName);
      const steps = readSteps(call.state, entry);
      const versionId = versionFor(entry, testCase);
      return appendLog(call, run, entry, { statusId, steps, versionId, inline: [], testCase });
    }, call);
  }
  const name = "Automation Test Suite";
  const { state } = call;
  const known = state.children("test-suites", "root", 0).find((item) => item.name === name);
  const suite = known ?? {
    ...state.base("test-suites", call.user.id, name),
    kind: "test-suites" as const,
    parentType: "root" as const,
    parentId: 0,
    targetReleaseId: null,
    targetBuildId: null,
    properties: new Map(),
  };
  if (known === undefined) state.add(suite);
  const moduleId = (): number => folder(call, "Automation", 0);
  const place: Place = { parentType: "test-suite", parentId: suite.id, moduleId };
  return answered(() => applyEntry(call, entry, place), call);
}

/** The vendor reports what it dislikes in an automation log as 500. */
function answered(run: () => TestLogEntity, call: Call): Answer {
  try {
    return created(logView(call.state, run()));
  } catch {
    refuse(500, "Unexpected error occurred");
  }
}

function getJob(call: Call): Answer {
  const job = call.state.jobs.get(pathId(call, "id"));
  if (job === undefined) refuse(404, "Job does not exist");
  return ok(jobView(job));
}

export const BULK_ROUTES: Route[] = [
  { method: "GET", path: "/api/v3/projects/queue-processing/{id}", run: getJob },
  {
    method: "POST",
    path: "/api/v3.1/projects/{projectId}/test-runs/{testRunId}/auto-test-logs",
    run: bulkSuite,
  },
  { method: "POST", path: "/api/v3/projects/{projectId}/auto-test-logs", run: bulkTree },
  {
    method: "POST",
    path: "/api/v3/projects/{projectId}/test-runs/{testRunId}/auto-test-logs",
    run: singleLog,
  },
];
