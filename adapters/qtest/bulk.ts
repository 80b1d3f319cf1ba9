/** Automation logs, many in one request: a job of the vendor's queue carries them out. @module */
import { InDoubtError } from "../../core/errors.ts";
import type { BulkJob, BulkLogDraft, LogBatch, WriteOptions } from "../../core/ports/mod.ts";
import type { QtestApi } from "./api.ts";
import { files, optionalId, properties } from "./bodies.ts";
import { toWireInstant } from "./instants.ts";
import { parseOne, wireJob } from "./wire.ts";

type Json = Record<string, unknown>;

/** The id of the run in the path has to be 0. */
const SUBMIT_ROUTE = "/api/v3.1/projects/{projectId}/test-runs/{testRunId}/auto-test-logs";
/** As in the vendor's spec: without a project. */
const JOB_ROUTE = "/api/v3/projects/queue-processing/{id}";
const MAX_MESSAGE = 2_000;

/**
 * Submits a batch. Leaves at most once; throws {@linkcode InDoubtError} also when the answer names
 * no job.
 */
export async function submitLogs(
  api: QtestApi,
  batch: LogBatch,
  options: WriteOptions,
): Promise<{ jobId: string }> {
  const project = encodeURIComponent(api.projectId);
  const answer = await api.http.request({
    method: "POST",
    path: `/api/v3.1/projects/${project}/test-runs/0/auto-test-logs`,
    route: SUBMIT_ROUTE,
    // The vendor's spec names two defaults for the second: texts are wanted as they are.
    query: { type: "automation", escapeXml: "false" },
    json: submitBody(batch),
    effect: "create",
    signal: options.signal,
    intent: options.intent,
  });
  const job = parseOne(wireJob, answer.json);
  if (job !== null) return { jobId: job.id };
  throw new InDoubtError(
    `Cannot submit ${batch.logs.length} logs to suite "${batch.suiteId}": the answer names no job`,
  );
}

/** Body of a batch, key by key as the vendor's spec names them. */
export function submitBody({ suiteId, logs }: LogBatch): Json {
  const latest = logs.reduce((end, log) => log.end > end ? log.end : end, "");
  return {
    // A string even for an id: the key also takes labels.
    test_suite: suiteId,
    execution_date: toWireInstant(latest).slice(0, 10),
    test_logs: logs.map(logBody),
  };
}

function logBody(log: BulkLogDraft): Json {
  const runFields = properties(log.runFields);
  return {
    name: log.runName,
    automation_content: log.automationContent,
    status: log.result,
    exe_start_date: toWireInstant(log.start),
    exe_end_date: toWireInstant(log.end),
    ...optionalId("test_case_version_id", log.testCaseVersionId),
    note: log.noteHtml,
    ...(runFields.length === 0 ? {} : { properties: runFields }),
    ...(log.steps.length === 0 ? {} : {
      test_step_logs: log.steps.map((step, index) => ({
        description: step.descriptionHtml,
        expected_result: step.expectedHtml,
        actual_result: step.actualHtml,
        status: step.result,
        // From 0 and without gaps, unlike the steps of cases; without it they are sorted by text.
        order: index,
        exe_date: toWireInstant(log.end),
      })),
    }),
    ...files(log.attachments),
  };
}

/** See `Target.bulkJob`. */
export async function readJob(
  api: QtestApi,
  jobId: string,
  signal: AbortSignal,
): Promise<BulkJob | null> {
  const answer = await api.http.request({
    method: "GET",
    path: `/api/v3/projects/queue-processing/${encodeURIComponent(jobId)}`,
    route: JOB_ROUTE,
    effect: "read",
    accept: [404],
    signal,
  });
  if (answer.status === 404) return null;
  const wire = parseOne(wireJob, { id: jobId, ...toObject(answer.json) });
  const word = (wire?.state ?? "").trim().toUpperCase();
  return {
    id: jobId,
    state: word === "SUCCESS" ? "succeeded" : word === "FAILED" ? "failed" : "running",
    word,
    message: word === "FAILED" ? messageOf(wire?.content) : null,
  };
}

/** `content` is a text that mostly holds JSON. */
function messageOf(content: unknown): string | null {
  const text = typeof content === "string" ? content : JSON.stringify(content ?? "");
  const parsed = toObject(tryParse(text));
  const words = [parsed.message, parsed.error, parsed.errorMessage].find((value) =>
    typeof value === "string" && value !== ""
  );
  return String(words ?? text).slice(0, MAX_MESSAGE) || null;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function toObject(json: unknown): Json {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? json as Json : {};
}
