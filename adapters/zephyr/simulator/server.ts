/** The simulator's HTTP server. @module */
import { type Context, Hono } from "hono";
import {
  applyFault,
  createFaults,
  createRateLimit,
  createRequestLog,
  delay,
  type Faults,
  listen,
  type Listener,
  type RateLimit,
  type RequestLog,
  type RequestStats,
} from "../../simulator_kit/mod.ts";
import { ApiError, Query } from "./answers.ts";
import { createControl, type ZephyrControl } from "./control.ts";
import { generateDataset } from "./dataset.ts";
import {
  caseRoutes,
  cycleRoutes,
  executionRoutes,
  lookupRoutes,
  type Route,
} from "./routes_entities.ts";
import { fileAnswer, fileRoutes, fileSignature, issueLinkRoutes } from "./routes_files.ts";
import { completeSettings, type Settings, type ZephyrSimulatorOptions } from "./settings.ts";
import { datasetFromJson, snapshotDataset } from "./snapshot.ts";
import { SimulatorState } from "./state.ts";
import type { SimAttachment, ZephyrDataset } from "./types.ts";
import { createWire } from "./wire.ts";

/** Numbers of a simulator: those of the log, and what only this vendor has. */
export interface ZephyrSimulatorStats extends RequestStats {
  /** Faults given, by kind. */
  faults: Record<string, number>;
  /** Downloads that reached the other host, and those that brought the token along. */
  downloads: { total: number; withAuthorization: number };
}

export interface ZephyrSimulator {
  /** `http://HOST:PORT/v2`: the base URL of the API. */
  url: string;
  /** The one accepted key. */
  token: string;
  /** Key of the project of interest. */
  projectKey: string;
  dataset: ZephyrDataset;
  requestLog: RequestLog;
  stats(): ZephyrSimulatorStats;
  control: ZephyrControl;
  /** Requests per minute from now on; 0 = unlimited. */
  setRequestsPerMinute(value: number): void;
  /** Stops listening and drops what is in flight. */
  close(): Promise<void>;
}

/** Starts a simulator on loopback and returns when it listens. Throws when the port is taken. */
export async function startZephyrSimulator(
  options: ZephyrSimulatorOptions = {},
): Promise<ZephyrSimulator> {
  const settings = completeSettings(options);
  const dataset = await openDataset(options, settings.seed);
  const server = new Server(dataset, settings);
  return {
    url: server.state.base,
    token: settings.token,
    projectKey: dataset.project.key,
    dataset,
    requestLog: server.log,
    stats: () => server.stats(),
    control: createControl(server.state),
    setRequestsPerMinute: (value) => server.rateLimit.setRequestsPerMinute(value),
    close: () => server.close(),
  };
}

async function openDataset(options: ZephyrSimulatorOptions, seed: number): Promise<ZephyrDataset> {
  if (options.dataset !== undefined) return options.dataset;
  if (options.dataFile !== undefined) {
    return datasetFromJson(JSON.parse(await Deno.readTextFile(options.dataFile)));
  }
  return generateDataset({ seed, ...options.data });
}

class Server {
  readonly state: SimulatorState;
  readonly log: RequestLog = createRequestLog();
  readonly rateLimit: RateLimit;
  #settings: Settings;
  #faults: Faults;
  #listener: Listener;
  #fileHost: Listener | null;
  #downloads = { total: 0, withAuthorization: 0 };
  #offered = new Map<string, SimAttachment>();

