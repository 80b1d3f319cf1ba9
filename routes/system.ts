/** Routes about the process itself: liveness, readiness, metrics, and the tick of serverless hosts. @module */
import { createRoute, z } from "@hono/zod-openapi";
import { describeError } from "../core/errors.ts";
import { type App, createApp, type Plane } from "./context.ts";
import { interruptedRuns, workOnDue } from "./due.ts";
import type { Metrics } from "./metrics.ts";
import { settingsWith } from "./overrides.ts";
import {
  body,
  healthSchema,
  json,
  problems,
  readySchema,
  tickResultSchema,
  tickSchema,
} from "./schemas.ts";

const DEFAULT_BUDGET_MS = 20_000;
/** A store that hangs must not hang the probe. */
const PROBE_MS = 5_000;

const health = createRoute({
  method: "get",
  path: "/healthz",
  tags: ["system"],
  summary: "Whether the process answers",
  security: [],
  responses: { 200: json("It does", healthSchema) },
});

const ready = createRoute({
  method: "get",
  path: "/readyz",
  tags: ["system"],
  summary: "Whether store and configuration are good for a migration",
  security: [],
  responses: {
    200: json("Ready", readySchema),
    503: json("Not ready, and why", readySchema),
  },
});

const metrics = createRoute({
  method: "get",
  path: "/metrics",
  tags: ["system"],
  summary: "Metrics in the Prometheus text format",
  security: [],
  responses: { 200: { description: "Metrics", content: { "text/plain": { schema: z.string() } } } },
});

const tick = createRoute({
  method: "post",
  path: "/v1/tick",
  tags: ["system"],
  summary: "Work on due and interrupted runs for a while, and return",
  description:
    "For cron and serverless hosts. No create starts in the last part of the budget, so that its answer still arrives.",
  request: { body: body(tickSchema) },
  responses: { 200: json("What was worked on", tickResultSchema), ...problems(400, 413, 415, 422) },
});

/** Routes of the process. */
export function systemRoutes(plane: Plane, collected: Metrics): App {
  const app = createApp();
  const { services } = plane;
  app.openapi(health, (c) => c.json({ status: "ok" as const, version: services.version }, 200));
  app.openapi(ready, async (c) => {
    const checks = await Promise.all([
      check("store", async () => {
        await withTimeout(plane, async () => (await services.store()).scopes());
      }),
      check("configuration", () => Promise.resolve(void settingsWith(services.config, {}))),
    ]);
    const isReady = checks.every(({ ok }) => ok);
    // Nobody needs a token for this: names of settings are told, values are not.
    const text = services.redact(
      JSON.stringify({ status: isReady ? "ready" : "not-ready", checks }),
    );
    return c.json(JSON.parse(text), isReady ? 200 : 503);
  });
  app.openapi(metrics, async (c) =>
    c.text(await collected.render(), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    }));
  app.openapi(tick, async (c) => {
    const startedAt = services.clock.monotonic();
    const budgetMs = c.req.valid("json")?.budgetMs ?? DEFAULT_BUDGET_MS;
    const { outcomes, problems } = await workOnDue(plane, budgetMs);
    for (const { runId, message } of problems) {
      services.log({ level: "warning", event: "tick.skipped", data: { runId, message } });
    }
    return c.json({
      runs: outcomes.map(({ run, exitCode }) => ({
        runId: run.id,
        state: run.state,
        exitCode,
        reason: run.reason,
      })),
      left: (await interruptedRuns(plane)).length,
      workedMs: Math.round(services.clock.monotonic() - startedAt),
    }, 200);
  });
  return app;
}

type Check = z.infer<typeof readySchema>["checks"][number];

async function check(name: string, look: () => Promise<void>): Promise<Check> {
  try {
    await look();
    return { name, ok: true, message: null };
  } catch (error) {
    const { message, hint } = describeError(error);
    return { name, ok: false, message: hint === undefined ? message : `${message}. ${hint}` };
  }
}

async function withTimeout<T>({ services }: Plane, work: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = services.clock.sleep(PROBE_MS, stop.signal).then(() => {
    throw new Error(`no answer within ${PROBE_MS / 1_000} s`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work(), late]);
  } finally {
    stop.abort();
  }
}
