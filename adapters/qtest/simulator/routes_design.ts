/**
 * Modules, test cases, versions and steps.
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
  pageOf,
  pathId,
  queryFlag,
  queryInt,
  refuse,
  requiredName,
  type Route,
} from "./call.ts";
import { applyProperties } from "./fields.ts";
import { readInstant } from "./dates.ts";
import { storeInline } from "./files.ts";
import type { QtestState } from "./state.ts";
import { removeModule, removeTestCase } from "./removal.ts";
import { normaliseHtml, rewriteParameters } from "./text.ts";
import type { ModuleEntity, Step, StepField, TestCaseEntity, User, Version } from "./types.ts";
import { currentVersion, moduleView, stepView, testCaseView } from "./views.ts";

/** Rich text as this tenant stores it. */
export function storeHtml(state: QtestState, text: string | undefined): string {
  if (text === undefined) return "";
  return state.switches.normaliseHtml ? normaliseHtml(text) : text;
}

function moduleOf(call: Call): ModuleEntity {
  const entity = call.state.get("modules", pathId(call, "moduleId"));
  if (entity === undefined) refuse(404, "Module does not exist");
  return entity;
}

/** Makes a module, or refuses a name its siblings have. */
export function makeModule(
  state: QtestState,
  user: User,
  draft: { name: string; parentId: number; description?: string; shared?: boolean },
): ModuleEntity {
  const siblings = state.switches.uniqueSiblings
    ? state.children("modules", "module", draft.parentId)
    : [];
  if (siblings.some((item) => item.name === draft.name)) {
    refuse(400, `Module "${draft.name}" already exists here`);
  }
  const entity: ModuleEntity = {
    ...state.base("modules", user.id, draft.name),
    kind: "modules",
    parentId: draft.parentId,
    description: storeHtml(state, draft.description),
    shared: draft.shared ?? false,
  };
  state.add(entity);
  return entity;
}

function createModule(call: Call): Answer {
  const body = objectBody(call);
  const parentId = queryInt(call, "parentId") ?? optionalId(body, "parent_id") ?? 0;
  if (parentId !== 0 && call.state.get("modules", parentId) === undefined) {
    refuse(404, "Parent module does not exist");
  }
  const entity = makeModule(call.state, call.user, {
    name: requiredName(body),
    parentId,
    description: optionalText(body, "description"),
    shared: body.shared === true,
  });
  return created(moduleView(call.state, entity));
}

function listModules(call: Call): Answer {
  const parentId = queryInt(call, "parentId") ?? 0;
  if (parentId !== 0 && call.state.get("modules", parentId) === undefined) {
    refuse(404, "Parent module does not exist");
  }
  const search = (call.query.get("search") ?? "").toLowerCase();
  const descendants = call.query.get("expand") === "descendants";
  const list = call.state.children("modules", "module", parentId)
    .filter((item) => item.name.toLowerCase().includes(search));
  return ok(list.map((item) => moduleView(call.state, item, { descendants })));
}

function updateModule(call: Call): Answer {
  const entity = moduleOf(call);
  const parentId = queryInt(call, "parentId");
  if (parentId !== undefined) {
    moveModule(call.state, entity, parentId);
    return ok(moduleView(call.state, entity));
  }
  const body = objectBody(call);
  entity.name = optionalName(body) ?? entity.name;
  const description = optionalText(body, "description");
  if (description !== undefined) entity.description = storeHtml(call.state, description);
  call.state.touch(entity);
  return ok(moduleView(call.state, entity));
}

function moveModule(state: QtestState, entity: ModuleEntity, parentId: number): void {
  for (let id = parentId; id !== 0;) {
    if (id === entity.id) refuse(400, "A module can not be moved into itself");
    const parent = state.get("modules", id);
    if (parent === undefined) refuse(404, "Parent module does not exist");
    id = parent.parentId;
  }
  state.move(entity, () => {
    entity.parentId = parentId;
  });
}

function caseOf(call: Call): TestCaseEntity {
  const entity = call.state.get("test-cases", pathId(call, "testCaseId"));
  if (entity === undefined) refuse(404, "Test case does not exist");
  return entity;
}

