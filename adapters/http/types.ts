/**
 * The one way to send a request: slots, timeouts, retry of reads, outcome classes of writes,
 * correlation ids, redaction. Used by both vendor adapters; knows neither vendor.
 * @module
 */
import type { Clock, Traffic } from "../../core/ports/mod.ts";

export interface HttpOptions {
  /** `source` or `target`, for messages and counters. */
  system: "source" | "target";
  /** Name people know: "Zephyr Scale", "qTest". */
  name: string;
  /** Base URL without trailing slash (one is stripped). */
  baseUrl: string;
  /** Requests per 60 s, at most; the helper aims at 99 % of it, evenly spaced. 0 = unlimited. */
  requestsPerMinute: number;
  /** Requests in flight, at most. @default {8} */
  concurrency?: number;
  /** Of one attempt, in ms. @default {30_000} */
  timeoutMs?: number;
  /** How long reads go on trying while the system is unreachable, ms. @default {3_600_000} */
  maxOutageMs?: number;
  /** Stop (exit 8) when the month's remainder falls to this. @default {100} */
  monthReserve?: number;
  /** Adds credentials to the headers of an attempt; called per attempt. */
  authorize: (headers: Headers) => void | Promise<void>;
  /**
   * Called on 401, once per request: gets new credentials (true = resend) or gives up (false).
   * Concurrent 401s share one call.
   */
  refresh?: (signal: AbortSignal) => Promise<boolean>;
  /** Reads a vendor's error body; returns its own words. */
  errorMessage: (body: unknown, text: string) => string | null;
  clock: Clock;
  /** Header name that carries the correlation id of a request. @default {"x-correlation-id"} */
  correlationHeader?: string;
  /** Structured log sink; never gets secrets. */
  log?: (
    entry: { level: "debug" | "info" | "warning"; event: string; data: Record<string, unknown> },
  ) => void;
  fetch?: typeof globalThis.fetch;
}

export interface RequestSpec {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Path below the base URL, already encoded: `/projects/1/test-cases`. */
  path: string;
  /** Template for counters: `/api/v3/projects/{projectId}/test-cases`, as in the vendor's spec. */
  route: string;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  /** JSON value, or raw body. A stream is opened anew per attempt. */
  json?: unknown;
  form?: Record<string, string>;
  body?: () => Promise<ReadableStream<Uint8Array>> | ReadableStream<Uint8Array>;
  signal: AbortSignal;
  /**
   * - `read`: repeated on 429, 5xx, resets, timeouts, HTML instead of JSON, truncated JSON, with backoff and jitter.
   * - `create`: leaves at most once. Only 429 (and a refused connection, proven unsent) is repeated.
   * - `idempotent`: a write that may be repeated like a read (PUT, DELETE by id, login).
   */
  effect: "read" | "create" | "idempotent";
  /** See `WriteOptions.intent`: after the slot, before the bytes, once per attempt. */
  intent?: () => Promise<void>;
  /** Statuses that are answers, not errors: they come back as they are (e.g. [404]). */
  accept?: number[];
  /** The answer may be no JSON (an empty 200 on delete, a raw token). @default {false} */
  textAnswer?: boolean;
  /** Reads give up earlier than `maxOutageMs` after this many attempts (shrink a page, then try anew). */
  maxAttempts?: number;
  timeoutMs?: number;
  /** True for requests that precede the work and may not wait long (doctor): no outage wait. */
  failFast?: boolean;
  /** Do not send credentials (login, version). */
  anonymous?: boolean;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** Body as received. */
  bytes: Uint8Array;
  text: string;
  /** Parsed JSON; undefined when the body is empty or `textAnswer` and no JSON. */
  json: unknown;
}

/**
 * Throws: {@linkcode RefusedError} (4xx that stays), {@linkcode AccessError} (401 after refresh, 403),
 * {@linkcode InDoubtError} (only `create`), {@linkcode InterruptedError} (outage longer than allowed),
 * {@linkcode BudgetError} (month reserve), {@linkcode RetryError} (only with `failFast` or `maxAttempts`), `signal.reason`.
 */
export interface HttpClient extends Traffic {
  request(spec: RequestSpec): Promise<HttpAnswer>;
  /**
   * GET whose body is streamed; follows redirects itself and drops credentials on another host.
   * Repeats until the headers arrive; a body that breaks off errors the stream.
   */
  stream(
    spec: Omit<RequestSpec, "method" | "effect">,
  ): Promise<{ status: number; headers: Headers; body: ReadableStream<Uint8Array> }>;
  setRequestsPerMinute(value: number): void;
  close(): void;
}
