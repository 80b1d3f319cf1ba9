/**
 * One attempt on the wire, through ky with everything of its own switched off: no retries, no
 * errors for statuses, no redirects.
 * @module
 */
import ky from "ky";
import type { Clock } from "../../core/ports/mod.ts";
import type { NoAnswer } from "./retry.ts";

/** A reason made once: one per abort would be an exception with a stack each time. */
const OVER = "over";

/** One attempt. */
export interface Attempt {
  method: string;
  url: string;
  headers: Headers;
  /** Must not be repeated by the runtime either. */
  once: boolean;
  /** Blob or stream, never text or bytes: see {@linkcode sendOnce}. */
  body: Blob | ReadableStream<Uint8Array> | null;
  signal: AbortSignal;
  timeoutMs: number;
  /** Leaves the body of such an answer unread. */
  keepsBody: (status: number) => boolean;
  fetch: typeof globalThis.fetch;
  /** Client that never reuses a connection. */
  freshClient: () => Deno.HttpClient;
  clock: Clock;
}

/** How an attempt ended. */
export type Outcome =
  | {
    kind: "answer";
    status: number;
    headers: Headers;
    bytes: Uint8Array;
    /** Only when `keepsBody`. */
    body: ReadableStream<Uint8Array> | null;
  }
  | { kind: "none"; reason: NoAnswer }
  | { kind: "aborted" };

/**
 * Sends a request so that it leaves the process at most once, and reads the answer within the
 * timeout. Never throws: `aborted` means that the caller's signal fired, the request may have left.
 *
 * Deno's fetch repeats a request by itself when a reused connection closes without an answer and
 * the body is text, bytes or absent. A Blob is sent as a stream of known length, which is not
 * repeated and keeps `content-length`; without a body only a new connection is safe.
 */
export async function sendOnce(attempt: Attempt): Promise<Outcome> {
  const stop = new AbortController();
  const over = new AbortController();
  let timedOut = false;
  const abort = (): void => stop.abort(attempt.signal.reason);
  attempt.signal.addEventListener("abort", abort, { once: true });
  attempt.clock.sleep(attempt.timeoutMs, over.signal).then(
    () => {
      timedOut = true;
      stop.abort(new DOMException("Timed out", "TimeoutError"));
    },
    () => {},
  );
  try {
    return await untilAborted(exchange(attempt, stop.signal), stop.signal);
  } catch (error) {
    if (timedOut) return { kind: "none", reason: timeoutOf(attempt.timeoutMs) };
    if (attempt.signal.aborted) return { kind: "aborted" };
    return { kind: "none", reason: readFailure(error) };
  } finally {
    over.abort(OVER);
    attempt.signal.removeEventListener("abort", abort);
  }
}

async function exchange(attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
  const pooled = attempt.body !== null || !attempt.once;
  const response = await ky(attempt.url, {
    method: attempt.method,
    headers: attempt.headers,
    ...(attempt.body === null ? {} : { body: attempt.body }),
    ...(pooled ? {} : { client: attempt.freshClient() }),
    signal,
    fetch: attempt.fetch,
    retry: { limit: 0 },
    throwHttpErrors: false,
    timeout: false,
    redirect: "manual",
  });
  const { status, headers } = response;
  if (attempt.keepsBody(status)) {
    const body = response.body ?? new Blob([]).stream();
    return { kind: "answer", status, headers, bytes: new Uint8Array(), body };
  }
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { kind: "answer", status, headers, bytes, body: null };
}

/** Rejects as soon as the signal fires, whether or not the work listens to it. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function timeoutOf(timeoutMs: number): NoAnswer {
  return { kind: "timeout", detail: `no answer within ${timeoutMs / 1_000} s` };
}

/**
 * Says in our own words what a fetch error means. The runtime's message holds the URL with its
 * query and ky's error holds the request with its headers, so neither is passed on.
 */
export function readFailure(error: unknown): NoAnswer {
  const text = causes(error);
  if (/NotCapable|PermissionDenied|--allow-net/.test(text)) {
    return { kind: "setup", detail: "this process may not use the network (--allow-net)" };
  }
  const tls = /invalid peer certificate: (\w+)/.exec(text);
  if (tls !== null) return { kind: "setup", detail: `its TLS certificate is refused (${tls[1]})` };
  if (/connection refused|ECONNREFUSED/i.test(text)) {
    return { kind: "connect", detail: "connection refused" };
  }
  if (/dns error|ENOTFOUND|EAI_AGAIN/i.test(text)) {
    return { kind: "connect", detail: "host name not found" };
  }
  if (/client error \(Connect\)/.test(text)) {
    return { kind: "connect", detail: "no connection" };
  }
  if (/reset|closed|broken pipe|eof|incomplete|abort/i.test(text)) {
    return { kind: "lost", detail: "connection lost" };
  }
  return { kind: "lost", detail: "network error" };
}

function causes(error: unknown): string {
  const parts: string[] = [];
  for (let at = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++) {
    const code = "code" in at ? String(at.code) : "";
    parts.push(`${at.name} ${code} ${at.message}`);
  }
  return parts.join("\n");
}
