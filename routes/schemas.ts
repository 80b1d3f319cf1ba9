/** Shapes of what goes in and out, for checks and for the OpenAPI document. @module */
import { z } from "@hono/zod-openapi";
import { PHASES, RUN_STATES } from "../core/ports/mod.ts";
import { RECORD_KINDS } from "../core/records/mod.ts";

const count = z.number().int();
const kindCounts = z.object({
  extracted: count,
  transformed: count,
  created: count,
  updated: count,
  unchanged: count,
  withoutTarget: count,
  setAside: count,
}).openapi("KindCounts");

const phaseState = z.enum(["pending", "active", "done"]);
export const runState = z.enum(RUN_STATES).openapi("RunState");

const limit = z.object({
  requestsPerMinute: z.number().nullable().openapi({ description: "In force" }),
  configured: z.number().nullable(),
});

export const progressSchema = z.object({
  at: z.number().openapi({ description: "Milliseconds since 1970" }),
  phase: z.enum(PHASES),
  stage: z.string().openapi({ example: "load.testRun" }),
  done: z.number(),
  total: z.number().nullable(),
  rate: z.number().openapi({ description: "Records per second over the last 30 s" }),
  etaMs: z.number().nullable(),
  waiting: z.string().nullable().openapi({ description: "Why nothing moves, when that is so" }),
}).openapi("Progress");

export const runSummarySchema = z.object({
  runId: z.string(),
  state: runState,
  interrupted: z.boolean().openapi({
    description: "It should be worked on, but its owner is gone",
  }),
  result: z.number().int().nullable().openapi({ description: "Exit code of a completed run" }),
  reason: z.string().nullable(),
  phases: z.object({
    extract: phaseState,
    transform: phaseState,
    load: phaseState,
    validate: phaseState,
  }),
  createdAt: z.string(),
  updatedAt: z.string(),
  completedAt: z.string().nullable(),
  workedMs: z.number(),
  source: z.string(),
  target: z.string(),
}).openapi("RunListItem");

export const runSchema = runSummarySchema.extend({
  desired: z.enum(["running", "paused", "cancelled"]).openapi({ description: "As last asked for" }),
  holder: z.object({ host: z.string(), pid: z.number() }).nullable(),
  extracted: z.record(z.string(), count).openapi({
    description: "Rows of each list of the source",
  }),
  counts: z.object(
    Object.fromEntries(RECORD_KINDS.map((kind) => [kind, kindCounts])) as Record<
      (typeof RECORD_KINDS)[number],
      typeof kindCounts
    >,
  ),
  targets: z.array(z.object({ kind: z.string(), state: z.string(), count })),
  setAside: count,
  findings: count,
  losses: z.record(z.string(), count).openapi({ description: "Count per rule" }),
  requests: z.object({ source: count, target: count }),
  limits: z.object({ source: limit, target: limit, schedule: z.string().nullable() }),
  quota: z.object({ source: count.nullable(), target: count.nullable() }).openapi({
    description: "Requests left this month, as the vendor last said; null when it says nothing",
  }),
  progress: z.array(progressSchema),
  rate: z.number().openapi({ description: "Records per second, all stages under way" }),
  etaMs: z.number().nullable(),
  waiting: z.string().nullable(),
}).openapi("Run");

export const runListSchema = z.object({
  runs: z.array(runSummarySchema),
  cursor: z.string().nullable().openapi({ description: "For the next page; null at the end" }),
}).openapi("RunList");

export const overridesSchema = z.record(z.string(), z.unknown()).openapi("Overrides", {
  description: "Settings as in ztoq.json, never credentials; see docs/configuration.md",
  example: {
    source: { projectKey: "SA", requestsPerMinute: 120 },
    include: { executions: "last" },
  },
});

const rateChange = z.strictObject({
  requestsPerMinute: z.number().int().min(1).max(1_000_000).nullable().openapi({
    description: "null returns to the configured rate",
  }),
});
export const limitsSchema = z.strictObject({
  source: rateChange.optional(),
  target: rateChange.optional(),
}).refine((value) => value.source !== undefined || value.target !== undefined, {
  message: "give source, target or both",
}).openapi("Limits", { example: { source: { requestsPerMinute: 120 } } });

export const reasonSchema = z.strictObject({
  reason: z.string().max(500).optional(),
}).openapi("Reason");

export const retrySchema = z.strictObject({
  keys: z.array(z.string().min(1).max(500)).max(10_000).optional().openapi({
    description: "Records to try again, with what depends on them; without it, all set aside",
  }),
}).openapi("Retry");

export const rollbackSchema = z.strictObject({ dryRun: z.boolean().optional() }).openapi(
  "Rollback",
);

export const checkpointSchema = z.object({
  runId: z.string(),
  state: runState,
  at: z.string().openapi({ description: "Everything up to here is kept" }),
  phases: runSummarySchema.shape.phases,
}).openapi("Checkpoint");

const issue = z.object({
  phase: z.enum(PHASES),
  kind: z.string(),
  key: z.string(),
  level: z.enum(["info", "warning", "error", "critical"]),
  reason: z.string(),
  message: z.string(),
  payload: z.string().nullable(),
  setAside: z.boolean(),
  attempts: z.number().int(),
  at: z.string(),
}).openapi("Issue");

