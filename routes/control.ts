/** Verbs on a run. All may be repeated; one that does not fit the state is 409. @module */
import { createRoute, type z } from "@hono/zod-openapi";
import { readControl } from "../core/engine/control.ts";
import { isHeld, OVER, steerRun } from "../core/engine/steer.ts";
import { TARGET_KINDS } from "../core/ports/mod.ts";
import { storiesOf } from "../core/report/story.ts";
import type { AdvanceOptions, Migrator, RunControl } from "../core/engine/types.ts";
import { type App, type AppContext, audit, awaitRun, createApp, type Plane } from "./context.ts";
import { settingsOfRun } from "./overrides.ts";
import type { Work } from "./pool.ts";
import { Problem } from "./problem.ts";
import type { FoundRun, RunDocument } from "./runs.ts";
import type { WorkOutcome } from "./services.ts";
import {
  body,
  checkpointSchema,
  json,
  limitsSchema,
  preferHeader,
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
    request: { params: runParams, headers: preferHeader, body: body(schema) },
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
    await assertSetAside(found, keys);
    return await work(plane, c, found, "retry", (migrator: Extended, options) => {
      if (migrator.retry === undefined) throw new Problem(501, "This build cannot retry records");
      return migrator.retry(keys, options);
    }, { keys });
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

/** Keys of a retry that its audit event names. */
const AUDIT_KEYS = 50;

/** What can be done with a run that a verb does not fit. */
const HINTS: Readonly<Record<string, string>> = {
  completed: "What is left for it: validate, retry, rollback.",
  failed: "Resume tries again from where it stopped.",
  cancelled: "POST /v1/migrations starts a new run; what this one wrote is found again.",
  "rolled-back": "POST /v1/migrations starts a new run.",
  "rolling-back": "POST rollback again goes on with it.",
};

function isOver({ state }: Pick<RunDocument, "state">): boolean {
  return OVER.includes(state);
}

function refuse({ run }: FoundRun, action: string, states: readonly string[]): void {
  if (!states.includes(run.state)) return;
  const hint = HINTS[run.state];
  throw new Problem(
    409,
    `Cannot ${action} run ${run.id}: it is ${run.state}`,
    hint === undefined ? {} : { hint },
  );
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
  try {
    await plane.pool.start(settingsOfRun(plane.services.config, run.config));
  } catch (error) {
    const isActive = error instanceof Problem && error.status === 409 &&
      (plane.pool.taskOf(scope.id) !== null ||
        isHeld(await store.leaseOf(scope.id), plane.services));
    // Somebody else resumed it at the same moment.
    if (!isActive) throw error;
  }
}

async function assertNewest(store: FoundRun["store"], run: FoundRun["run"]): Promise<void> {
  const [newest] = await store.runs(run.scopeId);
  if (newest === undefined || newest.id === run.id) return;
  throw new Problem(409, `Cannot work on run ${run.id}: run ${newest.id} came after it`);
}

/** Keys that are looked up before a retry; the engine checks the rest. */
const CHECKED_KEYS = 200;

/** @throws {Problem} 422 for a key that was not set aside */
async function assertSetAside(found: FoundRun, keys: readonly string[]): Promise<void> {
  const strange: string[] = [];
  for (const key of keys.slice(0, CHECKED_KEYS)) {
    if (!await isSetAside(found, key)) strange.push(key);
  }
  if (strange.length === 0) return;
  const errors = strange.map((key) => ({ key: "keys", message: `"${key}" was not set aside` }));
  throw new Problem(422, errors.map(({ message }) => message).join("; "), {
    errors,
    hint: `GET /v1/migrations/${found.run.id}/errors lists what was.`,
  });
}

async function isSetAside({ store, scope }: FoundRun, key: string): Promise<boolean> {
  const issues = await store.issues(scope.id, { after: null, limit: 1 }, { setAside: true, key });
  // Files are named by their owner; the engine knows them.
  if (issues.rows.length > 0 || key.includes("#")) return true;
  for (const kind of TARGET_KINDS) {
    const row = (await store.targetsByKey(scope.id, kind, [key])).get(key);
    if (row?.state === "setAside") return true;
  }
  return (await storiesOf(store, scope.id, key)).some(({ issues, targets }) =>
    issues.some(({ setAside }) => setAside) || targets.some(({ state }) => state === "setAside")
  );
}

/** Lets an engine work on a run that nobody else works on. */
async function work(
  plane: Plane,
  c: AppContext,
  found: FoundRun,
  action: string,
  how: Work,
  more: { dryRun?: boolean; keys?: readonly string[] } = {},
): Promise<Response> {
  const { run, store, scope } = found;
  const { pool, services } = plane;
  const name = `${action} ${JSON.stringify(more)}`;
  const isIdle = (): boolean => pool.taskOf(scope.id) === null;
  await assertNewest(store, run);
  const settings = settingsOfRun(services.config, run.config);
  // The same request again changes nothing.
  let failure: unknown = null;
  if (pool.taskOf(scope.id) !== name) {
    const started = await pool.start(settings, { work: how, runId: run.id, name })
      .catch((error) => {
        if (pool.taskOf(scope.id) !== name) throw error;
        return null; // The same request came twice at the same moment.
      });
    if (started === null) return await answer(plane, c, found, isIdle);
    started.outcome?.catch((error) => failure = error);
    const { keys, ...rest } = more;
    const shown = keys === undefined ? {} : { keys: keys.slice(0, AUDIT_KEYS), of: keys.length };
    await audit(plane, c, found, action, { ...rest, ...shown });
  }
  const told = await answer(plane, c, found, isIdle);
  if (failure !== null) throw failure;
  return told;
}

/** The run after a verb: 200 when it is as asked for, 202 while that takes time. */
async function answer(
  plane: Plane,
  c: AppContext,
  { run }: FoundRun,
  isThere: (document: RunDocument) => boolean,
): Promise<Response> {
  const document = await awaitRun(plane, c, run.id, isThere);
  return c.json(document, isThere(document) ? 200 : 202);
}
