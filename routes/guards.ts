/** What stands before every route: request ids, headers, limits, tokens, origins. @module */
import type { Context, MiddlewareHandler } from "hono";
import type { Clock } from "../core/ports/mod.ts";
import { Problem, problemResponse } from "./problem.ts";
import type { Actor, AppEnv, ControlPlaneServices } from "./services.ts";
import { createTokenCheck } from "./tokens.ts";

const MAX_BODY_BYTES = 64 * 1024;
/** A client that sends a body drop by drop holds a connection no longer than this. */
const BODY_MS = 15_000;
/** Methods of our routes that take a body; that of any other is never read. */
const WITH_BODY = ["POST", "PATCH"];
const MAX_URL_CHARS = 8 * 1024;
const MAX_HEADER_CHARS = 16 * 1024;
/** Wrong tokens per client and minute. */
const MAX_REFUSALS = 30;
/** Clients remembered, at most: a flood of addresses must not fill the memory. */
const MAX_CLIENTS = 10_000;

/** No inline script or style anywhere; nothing from elsewhere; no framing. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "cache-control": "no-store",
};

/** Gives the request an id and the answer its headers. */
export function requestFrame(): MiddlewareHandler<AppEnv> {
  return async function requestFrame(c, next): Promise<void> {
    const given = c.req.header("x-request-id") ?? "";
    c.set("requestId", /^[\w.-]{8,64}$/.test(given) ? given : crypto.randomUUID());
    await next();
    // Nobody reads what HEAD leaves out: an event stream would stay open until its run is over.
    if (c.req.method === "HEAD") await c.res.body?.cancel();
    for (const [name, value] of Object.entries(HEADERS)) {
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
    }
    c.res.headers.set("x-request-id", c.get("requestId"));
  };
}

/** Refuses what no client of ours sends. */
export function sizeGuard(): MiddlewareHandler<AppEnv> {
  return async function sizeGuard(c, next): Promise<void> {
    if (c.req.url.length > MAX_URL_CHARS) throw new Problem(414, "The address is too long");
    let chars = 0;
    for (const [name, value] of c.req.raw.headers) chars += name.length + value.length;
    if (chars > MAX_HEADER_CHARS) throw new Problem(431, "The headers are larger than 16 kB");
    await next();
  };
}

/** Host name without port and brackets, in lower case. */
function hostName(authority: string): string {
  const [, bracketed, plain = ""] = /^(?:\[([^\]]+)\]|([^:]*))(?::\d+)?$/.exec(authority) ?? [];
  return (bracketed ?? plain).toLowerCase();
}

export function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * Without tokens, whoever can make a browser on this machine send a request would be let in: the
 * Host must be loopback (DNS rebinding), the Origin our own (cross-site requests).
 */
export function loopbackGuard(): MiddlewareHandler<AppEnv> {
  return async function loopbackGuard(c, next): Promise<void> {
    const host = c.req.header("host") ?? new URL(c.req.url).host;
    if (!isLoopback(hostName(host))) {
      throw new Problem(403, "This server takes requests for a loopback host only", {
        hint: "Use http://127.0.0.1 or http://localhost, or start it with ZTOQ_API_TOKEN.",
      });
    }
    refuseForeignOrigin(c, host);
    await next();
  };
}

function refuseForeignOrigin(c: Context<AppEnv>, host: string): void {
  const origin = c.req.header("origin");
  const site = c.req.header("sec-fetch-site");
  const isForeign =
    (origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host)) ||
    (site !== undefined && !["same-origin", "none"].includes(site));
  // A link from another site may open a page, but gets no data and changes nothing.
  const isPage = c.req.method === "GET" && !c.req.path.startsWith("/v1") && origin === undefined;
  if (isForeign && !isPage) {
    throw new Problem(403, "Requests of other sites are refused");
  }
}

/**
 * A body must be JSON, small, and there in time. A request without one is fine whatever its content
 * type says: clients set that for all requests, and `POST …/resume` needs no body.
 */
