/**
 * Releases, builds, cycles, suites and runs.
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
  optionalName,
  optionalText,
  pagedAnswer,
  pageOf,
  pathId,
  queryFlag,
  queryInt,
  refuse,
  requiredName,
  type Route,
} from "./call.ts";
import { readInstant } from "./dates.ts";
import { applyProperties } from "./fields.ts";
import { removeCycle, removeRelease, removeRun, removeSuite } from "./removal.ts";
import { storeHtml } from "./routes_design.ts";
import { containerKind, type QtestState } from "./state.ts";
import type {
  BuildEntity,
  ContainerType,
  Properties,
  ReleaseEntity,
  TestCaseEntity,
  TestCycleEntity,
  TestRunEntity,
  TestSuiteEntity,
  User,
} from "./types.ts";
import { buildView, currentVersion, cycleView, releaseView, runView, suiteView } from "./views.ts";

interface Container {
  parentType: ContainerType;
  parentId: number;
}

/** Container named by the query; the root when nothing is named. */
function containerOf(call: Call, allowed: readonly ContainerType[]): Container {
  const parentId = queryInt(call, "parentId") ?? 0;
  const type = call.query.get("parentType") ?? (parentId === 0 ? "root" : "");
  if (!allowed.includes(type as ContainerType)) refuse(400, "parentType is invalid");
  const parentType = parentId === 0 ? "root" : type as ContainerType;
  const kind = containerKind(parentType);
  if (kind !== null && call.state.get(kind, parentId) === undefined) {
    refuse(404, `Parent ${parentType} does not exist`);
  }
  return { parentType, parentId: kind === null ? 0 : parentId };
}

const FOLDERS: ContainerType[] = ["root", "release", "test-cycle"];
const ALL: ContainerType[] = [...FOLDERS, "test-suite"];

function isMove(call: Call): boolean {
  return call.query.has("parentId") || call.query.has("parentType");
}

function moveTo(
  state: QtestState,
  entity: TestCycleEntity | TestSuiteEntity | TestRunEntity,
  target: Container,
): void {
  for (let at = target; at.parentType === "test-cycle";) {
    if (entity.kind === "test-cycles" && at.parentId === entity.id) {
      refuse(400, "A test cycle can not be moved into itself");
    }
    const parent = state.get("test-cycles", at.parentId);
    if (parent === undefined) break;
    at = parent;
  }
  state.move(entity, () => {
    entity.parentType = target.parentType;
    entity.parentId = target.parentId;
  });
}

function dateOf(body: Json, key: string): number | null | undefined {
  const value = body[key];
  if (value === undefined) return undefined;
  if (value === null || value === "") return null;
  const instant = readInstant(value, { fraction: true });
  if (instant === null) refuse(400, `${key} is not a date`);
  return instant;
}

function releaseOf(call: Call): ReleaseEntity {
  const entity = call.state.get("releases", pathId(call, "releaseId"));
  if (entity === undefined) refuse(404, "Release does not exist");
  return entity;
}

function mirrorReleaseDates(state: QtestState, entity: ReleaseEntity): void {
  const pairs = [["StartDateRelease", entity.startAt], ["EndDateRelease", entity.endAt]] as const;
  for (const [name, instant] of pairs) {
    const field = state.fieldByName("releases", name);
    if (field === undefined || instant === null) continue;
    // The property says the instant in UTC while the member uses the site's offset.
    entity.properties.set(field.id, new Date(instant).toISOString().replace(".000Z", "+00:00"));
  }
}

function createRelease(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const name = requiredName(body);
  const startAt = dateOf(body, "start_date") ?? null;
  const endAt = dateOf(body, "end_date") ?? null;
  if (startAt !== null && endAt !== null && endAt < startAt) {
    refuse(400, "end_date is before start_date");
  }
  const description = storeHtml(state, optionalText(body, "description"));
  const note = optionalText(body, "note") ?? "";
  const given = optionalList(body, "properties");
  const properties = applyProperties(state, "releases", new Map(), given, "create");
  const entity: ReleaseEntity = {
    ...state.base("releases", call.user.id, name),
    kind: "releases",
    description,
    note,
    startAt,
    endAt,
    closed: false,
    properties,
  };
  mirrorReleaseDates(state, entity);
  state.add(entity);
  return created(releaseView(state, entity));
}

function updateRelease(call: Call): Answer {
  const { state } = call;
  const entity = releaseOf(call);
  const body = objectBody(call);
  const name = optionalName(body);
  const description = optionalText(body, "description");
  const startAt = dateOf(body, "start_date");
  const endAt = dateOf(body, "end_date");
  const given = optionalList(body, "properties");
  entity.properties = applyProperties(state, "releases", entity.properties, given, "update");
  entity.name = name ?? entity.name;
  if (description !== undefined) entity.description = storeHtml(state, description);
  entity.note = optionalText(body, "note") ?? entity.note;
  if (startAt !== undefined) entity.startAt = startAt;
  if (endAt !== undefined) entity.endAt = endAt;
  mirrorReleaseDates(state, entity);
  state.touch(entity);
  return ok(releaseView(state, entity));
}

