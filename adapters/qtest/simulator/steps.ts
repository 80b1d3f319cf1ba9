/**
 * Test steps: checking, storing, and their routes.
 * @module
 */
import {
  type Answer,
  type Call,
  entityOf,
  isRecord,
  type Json,
  objectBody,
  ok,
  optionalId,
  optionalList,
  optionalText,
  pathId,
  queryFlag,
  refuse,
  type Route,
} from "./call.ts";
import { storeInline } from "./files.ts";
import type { QtestState } from "./state.ts";
import { rewriteParameters, storeHtml } from "./text.ts";
import type { Step, StepField, TestCaseEntity, Version } from "./types.ts";
import { currentVersion, stepView } from "./views.ts";

export function caseOf(call: Call): TestCaseEntity {
  return entityOf(call, "test-cases", "testCaseId", "Test case");
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

export interface StepDraft {
  step: Step;
  attachments: unknown[];
}

/** Checks one step of a body; the text is stored as given until {@linkcode commitSteps}. */
export function readStep(
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
export function commitSteps(call: Call, caseId: number, drafts: StepDraft[]): Step[] {
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

export function checkInline(call: Call, items: unknown[]): void {
  storeInline(call, null, 0, items);
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

function stepOf(call: Call): { entity: TestCaseEntity; version: Version; step: Step } {
  const entity = caseOf(call);
  const version = currentVersion(entity);
  const id = pathId(call, "stepId");
  const step = version.steps.find((item) => item.id === id);
  if (step === undefined) refuse(404, "Test step does not exist");
  return { entity, version, step };
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

const CASE = "/api/v3/projects/{projectId}/test-cases/{testCaseId}";

export const STEP_ROUTES: Route[] = [
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
