/**
 * The control plane: one Hono app for `ztoq serve` and for any fetch-style host. It opens nothing by
 * itself; store, engine, clock and tokens are handed in.
 * @module
 */
import type { Hono } from "hono";
import type { Context } from "hono";
import { contentRoutes } from "./content.ts";
import { type App, createApp, type Plane } from "./context.ts";
import { controlRoutes } from "./control.ts";
import { dashboardRoutes } from "./dashboard/mod.ts";
import { followSchedules } from "./due.ts";
import { EventFeed } from "./feed.ts";
import {
  answerError,
  bodyGuard,
  loopbackGuard,
  rateGuard,
  redactionGuard,
  requestFrame,
  sizeGuard,
  tokenGuard,
} from "./guards.ts";
import { Metrics } from "./metrics.ts";
import { migrationRoutes } from "./migrations.ts";
import { RunPool } from "./pool.ts";
import { Problem, toProblem } from "./problem.ts";
import { RunReader } from "./runs.ts";
import type { AppEnv, ControlPlaneServices } from "./services.ts";
import { systemRoutes } from "./system.ts";
import { EventWatcher } from "./watcher.ts";

export { isLoopback } from "./guards.ts";
export type * from "./services.ts";
export { parseSchedules } from "./schedules.ts";
export { readTokens } from "./tokens.ts";

/** A running control plane. */
export interface ControlPlane {
  app: Hono<AppEnv>;
  /** Starts runs of `schedules` at their times until `close()`. For hosts that stay. */
  startSchedules(): void;
  /** Ends event streams, lets every run finish its unit in hand, and waits. */
  close(): Promise<void>;
}

/** Builds the app. Closed by default: without a token, `/v1` answers 403. */
export function createControlPlane(services: ControlPlaneServices): ControlPlane {
  const stop = new AbortController();
  const plane = createPlane(services, stop.signal);
  const { pool, feed, watcher } = plane;
  const metrics = new Metrics(plane);
  const app = createApp();
  app.onError((error, c) => answerError(services, error, c, toProblem(error)));
  app.notFound((c) => answerError(services, null, c, missing(app, c)));
  app.use(requestFrame());
  app.use(metrics.http.middleware(() => services.clock.monotonic()));
  app.use(sizeGuard());
  app.use(rateGuard(services));
  if (services.openOnLoopback === true && services.tokens.length === 0) app.use(loopbackGuard());
  app.use("/v1/*", redactionGuard(services));
  app.use("/v1/*", tokenGuard(services));
  app.use(bodyGuard(services));
  app.route("/", systemRoutes(plane, metrics));
  app.route("/", migrationRoutes(plane));
  app.route("/", controlRoutes(plane));
  app.route("/", contentRoutes(plane));
  app.route("/", dashboardRoutes(services));
  describe(app, services.version);
  let schedules: Promise<void> | null = null;
  return {
    app: app as unknown as Hono<AppEnv>,
    startSchedules(): void {
      schedules ??= followSchedules(plane, stop.signal);
    },
    async close(): Promise<void> {
      stop.abort();
      await feed.close();
      await pool.close();
      await watcher.close();
      await schedules;
    },
  };
}

function createPlane(
  services: ControlPlaneServices,
  closing: AbortSignal,
): Plane & { watcher: EventWatcher } {
  const watcher = new EventWatcher(services);
  const feed: EventFeed = new EventFeed(services, {
    isBusy: (runId) => pool.has(runId),
    finished: (store, run) => runs.finished(store, run),
  });
  const pool: RunPool = new RunPool(services, {
    onProgress: (runId, progress) => feed.progress(runId, progress),
    onWarning: (runId, event, data) => feed.warn(runId, event, data),
    onStart: (runId) => watcher.start(runId, new Date(services.clock.now()).toISOString()),
    onEnd: (runId) => {
      feed.forget(runId);
      watcher.end(runId);
    },
  });
  const runs: RunReader = new RunReader(services, pool, feed);
  return { services, pool, feed, watcher, closing, runs };
}

/** 405 where the path exists with another method, else 404. */
function missing(app: App, c: Context<AppEnv>): Problem {
  const { path, method } = c.req;
  const allowed = new Set(
    app.routes.filter((route) => !route.path.includes("*") && route.method !== "ALL")
      .filter((route) => patternOf(route.path).test(path)).map((route) => route.method),
  );
  if (allowed.size === 0 || allowed.has(method)) {
    return new Problem(404, "There is nothing at this address", { hint: "See /openapi.json." });
  }
  const allow = [...allowed].join(", ");
  return new Problem(405, `This address takes ${allow}`, { headers: { allow } });
}

function patternOf(path: string): RegExp {
  const source = path.split("/").map((part) =>
    part.startsWith(":") ? "[^/]+" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
  );
  return new RegExp(`^${source.join("/")}$`);
}

const TEXT = { type: "string" } as const;
const TREE = { type: "object" } as const;

function describe(app: App, version: string): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "A token of the control plane; one with the role view may only read.",
  });
  const open = { method: "get" as const, tags: ["system"], security: [] };
  app.openAPIRegistry.registerPath({
    ...open,
    path: "/",
    summary: "The dashboard",
    responses: { 200: { description: "The page", content: { "text/html": { schema: TEXT } } } },
  });
  app.openAPIRegistry.registerPath({
    ...open,
    path: "/openapi.json",
    summary: "This document",
    responses: {
      200: { description: "OpenAPI 3.1", content: { "application/json": { schema: TREE } } },
    },
  });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "ztoq control plane",
      version,
      description:
        "Start, watch, slow down and prove migrations. Errors are RFC 9457 problem documents.",
    },
    security: [{ bearer: [] }],
  });
}
