/** Answers of the target, decoded to the shapes of the drafts. @module */
import { InDoubtError } from "../../core/errors.ts";
import type {
  Container,
  Created,
  Draft,
  DraftKind,
  Found,
  FoundStep,
  TargetField,
} from "../../core/ports/mod.ts";
import { decodeFileName } from "./file_name.ts";
import { toUtcSeconds } from "./instants.ts";
import { toContainerType } from "./kinds.ts";
import { decodeValue } from "./values.ts";
import {
  parseOne,
  type WireArtefact,
  wireArtefact,
  type WireAttachment,
  type WireLog,
  wireLog,
  type WireProperty,
  type WireStep,
} from "./wire.ts";

/** What the caller knows of the parent, which most bodies leave out. */
export interface KnownParent {
  id: string | null;
  type: Found["parentType"];
}

/** Reads the answer of a create or an update. Throws {@linkcode InDoubtError} when it holds no id. */
export function toCreated(draft: Draft, json: unknown): Created {
  return draft.kind === "testLog" ? createdLog(draft, json) : createdArtefact(draft, json);
}

function createdArtefact(draft: Exclude<Draft, { kind: "testLog" }>, json: unknown): Created {
  const wire = parseOne(wireArtefact, json);
  if (wire === null) throw withoutId(draft.kind, draft.name);
  return {
    id: wire.id,
    pid: wire.pid ?? null,
    webUrl: wire.web_url ?? null,
    versionId: wire.test_case_version_id ?? null,
    stepIds: draft.kind === "testCase" ? createdStepIds(draft.steps.length, wire) : null,
    attachments: toFiles(wire.attachments),
  };
}

function createdStepIds(count: number, wire: WireArtefact): string[] | null {
  const ids = ownSteps(wire.test_steps ?? []).map((step) => step.id);
  return ids.length === count ? ids : null;
}

function createdLog(draft: Extract<Draft, { kind: "testLog" }>, json: unknown): Created {
  const wire = parseOne(wireLog, json);
  if (wire === null) throw withoutId("testLog", `of run ${draft.runId}`);
  const ids = inOrder(wire.test_step_logs ?? []).map((step) => step.test_step_log_id ?? step.id);
  const complete = ids.flatMap((id) => id == null ? [] : [id]);
  return {
    id: wire.id,
    pid: null,
    webUrl: wire.web_url ?? null,
    versionId: wire.test_case_version_id ?? null,
    stepIds: complete.length === draft.steps.length ? complete : null,
    attachments: toFiles(wire.attachments),
  };
}

function withoutId(kind: DraftKind, name: string): InDoubtError {
  return new InDoubtError(`Cannot create ${kind} "${name}": the answer holds no id`);
}

function toFiles(files: WireAttachment[] | null | undefined): Created["attachments"] {
  return files?.map(({ id, name }) => ({ id, name: decodeFileName(name ?? "") })) ?? null;
}

/** Decodes an artefact other than a log. */
export function toFound(
  kind: Exclude<DraftKind, "testLog">,
  wire: WireArtefact,
  fields: TargetField[],
  parent: KnownParent | null,
): Found {
  const { id: parentId, type: parentType } = parent ?? toldParent(kind, wire);
  return {
    kind,
    id: wire.id,
    pid: wire.pid ?? null,
    webUrl: wire.web_url ?? null,
    parentId,
    parentType,
    name: wire.name ?? "",
    descriptionHtml: wire.description ?? null,
    preconditionHtml: wire.precondition ?? null,
    order: wire.order ?? null,
    fields: toFields(wire.properties ?? [], fields),
    steps: kind === "testCase" && wire.test_steps ? toSteps(wire.test_steps) : null,
    versionId: wire.test_case_version_id ?? null,
    ...(kind === "testCase" && wire.version ? { isApproved: APPROVED.test(wire.version) } : {}),
    testCaseId: kind === "testRun"
      ? wire.testCaseId ?? wire.test_case_id ?? wire.test_case?.id ?? null
      : null,
    targetReleaseId: realId(wire.target_release_id),
    log: null,
  };
}

