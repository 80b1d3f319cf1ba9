/** What every group of routes shares. @module */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Store } from "../core/ports/mod.ts";
import type { EventFeed } from "./feed.ts";
import type { RunPool } from "./pool.ts";
import { Problem } from "./problem.ts";
import type { FoundRun, RunDocument, RunReader } from "./runs.ts";
import type { AppEnv, ControlPlaneServices } from "./services.ts";

export interface Plane {
  services: ControlPlaneServices;
  pool: RunPool;
  feed: EventFeed;
  runs: RunReader;
  /** The server is about to end: nothing waits any longer. */
  closing: AbortSignal;
}

export type App = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;

/** A group of routes; what cannot be used becomes 422 with the key. */
export function createApp(): App {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const errors = result.error.issues.map(({ path, message, ...issue }) => {
        const own = path.map(String);
        const unknown = "keys" in issue && Array.isArray(issue.keys) ? issue.keys.map(String) : [];
        return { key: [...own, ...unknown.slice(0, 1)].join("."), message };
      });
      const detail = errors.map((
        { key, message },
      ) => (key === "" ? message : `${key}: ${message}`));
      throw new Problem(422, detail.join("; "), { errors });
    },
  });
}

/** Writes who did what into the event table and the log. */
export async function audit(
  plane: Plane,
  c: AppContext,
  found: Pick<FoundRun, "store" | "run">,
  action: string,
  more: Record<string, unknown> = {},
): Promise<void> {
  const who = { action, by: c.get("actor").name, requestId: c.get("requestId") };
  await keepAudit(plane, found.store, found.run.id, { ...who, ...more });
}

/** The same for what nobody asked for by a request: schedules. */
export async function keepAudit(
  { services }: Plane,
  store: Store,
  runId: string,
  data: Record<string, unknown>,
): Promise<void> {
  const at = new Date(services.clock.now()).toISOString();
  const safe = JSON.parse(services.redact(JSON.stringify(data))) as Record<string, unknown>;
  services.log({ level: "info", event: "audit", data: { runId, ...safe } });
  await store.appendEvent?.({ runId, type: "audit", at, data: safe });
}

const FIRST_LOOK_MS = 100;
/** Many who wait must not keep the store busy. */
const MAX_LOOK_MS = 1_000;
const MAX_WAIT_S = 60;

/** Seconds a client wants to wait for (`Prefer: wait=10`); 0 without. */
export function preferredWait(c: AppContext): number {
  const seconds = Number(/(?:^|[,;\s])wait=(\d{1,4})/.exec(c.req.header("prefer") ?? "")?.[1] ?? 0);
  return Math.min(seconds, MAX_WAIT_S);
}

/** Reads a run again and again until it is as wanted, or the time the client gave is over. */
export async function awaitRun(
  plane: Plane,
  c: AppContext,
  runId: string,
  isThere: (document: RunDocument) => boolean,
): Promise<RunDocument> {
  const { clock } = plane.services;
  const seconds = preferredWait(c);
  const end = clock.monotonic() + seconds * 1_000;
  if (seconds > 0) c.header("preference-applied", `wait=${seconds}`);
  let isGone = false;
  // Told by hosts like Deno.serve, whose own request.signal warns about its use.
  Promise.resolve(c.env?.completed).catch(() => isGone = true);
  for (let lookMs = FIRST_LOOK_MS;; lookMs = Math.min(lookMs * 1.5, MAX_LOOK_MS)) {
    const document = await plane.runs.document(await plane.runs.need(runId));
    const leftMs = end - clock.monotonic();
    if (isThere(document) || leftMs <= 0 || isGone || plane.closing.aborted) return document;
    await clock.sleep(Math.min(lookMs, leftMs), plane.closing).catch(() => undefined);
  }
}
