/** One project's routes over the shared client: paths, templates for counters, effects. @module */
import type { HttpAnswer, HttpClient, RequestSpec } from "../http/types.ts";
import type { WriteOptions } from "../../core/ports/mod.ts";

/** Template of every project route. */
export const PROJECT_ROUTE = "/api/v3/projects/{projectId}";

/** Values for the `{names}` of a template. */
export type RouteParams = Record<string, string>;

export interface Place {
  /** Template below the project as in the vendor's spec: `/test-runs/{testRunId}`. */
  to: string;
  params?: RouteParams;
  query?: RequestSpec["query"];
}

export interface ReadCall extends Place {
  signal: AbortSignal;
  /** A POST that only reads (search). */
  json?: unknown;
  accept?: number[];
  failFast?: boolean;
  maxAttempts?: number;
}

export interface WriteCall extends Place {
  method: "POST" | "PUT" | "DELETE";
  json?: unknown;
  headers?: Record<string, string>;
  body?: RequestSpec["body"];
  accept?: number[];
  maxAttempts?: number;
  /** The answer may be empty. */
  textAnswer?: boolean;
}

/** Sends requests of one project. */
export class QtestApi {
  readonly http: HttpClient;
  readonly projectId: string;

  constructor(http: HttpClient, projectId: string) {
    this.http = http;
    this.projectId = projectId;
  }

  /** Sends a request that changes nothing; it is repeated by the client as long as allowed. */
  read(call: ReadCall): Promise<HttpAnswer> {
    const { to, params, json, ...rest } = call;
    return this.http.request({
      ...rest,
      ...this.#resolve(to, params),
      method: json === undefined ? "GET" : "POST",
      ...(json === undefined ? {} : { json }),
      effect: "read",
    });
  }

  /** Sends a write: a POST leaves at most once, PUT and DELETE may be repeated. */
  write(call: WriteCall, options: WriteOptions): Promise<HttpAnswer> {
    const { to, params, ...rest } = call;
    return this.http.request({
      ...rest,
      ...this.#resolve(to, params),
      effect: call.method === "POST" ? "create" : "idempotent",
      signal: options.signal,
      intent: options.intent,
    });
  }

  /** Opens a body as a stream. */
  stream(call: Omit<ReadCall, "json">): ReturnType<HttpClient["stream"]> {
    const { to, params, ...rest } = call;
    return this.http.stream({ ...rest, ...this.#resolve(to, params) });
  }

  #resolve(to: string, params: RouteParams = {}): { path: string; route: string } {
    const route = PROJECT_ROUTE + to;
    const values: RouteParams = { ...params, projectId: this.projectId };
    const path = route.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new TypeError(`Route ${route} has no value for ${name}`);
      return encodeURIComponent(value);
    });
    return { path, route };
  }
}

/** Returns an id as the JSON number that the target expects. */
export function toNumber(id: string): number | string {
  const value = Number(id);
  return Number.isSafeInteger(value) ? value : id;
}
