/** The first requests: address, credentials, project, API generation. @module */
import { AccessError, RetryError } from "../../core/errors.ts";
import type { SourceProfile } from "../../core/ports/source.ts";
import type { HttpAnswer } from "../http/types.ts";
import { REGION_HINT } from "./address.ts";
import type { AttachmentReader } from "./attachments.ts";
import { type GetSpec, part, type ZephyrClient } from "./client.ts";
import type { CursorSupport } from "./lists.ts";
import { asArray, asObject, toId } from "./values.ts";

/** Of each request: some seconds of faults are survived, a wrong address is told soon. */
const ATTEMPTS = 6;

/** What the probe needs and what it leaves behind. */
export interface ProbeContext {
  client: ZephyrClient;
  attachments: AttachmentReader;
  /** Filled with what the generation tells about cursor lists. */
  cursors: CursorSupport;
  projectKey: string;
  signal: AbortSignal;
}

/**
 * Finds out what the source is, with 2 (generation A) to 4 requests (C). Throws
 * {@linkcode AccessError} when it cannot be reached, refuses, or does not show the project.
 */
export async function probeSource(context: ProbeContext): Promise<SourceProfile> {
  try {
    const project = await readProject(context);
    const key = project.key === context.projectKey
      ? project.key
      : await acceptedKey(context, project.key);
    const checked = { ...context, projectKey: key };
    const cases = await cursorList(checked, "/testcases/nextgen");
    const executions = cases !== null && await cursorList(checked, "/testexecutions/nextgen");
    const generation = cases === null ? "A" : executions === null ? "B" : "C";
    rememberCursors(context.cursors, generation);
    const attachments = generation === "C" && await hasAttachments(context, cases);
    return { project: { ...project, key }, generation, attachments };
  } catch (error) {
    if (!(error instanceof RetryError)) throw error;
    throw new AccessError(error.message, {
      cause: error,
      hint: error.hint ?? "Check the base URL and the network, then run again",
    });
  }
}

async function get(
  context: ProbeContext,
  spec: Pick<GetSpec, "path" | "route" | "query" | "accept">,
): Promise<HttpAnswer> {
  return await context.client.get({ ...spec, signal: context.signal, maxAttempts: ATTEMPTS });
}

async function readProject(context: ProbeContext): Promise<SourceProfile["project"]> {
  const wanted = context.projectKey;
  const answer = await get(context, {
    path: `/projects/${part(wanted)}`,
    route: "/projects/{projectIdOrKey}",
    accept: [400, 403, 404],
  });
  if (answer.status >= 400) {
    throw new AccessError(
      `Cannot read project "${wanted}": not found or not visible (${answer.status})`,
      {
        status: answer.status,
        hint: answer.status === 403
          ? `Give the token's user permission to browse the project. ${REGION_HINT}`
          : `${REGION_HINT}. A renamed Jira project keeps its previous key here`,
      },
    );
  }
  const row = asObject(answer.json);
  const id = toId(row?.id);
  if (row === null || id === null) {
    throw new AccessError(
      `Cannot read project "${wanted}": the answer is no Zephyr Scale project`,
      {
        hint: "Check the base URL: it ends in /v2",
      },
    );
  }
  if (row.enabled === false) {
    throw new AccessError(`Cannot read project "${wanted}": Zephyr Scale is disabled for it`, {
      hint: "Enable Zephyr Scale in the settings of the Jira project",
    });
  }
  return { id, key: toId(row.key) ?? wanted, enabled: true };
}

/** Of a renamed project only one of its keys works as a filter, and not the same one everywhere. */
async function acceptedKey(context: ProbeContext, answered: string): Promise<string> {
  if (/^\d+$/.test(context.projectKey)) return answered;
  for (const key of [context.projectKey, answered]) {
    const answer = await get(context, {
      path: "/testcases",
      route: "/testcases",
      query: { projectKey: key, maxResults: 1 },
      accept: [400, 403, 404],
    });
    if (answer.status < 400) return key;
  }
  throw new AccessError(
    `Cannot read project "${context.projectKey}": no list accepts it or "${answered}"`,
    { hint: REGION_HINT },
  );
}

/** Returns the rows of the first page of a cursor list, null when the list does not exist. */
async function cursorList(context: ProbeContext, route: string): Promise<unknown[] | null> {
  const answer = await get(context, {
    path: route,
    route,
    query: { projectKey: context.projectKey, limit: 1 },
    accept: [400, 403, 404],
  });
  const body = asObject(answer.json);
  if (answer.status >= 400 || body === null) return null;
  return "nextStartAtId" in body || "nextStartId" in body ? asArray(body.values) : null;
}

/** Cursor lists of cycles and plans came late in C: their first page tells. */
function rememberCursors(cursors: CursorSupport, generation: SourceProfile["generation"]): void {
  cursors.set("testCase", generation !== "A");
  cursors.set("execution", generation === "C");
  if (generation === "C") return;
  cursors.set("testCycle", false);
  cursors.set("testPlan", false);
}

async function hasAttachments(
  context: ProbeContext,
  cases: unknown[] | null,
): Promise<boolean> {
  const key = toId(asObject(cases?.[0])?.key);
  // Without a case to ask for there is no reason to doubt the generation.
  return key === null || await context.attachments.probe(key, context.signal);
}