function listReleases(call: Call): Answer {
  const closed = queryFlag(call, "includeClosed");
  const list = [...call.state.table("releases").values()].filter((item) => closed || !item.closed);
  return ok(list.map((item) => releaseView(call.state, item)));
}

function buildOf(call: Call): BuildEntity {
  const entity = call.state.get("builds", pathId(call, "buildId"));
  if (entity === undefined) refuse(404, "Build does not exist");
  return entity;
}

function createBuild(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const releaseId = isRecord(body.release) ? optionalId(body.release, "id") : undefined;
  if (releaseId === undefined || state.get("releases", releaseId) === undefined) {
    refuse(400, "Release is invalid");
  }
  const given = optionalList(body, "properties");
  const name = requiredName(body);
  const properties = applyProperties(state, "builds", new Map(), given, "create");
  const base = state.base("builds", call.user.id, name);
  const entity: BuildEntity = { ...base, kind: "builds", releaseId, properties };
  state.add(entity);
  return created(buildView(state, entity));
}

function targetsOf(
  call: Call,
  body: Json,
): { targetReleaseId: number | null; targetBuildId: number | null } {
  const targetReleaseId = optionalId(body, "target_release_id") ?? null;
  const targetBuildId = optionalId(body, "target_build_id") ?? null;
  if (targetReleaseId !== null && call.state.get("releases", targetReleaseId) === undefined) {
    refuse(400, "target_release_id is invalid");
  }
  if (targetBuildId !== null && call.state.get("builds", targetBuildId) === undefined) {
    refuse(400, "target_build_id is invalid");
  }
  return { targetReleaseId, targetBuildId };
}

function cycleOf(call: Call): TestCycleEntity {
  const entity = call.state.get("test-cycles", pathId(call, "testCycleId"));
  if (entity === undefined) refuse(404, "Test cycle does not exist");
  return entity;
}

/** Makes a cycle, or refuses a name its siblings have. */
export function makeCycle(
  state: QtestState,
  user: User,
  draft: Container & {
    name: string;
    description?: string;
    targetReleaseId?: number | null;
    targetBuildId?: number | null;
  },
): TestCycleEntity {
  const { parentType, parentId } = draft;
  const siblings = state.switches.uniqueSiblings
    ? state.children("test-cycles", parentType, parentId)
    : [];
  if (siblings.some((item) => item.name === draft.name)) {
    refuse(400, `Test cycle "${draft.name}" already exists here`);
  }
  const entity: TestCycleEntity = {
    ...state.base("test-cycles", user.id, draft.name),
    kind: "test-cycles",
    parentType,
    parentId,
    description: storeHtml(state, draft.description),
    targetReleaseId: draft.targetReleaseId ?? null,
    targetBuildId: draft.targetBuildId ?? null,
  };
  state.add(entity);
  return entity;
}

function createCycle(call: Call): Answer {
  const body = objectBody(call);
  const entity = makeCycle(call.state, call.user, {
    ...containerOf(call, FOLDERS),
    ...targetsOf(call, body),
    name: requiredName(body),
    description: optionalText(body, "description"),
  });
  return created(cycleView(call.state, entity));
}

function updateCycle(call: Call): Answer {
  const entity = cycleOf(call);
  if (isMove(call)) {
    moveTo(call.state, entity, containerOf(call, FOLDERS));
    return ok(cycleView(call.state, entity));
  }
  const body = objectBody(call);
  const name = optionalName(body);
  const description = optionalText(body, "description");
  Object.assign(entity, "target_release_id" in body ? targetsOf(call, body) : {});
  entity.name = name ?? entity.name;
  if (description !== undefined) entity.description = storeHtml(call.state, description);
  call.state.touch(entity);
  return ok(cycleView(call.state, entity));
}

function listCycles(call: Call): Answer {
  const { parentType, parentId } = containerOf(call, FOLDERS);
  const all = call.state.children("test-cycles", parentType, parentId);
  const isUnpaged = (queryInt(call, "pageSize") ?? 100) < 0 && !call.query.has("page");
  const items = isUnpaged
    ? all
    : pageOf(call, all, { sizeParam: "pageSize", defaultSize: 100, maxSize: 999 }).items;
  const descendants = call.query.get("expand") === "descendants";
  return ok(items.map((item) => cycleView(call.state, item, { descendants })));
}