/** Stores a step text: `[~x]` becomes a parameter of the project. */
function stepHtml(state: QtestState, text: string): string {
  const known = new Set([...state.parameters.values()].map(String));
  const withIds = rewriteParameters(
    text,
    (name) => known.has(name) ? name : String(state.parameterId(name)),
  );
  return storeHtml(state, withIds);
}

function readStepFields(item: Json): StepField[] {
  return (optionalList(item, "customFieldInfo") ?? []).filter(isRecord).map((field) => ({
    id: Number(field.id),
    name: String(field.name ?? ""),
    type: String(field.type ?? ""),
    value: String(field.value ?? ""),
  }));
}

interface StepDraft {
  step: Step;
  attachments: unknown[];
}

/** Checks one step of a body; the text is stored as given until {@linkcode commitSteps}. */
function readStep(
  state: QtestState,
  item: unknown,
  index: number,
  own: { caseId: number | null; keepIds: ReadonlySet<number> },
): StepDraft {
  if (!isRecord(item)) refuse(400, "Could not read JSON: test_steps holds something else");
  const called = isRecord(item.called_test_case)
    ? optionalId(item.called_test_case, "id")
    : undefined;
  const calledTestCaseId = optionalId(item, "called_test_case_id") ?? called ?? null;
  if (calledTestCaseId !== null && calledTestCaseId !== 0) {
    const isKnown = state.get("test-cases", calledTestCaseId) !== undefined;
    if (!isKnown || calledTestCaseId === own.caseId) refuse(400, "Called test case is invalid");
  }
  const isCall = calledTestCaseId !== null && calledTestCaseId !== 0;
  const description = optionalText(item, "description");
  const expected = optionalText(item, "expected");
  if (!isCall) {
    const needsText = state.switches.emptyExpected === "refuse";
    if (description === undefined || (needsText && description.trim() === "")) {
      refuse(400, "description of a test step is required");
    }
    if (expected === undefined || (needsText && expected.trim() === "")) {
      refuse(400, "expected of a test step is required");
    }
  }
  const order = optionalId(item, "order") ?? index + 1;
  if (order < 1) refuse(400, "order of a test step has to be 1 or more");
  const id = optionalId(item, "id");
  return {
    step: {
      id: id !== undefined && own.keepIds.has(id) ? id : 0,
      order,
      description: description ?? "",
      expected: expected ?? "",
      calledTestCaseId: isCall ? calledTestCaseId : null,
      customFields: readStepFields(item),
    },
    attachments: optionalList(item, "attachments") ?? [],
  };
}

/** Gives checked steps their ids, rewrites parameters and stores inline attachments. */
function commitSteps(call: Call, caseId: number, drafts: StepDraft[]): Step[] {
  const { state } = call;
  const sorted = [...drafts].sort((a, b) => a.step.order - b.step.order);
  return sorted.map(({ step, attachments }, index) => {
    const stored: Step = {
      ...step,
      id: step.id === 0 ? state.nextId() : step.id,
      order: index + 1,
      description: stepHtml(state, step.description),
      expected: stepHtml(state, step.expected),
    };
    state.caseOfStep.set(stored.id, caseId);
    if (state.switches.inlineStepAttachments === "accept") {
      storeInline(call, "test-steps", stored.id, attachments);
    }
    return stored;
  });
}

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

function checkInline(call: Call, items: unknown[]): void {
  storeInline(call, null, 0, items);
}

function answerCase(call: Call, entity: TestCaseEntity): Json {
  const { stepIdsInAnswer, attachmentsInAnswer } = call.state.switches;
  return testCaseView(call.state, entity, {
    steps: stepIdsInAnswer,
    attachments: attachmentsInAnswer,
    identifiers: queryFlag(call, "showParamIdentifier"),
  });
}

