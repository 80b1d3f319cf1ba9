/**
 * From a request to a route and back: token, budgets, faults.
 * @module
 */
import { Hono } from "hono";
import {
  createFaults,
  delay,
  type Fault,
  type FaultKind,
  type FaultPlan,
  type Faults,
  type RequestLog,
} from "../../simulator_kit/mod.ts";
import { type Auth, invalidToken } from "./auth.ts";
import type { Budget } from "./budget.ts";
import { type Answer, type Call, Refusal, type Route } from "./call.ts";
import { BULK_ROUTES } from "./routes_bulk.ts";
import { CASE_ROUTES } from "./routes_cases.ts";
import { CYCLE_ROUTES } from "./routes_cycles.ts";
import { MODULE_ROUTES } from "./routes_modules.ts";
import { RELEASE_ROUTES } from "./routes_releases.ts";
import { RUN_ROUTES } from "./routes_runs.ts";
import { STEP_ROUTES } from "./steps.ts";
import { FILE_ROUTES } from "./files.ts";
import { LINK_ROUTES } from "./routes_links.ts";
import { LOG_ROUTES } from "./routes_logs.ts";
import { PROJECT_ROUTES } from "./routes_project.ts";
import { SEARCH_ROUTES } from "./routes_search.ts";
import type { QtestState } from "./state.ts";
import type { User } from "./types.ts";

/** Every route of the API; specific ones stand before those with more placeholders. */
export const API_ROUTES: readonly Route[] = [
  ...PROJECT_ROUTES,
  ...BULK_ROUTES,
  ...MODULE_ROUTES,
  ...CASE_ROUTES,
  ...STEP_ROUTES,
  ...RELEASE_ROUTES,
  ...CYCLE_ROUTES,
  ...RUN_ROUTES,
  ...LOG_ROUTES,
  ...SEARCH_ROUTES,
  ...FILE_ROUTES,
  ...LINK_ROUTES,
];

/** A fault for the next requests that match. */
export interface InjectedFault {
  kind: FaultKind;
  method?: Route["method"];
  /** Part of the route as in the specification: `/test-cases`, `{testRunId}/test-logs`. */
  route?: string;
  /** How many requests it hits. @default {1} */
  times?: number;
  /** How many matching requests pass first. @default {0} */
  skip?: number;
  /** Delay of `slow`, ms. @default {0} */
  delayMs?: number;
  /** `slow` and `504-html`: the request takes effect before the wait. @default {true} */
  commitFirst?: boolean;
}

export interface ServerParts {
  state: QtestState;
  auth: Auth;
  budget: Budget;
  log: RequestLog;
  user: User;
  plan: FaultPlan;
  seed: number;
  latencyMs: number;
  signal: () => AbortSignal | undefined;
}

/** Bindings of one request. */
export interface Bindings {
  cut: () => void;
}

const QUIRKS = ["page-drift", "null-properties"] as const;

