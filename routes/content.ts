/** What a run produced: report, errors, losses, differences, stories, redirects, events. @module */
import { createRoute, z } from "@hono/zod-openapi";
import { endsOf } from "../core/engine/status.ts";
import { buildSummary } from "../core/engine/summary.ts";
import type { Settings } from "../core/config/mod.ts";
import { PHASES } from "../core/ports/mod.ts";
import {
  contentFromStore,
  redirects,
  renderRedirectsCsv,
  renderReport,
  type ReportFormat,
  type Summary,
} from "../core/report/mod.ts";
import { storiesOf } from "../core/report/story.ts";
import { type App, type AppContext, createApp, type Plane } from "./context.ts";
import { readCursor, tellCursor } from "./cursor.ts";
import { baseSettings } from "./overrides.ts";
import { Problem } from "./problem.ts";
import type { FoundRun } from "./runs.ts";
import {
  differenceListSchema,
  issueListSchema,
  json,
  lossListSchema,
  pageQuery,
  problems,
  redirectsSchema,
  runParams,
  storySchema,
} from "./schemas.ts";

const text = { schema: z.string() };

const report = createRoute({
  method: "get",
  path: "/v1/migrations/{id}/report",
  tags: ["results"],
  summary: "Report as HTML, JSON or CSV, by `format` or by `Accept`",
  request: {
    params: runParams,
    query: z.object({ format: z.enum(["html", "json", "csv"]).optional() }),
  },
  responses: {
    200: {
      description: "The report",
      content: {
        "text/html": text,
        "application/json": { schema: z.looseObject({ runId: z.string() }) },
        "text/csv": text,
      },
    },
    ...problems(404, 406, 422),
  },
});

const errors = createRoute({
  method: "get",
  path: "/v1/migrations/{id}/errors",
  tags: ["results"],
  summary: "Records that were set aside, with the reason",
  request: {
    params: runParams,
    query: pageQuery.extend({
      phase: z.enum(PHASES).optional(),
      key: z.string().max(500).optional(),
      all: z.enum(["true", "false"]).optional().openapi({ description: "Findings of checks too" }),
    }),
  },
  responses: { 200: json("Set-aside records", issueListSchema), ...problems(404, 422) },
});

const losses = createRoute({
  method: "get",
  path: "/v1/migrations/{id}/losses",
  tags: ["results"],
  summary: "Values that were cut, defaulted or have no place",
  request: {
    params: runParams,
    query: pageQuery.extend({
      rule: z.string().max(100).optional(),
      key: z.string().max(500).optional(),
    }),
  },
  responses: { 200: json("Losses", lossListSchema), ...problems(404, 422) },
});

const differences = createRoute({
  method: "get",
  path: "/v1/migrations/{id}/differences",
  tags: ["results"],
  summary: "What validation found to differ",
  request: { params: runParams, query: pageQuery },
  responses: { 200: json("Differences", differenceListSchema), ...problems(404, 422) },
});

const records = createRoute({
  method: "get",
  path: "/v1/migrations/{id}/records/{key}",
  tags: ["results"],
  summary: "One source record from end to end",
  request: {
    params: runParams.extend({
      key: z.string().min(1).max(500).openapi({ description: "Key or id, percent-encoded" }),
    }),
  },
  responses: { 200: json("Every record of that key or id", storySchema), ...problems(404) },
});

const redirectList = createRoute({
  method: "get",
  path: "/v1/migrations/{id}/redirects",
  tags: ["results"],
  summary: "Old key → new id, number and address, as JSON or CSV",
  request: {
    params: runParams,
    query: z.object({ format: z.enum(["json", "csv"]).optional() }),
  },
  responses: {
    200: {
      description: "The key map",
      content: { "application/json": { schema: redirectsSchema }, "text/csv": text },
    },
    ...problems(404, 406, 422),
  },
});

const events = createRoute({
  method: "get",
  path: "/v1/migrations/{id}/events",
  tags: ["results"],
  summary: "Server-sent events: progress, state, stages, warnings, audit",
  description:
    "Starts with the first event, or after `Last-Event-ID`. Ends with the final state of the run. " +
    "Progress carries no id: it is not kept. A comment line every 15 s keeps the connection open.",
  request: {
    params: runParams,
    headers: z.object({ "last-event-id": z.string().max(40).optional() }),
    query: z.object({ after: z.coerce.number().int().min(0).optional() }),
  },
  responses: {
    200: { description: "The stream", content: { "text/event-stream": text } },
    ...problems(400, 404, 422),
  },
});

