/**
 * Test cases and their versions.
 * @module
 */
import {
  type Answer,
  type Call,
  isRecord,
  type Json,
  objectBody,
  ok,
  optionalId,
  optionalList,
  optionalName,
  optionalText,
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
import { storeInline } from "./files.ts";
import { removeTestCase } from "./removal.ts";
import { makeModule } from "./routes_modules.ts";
import { caseOf, changeVersion, checkInline, commitSteps, readStep } from "./steps.ts";
import type { QtestState } from "./state.ts";
import { storeHtml } from "./text.ts";
import type { Step, TestCaseEntity, User, Version } from "./types.ts";
import { currentVersion, stepView, testCaseView } from "./views.ts";

function indexContent(state: QtestState, entity: TestCaseEntity): void {
  const field = state.fieldByName("test-cases", "AutomationContentTestCase");
  const value = field === undefined ? undefined : entity.properties.get(field.id);
  if (typeof value === "string") state.setContent(value, entity.id);
}

/** Makes a case at version 0.1. */
export function makeTestCase(
  state: QtestState,
  user: User,
  draft: {
    name: string;
    parentId: number;
    description?: string;
    precondition?: string;
    order?: number;
    properties: TestCaseEntity["properties"];
    steps: (caseId: number) => readonly Step[];
  },
): TestCaseEntity {
  const base = state.base("test-cases", user.id, draft.name);
  const entity: TestCaseEntity = {
    ...base,
    kind: "test-cases",
    order: draft.order ?? 0,
    parentId: draft.parentId,
    properties: draft.properties,
    versions: [{
      id: state.nextId(),
      major: 0,
      minor: 1,
      approved: false,
      name: draft.name,
      description: storeHtml(state, draft.description),
      precondition: storeHtml(state, draft.precondition),
      steps: draft.steps(base.id),
    }],
  };
  state.add(entity);
  indexContent(state, entity);
  return entity;
}

function apiModule(state: QtestState, user: User): number {
  const name = "Created via API";
  const known = state.children("modules", "module", 0).find((item) => item.name === name);
  return (known ?? makeModule(state, user, { name, parentId: 0 })).id;
}

function createTestCase(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const name = requiredName(body);
  const given = optionalId(body, "parent_id");
  if (given !== undefined && given !== 0 && state.get("modules", given) === undefined) {
    refuse(404, "Module does not exist");
  }
  const steps = (optionalList(body, "test_steps") ?? [])
    .map((item, index) => readStep(state, item, index, { caseId: null, keepIds: new Set() }));
  const inline = optionalList(body, "attachments") ?? [];
  checkInline(call, [...inline, ...steps.flatMap((step) => step.attachments)]);
  const draft = {
    name,
    description: optionalText(body, "description"),
    precondition: optionalText(body, "precondition"),
    order: optionalId(body, "order"),
    properties: applyProperties(
      state,
      "test-cases",
      new Map(),
      optionalList(body, "properties"),
      "create",
    ),
    steps: (caseId: number): Step[] => commitSteps(call, caseId, steps),
  };
  const parentId = given === undefined || given === 0 ? apiModule(state, call.user) : given;
  const entity = makeTestCase(state, call.user, { ...draft, parentId });
  if (state.switches.inlineCaseAttachments === "accept") {
    storeInline(call, "test-cases", entity.id, inline);
  }
  return ok(answerCase(call, entity));
}

function answerCase(call: Call, entity: TestCaseEntity): Json {
  const { stepIdsInAnswer, attachmentsInAnswer } = call.state.switches;
  return testCaseView(call.state, entity, {
    steps: stepIdsInAnswer,
    attachments: attachmentsInAnswer,
    identifiers: queryFlag(call, "showParamIdentifier"),
  });
}

function updateTestCase(call: Call): Answer {
  const entity = caseOf(call);
  applyCaseUpdate(call, entity, objectBody(call));
  return ok(answerCase(call, entity));
}

function applyCaseUpdate(call: Call, entity: TestCaseEntity, body: Json): void {
  const { state } = call;
  const last = currentVersion(entity);
  const name = optionalName(body) ?? last.name;
  const parentId = optionalId(body, "parent_id");
  if (parentId !== undefined && state.get("modules", parentId) === undefined) {
    refuse(404, "Module does not exist");
  }
  const given = optionalList(body, "test_steps");
  const keepIds = state.switches.stepsReplaceOnPut
    ? new Set<number>()
    : new Set(last.steps.map((step) => step.id));
  const drafts = given?.map((item, index) =>
    readStep(state, item, index, { caseId: entity.id, keepIds })
  );
  const properties = applyProperties(
    state,
    "test-cases",
    entity.properties,
    optionalList(body, "properties"),
    "update",
  );
  const description = optionalText(body, "description");
  const precondition = optionalText(body, "precondition");
  let steps = last.steps;
  if (drafts !== undefined) {
    const sent = commitSteps(call, entity.id, drafts);
    const sentIds = new Set(sent.map((step) => step.id));
    // With upsert, a step that is not sent stays behind those that are.
    const kept = state.switches.stepsReplaceOnPut
      ? []
      : last.steps.filter((step) => !sentIds.has(step.id));
    steps = [...sent, ...kept].map((step, index) => ({ ...step, order: index + 1 }));
  }
  if (parentId !== undefined && parentId !== entity.parentId) {
    state.move(entity, () => {
      entity.parentId = parentId;
    });
  }
  entity.order = optionalId(body, "order") ?? entity.order;
  entity.properties = properties;
  changeVersion(state, entity, {
    name,
    description: description === undefined ? last.description : storeHtml(state, description),
    precondition: precondition === undefined ? last.precondition : storeHtml(state, precondition),
    steps,
  });
  indexContent(state, entity);
}

function updateTestCases(call: Call): Answer {
  const body = objectBody(call);
  let last: TestCaseEntity | undefined;
  for (const [id, item] of Object.entries(body)) {
    const entity = call.state.get("test-cases", Number(id));
    if (entity === undefined || !isRecord(item)) refuse(400, `Test case ${id} is invalid`);
    applyCaseUpdate(call, entity, item);
    last = entity;
  }
  if (last === undefined) refuse(400, "No test case given");
  return ok(answerCase(call, last));
}

function approveTestCase(call: Call): Answer {
  const entity = caseOf(call);
  const last = currentVersion(entity);
  if (!last.approved) {
    entity.versions.push({
      ...last,
      id: call.state.nextId(),
      major: last.major + 1,
      minor: 0,
      approved: true,
    });
    call.state.touch(entity);
  }
  return ok(testCaseView(call.state, entity));
}

function listTestCases(call: Call): Answer {
  const { state } = call;
  const parentId = queryInt(call, "parentId");
  if (parentId !== undefined && state.get("modules", parentId) === undefined) {
    refuse(404, "Module does not exist");
  }
  const after = readInstant(call.query.get("modifiedAfter"), { fraction: true });
  let list = parentId === undefined
    ? [...state.table("test-cases").values()]
    : state.children("test-cases", "module", parentId);
  if (after !== null) list = list.filter((item) => item.modifiedAt >= after);
  const { items } = pageOf(call, list, {
    sizeParam: "size",
    defaultSize: 20,
    maxSize: state.switches.maxListSize,
  });
  const options = {
    steps: queryFlag(call, "expandSteps"),
    properties: queryFlag(call, "expandProps", true),
    identifiers: queryFlag(call, "showParamIdentifier"),
    utc: queryFlag(call, "utc"),
  };
  return ok(items.map((item) => testCaseView(state, item, options)));
}

function getTestCase(call: Call): Answer {
  const entity = call.state.find("test-cases", call.params.testCaseId ?? "");
  if (entity === undefined) refuse(404, "Test case does not exist");
  const versionId = queryInt(call, "versionId");
  const version = versionId === undefined
    ? undefined
    : entity.versions.find((item) => item.id === versionId);
  if (versionId !== undefined && version === undefined) refuse(400, "Version is invalid");
  return ok(testCaseView(call.state, entity, {
    version,
    steps: call.query.get("expand") === "teststep",
    identifiers: queryFlag(call, "showParamIdentifier"),
  }));
}

function listVersions(call: Call): Answer {
  const entity = caseOf(call);
  const last = currentVersion(entity);
  const shown = entity.versions.filter((version) => version.approved || version === last);
  return ok(shown.map((version) => testCaseView(call.state, entity, { version })));
}

function versionOf(call: Call): { entity: TestCaseEntity; version: Version } {
  const entity = caseOf(call);
  const id = pathId(call, "versionId");
  const version = entity.versions.find((item) => item.id === id);
  // The vendor answers 404 without a body here.
  if (version === undefined) refuse(404, "");
  return { entity, version };
}

function getVersion(call: Call): Answer {
  const { entity, version } = versionOf(call);
  return ok(testCaseView(call.state, entity, { version, steps: true }));
}

function versionSteps(call: Call): Answer {
  const { entity, version } = versionOf(call);
  return ok(version.steps.map((step) => stepView(call.state, entity.id, step)));
}

const PROJECT = "/api/v3/projects/{projectId}";
const CASES = `${PROJECT}/test-cases`;
const CASE = `${CASES}/{testCaseId}`;

export const CASE_ROUTES: Route[] = [
  { method: "GET", path: CASES, run: listTestCases },
  { method: "POST", path: CASES, run: createTestCase },
  { method: "PUT", path: `${CASES}/update/testcases`, run: updateTestCases },
  { method: "GET", path: CASE, run: getTestCase },
  { method: "PUT", path: CASE, run: updateTestCase },
  {
    method: "DELETE",
    path: CASE,
    run: (call) => {
      removeTestCase(call.state, caseOf(call), call.state.switches.deleteCascades);
      return { status: 200 };
    },
  },
  { method: "PUT", path: `${CASE}/approve`, run: approveTestCase },
  { method: "GET", path: `${CASE}/versions`, run: listVersions },
  { method: "GET", path: `${CASE}/versions/{versionId}`, run: getVersion },
  { method: "GET", path: `${CASE}/versions/{versionId}/test-steps`, run: versionSteps },
];