/** Appends the next minor version with some members changed. */
export function changeVersion(
  state: QtestState,
  entity: TestCaseEntity,
  change: Partial<Pick<Version, "name" | "description" | "precondition" | "steps">>,
): Version {
  const last = currentVersion(entity);
  const next: Version = {
    ...last,
    ...change,
    id: state.nextId(),
    minor: last.minor + 1,
    approved: false,
  };
  entity.versions.push(next);
  entity.name = next.name;
  state.touch(entity);
  return next;
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

function listSteps(call: Call): Answer {
  const entity = caseOf(call);
  const identifiers = queryFlag(call, "showParamIdentifier");
  return ok(
    currentVersion(entity).steps.map((step) =>
      stepView(call.state, entity.id, step, { identifiers })
    ),
  );
}

function stepOf(call: Call): { entity: TestCaseEntity; version: Version; step: Step } {
  const entity = caseOf(call);
  const version = currentVersion(entity);
  const id = pathId(call, "stepId");
  const step = version.steps.find((item) => item.id === id);
  if (step === undefined) refuse(404, "Test step does not exist");
  return { entity, version, step };
}

function createStep(call: Call): Answer {
  const entity = caseOf(call);
  const { steps } = currentVersion(entity);
  const own = { caseId: entity.id, keepIds: new Set<number>() };
  const draft = readStep(call.state, objectBody(call), steps.length, own);
  checkInline(call, draft.attachments);
  const [stored] = commitSteps(call, entity.id, [draft]);
  if (stored === undefined) refuse(500, "Unexpected error occurred");
  const at = Math.min(draft.step.order - 1, steps.length);
  const next = [...steps.slice(0, at), stored, ...steps.slice(at)]
    .map((step, index) => ({ ...step, order: index + 1 }));
  changeVersion(call.state, entity, { steps: next });
  return ok(stepView(call.state, entity.id, { ...stored, order: at + 1 }));
}

function updateStep(call: Call): Answer {
  const { entity, version, step } = stepOf(call);
  const body = { description: step.description, expected: step.expected, ...objectBody(call) };
  const own = { caseId: entity.id, keepIds: new Set([step.id]) };
  const draft = readStep(call.state, { ...body, id: step.id }, step.order - 1, own);
  const [stored] = commitSteps(call, entity.id, [draft]);
  if (stored === undefined) refuse(500, "Unexpected error occurred");
  const changed: Step = { ...stored, order: step.order };
  changeVersion(call.state, entity, {
    steps: version.steps.map((item) => item.id === step.id ? changed : item),
  });
  return ok(stepView(call.state, entity.id, changed));
}

function deleteStep(call: Call): Answer {
  const { entity, version, step } = stepOf(call);
  const steps = version.steps.filter((item) => item !== step)
    .map((item, index) => ({ ...item, order: index + 1 }));
  if (queryFlag(call, "updateVersion", true)) changeVersion(call.state, entity, { steps });
  else version.steps = steps;
  return { status: 200 };
}

const PROJECT = "/api/v3/projects/{projectId}";
const MODULES = `${PROJECT}/modules`;
const CASES = `${PROJECT}/test-cases`;
const CASE = `${CASES}/{testCaseId}`;

export const DESIGN_ROUTES: Route[] = [
  { method: "GET", path: MODULES, run: listModules },
  { method: "POST", path: MODULES, run: createModule },
  {
    method: "GET",
    path: `${MODULES}/{moduleId}`,
    run: (call) =>
      ok(moduleView(call.state, moduleOf(call), {
        descendants: call.query.get("expand") === "descendants",
      })),
  },
  { method: "PUT", path: `${MODULES}/{moduleId}`, run: updateModule },
  {
    method: "DELETE",
    path: `${MODULES}/{moduleId}`,
    run: (call) => {
      removeModule(call.state, moduleOf(call), queryFlag(call, "force"));
      return ok({ message: "Module was deleted" });
    },
  },
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
  { method: "GET", path: `${CASE}/test-steps`, run: listSteps },
  { method: "POST", path: `${CASE}/test-steps`, run: createStep },
  {
    method: "GET",
    path: `${CASE}/test-steps/{stepId}`,
    run: (call) => {
      const { entity, step } = stepOf(call);
      return ok(stepView(call.state, entity.id, step));
    },
  },
  { method: "PUT", path: `${CASE}/test-steps/{stepId}`, run: updateStep },
  { method: "DELETE", path: `${CASE}/test-steps/{stepId}`, run: deleteStep },
];
