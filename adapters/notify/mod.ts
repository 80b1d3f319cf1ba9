/**
 * Webhooks: a signed POST per event, tried again with patience, its outcome kept as an event.
 *
 * `webhooks` in the configuration: `[{"url": "https://…", "secret": "env:NAME", "events": ["state"]}]`.
 * The header `x-ztoq-signature: t=<unix seconds>,v1=<hex>` is the HMAC-SHA256 of `<t>.<body>`.
 * @module
 */
import { createHmac } from "node:crypto";
import { ConfigError } from "../../core/errors.ts";
import type { Clock, EventRow, Store } from "../../core/ports/mod.ts";

/** One address that is told about events. */
export interface Webhook {
  url: string;
  secret: string;
  /** Event types; default `state` and `report`. */
  events: string[];
}

export interface NotifierOptions {
  webhooks: readonly unknown[];
  env: (name: string) => string | undefined;
  readSecretFile: (path: string) => string;
  store: () => Promise<Pick<Store, "appendEvent">>;
  clock: Clock;
  log: (entry: { level: "info" | "warning"; event: string; data: Record<string, unknown> }) => void;
  fetch?: typeof globalThis.fetch;
  /** Masks secrets in what is sent. @default {no masking} */
  redact?: (text: string) => string;
  /** Given every secret once, so that logs can mask it. */
  onSecret?: (secret: string) => void;
}

const EVENTS = ["state", "report", "stage", "warning", "audit"];
const TIMEOUT_MS = 10_000;
/** Deliveries that may wait for one address. */
const MAX_WAITING = 1_000;
/** Waits between attempts: 1 s, 5 s, 30 s, 2 min. */
const PAUSES_MS = [1_000, 5_000, 30_000, 120_000];

/** Reads `webhooks`. @throws {ConfigError} naming the entry and the key; never a secret */
export function parseWebhooks(
  { webhooks, env, readSecretFile }: Pick<NotifierOptions, "webhooks" | "env" | "readSecretFile">,
): Webhook[] {
  return webhooks.map((entry, index) => {
    const place = `webhooks[${index}]`;
    if (typeof entry !== "object" || entry === null) throw wrong(place, "an object");
    const { url, secret, events = ["state", "report"], ...rest } = entry as Record<string, unknown>;
    const [extra] = Object.keys(rest);
    if (extra !== undefined) throw wrong(`${place}.${extra}`, "only url, secret and events");
    if (typeof url !== "string" || !/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
      throw wrong(`${place}.url`, "an http or https address");
    }
    if (!isEventList(events)) throw wrong(`${place}.events`, `a list of ${EVENTS.join(", ")}`);
    return { url, events, secret: resolve(secret, `${place}.secret`, env, readSecretFile) };
  });
}

function isEventList(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((name) => EVENTS.some((event) => event === name));
}

function resolve(
  raw: unknown,
  place: string,
  env: NotifierOptions["env"],
  readSecretFile: NotifierOptions["readSecretFile"],
): string {
  const [, scheme, name = ""] = /^(env|file):(.+)$/.exec(typeof raw === "string" ? raw : "") ?? [];
  let value: string | undefined;
  if (scheme === "env") value = env(name);
  else if (scheme === "file") {
    try {
      value = readSecretFile(name).trim();
    } catch {
      throw wrong(place, "a file that can be read");
    }
  } else if (typeof raw === "string") value = raw;
  if (value === undefined || value.length < 8) {
    throw wrong(place, 'a secret of at least 8 characters: "env:NAME" or "file:PATH"');
  }
  return value;
}

function wrong(place: string, wanted: string): ConfigError {
  return new ConfigError(`Cannot use the configuration: ${place}; wanted ${wanted}`);
}

/** Signature of a body at a time, as receivers compute it. */
export function signature(secret: string, seconds: number, body: string): string {
  const digest = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return `t=${seconds},v1=${digest}`;
}

/** One address and what waits for it. */
interface Line {
  hook: Webhook;
  /** Settles with the newest delivery. */
  tail: Promise<void>;
  waiting: number;
  /** The last attempt found nobody. */
  isDown: boolean;
}

/** Tells all webhooks about one event; `closing` ends the patience with addresses that are away. */
export type Notify = (event: EventRow, closing?: AbortSignal) => Promise<void>;

