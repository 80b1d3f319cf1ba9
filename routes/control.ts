/** Verbs on a run. All may be repeated; one that does not fit the state is 409. @module */
import { createRoute, type z } from "@hono/zod-openapi";
import { readControl } from "../core/engine/control.ts";
import { isHeld, OVER, steerRun } from "../core/engine/steer.ts";
import type { AdvanceOptions, Migrator, RunControl } from "../core/engine/types.ts";
import { type App, type AppContext, audit, awaitRun, createApp, type Plane } from "./context.ts";
import { settingsOfRun } from "./overrides.ts";
import { ADVANCE, type Work } from "./pool.ts";
import { Problem } from "./problem.ts";
import type { FoundRun, RunDocument } from "./runs.ts";
import type { WorkOutcome } from "./services.ts";
import {
  body,
  checkpointSchema,
  json,
  limitsSchema,
  problems,
  reasonSchema,
  retrySchema,
  rollbackSchema,
  runParams,
  runSchema,
} from "./schemas.ts";

/** An engine may lack these: a smaller build says so instead of failing. */
type Extended = Omit<Migrator, "rollback" | "retry"> & {
  rollback?: (
    options: { runId: string; dryRun: boolean; signal: AbortSignal },
  ) => Promise<WorkOutcome>;
  retry?: (keys: readonly string[], options: AdvanceOptions) => Promise<WorkOutcome>;
};

// deno-lint-ignore explicit-function-return-type -- the type of a route is its own description
function verb<P extends string, S extends z.ZodType>(path: P, summary: string, schema: S) {
  return createRoute({
    method: "post",
    path: `/v1/migrations/{id}/${path}` as const,
    tags: ["control"],
    summary,
    description: "`Prefer: wait=N` waits up to N seconds for the effect.",
    request: { params: runParams, body: body(schema) },
    responses: {
      200: json("In effect", runSchema),
      202: json("Asked for; the run takes it over after the units in hand", runSchema),
      ...problems(400, 404, 409, 413, 415, 422, 501),
    },
  });
}

const pause = verb("pause", "Hold the run still, with a reason", reasonSchema);
const resume = verb("resume", "Go on with a paused or interrupted run", reasonSchema);
const cancel = verb("cancel", "End the run for good; what was written stays", reasonSchema);
const validate = verb("validate", "Compare the target with the source again", reasonSchema);
const rollback = verb("rollback", "Delete from the target what this run created", rollbackSchema);
const retry = verb("retry", "Try records that were set aside again", retrySchema);

const checkpoint = createRoute({
  method: "post",
  path: "/v1/migrations/{id}/checkpoint",
  tags: ["control"],
  summary: "Up to where everything is kept",
  description:
    "Every unit of work commits its effect with its checkpoint, so there is nothing to wait for.",
  request: { params: runParams, body: body(reasonSchema) },
  responses: { 200: json("What is kept", checkpointSchema), ...problems(400, 404, 413, 415, 422) },
});

const limits = createRoute({
  method: "patch",
  path: "/v1/migrations/{id}/limits",
  tags: ["control"],
  summary: "Change request rates; effective on the next request",
  request: { params: runParams, body: body(limitsSchema, true) },
  responses: { 200: json("The run", runSchema), ...problems(400, 404, 409, 413, 415, 422) },
});