export const issueListSchema = z.object({ errors: z.array(issue), cursor: z.string().nullable() })
  .openapi("IssueList");

const loss = z.object({
  phase: z.enum(PHASES),
  kind: z.string(),
  key: z.string(),
  field: z.string(),
  rule: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
}).openapi("Loss");
export const lossListSchema = z.object({ losses: z.array(loss), cursor: z.string().nullable() })
  .openapi("LossList");

const difference = z.object({
  runId: z.string(),
  kind: z.string(),
  key: z.string(),
  targetId: z.string().nullable(),
  verdict: z.enum(["different", "missing", "extra", "duplicate"]),
  field: z.string().nullable(),
  expected: z.string().nullable(),
  actual: z.string().nullable(),
}).openapi("Difference");
export const differenceListSchema = z.object({
  differences: z.array(difference),
  cursor: z.string().nullable(),
}).openapi("DifferenceList");

export const storySchema = z.object({
  stories: z.array(z.object({
    kind: z.string(),
    key: z.string(),
    id: z.string(),
    source: z.unknown().openapi({ description: "The body as received" }),
    details: z.record(z.string(), z.unknown()),
    targets: z.array(z.looseObject({
      kind: z.string(),
      key: z.string(),
      state: z.string(),
      targetId: z.string().nullable(),
      attempt: z.number().int(),
    })),
    losses: z.array(z.looseObject({ rule: z.string(), field: z.string() })),
    issues: z.array(issue),
  })),
}).openapi("Stories");

export const redirectsSchema = z.object({
  redirects: z.array(z.object({
    kind: z.string(),
    key: z.string(),
    sourceId: z.string(),
    targetKind: z.string(),
    targetId: z.string(),
    pid: z.string().nullable(),
    url: z.string().nullable(),
  })),
}).openapi("Redirects");

export const tickSchema = z.strictObject({
  budgetMs: z.number().int().min(500).max(900_000).optional().openapi({
    description: "Time to work, at most; default 20000",
  }),
}).openapi("Tick");

export const tickResultSchema = z.object({
  runs: z.array(z.object({
    runId: z.string(),
    state: runState,
    exitCode: z.number().int().openapi({ description: "5 and 8: goes on with the next tick" }),
    reason: z.string().nullable(),
  })),
  left: z.number().int().openapi({ description: "Runs that have more work" }),
  workedMs: z.number().int(),
}).openapi("TickResult");

export const healthSchema = z.object({ status: z.literal("ok"), version: z.string() })
  .openapi("Health");

export const readySchema = z.object({
  status: z.enum(["ready", "not-ready"]),
  checks: z.array(z.object({
    name: z.string(),
    ok: z.boolean(),
    message: z.string().nullable(),
  })),
}).openapi("Readiness");

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  instance: z.string(),
  requestId: z.string(),
  hint: z.string().optional(),
  errors: z.array(z.object({ key: z.string(), message: z.string() })).optional(),
}).openapi("Problem");

type Responses = Record<number, {
  description: string;
  content?: Record<string, { schema: z.ZodType }>;
}>;

const PROBLEM_TEXT: Readonly<Record<number, string>> = {
  400: "Malformed body",
  401: "No token, or one that is not known",
  403: "Not allowed with this token, or the control plane is closed",
  404: "No such run or record",
  406: "None of the formats asked for",
  408: "A body that did not arrive in time",
  409: "Does not fit the state of the run",
  413: "Body over 64 kB",
  415: "Body that is not JSON",
  422: "The request names something that cannot be used",
  429: "Too many requests of one client",
  500: "Unexpected; the log of the server has the details",
  501: "This build cannot do that",
  503: "The store cannot be reached, or the configuration is not complete",
};

/** Problem answers of a route: those every route has, and its own. */
export function problems(...own: number[]): Responses {
  return Object.fromEntries(
    [...new Set([401, 403, 422, 429, 500, 503, ...own, ...(own.includes(413) ? [408] : [])])].map((
      status,
    ) => [status, {
      description: PROBLEM_TEXT[status] ?? "Refused",
      content: { "application/problem+json": { schema: problemSchema } },
    }]),
  );
}

/** A JSON answer. */
export function json(
  description: string,
  schema: z.ZodType,
): { description: string; content: Record<string, { schema: z.ZodType }> } {
  return { description, content: { "application/json": { schema } } };
}

/** A JSON body. */
export function body<S extends z.ZodType>(
  schema: S,
  required = false,
): { required: boolean; content: { "application/json": { schema: S } } } {
  return { required, content: { "application/json": { schema } } };
}

export const runParams = z.object({
  id: z.string().min(1).max(200).openapi({
    description: "Run id",
    example: "20261121-231455-k3f9",
  }),
});

/** How long a client is ready to wait. */
export const preferHeader = z.object({
  prefer: z.string().max(200).optional().openapi({
    description: "`wait=N` waits up to N seconds, at most 60",
    example: "wait=10",
  }),
});

/** Keyset paging. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  cursor: z.string().max(4_000).optional().openapi({
    description: "Of the page before; without it, or empty, the first page",
  }),
});