/**
 * Returns what tells all webhooks about one event; it never rejects for an address that is away.
 * Each address gets its events in order; one that is away keeps the others from nothing.
 */
export function createWebhooks(options: NotifierOptions): Notify {
  const hooks = parseWebhooks(options);
  for (const { secret } of hooks) options.onSecret?.(secret);
  const lines = hooks.map((hook): Line => ({
    hook,
    tail: Promise.resolve(),
    waiting: 0,
    isDown: false,
  }));
  return async (event, closing) => {
    // Deliveries are events too; telling about them would never end.
    if (event.type === "webhook") return;
    const wanted = lines.filter(({ hook }) => hook.events.includes(event.type));
    await Promise.all(wanted.map((line) => queue(line, event, options, closing)));
  };
}

async function queue(
  line: Line,
  event: EventRow,
  options: NotifierOptions,
  closing?: AbortSignal,
): Promise<void> {
  if (line.waiting >= MAX_WAITING) {
    const outcome = { ok: false, attempts: 0, answer: "not sent: too many wait already" };
    return await record(line.hook, event, outcome, options);
  }
  line.waiting++;
  const before = line.tail;
  const own = (async (): Promise<void> => {
    await before.catch(() => undefined);
    await deliver(line, event, options, closing).finally(() => line.waiting--);
  })();
  line.tail = own;
  await own;
}

async function deliver(
  line: Line,
  event: EventRow,
  options: NotifierOptions,
  closing?: AbortSignal,
): Promise<void> {
  const { clock, redact = (text: string): string => text } = options;
  const { hook } = line;
  const { id, runId, type, at, data } = event;
  const body = redact(JSON.stringify({ ...data, id, runId, at, type }));
  const delivery = crypto.randomUUID();
  let outcome = { ok: false, answer: "not sent: the server ended", mayRepeat: true };
  let attempts = 0;
  // A server that ends tries each address once more, unless that is known to be away.
  while (closing?.aborted !== true || (attempts === 0 && !line.isDown)) {
    outcome = await send(hook, body, delivery, event, options);
    line.isDown = outcome.mayRepeat;
    const pauseMs = outcome.mayRepeat ? PAUSES_MS[attempts] : undefined;
    attempts++;
    if (pauseMs === undefined) break;
    await clock.sleep(pauseMs, closing).catch(() => undefined);
  }
  const { ok, answer } = outcome;
  await record(hook, event, { ok, attempts, answer }, options);
}

async function send(
  hook: Webhook,
  body: string,
  delivery: string,
  event: EventRow,
  { clock, fetch = globalThis.fetch }: NotifierOptions,
): Promise<{ ok: boolean; answer: string; mayRepeat: boolean }> {
  const seconds = Math.floor(clock.now() / 1_000);
  try {
    const answer = await fetch(hook.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "ztoq",
        "x-ztoq-event": event.type,
        // The same for every attempt: receivers tell a repeated delivery by it.
        "x-ztoq-delivery": delivery,
        "x-ztoq-signature": signature(hook.secret, seconds, body),
      },
      body,
      // An answer elsewhere would take the signed body along.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await answer.body?.cancel();
    const { status } = answer;
    const mayRepeat = status >= 500 || status === 429 || status === 408;
    return { ok: answer.ok, answer: `HTTP ${status}`, mayRepeat };
  } catch (error) {
    const name = error instanceof Error ? error.name : "error";
    return {
      ok: false,
      answer: name === "TimeoutError" ? "timeout" : "unreachable",
      mayRepeat: true,
    };
  }
}

async function record(
  hook: Webhook,
  event: EventRow,
  outcome: { ok: boolean; attempts: number; answer: string },
  { store, clock, log }: NotifierOptions,
): Promise<void> {
  // Paths and queries of webhook addresses are often secret.
  const data = { host: new URL(hook.url).host, event: event.id, about: event.type, ...outcome };
  const level = outcome.ok ? "info" : "warning";
  log({ level, event: "webhook.delivered", data: { runId: event.runId, ...data } });
  const at = new Date(clock.now()).toISOString();
  await (await store()).appendEvent?.({ runId: event.runId, type: "webhook", at, data });
}