/** Routes that change runs. */
export function controlRoutes(plane: Plane): App {
  const app = createApp();
  app.openapi(pause, async (c) => {
    const found = await plane.runs.need(c.req.valid("param").id);
    refuse(found, "pause", ["completed", "failed", "cancelled", "rolled-back"]);
    const reason = c.req.valid("json")?.reason ?? `paused by ${c.get("actor").name}`;
    if (found.run.state !== "paused") {
      await steer(plane, c, found, "pause", { desired: "paused", reason });
    }
    return await answer(plane, c, found, (run) => run.state === "paused" || isOver(run));
  });
  app.openapi(resume, async (c) => {
    const found = await plane.runs.need(c.req.valid("param").id);
    refuse(found, "resume", ["completed", "cancelled", "rolled-back", "rolling-back"]);
    await steer(plane, c, found, "resume", { desired: "running", reason: null });
    await continueRun(plane, found);
    return await answer(plane, c, found, (run) => run.state !== "paused");
  });
  app.openapi(cancel, async (c) => {
    const found = await plane.runs.need(c.req.valid("param").id);
    refuse(found, "cancel", ["completed", "rolled-back", "rolling-back"]);
    const reason = c.req.valid("json")?.reason ?? `cancelled by ${c.get("actor").name}`;
    if (found.run.state !== "cancelled") {
      await steer(plane, c, found, "cancel", { desired: "cancelled", reason });
    }
    return await answer(plane, c, found, isOver);
  });
  app.openapi(validate, async (c) => {
    const found = await plane.runs.need(c.req.valid("param").id);
    const { run } = found;
    refuse(found, "validate", ["cancelled", "rolled-back", "rolling-back"]);
    if (run.phases.load !== "done") {
      throw new Problem(409, `Cannot validate run ${run.id}: its phase load is not done`);
    }
    if (plane.pool.has(run.id) && run.state === "validating") {
      return await answer(plane, c, found, isOver);
    }
    return await work(
      plane,
      c,
      found,
      "validate",
      (migrator, options) => migrator.advance({ ...options, phases: ["validate"] }),
    );
  });
  app.openapi(rollback, async (c) => {
    const found = await plane.runs.need(c.req.valid("param").id);
    if (found.run.state === "rolled-back") return await answer(plane, c, found, isOver);
    const dryRun = c.req.valid("json")?.dryRun === true;
    return await work(plane, c, found, "rollback", (migrator: Extended, options) => {
      if (migrator.rollback === undefined) throw new Problem(501, "This build cannot roll back");
      return migrator.rollback({ runId: found.run.id, dryRun, signal: options.signal });
    }, { dryRun });
  });
  app.openapi(retry, async (c) => {
    const found = await plane.runs.need(c.req.valid("param").id);
    refuse(found, "retry", ["cancelled", "rolled-back", "rolling-back"]);
    const keys = c.req.valid("json")?.keys ?? [];
    return await work(plane, c, found, "retry", (migrator: Extended, options) => {
      if (migrator.retry === undefined) throw new Problem(501, "This build cannot retry records");
      return migrator.retry(keys, options);
    }, { keys: keys.slice(0, 50) });
  });
  app.openapi(checkpoint, async (c) => {
    const { run } = await plane.runs.need(c.req.valid("param").id);
    const { id: runId, state, updatedAt: at, phases } = run;
    return c.json({ runId, state, at, phases }, 200);
  });
  app.openapi(limits, async (c) => {
    const found = await plane.runs.need(c.req.valid("param").id);
    refuse(found, "change the limits of", ["completed", "failed", "cancelled", "rolled-back"]);
    const change = c.req.valid("json");
    const before = (await readControl(found.store, found.run.id)).limits;
    const rate = (system: "source" | "target"): number | null => {
      const asked = change[system]?.requestsPerMinute;
      return asked === undefined ? before[system] : asked;
    };
    const wanted = { source: rate("source"), target: rate("target") };
    await steer(plane, c, found, "limits", { limits: wanted });
    return c.json(await plane.runs.document(await plane.runs.need(found.run.id)), 200);
  });
  return app;
}

function isOver({ state }: Pick<RunDocument, "state">): boolean {
  return OVER.includes(state);
}

function refuse({ run }: FoundRun, action: string, states: readonly string[]): void {
  if (!states.includes(run.state)) return;
  throw new Problem(409, `Cannot ${action} run ${run.id}: it is ${run.state}`);
}

/** Asks the owner of the run, in this process at once, elsewhere through the store. */
async function steer(
  plane: Plane,
  c: AppContext,
  found: FoundRun,
  action: string,
  change: Partial<RunControl>,
): Promise<void> {
  const { services, pool } = plane;
  const own = pool.migratorOf(found.run.id);
  if (own !== null) await own.control(found.run.id, change);
  else await steerRun({ ...services, store: found.store }, found.run.id, change);
  await audit(plane, c, found, action, { ...change });
}

/** Takes up a run that nobody works on. */
async function continueRun(plane: Plane, { store, run, scope }: FoundRun): Promise<void> {
  if (plane.pool.has(run.id)) return;
  if (isHeld(await store.leaseOf(scope.id), plane.services)) return;
  await assertNewest(store, run);
  await plane.pool.start(settingsOfRun(plane.services.config, run.config), ADVANCE);
}

async function assertNewest(store: FoundRun["store"], run: FoundRun["run"]): Promise<void> {
  const [newest] = await store.runs(run.scopeId);
  if (newest === undefined || newest.id === run.id) return;
  throw new Problem(409, `Cannot work on run ${run.id}: run ${newest.id} came after it`);
}

/** Lets an engine work on a run that nobody else works on. */
async function work(
  plane: Plane,
  c: AppContext,
  found: FoundRun,
  action: string,
  how: Work,
  more: Record<string, unknown> = {},
): Promise<Response> {
  const { run, store } = found;
  await assertNewest(store, run);
  await plane.pool.start(settingsOfRun(plane.services.config, run.config), how, run.id);
  await audit(plane, c, found, action, more);
  return await answer(plane, c, found, () => !plane.pool.has(run.id), true);
}

/** The run after a verb: 200 when it is as asked for, 202 while that takes time. */
async function answer(
  plane: Plane,
  c: AppContext,
  { run }: FoundRun,
  isThere: (document: RunDocument) => boolean,
  isWork = false,
): Promise<Response> {
  const document = await awaitRun(plane, c, run.id, isThere);
  return c.json(document, isThere(document) && !(isWork && plane.pool.has(run.id)) ? 200 : 202);
}