function suiteOf(call: Call): TestSuiteEntity {
  const entity = call.state.get("test-suites", pathId(call, "testSuiteId"));
  if (entity === undefined) refuse(404, "Test suite does not exist");
  return entity;
}

function createSuite(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const container = containerOf(call, FOLDERS);
  const name = requiredName(body);
  const targets = targetsOf(call, body);
  const given = optionalList(body, "properties");
  const properties = applyProperties(state, "test-suites", new Map(), given, "create");
  const entity: TestSuiteEntity = {
    ...state.base("test-suites", call.user.id, name),
    ...container,
    ...targets,
    kind: "test-suites",
    properties,
  };
  state.add(entity);
  return ok(suiteView(state, entity));
}

function updateSuite(call: Call): Answer {
  const { state } = call;
  const entity = suiteOf(call);
  if (isMove(call)) {
    moveTo(state, entity, containerOf(call, FOLDERS));
    return ok(suiteView(state, entity));
  }
  const body = objectBody(call);
  const name = optionalName(body);
  const targets = "target_release_id" in body ? targetsOf(call, body) : {};
  const given = optionalList(body, "properties");
  entity.properties = applyProperties(state, "test-suites", entity.properties, given, "update");
  Object.assign(entity, targets, { name: name ?? entity.name });
  state.touch(entity);
  return ok(suiteView(state, entity));
}

/** The run named in a path; 404 when there is none. */
export function runOf(call: Call): TestRunEntity {
  const entity = call.state.get("test-runs", pathId(call, "testRunId"));
  if (entity === undefined) refuse(404, "Test run does not exist");
  return entity;
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
const RELEASE = `${PROJECT}/releases/{releaseId}`;
const BUILD = `${PROJECT}/builds/{buildId}`;
const CYCLE = `${PROJECT}/test-cycles/{testCycleId}`;
const SUITE = `${PROJECT}/test-suites/{testSuiteId}`;
const RUN = `${PROJECT}/test-runs/{testRunId}`;

const RELEASE_ROUTES: Route[] = [
  { method: "GET", path: `${PROJECT}/releases`, run: listReleases },
  { method: "POST", path: `${PROJECT}/releases`, run: createRelease },
  { method: "GET", path: RELEASE, run: (call) => ok(releaseView(call.state, releaseOf(call))) },
  { method: "PUT", path: RELEASE, run: updateRelease },
  {
    method: "DELETE",
    path: RELEASE,
    run: (call) => {
      removeRelease(call.state, releaseOf(call), call.state.switches.deleteCascades);
      return { status: 200 };
    },
  },
  {
    method: "GET",
    path: `${PROJECT}/builds`,
    run: (call) => {
      const releaseId = queryInt(call, "releaseId");
      if (releaseId === undefined) refuse(400, "releaseId is required");
      const list = call.state.children("builds", "release", releaseId);
      return ok(list.map((item) => buildView(call.state, item)));
    },
  },
  { method: "POST", path: `${PROJECT}/builds`, run: createBuild },
  { method: "GET", path: BUILD, run: (call) => ok(buildView(call.state, buildOf(call))) },
  {
    method: "DELETE",
    path: BUILD,
    run: (call) => {
      call.state.remove(buildOf(call));
      return { status: 200 };
    },
  },
];

export const EXECUTION_ROUTES: Route[] = [
  ...RELEASE_ROUTES,
  { method: "GET", path: `${PROJECT}/test-cycles`, run: listCycles },
  { method: "POST", path: `${PROJECT}/test-cycles`, run: createCycle },
  {
    method: "GET",
    path: CYCLE,
    run: (call) =>
      ok(cycleView(call.state, cycleOf(call), {
        descendants: call.query.get("expand") === "descendants",
      })),
  },
  { method: "PUT", path: CYCLE, run: updateCycle },
  {
    method: "DELETE",
    path: CYCLE,
    run: (call) => {
      removeCycle(call.state, cycleOf(call), queryFlag(call, "force"));
      return ok({ message: "Test cycle was deleted" });
    },
  },
  {
    method: "GET",
    path: `${PROJECT}/test-suites`,
    run: (call) => {
      const { parentType, parentId } = containerOf(call, FOLDERS);
      const list = call.state.children("test-suites", parentType, parentId);
      return ok(list.map((item) => suiteView(call.state, item)));
    },
  },
  { method: "POST", path: `${PROJECT}/test-suites`, run: createSuite },
  { method: "GET", path: SUITE, run: (call) => ok(suiteView(call.state, suiteOf(call))) },
  { method: "PUT", path: SUITE, run: updateSuite },
  {
    method: "DELETE",
    path: SUITE,
    run: (call) => {
      removeSuite(call.state, suiteOf(call), call.state.switches.deleteCascades);
      return { status: 200 };
    },
  },
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
