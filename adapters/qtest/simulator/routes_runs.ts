/**
 * Test runs.
 * @module
 */
import {
  type Answer,
  type Call,
  created,
  entityOf,
  isRecord,
  type Json,
  objectBody,
  ok,
  optionalId,
  optionalList,
  optionalName,
  pagedAnswer,
  refuse,
  type Route,
} from "./call.ts";
import { ALL, type Container, containerOf, isMove, moveTo } from "./containers.ts";
import { applyProperties } from "./fields.ts";
import { removeRun } from "./removal.ts";
import { containerKind, type QtestState } from "./state.ts";
import type { ContainerType, Properties, TestCaseEntity, TestRunEntity, User } from "./types.ts";
import { currentVersion, runView } from "./views.ts";

/** The run named in a path; 404 when there is none. */
export function runOf(call: Call): TestRunEntity {
  return entityOf(call, "test-runs", "testRunId", "Test run");
}

function setRunStatus(state: QtestState, properties: Properties, statusId: number): void {
  const field = state.fieldByName("test-runs", "StatusTestRun");
  const name = state.statuses.find((status) => status.id === statusId)?.name;
  const option = field?.options.find((item) => item.label === name);
  if (field !== undefined && option !== undefined) properties.set(field.id, [option.value]);
}

/** The latest log decides the run's status. */
export function noteLog(
  state: QtestState,
  run: TestRunEntity,
  logId: number,
  statusId: number,
): void {
  run.logIds.push(logId);
  setRunStatus(state, run.properties, statusId);
  state.touch(run);
}
/** Sets the status of the latest log anew, after it was changed. */
export function refreshRunStatus(state: QtestState, run: TestRunEntity): void {
  const last = state.get("test-logs", run.logIds.at(-1) ?? 0);
  if (last !== undefined) setRunStatus(state, run.properties, last.statusId);
}

/** Makes a run of a case. */
export function makeRun(
  state: QtestState,
  user: User,
  draft: Container & {
    name: string;
    testCase: TestCaseEntity;
    versionId: number;
    properties: Properties;
    isAutomation: boolean;
  },
): TestRunEntity {
  const entity: TestRunEntity = {
    ...state.base("test-runs", user.id, draft.name),
    kind: "test-runs",
    parentType: draft.parentType,
    parentId: draft.parentId,
    testCaseId: draft.testCase.id,
    versionId: draft.versionId,
    properties: draft.properties,
    logIds: [],
    isAutomation: draft.isAutomation,
    locked: false,
  };
  state.add(entity);
  return entity;
}

function createRun(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const container = containerOf(call, ALL);
  const caseId = isRecord(body.test_case) ? optionalId(body.test_case, "id") : undefined;
  if (caseId === undefined) refuse(400, "test_case.id is required");
  const testCase = state.get("test-cases", caseId);
  if (testCase === undefined) refuse(404, "Test case does not exist");
  const name = optionalName(body) ?? testCase.name;
  const versionId = optionalId(body, "test_case_version_id") ?? currentVersion(testCase).id;
  if (!testCase.versions.some((version) => version.id === versionId)) {
    refuse(400, "Test case version is invalid");
  }
  const given = optionalList(body, "properties");
  const properties = applyProperties(state, "test-runs", new Map(), given, "create");
  const draft = { ...container, name, testCase, versionId, properties, isAutomation: false };
  return created(runView(state, makeRun(state, call.user, draft)));
}

function updateRun(call: Call): Answer {
  const { state } = call;
  const entity = runOf(call);
  if (entity.locked) refuse(400, "Test run was locked");
  if (isMove(call)) {
    moveTo(state, entity, containerOf(call, ALL));
    return ok(runView(state, entity));
  }
  const body = objectBody(call);
  const name = optionalName(body);
  const versionId = optionalId(body, "test_case_version_id") ?? entity.versionId;
  const testCase = state.get("test-cases", entity.testCaseId);
  if (testCase !== undefined && !testCase.versions.some((version) => version.id === versionId)) {
    refuse(400, "Test case version is invalid");
  }
  const given = optionalList(body, "properties");
  entity.properties = applyProperties(state, "test-runs", entity.properties, given, "update");
  entity.versionId = versionId;
  entity.name = name ?? entity.name;
  state.touch(entity);
  return ok(runView(state, entity));
}

/** Runs below a container, at any depth. */
function runsBelow(state: QtestState, { parentType, parentId }: Container): TestRunEntity[] {
  const found = state.children("test-runs", parentType, parentId);
  if (parentType === "test-suite") return found;
  for (const suite of state.children("test-suites", parentType, parentId)) {
    found.push(...state.children("test-runs", "test-suite", suite.id));
  }
  for (const cycle of state.children("test-cycles", parentType, parentId)) {
    found.push(...runsBelow(state, { parentType: "test-cycle", parentId: cycle.id }));
  }
  if (parentType === "root") {
    for (const release of state.table("releases").values()) {
      found.push(...runsBelow(state, { parentType: "release", parentId: release.id }));
    }
  }
  return found;
}

function listRuns(call: Call): Answer {
  const { state } = call;
  const container = containerOf(call, ALL);
  const isDeep = (call.query.get("expand") ?? "").includes("descendants");
  const all = isDeep
    ? runsBelow(state, container)
    : state.children("test-runs", container.parentType, container.parentId);
  const nullProperties = call.quirk === "null-properties";
  return pagedAnswer(call, all, (run) => runView(state, run, { nullProperties }));
}

function getRun(call: Call): Answer {
  const expand = call.query.get("expand") ?? "";
  return ok(runView(call.state, runOf(call), {
    testCase: expand.startsWith("testcase"),
    steps: expand.includes("teststep"),
    latestLog: call.state.switches.latestLogOnRun,
    nullProperties: call.quirk === "null-properties",
  }));
}

function subhierarchy(call: Call): Answer {
  const { state } = call;
  const { parentType, parentId } = containerOf(call, ALL);
  const node = (artifactType: string, item: { id: number; name: string; order: number }): Json => ({
    artifactType,
    id: item.id,
    name: item.name,
    order: item.order,
    children: [],
  });
  const kind = containerKind(parentType);
  const parent = kind === null ? undefined : state.get(kind, parentId);
  const types: Record<ContainerType, string> = {
    root: "ROOT",
    release: "RELEASE",
    "test-cycle": "TEST_CYCLE",
    "test-suite": "TEST_SUITE",
  };
  return ok({
    ...node(types[parentType], parent ?? { id: 0, name: "root", order: 0 }),
    children: [
      ...state.children("test-cycles", parentType, parentId).map((item) =>
        node("TEST_CYCLE", item)
      ),
      ...state.children("test-suites", parentType, parentId).map((item) =>
        node("TEST_SUITE", item)
      ),
      ...state.children("test-runs", parentType, parentId).map((item) =>
        node("TEST_CASE_RUN", item)
      ),
    ],
  });
}

const PROJECT = "/api/v3/projects/{projectId}";
const RUN = `${PROJECT}/test-runs/{testRunId}`;

export const RUN_ROUTES: Route[] = [
  { method: "GET", path: `${PROJECT}/test-runs`, run: listRuns },
  { method: "POST", path: `${PROJECT}/test-runs`, run: createRun },
  { method: "GET", path: `${PROJECT}/test-runs/subhierarchy`, run: subhierarchy },
  { method: "GET", path: RUN, run: getRun },
  { method: "PUT", path: RUN, run: updateRun },
  {
    method: "DELETE",
    path: RUN,
    run: (call) => {
      removeRun(call.state, runOf(call));
      return ok({ message: "Test run was deleted" });
    },
  },
];
