/** Starting, listing and reading runs. @module */
import { createRoute, z } from "@hono/zod-openapi";
import { OVER } from "../core/engine/steer.ts";
import { type App, audit, awaitRun, createApp, type Plane } from "./context.ts";
import { badCursor } from "./cursor.ts";
import { settingsWith } from "./overrides.ts";
import {
  body,
  json,
  overridesSchema,
  pageQuery,
  preferHeader,
  problems,
  runListSchema,
  runParams,
  runSchema,
  runState,
} from "./schemas.ts";

const start = createRoute({
  method: "post",
  path: "/v1/migrations",
  tags: ["migrations"],
  summary: "Start a migration, or continue the unfinished one of the same source and target",
  request: { body: body(overridesSchema) },
  responses: {
    200: json("The run is completed already: nothing is sent", runSchema),
    202: {
      ...json("The run works in the background", runSchema),
      headers: { Location: { schema: { type: "string" }, description: "Address of the run" } },
    },
    ...problems(400, 409, 413, 415, 422),
  },
});

const list = createRoute({
  method: "get",
  path: "/v1/migrations",
  tags: ["migrations"],
  summary: "All runs, newest first",
  request: {
    query: pageQuery.extend({
      state: runState.optional(),
      project: z.string().max(200).optional().openapi({ description: "Key of the source project" }),
    }),
  },
  responses: { 200: json("Runs", runListSchema), ...problems(422) },
});

const one = createRoute({
  method: "get",
  path: "/v1/migrations/{id}",
  tags: ["migrations"],
  summary: "One run: state, phases, counts, rate, ETA, and why it waits",
  description: "`Prefer: wait=N` answers when the run is over, or after N seconds (at most 60).",
  request: { params: runParams, headers: preferHeader },
  responses: { 200: json("The run", runSchema), ...problems(404) },
});

/** Routes of runs as a whole. */
export function migrationRoutes(plane: Plane): App {
  const app = createApp();
  const { services, pool, runs } = plane;
  app.openapi(start, async (c) => {
    const overrides = c.req.valid("json") ?? {};
    const settings = settingsWith(services.config, overrides as Record<string, unknown>);
    const { run, started } = await pool.start(settings);
    const found = await runs.need(run.id);
    if (started) await audit(plane, c, found, "start", { overrides });
    c.header("location", `/v1/migrations/${encodeURIComponent(run.id)}`);
    return c.json(await runs.document(found), started ? 202 : 200);
  });
  app.openapi(list, async (c) => {
    const { limit, cursor, state, project } = c.req.valid("query");
    const store = await services.store();
    const scopes = new Map((await store.scopes()).map((scope) => [scope.id, scope]));
    const all = await store.runs(null);
    // Looked for among all runs: the one a page ended with may have left the filter since.
    const from = cursor === undefined || cursor === ""
      ? 0
      : all.findIndex(({ id }) => id === cursor) + 1 || null;
    if (from === null) throw badCursor();
    const found = all.slice(from).filter((run) =>
      (state === undefined || run.state === state) &&
      (project === undefined || scopes.get(run.scopeId)?.sourceProject === project)
    );
    const page = found.slice(0, limit);
    const documents = await Promise.all(page.flatMap((run) => {
      const scope = scopes.get(run.scopeId);
      return scope === undefined ? [] : [runs.summary(store, run, scope)];
    }));
    const next = found.length > limit ? page.at(-1)?.id ?? null : null;
    return c.json({ runs: documents, cursor: next }, 200);
  });
  app.openapi(one, async (c) => {
    const { id } = c.req.valid("param");
    const document = await awaitRun(plane, c, id, (run) => OVER.includes(run.state));
    return c.json(document, 200);
  });
  return app;
}
