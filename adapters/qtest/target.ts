/** The target port on the vendor's REST API. @module */
import type {
  Created,
  Draft,
  FileUpload,
  RemoveOptions,
  Target,
  TargetKind,
  Traffic,
  WriteOptions,
} from "../../core/ports/mod.ts";
import type { HttpClient } from "../http/types.ts";
import { QtestApi } from "./api.ts";
import { createBody, createPlace, updateBody } from "./bodies.ts";
import { readJob, submitLogs } from "./bulk.ts";
import { toCreated } from "./decode.ts";
import { addOptions, createField, FieldBook } from "./fields.ts";
import { listFiles, openFile, removeFile, uploadFile } from "./files.ts";
import { FIELD_FOLDERS, FILE_FOLDERS, placeOf, placeOfLog } from "./kinds.ts";
import { findRequirement, linkedTestCases, linkRequirement, unlinkRequirement } from "./links.ts";
import { readProfile } from "./profile.ts";
import { readChildren, type Reading, readOne, sweepKind } from "./reading.ts";
import { parseOne, wireArtefact } from "./wire.ts";

export interface QtestTargetOptions {
  /** Client made from `createQtestHttp`; it owns slots, retries and credentials. */
  http: HttpClient;
  projectId: string;
  /** Whether cases will be approved, which takes a permission of its own. @default {false} */
  approve?: boolean;
}

/** Logs remembered with their run, for reading one by its id alone. */
const REMEMBERED_LOGS = 10_000;

/** Creates the target of one project. */
export function createQtestTarget(options: QtestTargetOptions): Target & Traffic {
  const { http } = options;
  const api = new QtestApi(http, options.projectId);
  const book = new FieldBook(api);
  const logs = new LogMemory();
  const reading: Reading = {
    api,
    book,
    sawLog: (logId, runId) => logs.add(logId, runId),
    runOfLog: (logId) => logs.get(logId),
  };
  return {
    profile: (signal) => readProfile(api, book, { approve: options.approve ?? false, signal }),
    createField: (draft, write) => createField(api, book, draft, write),
    addOptions: (field, labels, write) => addOptions(api, book, field, labels, write),
    create: async (draft, write) => {
      const created = await create(api, draft, write);
      if (draft.kind === "testLog") logs.add(created.id, draft.runId);
      return created;
    },
    update: (id, draft, write) => update(api, id, draft, write),
    approve: (testCaseId, write) => approve(api, testCaseId, write),
    submitLogs: (batch, write) => submitLogs(api, batch, write),
    bulkJob: (jobId, signal) => readJob(api, jobId, signal),
    upload: (file, write) => uploadFile(api, file, write),
    linkRequirement: (id, testCaseIds, write) => linkRequirement(api, id, testCaseIds, write),
    remove: (kind, id, write) => remove(api, book, kind, id, write),
    children: (kind, parent, signal) => readChildren(reading, kind, parent, signal),
    sweep: (kind, signal) => sweepKind(reading, kind, signal),
    read: (kind, id, signal) => readOne(reading, kind, id, signal),
    files: (kind, ids, signal) => listFiles(api, kind, ids, signal),
    file: (object, fileId, signal) => openFile(api, object, fileId, signal),
    findRequirement: (jiraKey, signal) => findRequirement(api, jiraKey, signal),
    linkedTestCases: (ids, signal) => linkedTestCases(api, ids, signal),
    stats: () => http.stats(),
    setRequestsPerMinute: (value) => http.setRequestsPerMinute(value),
  };
}

async function create(api: QtestApi, draft: Draft, write: WriteOptions): Promise<Created> {
  const place = createPlace(draft);
  const answer = await api.write({ ...place, method: "POST", json: createBody(draft) }, write);
  return toCreated(draft, answer.json);
}

/** A PUT answers the artefact; where it answers nothing the id we addressed stands for it. */
async function update(
  api: QtestApi,
  id: string,
  draft: Draft,
  write: WriteOptions,
): Promise<Created> {
  const stepIds = draft.kind === "testCase" ? await presentSteps(api, id, write.signal) : [];
  const place = draft.kind === "testLog" ? placeOfLog(draft.runId, id) : placeOf(draft.kind, id);
  const answer = await api.write({
    ...place,
    method: "PUT",
    json: updateBody(draft, stepIds),
    textAnswer: true,
  }, write);
  const answered = toCreated(draft, { id, ...toObject(answer.json) });
  return draft.kind === "testCase" && stepIds.length > draft.steps.length
    ? await dropSteps(api, answered, stepIds.slice(draft.steps.length), write)
    : answered;
}