  constructor(dataset: ZephyrDataset, settings: Settings) {
    this.#settings = settings;
    this.#faults = createFaults(settings.seed, settings.faultPlan);
    this.rateLimit = createRateLimit({
      requestsPerMinute: settings.requestsPerMinute,
      window: settings.rateWindow,
      burst: settings.rateBurst,
    });
    const app = new Hono();
    this.#listener = listen((request) => app.fetch(request), settings);
    const base = `${this.#listener.url}/v2`;
    const wire = createWire(base, settings.generation === "C");
    this.state = new SimulatorState(dataset, settings, wire, base);
    this.#fileHost = settings.downloadRedirect
      ? listen((request) => this.#download(request), { hostname: settings.hostname })
      : null;
    this.#mount(app);
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener.close(), this.#fileHost?.close()]);
  }

  stats(): ZephyrSimulatorStats {
    return {
      ...this.log.stats(),
      faults: { ...this.#faults.counts },
      downloads: { ...this.#downloads },
    };
  }

  #mount(app: Hono): void {
    const { state } = this;
    const routes: Route[] = [
      ...lookupRoutes(state),
      ...caseRoutes(state),
      ...cycleRoutes(state),
      ...executionRoutes(state),
      ...fileRoutes(state, (file) => this.#redirect(file)),
      ...issueLinkRoutes(state),
      ["/healthcheck", () => new Response(null, { status: 200 })],
    ];
    for (const [path, answer] of routes) {
      app.get(
        `/v2${path.replaceAll(/\{(\w+)\}/g, ":$1")}`,
        (c) =>
          this.#guard(c, path, () =>
            answer({
              param: (name) => c.req.param(name) ?? "",
              query: new Query(new URL(c.req.url).searchParams),
              path: c.req.path.slice("/v2".length),
              headers: c.req.raw.headers,
            })),
      );
    }
    app.get("/__sim/stats", () => Response.json(this.stats()));
    app.get("/__sim/dataset", (c) => Response.json(this.#describe(c.req.query("full") === "true")));
    app.all("*", (c) => this.#guard(c, "(unknown)", () => unknownPath(c.req.method)));
  }

  #describe(full: boolean): unknown {
    const { dataset } = this.state;
    if (full) return snapshotDataset(dataset);
    return { options: dataset.options, project: dataset.project, counts: dataset.counts() };
  }

  /** Log, limit, key, fault – in this order, then the route. */
  async #guard(
    c: Context,
    route: string,
    answer: () => Response | Promise<Response>,
  ): Promise<Response> {
    const { method, url } = c.req;
    const done = this.log.begin({ method, route, url });
    let status = 500;
    try {
      const response = await this.#decide(c, route, answer);
      status = response.status;
      return response;
    } finally {
      done(status);
    }
  }

  async #decide(
    c: Context,
    route: string,
    answer: () => Response | Promise<Response>,
  ): Promise<Response> {
    await delay(this.#settings.latencyMs, this.#listener.signal);
    const verdict = this.rateLimit.take();
    if (!verdict.allowed) return this.#tooMany(verdict.retryAfterMs);
    if (route === "(unknown)") return await answer();
    if (c.req.header("authorization") !== `Bearer ${this.#settings.token}`) {
      return Response.json({ error: "Unauthorized" }, { status: 401 });
    }
    const url = new URL(c.req.url);
    const fault = this.#faults.next(`${c.req.method} ${url.pathname}${url.search}`);
    return await applyFault(fault, () => Promise.resolve(safely(answer)), {
      signal: this.#listener.signal,
      tooMany: () => this.#tooMany(1000),
    });
  }

  /** With `zero` the body is empty: seen on a sister product. */
  #tooMany(retryAfterMs: number): Response {
    const { retryAfter } = this.#settings;
    if (retryAfter === "zero") {
      return new Response(null, { status: 429, headers: { "retry-after": "0" } });
    }
    const headers: HeadersInit = retryAfter === "absent"
      ? {}
      : { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) };
    return Response.json({ message: "Too Many Requests" }, { status: 429, headers });
  }

  #redirect(file: SimAttachment): string | null {
    if (this.#fileHost === null) return null;
    const signature = fileSignature(this.state, file);
    this.#offered.set(signature, file);
    // Another name for the same machine: to clients it is another host.
    const name = this.#settings.hostname === "localhost" ? "127.0.0.1" : "localhost";
    return `http://${name}:${this.#fileHost.port}/files/${file.id}?signature=${signature}`;
  }

  /** The other host: needs no key, and notes who brings one. */
  #download(request: Request): Response {
    this.#downloads.total++;
    if (request.headers.has("authorization")) {
      this.#downloads.withAuthorization++;
      return new Response("Only one auth mechanism allowed", { status: 400 });
    }
    const file = this.#offered.get(new URL(request.url).searchParams.get("signature") ?? "");
    if (file === undefined) return new Response("Forbidden", { status: 403 });
    return fileAnswer(this.state, file);
  }
}

async function safely(answer: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof ApiError) return error.toResponse();
    throw error;
  }
}

/** What the gateway says about paths it does not know, and about attempts to write. */
function unknownPath(method: string): Response {
  if (method !== "GET" && method !== "HEAD") {
    return Response.json({ errorCode: 405, message: "Method Not Allowed" }, { status: 405 });
  }
  return Response.json({ message: "Forbidden" }, { status: 403 });
}
