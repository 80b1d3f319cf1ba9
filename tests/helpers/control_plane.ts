/** A control plane over a world, asked without a port. @module */
import { createControlPlane } from "../../routes/mod.ts";
import type { ControlPlane, ControlPlaneServices } from "../../routes/mod.ts";
import { emptyMapping } from "../../core/config/mod.ts";
import { createMigrator } from "../../core/engine/mod.ts";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { createSystemClock } from "../../adapters/system.ts";
import { Redactor } from "../../tasks/cli/redact.ts";
import type { World } from "./world.ts";

export const TOKEN = "test-token-0123456789";
export const VIEW_TOKEN = "view-token-0123456789";

export interface LogLine {
  level: string;
  event: string;
  data: Record<string, unknown>;
}

export interface TestPlane extends ControlPlane {
  log: LogLine[];
  /** Sends a request with the operate token unless told otherwise; objects become JSON. */
  ask(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string>; token?: string | null },
  ): Promise<Response>;
}

/** Environment of a server that is set up for nothing but its tokens. */
export function planeServices(
  change: Partial<ControlPlaneServices> = {},
  env: Record<string, string> = {},
): ControlPlaneServices & { lines: LogLine[] } {
  const lines: LogLine[] = [];
  const store = createMemoryStore();
  return {
    store: () => Promise.resolve(store),
    config: {
      options: {},
      env: (name) => env[name],
      file: null,
      readSecretFile: () => {
        throw new Error("no files here");
      },
    },
    connect: () => Promise.reject(new Error("nothing to connect to")),
    mapping: () => emptyMapping(),
    tokens: [
      { name: "tester", role: "operate", token: TOKEN },
      { name: "viewer", role: "view", token: VIEW_TOKEN },
    ],
    clock: createSystemClock(),
    host: { hostname: "test", pid: Deno.pid, isAlive: () => true },
    log: (line) => void lines.push(line),
    redact: (text) => text,
    version: "0.0.0",
    pollMs: 20,
    requestsPerMinute: 100_000,
    ...change,
    lines,
  };
}

/** Services over both simulators of a world. */
export function worldServices(
  world: World,
  change: Partial<ControlPlaneServices> = {},
  settings: Record<string, unknown> = {},
  env: Record<string, string> = {},
): ControlPlaneServices & { lines: LogLine[] } {
  const { source, target } = world.settings;
  const redactor = new Redactor();
  redactor.add([source.token, target.token ?? "", TOKEN, VIEW_TOKEN]);
  const file = {
    source: { requestsPerMinute: 1_000_000 },
    target: { requestsPerMinute: 1_000_000, settleMs: 500, timeoutMs: 1_000 },
    ...settings,
  };
  const services = planeServices({
    store: () => Promise.resolve(world.store),
    redact: (text) => redactor.redact(text),
    connect: (own, store, log) => {
      const engine = world.engine();
      const migrator = createMigrator({ ...engine.services, settings: own, store, log });
      const { source, target } = engine.services;
      // The engine of a world knows no rates; what was asked for counts all the same.
      source.setRequestsPerMinute(own.source.requestsPerMinute);
      target.setRequestsPerMinute(own.target.requestsPerMinute);
      return Promise.resolve({
        migrator,
        traffic: { source, target },
        close: () => Promise.resolve(engine.close()),
      });
    },
    ...change,
  }, {
    ZEPHYR_BASE_URL: source.baseUrl,
    ZEPHYR_API_TOKEN: source.token,
    ZEPHYR_PROJECT_KEY: source.projectKey,
    QTEST_BASE_URL: target.baseUrl,
    QTEST_BEARER_TOKEN: target.token ?? "",
    QTEST_PROJECT_ID: target.projectId,
    ...env,
  });
  services.config = { ...services.config, file: { path: "ztoq.json", text: JSON.stringify(file) } };
  return services;
}

/** Builds the plane and a way to ask it. */
export function startPlane(services: ControlPlaneServices & { lines: LogLine[] }): TestPlane {
  const plane = createControlPlane(services);
  return {
    ...plane,
    log: services.lines,
    async ask(method, path, { body, headers = {}, token = TOKEN } = {}): Promise<Response> {
      return await plane.app.request(path, {
        method,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
    },
  };
}

/** Reads an event stream to its end. */
export async function readEvents(
  answer: Response,
): Promise<{ id: string | null; event: string; data: Record<string, unknown> }[]> {
  const events = [];
  for (const block of (await answer.text()).split("\n\n")) {
    const field = (name: string): string | null =>
      new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? null;
    const data = field("data");
    if (data === null) continue;
    events.push({ id: field("id"), event: field("event") ?? "message", data: JSON.parse(data) });
  }
  return events;
}
