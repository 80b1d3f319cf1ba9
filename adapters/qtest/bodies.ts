/** Request bodies of creates and updates, key by key as the vendor's spec names them. @module */
import { Buffer } from "node:buffer";
import type {
  Draft,
  DraftField,
  InlineFile,
  StepDraft,
  StepLogDraft,
  TestCaseDraft,
  TestLogDraft,
} from "../../core/ports/mod.ts";
import { type Place, toNumber } from "./api.ts";
import { toWireInstant } from "./instants.ts";
import { containerQuery, KINDS, LOGS_ROUTE } from "./kinds.ts";
import { encodeValue } from "./values.ts";

type Json = Record<string, unknown>;

/** Where a create goes: the parent stands in the query wherever the vendor takes it there. */
export function createPlace(draft: Draft): Place {
  switch (draft.kind) {
    case "module":
      return { to: KINDS.module.list, query: { parentId: draft.parentId ?? undefined } };
    case "release":
    case "testCase":
      return { to: KINDS[draft.kind].list };
    case "testCycle":
    case "testSuite":
    case "testRun":
      return { to: KINDS[draft.kind].list, query: containerQuery(draft.parent) };
    case "testLog":
      return { to: LOGS_ROUTE, params: { testRunId: draft.runId } };
  }
}

/** Body of a create. */
export function createBody(draft: Draft): Json {
  switch (draft.kind) {
    case "module":
      return {
        name: draft.name,
        description: draft.descriptionHtml,
        ...optionalId("parent_id", draft.parentId),
      };
    case "testCase":
      return { ...caseBody(draft, []), ...files(draft.attachments) };
    case "testLog":
      return {
        ...logBody(draft, true),
        ...optionalId("test_case_version_id", draft.testCaseVersionId),
        ...files(draft.attachments),
      };
    default:
      return updateBody(draft, []);
  }
}

/**
 * Body of an update. Names no parent of tree nodes: a PUT that moves ignores everything else. Inline
 * files are left out, they would be attached a second time.
 * @param stepIds ids of the case's present steps in order
 */
export function updateBody(draft: Draft, stepIds: string[]): Json {
  switch (draft.kind) {
    case "module":
    case "testCycle":
      return { name: draft.name, description: draft.descriptionHtml };
    case "release":
      return {
        name: draft.name,
        description: draft.descriptionHtml,
        properties: properties(draft.fields),
      };
    case "testCase":
      return caseBody(draft, stepIds);
    case "testSuite":
      return {
        name: draft.name,
        properties: properties(draft.fields),
        ...optionalId("target_release_id", draft.targetReleaseId),
      };
    case "testRun":
      return {
        name: draft.name,
        properties: properties(draft.fields),
        test_case: { id: toNumber(draft.testCaseId) },
        ...optionalId("test_case_version_id", draft.testCaseVersionId),
      };
    case "testLog":
      return logBody(draft, false);
  }
}

function caseBody(draft: TestCaseDraft, stepIds: string[]): Json {
  return {
    name: draft.name,
    // Without it the case lands in a module called "Created via API".
    parent_id: toNumber(draft.parentId),
    ...(draft.order === null ? {} : { order: draft.order }),
    description: draft.descriptionHtml,
    precondition: draft.preconditionHtml,
    properties: properties(draft.fields),
    test_steps: draft.steps.map((step, index) => stepBody(step, index, stepIds[index])),
  };
}

function stepBody(step: StepDraft, index: number, id: string | undefined): Json {
  return {
    ...optionalId("id", id ?? null),
    description: step.descriptionHtml,
    expected: step.expectedHtml,
    order: index + 1,
    ...optionalId("called_test_case_id", step.calledTestCaseId),
  };
}

function logBody(draft: TestLogDraft, isNew: boolean): Json {
  return {
    // The id alone: a bare name, or further keys of the status, make the target refuse the log.
    status: { id: toNumber(draft.statusId) },
    exe_start_date: toWireInstant(draft.start),
    exe_end_date: toWireInstant(draft.end),
    note: draft.noteHtml,
    ...(draft.steps.length === 0
      ? {}
      : { test_step_logs: draft.steps.map((step) => stepLogBody(step, draft.end, isNew)) }),
  };
}

function stepLogBody(step: StepLogDraft, end: string, isNew: boolean): Json {
  return {
    ...optionalId("test_step_id", step.testStepId),
    order: step.order,
    status: { id: toNumber(step.statusId) },
    // A stored log's texts of the case cannot be modified.
    ...(isNew ? { description: step.descriptionHtml, expected_result: step.expectedHtml } : {}),
    actual_result: step.actualHtml,
    exe_date: toWireInstant(end),
    ...optionalId("called_test_case_id", step.calledTestCaseId),
    ...optionalId("parent_test_step_id", step.parentTestStepId),
  };
}

/** Property resources; a value that the field cannot express is not sent. */
export function properties(fields: DraftField[]): Json[] {
  return fields.flatMap(({ field, value }) => {
    const encoded = encodeValue(field, value);
    return encoded === null ? [] : [{ field_id: toNumber(field.id), field_value: encoded }];
  });
}

/** Inline files of a body; no key where there are none. */
export function files(attachments: InlineFile[]): Json {
  if (attachments.length === 0) return {};
  return {
    attachments: attachments.map(({ name, contentType, bytes }) => ({
      name,
      content_type: contentType,
      data: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
    })),
  };
}

/** An id as the number the target expects; no key for none. */
export function optionalId(key: string, id: string | null): Json {
  return id === null ? {} : { [key]: toNumber(id) };
}