export function bodyGuard({ clock }: ControlPlaneServices): MiddlewareHandler<AppEnv> {
  return async function bodyGuard(c, next): Promise<void> {
    const { method, raw } = c.req;
    if (!WITH_BODY.includes(method) || raw.body === null) return await next();
    const isJson = /^application\/json\s*(;|$)/i.test(c.req.header("content-type") ?? "");
    if (Number(c.req.header("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
    const bytes = await withDeadline(clock, readBody(raw.body, isJson ? MAX_BODY_BYTES : 0));
    if (bytes === null && !isJson) {
      throw new Problem(415, "The body must be JSON (content-type: application/json)");
    }
    if (bytes === null) throw tooLarge();
    const headers = new Headers(raw.headers);
    // Without a body there is nothing to read as JSON.
    if (bytes.length === 0) headers.delete("content-type");
    const body = bytes.length === 0 ? null : bytes;
    c.req.raw = new Request(raw.url, { method, headers, body });
    await next();
  };
}

function tooLarge(): Problem {
  return new Problem(413, "The body is larger than 64 kB");
}

/** The whole body; null when it has more bytes than that. */
async function readBody(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

async function withDeadline<T>(clock: Clock, work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = clock.sleep(BODY_MS, stop.signal).then(() => {
    throw new Problem(408, `The body did not arrive within ${BODY_MS / 1_000} s`);
  });
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}

/** Counts per client in windows of a minute. */
class ClientWindow {
  readonly #limit: number;
  readonly #now: () => number;
  #counts = new Map<string, number>();
  #windowEnd = 0;

  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Seconds to wait; 0 when there is room. */
  take(client: string, cost = 1): number {
    const now = this.#now();
    if (now >= this.#windowEnd || this.#counts.size > MAX_CLIENTS) {
      this.#counts = new Map();
      this.#windowEnd = now + 60_000;
    }
    const count = (this.#counts.get(client) ?? 0) + cost;
    this.#counts.set(client, count);
    return count > this.#limit ? Math.max(1, Math.ceil((this.#windowEnd - now) / 1_000)) : 0;
  }
}

/** Address of the other side, as `Deno.serve` and compatible hosts tell it. */
function clientOf(c: Context<AppEnv>): string {
  const address = c.env?.remoteAddr?.hostname;
  return typeof address === "string" ? address : "unknown";
}

function tooMany(seconds: number): Problem {
  return new Problem(429, `Too many requests; try again in ${seconds} s`, {
    headers: { "retry-after": String(seconds) },
  });
}

/** Limits requests per client address. */
export function rateGuard(services: ControlPlaneServices): MiddlewareHandler<AppEnv> {
  const { clock, requestsPerMinute = 1_200 } = services;
  const window = new ClientWindow(requestsPerMinute, () => clock.monotonic());
  return async function rateGuard(c, next): Promise<void> {
    const seconds = window.take(clientOf(c));
    if (seconds > 0) throw tooMany(seconds);
    await next();
  };
}

const ANYONE: Actor = { name: "loopback", role: "operate" };

/** Lets holders of a token through; reading needs `view`, everything else `operate`. */
export function tokenGuard(services: ControlPlaneServices): MiddlewareHandler<AppEnv> {
  const { tokens, openOnLoopback = false, clock } = services;
  const check = createTokenCheck(tokens);
  const refusals = new ClientWindow(MAX_REFUSALS, () => clock.monotonic());
  return async function tokenGuard(c, next): Promise<void> {
    const actor = tokens.length === 0 && openOnLoopback ? ANYONE : identify(c);
    if (actor.role !== "operate" && c.req.method !== "GET" && c.req.method !== "HEAD") {
      throw new Problem(403, `The token "${actor.name}" may read but not change anything`);
    }
    c.set("actor", actor);
    // The dashboard hides what would be refused.
    c.header("x-ztoq-role", actor.role);
    await next();
  };

  function identify(c: Context<AppEnv>): Actor {
    if (tokens.length === 0) {
      throw new Problem(403, "The control plane is closed: no token is configured", {
        hint: "Set ZTOQ_API_TOKEN or controlPlane.tokens on the server.",
      });
    }
    const [, token] = /^Bearer +([\x21-\x7e]+) *$/i.exec(c.req.header("authorization") ?? "") ?? [];
    const actor = token === undefined ? null : check(token);
    if (actor !== null) return actor;
    const seconds = token === undefined ? 0 : refusals.take(clientOf(c));
    if (seconds > 0) throw tooMany(seconds);
    if (token !== undefined) {
      const data = { client: clientOf(c), requestId: c.get("requestId"), path: c.req.path };
      services.log({ level: "warning", event: "http.tokenRefused", data });
    }
    throw new Problem(
      401,
      token === undefined
        ? "This route needs the header Authorization: Bearer <token>"
        : "The token is not known",
      { headers: { "www-authenticate": 'Bearer realm="ztoq"' } },
    );
  }
}

/** Masks secrets in JSON answers; streams do it piece by piece themselves. */
export function redactionGuard(services: ControlPlaneServices): MiddlewareHandler<AppEnv> {
  return async function redactionGuard(c, next): Promise<void> {
    await next();
    if (!/^application\/(problem\+)?json/.test(c.res.headers.get("content-type") ?? "")) return;
    if (c.res.headers.has("x-streamed")) {
      c.res.headers.delete("x-streamed");
      return;
    }
    const text = await c.res.text();
    const { status, headers } = c.res;
    c.res = undefined;
    c.res = new Response(services.redact(text), { status, headers });
  };
}

/** Turns whatever was thrown into a problem document; what was not expected goes to the log. */
export function answerError(
  services: ControlPlaneServices,
  error: unknown,
  c: Context<AppEnv>,
  problem: Problem,
): Response {
  if (problem.status >= 500) {
    services.log({
      level: "error",
      event: "http.failed",
      data: {
        requestId: c.get("requestId"),
        method: c.req.method,
        path: c.req.path,
        message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
      },
    });
  }
  return problemResponse(c, problem);
}