/** Ids of a case's steps in order: with them a PUT replaces steps instead of adding some. */
async function presentSteps(api: QtestApi, id: string, signal: AbortSignal): Promise<string[]> {
  const query = { expand: "teststep" };
  const answer = await api.read({ ...placeOf("testCase", id), query, signal });
  const steps = parseOne(wireArtefact, answer.json)?.test_steps ?? [];
  return steps.filter((step) => (step.parent_test_step_id ?? "0") === "0")
    .toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map((step) => step.id);
}

/** Whether a PUT drops the steps it does not name is not documented; those still there are deleted. */
async function dropSteps(
  api: QtestApi,
  updated: Created,
  surplus: string[],
  write: WriteOptions,
): Promise<Created> {
  const present = await presentSteps(api, updated.id, write.signal);
  const left = present.filter((id) => surplus.includes(id));
  for (const stepId of left) {
    await api.write({
      method: "DELETE",
      to: "/test-cases/{testCaseId}/test-steps/{stepId}",
      params: { testCaseId: updated.id, stepId },
      accept: [404],
      textAnswer: true,
    }, write);
  }
  const stepIds = present.filter((id) => !left.includes(id));
  // Each deletion makes a new version whose id this answer cannot know.
  return { ...updated, stepIds, versionId: left.length === 0 ? updated.versionId : null };
}

async function approve(
  api: QtestApi,
  testCaseId: string,
  write: WriteOptions,
): Promise<{ versionId: string | null }> {
  const answer = await api.write({
    method: "PUT",
    to: "/test-cases/{testCaseId}/approve",
    params: { testCaseId },
    textAnswer: true,
  }, write);
  const versionId = versionOf(answer.json);
  if (versionId !== null) return { versionId };
  // Approving again would make yet another version, so an answer without one is completed by a read.
  const place = placeOf("testCase", testCaseId);
  return { versionId: versionOf((await api.read({ ...place, signal: write.signal })).json) };
}

function versionOf(json: unknown): string | null {
  return parseOne(wireArtefact, { id: "0", ...toObject(json) })?.test_case_version_id ?? null;
}

/** See `Target.remove`. False also for ids that do not tell where they hang. */
async function remove(
  api: QtestApi,
  book: FieldBook,
  kind: TargetKind,
  id: string,
  write: RemoveOptions,
): Promise<boolean> {
  switch (kind) {
    case "planFolder":
      return true;
    case "testLog":
      return false;
    case "field":
      return await removeField(api, book, id, write);
    case "attachment":
      return await removeAttachment(api, id, write);
    case "requirementLink": {
      const [requirementId = "", testCaseId] = id.split("/");
      if (testCaseId === undefined) return false;
      return await unlinkRequirement(api, requirementId, testCaseId.split(","), write);
    }
    default:
      await api.write({
        ...placeOf(kind, id),
        ...(write.force && (kind === "module" || kind === "testCycle") ? FORCED : {}),
        method: "DELETE",
        accept: [404],
        textAnswer: true,
      }, write);
      return true;
  }
}

const FORCED = { query: { force: true }, maxAttempts: 1 };

/** Deletes a field, or with `fieldId/value` one of its options. */
async function removeField(
  api: QtestApi,
  book: FieldBook,
  id: string,
  write: WriteOptions,
): Promise<boolean> {
  const [fieldId = "", value] = id.split("/");
  const object = await book.ownerOf(fieldId, write.signal);
  if (object === null) return true;
  const field = { objectType: FIELD_FOLDERS[object], fieldId };
  await api.write({
    method: "DELETE",
    to: `/settings/{objectType}/fields/{fieldId}${
      value === undefined ? "" : "/allowed-values/{value}"
    }`,
    params: value === undefined ? field : { ...field, value },
    accept: [404],
    textAnswer: true,
  }, write);
  book.forget(object);
  return true;
}

async function removeAttachment(
  api: QtestApi,
  id: string,
  write: WriteOptions,
): Promise<boolean> {
  const [kind = "", objectId, fileId] = id.split("/");
  if (objectId === undefined || fileId === undefined || !isSlotKind(kind)) return false;
  return await removeFile(api, { kind, id: objectId }, fileId, write);
}

function isSlotKind(kind: string): kind is FileUpload["object"]["kind"] {
  return Object.hasOwn(FILE_FOLDERS, kind);
}

function toObject(json: unknown): Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? json as Record<string, unknown>
    : {};
}

/** The most recent logs and their runs. */
class LogMemory {
  readonly #runs = new Map<string, string>();

  add(logId: string, runId: string): void {
    this.#runs.set(logId, runId);
    if (this.#runs.size <= REMEMBERED_LOGS) return;
    const oldest = this.#runs.keys().next().value;
    if (oldest !== undefined) this.#runs.delete(oldest);
  }

  get(logId: string): string | undefined {
    return this.#runs.get(logId);
  }
}
