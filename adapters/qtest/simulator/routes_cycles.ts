/**
 * Test cycles and test suites.
 * @module
 */
import {
  type Answer,
  type Call,
  created,
  entityOf,
  objectBody,
  ok,
  optionalList,
  optionalName,
  optionalText,
  pageOf,
  queryFlag,
  queryInt,
  refuse,
  requiredName,
  type Route,
} from "./call.ts";
import { type Container, containerOf, FOLDERS, isMove, moveTo, targetsOf } from "./containers.ts";
import { applyProperties } from "./fields.ts";
import { removeCycle, removeSuite } from "./removal.ts";
import type { QtestState } from "./state.ts";
import { storeHtml } from "./text.ts";
import type { TestCycleEntity, TestSuiteEntity, User } from "./types.ts";
import { cycleView, suiteView } from "./views.ts";

function cycleOf(call: Call): TestCycleEntity {
  return entityOf(call, "test-cycles", "testCycleId", "Test cycle");
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
  return entityOf(call, "test-suites", "testSuiteId", "Test suite");
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

const PROJECT = "/api/v3/projects/{projectId}";
const CYCLE = `${PROJECT}/test-cycles/{testCycleId}`;
const SUITE = `${PROJECT}/test-suites/{testSuiteId}`;

export const CYCLE_ROUTES: Route[] = [
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
];