/** Drafts count 0.1, 0.2 …; approving makes the next whole number. */
const APPROVED = /^[1-9]\d*(?:\.0)?$/;

/** The parent as the body tells it; id 0 is the root. */
function toldParent(kind: DraftKind, wire: WireArtefact): KnownParent {
  if (kind === "release") return { id: null, type: "root" };
  if (kind === "module" || kind === "testCase") {
    const id = realId(wire.parent_id ?? wire.parentId);
    return { id, type: id === null ? null : "module" };
  }
  const id = realId(wire.parentId ?? wire.parent_id);
  return { id, type: toContainerType(wire.parentType ?? wire.parent_type) };
}

/** The parent that was asked for, for bodies that do not repeat it. */
export function knownContainer(parent: Container): KnownParent {
  return { id: parent.id, type: parent.type };
}

function toFields(properties: WireProperty[], fields: TargetField[]): Found["fields"] {
  return properties.map((property) => {
    const field = fields.find((each) => each.id === property.field_id);
    return {
      fieldId: property.field_id,
      label: field?.label ?? property.field_name ?? "",
      value: decodeValueOf(field, property),
    };
  });
}

function decodeValueOf(
  field: TargetField | undefined,
  property: WireProperty,
): Found["fields"][number]["value"] {
  return decodeValue(field, property.field_value, property.field_value_name ?? null);
}

function toSteps(steps: WireStep[]): FoundStep[] {
  return ownSteps(steps).map((step, index) => ({
    id: step.id,
    order: step.order ?? index + 1,
    descriptionHtml: step.description ?? "",
    expectedHtml: step.expected ?? "",
    calledTestCaseId: realId(step.called_test_case_id ?? step.called_test_case?.id),
  }));
}

/** Steps of a called case may be listed among the case's own; those name their parent step. */
function ownSteps(steps: WireStep[]): WireStep[] {
  return inOrder(steps.filter((step) => realId(step.parent_test_step_id) === null));
}

function inOrder<T extends { order?: number | null }>(steps: T[]): T[] {
  return steps.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
}

/** Decodes a test log; the run is taken from the caller, else from wherever the body names it. */
export function toFoundLog(wire: WireLog, runId: string | null): Found {
  const parentId = runId ?? toldRun(wire);
  return {
    kind: "testLog",
    id: wire.id,
    pid: wire.pid ?? null,
    webUrl: wire.web_url ?? null,
    parentId,
    parentType: parentId === null ? null : "testRun",
    name: wire.name ?? "",
    descriptionHtml: null,
    preconditionHtml: null,
    order: null,
    fields: [],
    steps: null,
    versionId: wire.test_case_version_id ?? null,
    testCaseId: wire.test_case?.id ?? null,
    targetReleaseId: null,
    log: {
      statusId: wire.status?.id ?? null,
      statusName: wire.status?.name ?? null,
      start: toUtcSeconds(wire.exe_start_date),
      end: toUtcSeconds(wire.exe_end_date),
      noteHtml: wire.note ?? "",
      steps: wire.test_step_logs ? toStepLogs(wire.test_step_logs) : null,
    },
  };
}

function toStepLogs(
  steps: NonNullable<WireLog["test_step_logs"]>,
): NonNullable<Found["log"]>["steps"] {
  return inOrder(steps).map((step, index) => ({
    id: step.test_step_log_id ?? step.id ?? null,
    testStepId: step.test_step_id ?? step.test_step?.id ?? null,
    order: step.order ?? index + 1,
    statusId: step.status?.id ?? null,
    statusName: step.status?.name ?? null,
    actualHtml: step.actual_result ?? "",
  }));
}

function toldRun(wire: WireLog): string | null {
  const told = realId(wire.test_run_id ?? wire.testRunId ?? wire.test_run?.id);
  if (told !== null) return told;
  const places = [...(wire.links ?? []).map((link) => link.href), wire.web_url];
  for (const place of places) {
    const match = /\/test-runs\/(\d+)(?:[/?#]|$)/.exec(place ?? "");
    if (match?.[1] !== undefined) return match[1];
  }
  return null;
}

function realId(id: string | null | undefined): string | null {
  return id == null || id === "0" ? null : id;
}
