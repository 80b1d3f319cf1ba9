/** A scripted HTTP client for the tests of the Zephyr Scale adapter: no network, no time. @module */
import type { HttpAnswer, HttpClient, RequestSpec } from "../../adapters/http/types.ts";
import { createZephyrSource, type ZephyrSource } from "../../adapters/zephyr/mod.ts";
import { AccessError, InterruptedError, RefusedError, RetryError } from "../../core/errors.ts";

/** A canned answer; `text` stands for a body that is no JSON. */
export interface Canned {
  status?: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

/** What the fake was asked: the path with its query, sorted as sent. */
export interface Asked {
  method: string;
  path: string;
  route: string;
  query: Record<string, string>;
  maxAttempts: number | undefined;
}

/** Answers a request; undefined = 404. */
export type Script = (asked: Asked) => Canned | undefined;

export interface FakeHttp extends HttpClient {
  asked: Asked[];
}

/** Builds the client: statuses become errors as the contract of `HttpClient` says. */
export function fakeHttp(script: Script): FakeHttp {
  const asked: Asked[] = [];
  const ask = (spec: Omit<RequestSpec, "method" | "effect">, method: string): HttpAnswer => {
    spec.signal.throwIfAborted();
    const request = toAsked(spec, method);
    asked.push(request);
    const canned = script(request) ?? { status: 404, json: { errorCode: 404, message: "none" } };
    return settle(spec, canned);
  };
  return {
    asked,
    request: async (spec) => await Promise.resolve().then(() => ask(spec, spec.method)),
    stream: async (spec) => {
      const answer = await Promise.resolve().then(() => ask(spec, "GET"));
      const body = new Blob([answer.bytes.slice()]).stream();
      return { status: answer.status, headers: answer.headers, body };
    },
    stats: () => ({
      total: asked.length,
      byRoute: {},
      byStatus: {},
      retried: 0,
      rateLimited: 0,
      peakPerMinute: 0,
      queued: 0,
      waiting: null,
      monthRemaining: null,
    }),
    setRequestsPerMinute: () => {},
    close: () => {},
  };
}

function toAsked(spec: Omit<RequestSpec, "method" | "effect">, method: string): Asked {
  const query = Object.entries(spec.query ?? {}).filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)]);
  const { path, route, maxAttempts } = spec;
  return { method, path, route, query: Object.fromEntries(query), maxAttempts };
}

function settle(spec: Omit<RequestSpec, "method" | "effect">, canned: Canned): HttpAnswer {
  const { status = 200, json, text = JSON.stringify(json) ?? "" } = canned;
  if (status >= 400 && !spec.accept?.includes(status)) {
    if (status === 401 || status === 403) throw new AccessError(`refused ${status}`, { status });
    if (status < 500) throw new RefusedError(`refused ${status}`, { status, answer: text });
    const bounded = spec.maxAttempts !== undefined || spec.failFast === true;
    throw bounded ? new RetryError(`answered ${status}`) : new InterruptedError("unreachable");
  }
  const bytes = new TextEncoder().encode(text);
  return { status, headers: new Headers(canned.headers), bytes, text, json };
}

/** A source on a scripted client. */
export function fakeSource(script: Script): { source: ZephyrSource; http: FakeHttp } {
  const http = fakeHttp(script);
  const baseUrl = "https://api.zephyrscale.smartbear.com/v2";
  return { source: createZephyrSource({ http, baseUrl, projectKey: "PROJ" }), http };
}

/** A signal that is never aborted. */
export const noAbort: AbortSignal = new AbortController().signal;