/** Routes that read. */
export function contentRoutes(plane: Plane): App {
  const app = createApp();
  app.openapi(report, async (c) => {
    const found = await plane.runs.need(c.req.valid("param").id);
    const format: "html" | "json" | "csv" = c.req.valid("query").format ??
      wantedFormat(c, ["html", "json", "csv"] as const);
    return await reportAnswer(plane, c, found, format);
  });
  app.openapi(errors, async (c) => {
    const { store, scope } = await plane.runs.need(c.req.valid("param").id);
    const { limit, cursor, phase, key, all } = c.req.valid("query");
    const { rows, cursor: next } = await store.issues(
      scope.id,
      { after: readCursor("errors", cursor), limit },
      {
        ...(all === "true" ? {} : { setAside: true }),
        ...(phase === undefined ? {} : { phase }),
        ...(key === undefined ? {} : { key }),
      },
    );
    return c.json({ errors: rows, cursor: tellCursor("errors", next) }, 200);
  });
  app.openapi(losses, async (c) => {
    const { store, scope } = await plane.runs.need(c.req.valid("param").id);
    const { limit, cursor, rule, key } = c.req.valid("query");
    const { rows, cursor: next } = await store.losses(
      scope.id,
      { after: readCursor("losses", cursor), limit },
      { ...(rule === undefined ? {} : { rule }), ...(key === undefined ? {} : { key }) },
    );
    return c.json({ losses: rows, cursor: tellCursor("losses", next) }, 200);
  });
  app.openapi(differences, async (c) => {
    const { store, run } = await plane.runs.need(c.req.valid("param").id);
    const { limit, cursor } = c.req.valid("query");
    const after = readCursor("differences", cursor);
    const { rows, cursor: next } = await store.differences(run.id, { after, limit });
    return c.json({ differences: rows, cursor: tellCursor("differences", next) }, 200);
  });
  app.openapi(records, async (c) => {
    const { id, key } = c.req.valid("param");
    const { store, scope } = await plane.runs.need(id);
    const stories = await storiesOf(store, scope.id, key);
    if (stories.length === 0) throw new Problem(404, "No record of that key or id is known");
    return c.json({ stories }, 200);
  });
  app.openapi(redirectList, async (c) => {
    const { store, run, scope } = await plane.runs.need(c.req.valid("param").id);
    const format = c.req.valid("query").format ?? wantedFormat(c, ["json", "csv"]);
    const rows = redirects(store, scope.id);
    const chunks = format === "csv" ? renderRedirectsCsv(rows) : redirectsJson(rows);
    return download(plane, c, chunks, format, `redirects-${run.id}`);
  });
  app.openapi(events, async (c) => {
    const { run } = await plane.runs.need(c.req.valid("param").id);
    const { "last-event-id": lastId } = c.req.valid("header");
    if (lastId !== undefined && !/^\d{1,15}$/.test(lastId)) {
      throw new Problem(400, "Last-Event-ID is not an id of this stream");
    }
    const after = lastId === undefined ? c.req.valid("query").after ?? 0 : Number(lastId);
    return new Response(plane.feed.open(run, after), {
      headers: {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // Proxies must pass each event on at once.
        "x-accel-buffering": "no",
      },
    });
  });
  return app;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  json: "application/json",
  csv: "text/csv; charset=utf-8",
};

/** The first of the formats that the client accepts, by its own weights. */
function wantedFormat<F extends string>(c: AppContext, formats: readonly F[]): F {
  const accept = c.req.header("accept") ?? "*/*";
  const ranges = accept.split(",").map((part) => {
    const [range = "", ...parameters] = part.trim().toLowerCase().split(/\s*;\s*/);
    const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    return { range, weight: weight === undefined ? 1 : Number(weight) };
  });
  const best = formats.map((format) => {
    const type = TYPES[format]?.split(";")[0] ?? "";
    const exact = ranges.find(({ range }) => range === type);
    const match = exact ?? ranges.find(({ range }) => range === `${type.split("/")[0]}/*`) ??
      ranges.find(({ range }) => range === "*/*");
    return { format, weight: match?.weight ?? 0 };
  }).sort((a, b) => b.weight - a.weight)[0];
  if (best !== undefined && best.weight > 0) return best.format;
  throw new Problem(406, `Available formats: ${formats.join(", ")}`, {
    hint: `Use ?format=${formats[0]}, or an Accept header that allows one of them.`,
  });
}

async function reportAnswer(
  plane: Plane,
  c: AppContext,
  { store, run, scope }: FoundRun,
  format: "html" | "json" | "csv",
): Promise<Response> {
  const { services } = plane;
  const base = baseSettings(services.config);
  const content = contentFromStore(
    store,
    scope.id,
    await summaryOf(plane, { store, run, scope }, base),
    {
      ...endsOf(scope),
      generatedAt: new Date(services.clock.now()).toISOString(),
      accepted: base.accept,
    },
  );
  return download(
    plane,
    c,
    renderReport(format as ReportFormat, content),
    format,
    `report-${run.id}`,
  );
}

/** As stored when the run completed, else as the database has it now. */
async function summaryOf(
  { services }: Plane,
  { store, run }: FoundRun,
  base: Settings,
): Promise<Summary> {
  if (run.state === "completed" && run.summary !== null) return run.summary as Summary;
  const settings = { ...base, ...(run.config as Partial<Settings> | null) };
  return await buildSummary({ store, run, settings, mapping: services.mapping(base) });
}

async function* redirectsJson(rows: AsyncIterable<unknown>): AsyncIterable<string> {
  yield '{"redirects":[';
  let separator = "\n";
  for await (const row of rows) {
    yield separator + JSON.stringify(row);
    separator = ",\n";
  }
  yield "\n]}\n";
}

/** Streams text; secrets are masked piece by piece. */
function download(
  plane: Plane,
  c: AppContext,
  chunks: AsyncIterable<string>,
  format: string,
  name: string,
): Response {
  const encoder = new TextEncoder();
  const iterator = chunks[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(plane.services.redact(value)));
      } catch (error) {
        plane.services.log({
          level: "error",
          event: "http.streamFailed",
          data: {
            requestId: c.get("requestId"),
            message: error instanceof Error ? error.message : String(error),
          },
        });
        controller.error(error);
      }
    },
    async cancel(): Promise<void> {
      await iterator.return?.();
    },
  });
  const disposition = format === "html" ? "inline" : "attachment";
  return new Response(stream, {
    headers: {
      "content-type": TYPES[format] ?? "application/octet-stream",
      "content-disposition": `${disposition}; filename="${name}.${format}"`,
      "x-streamed": "1",
      // The report carries its own style sheet and nothing that runs.
      ...(format === "html"
        ? {
          "content-security-policy":
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox",
        }
        : {}),
    },
  });
}