/** Answers requests; faults can be added while it runs. */
export class QtestServer {
  readonly app = new Hono<{ Bindings: Bindings }>();
  readonly #parts: ServerParts;
  readonly #faults: Faults;
  readonly #quirks: Faults;
  readonly #injected: Required<InjectedFault>[] = [];
  readonly #injectedCounts = new Map<FaultKind, number>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#faults = createFaults(parts.seed, parts.plan);
    const quirkPlan: FaultPlan = { rate: parts.plan.rate, kinds: { slow: 1 }, slowMs: [0, 0] };
    this.#quirks = createFaults(parts.seed + 1, quirkPlan);
    for (const route of [...parts.auth.routes(), ...API_ROUTES]) this.#register(route);
    this.app.notFound((c) => {
      const url = new URL(c.req.url);
      parts.log.begin({ method: c.req.method, route: "(unknown)", url: url.pathname })(404);
      return c.json({ message: `No route ${c.req.method} ${url.pathname}` }, 404);
    });
  }

  /** How often each kind of fault happened. */
  get faultCounts(): Partial<Record<FaultKind, number>> {
    const counts = { ...this.#faults.counts };
    for (const [kind, count] of this.#injectedCounts) counts[kind] = (counts[kind] ?? 0) + count;
    return counts;
  }

  inject(fault: InjectedFault): void {
    this.#injected.push({
      kind: fault.kind,
      method: fault.method ?? "POST",
      route: fault.route ?? "",
      times: fault.times ?? 1,
      skip: fault.skip ?? 0,
      delayMs: fault.delayMs ?? 0,
      commitFirst: fault.commitFirst ?? true,
    });
  }

  #register(route: Route): void {
    const path = route.path.replace(/\{(\w+)\}/g, ":$1");
    this.app.on(route.method, path, async (c) => {
      const url = new URL(c.req.url);
      const end = this.#parts.log.begin({
        method: route.method,
        route: route.path,
        url: url.pathname + url.search,
      });
      const bytes = await c.req.arrayBuffer().then((body) => new Uint8Array(body), () => null);
      if (bytes === null) {
        // The client went away in the middle of its request.
        end(400);
        return new Response(null, { status: 400 });
      }
      const call = this.#callOf(
        c.req.param() as Record<string, string>,
        url,
        c.req.raw.headers,
        bytes,
      );
      const response = await this.#answer(route, call, url, c.env.cut);
      end(response.status);
      return response;
    });
  }

  #callOf(
    params: Record<string, string>,
    url: URL,
    headers: Headers,
    bytes: Uint8Array<ArrayBuffer>,
  ): Call {
    const { state, user } = this.#parts;
    return {
      state,
      params,
      query: url.searchParams,
      headers,
      bytes,
      user,
      nowMs: state.now(),
      quirk: null,
    };
  }

  async #answer(route: Route, call: Call, url: URL, cut: () => void): Promise<Response> {
    const { budget, latencyMs } = this.#parts;
    const { isAllowed, headers } = budget.take();
    if (!isAllowed) return tooMany(headers);
    if (latencyMs > 0) await delay(latencyMs, this.#parts.signal());
    const key = `${route.method} ${url.pathname}${url.search}`;
    const fault = this.#takeInjected(route) ?? this.#faults.next(key);
    const quirk = fault === null ? this.#quirks.next(key) : null;
    if (quirk !== null) call.quirk = QUIRKS[quirk.at < 0.5 ? 0 : 1];
    const respond = (): Response => toResponse(this.#run(route, call), headers);
    return fault === null ? respond() : await this.#fail(fault, respond, headers, cut);
  }

  #takeInjected(route: Route): Fault | null {
    const found = this.#injected.find((fault) =>
      fault.method === route.method && route.path.includes(fault.route)
    );
    if (found === undefined) return null;
    if (found.skip > 0) {
      found.skip--;
      return null;
    }
    found.times--;
    if (found.times <= 0) this.#injected.splice(this.#injected.indexOf(found), 1);
    this.#injectedCounts.set(found.kind, (this.#injectedCounts.get(found.kind) ?? 0) + 1);
    return { kind: found.kind, delayMs: found.delayMs, at: found.commitFirst ? 0.5 : 0 };
  }

  /** Runs a route; a refusal becomes its answer. */
  #run(route: Route, call: Call): Answer {
    const { state, auth } = this.#parts;
    // The time after any wait: a late request takes effect late.
    call.nowMs = state.now();
    state.settleJobs();
    try {
      if (!route.isPublic && !auth.accepts(call.headers.get("authorization"))) throw invalidToken();
      const projectId = call.params.projectId;
      if (projectId !== undefined && projectId !== String(state.projectId)) {
        throw new Refusal(404, "Project does not exist");
      }
      return route.run(call);
    } catch (error) {
      if (!(error instanceof Refusal)) {
        // A mistake of the simulator; the message helps whoever reads the test's output.
        return { status: 500, json: { message: `Unexpected error occurred: ${String(error)}` } };
      }
      if (error.message === "") return { status: error.status };
      return { status: error.status, json: error.body ?? { message: error.message } };
    }
  }

  async #fail(
    fault: Fault,
    respond: () => Response,
    headers: Record<string, string>,
    cut: () => void,
  ): Promise<Response> {
    const commitsFirst = fault.at >= 0.5;
    switch (fault.kind) {
      case "429":
        return tooMany({ ...headers, "x-ratelimit-remaining-minute": "0" });
      case "slow": {
        const early = commitsFirst ? respond() : null;
        await delay(fault.delayMs, this.#parts.signal());
        return early ?? respond();
      }
      case "504-html":
        if (commitsFirst) respond();
        return htmlPage(504);
      case "502-html":
      case "503-html":
        return htmlPage(Number(fault.kind.slice(0, 3)));
      case "after-500":
        respond();
        return unexpected(500);
      case "after-empty":
        respond();
        return new Response(null, { status: 200, headers });
      case "after-reset":
        respond();
        return cutOff(cut);
      case "reset":
        return cutOff(cut);
      case "truncated":
        return await truncated(respond(), fault.at);
      default:
        return unexpected(Number(fault.kind));
    }
  }
}

function toResponse(answer: Answer, headers: Record<string, string>): Response {
  const all = { ...headers, ...answer.headers };
  if (answer.bytes !== undefined) {
    return new Response(answer.bytes, { status: answer.status, headers: all });
  }
  if (answer.json === undefined) return new Response(null, { status: answer.status, headers: all });
  return new Response(JSON.stringify(answer.json), {
    status: answer.status,
    headers: { ...all, "content-type": "application/json;charset=UTF-8" },
  });
}

function tooMany(headers: Record<string, string>): Response {
  return Response.json({ message: "API rate limit exceeded" }, { status: 429, headers });
}

function unexpected(status: number): Response {
  return Response.json({ message: "Unexpected error occurred" }, { status });
}

function htmlPage(status: number): Response {
  const text = `<html>\r\n<head><title>${status} Bad Gateway</title></head>\r\n<body>\r\n` +
    `<center><h1>${status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  return new Response(text, { status, headers: { "content-type": "text/html" } });
}

/** Ends the connection; the body is for listeners that can not. */
function cutOff(cut: () => void): Response {
  cut();
  const body = new ReadableStream({
    start: (controller) => controller.error(new Error("connection cut")),
  });
  return new Response(body, { status: 200 });
}

async function truncated(answer: Response, at: number): Promise<Response> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const end = Math.min(bytes.length - 1, Math.floor(bytes.length * at));
  const headers = new Headers(answer.headers);
  return new Response(bytes.subarray(0, Math.max(0, end)), { status: answer.status, headers });
}
