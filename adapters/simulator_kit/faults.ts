/** Seeded faults that a server can be told to have. @module */
import { hashText } from "./random.ts";

/**
 * What goes wrong. The `after-…` kinds run the request first and then lose its answer: for writes
 * they leave the effect behind.
 */
export const FAULT_KINDS = [
  "500",
  "502-html",
  "503-html",
  "503",
  "504-html",
  "429",
  "reset",
  "truncated",
  "slow",
  "after-500",
  "after-reset",
  "after-empty",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultPlan {
  /** Share of requests that go wrong, 0 to 1. */
  rate: number;
  /** Relative frequency of each kind; kinds not named do not occur. */
  kinds: Partial<Record<FaultKind, number>>;
  /** Delay of `slow`, ms, both ends included. @default {[50, 400]} */
  slowMs?: [number, number];
  /** How many requests a `429` refuses, itself included. @default {3} */
  burst?: number;
  /** At most this many faults in a row for the same request. @default {2} */
  maxInARow?: number;
}

export interface Fault {
  kind: FaultKind;
  /** Delay before the answer, ms; 0 unless `slow`. */
  delayMs: number;
  /** In [0, 1): where a body is cut. */
  at: number;
}

export interface Faults {
  /**
   * Decides about one request. The decision depends on the seed, the key (method and URL) and how
   * often that key was asked before, never on the order in which concurrent requests arrive
   * (except inside a burst of 429).
   */
  next(key: string): Fault | null;
  /** How often each kind occurred. */
  readonly counts: Readonly<Partial<Record<FaultKind, number>>>;
}

const READ_KINDS: FaultPlan["kinds"] = {
  "500": 3,
  "502-html": 2,
  "503-html": 2,
  "503": 1,
  "504-html": 1,
  "429": 1,
  reset: 3,
  truncated: 2,
  slow: 3,
};

/** Plans by name: `none`, `mild` (about 1.5 % of requests) and `harsh` (about 8 %). */
export const READ_FAULTS: Record<"none" | "mild" | "harsh", FaultPlan> = {
  none: { rate: 0, kinds: {} },
  mild: { rate: 0.015, kinds: READ_KINDS },
  harsh: { rate: 0.08, kinds: READ_KINDS, burst: 6, slowMs: [200, 1500] },
};

/** Creates a fault injector for a plan. */
export function createFaults(seed: number, plan: FaultPlan): Faults {
  const counts: Partial<Record<FaultKind, number>> = {};
  const asked = new Map<string, number>();
  const inARow = new Map<string, number>();
  let refusals = 0;
  const note = (fault: Fault): Fault => {
    counts[fault.kind] = (counts[fault.kind] ?? 0) + 1;
    return fault;
  };
  return {
    counts,
    next(key): Fault | null {
      if (plan.rate <= 0) return null;
      if (refusals > 0) {
        refusals--;
        return note({ kind: "429", delayMs: 0, at: 0 });
      }
      const nth = asked.get(key) ?? 0;
      asked.set(key, nth + 1);
      const fault = (inARow.get(key) ?? 0) < (plan.maxInARow ?? 2)
        ? drawFault(`${key} #${nth}`, seed, plan)
        : null;
      if (fault === null) {
        inARow.delete(key);
        return null;
      }
      inARow.set(key, (inARow.get(key) ?? 0) + 1);
      if (fault.kind === "429") refusals = (plan.burst ?? 3) - 1;
      return note(fault);
    },
  };
}

function drawFault(key: string, seed: number, plan: FaultPlan): Fault | null {
  if (hashText(key, seed) / 4_294_967_296 >= plan.rate) return null;
  const kinds = Object.entries(plan.kinds) as [FaultKind, number][];
  let rest = (hashText(`kind ${key}`, seed) / 4_294_967_296) *
    kinds.reduce((sum, [, weight]) => sum + weight, 0);
  const kind = kinds.find(([, weight]) => (rest -= weight) < 0)?.[0];
  if (kind === undefined) return null;
  const at = hashText(`at ${key}`, seed) / 4_294_967_296;
  const [from, to] = plan.slowMs ?? [50, 400];
  return { kind, at, delayMs: kind === "slow" ? Math.round(from + at * (to - from)) : 0 };
}

export interface ApplyFaultOptions {
  /** Aborted when the server closes: ends waits early. */
  signal?: AbortSignal;
  /** Answer of a `429`. */
  tooMany?: () => Response;
  /** JSON body of 500 and 503. */
  errorBody?: (status: number) => unknown;
}

/** Answers a request the way a fault demands; `respond` gives the healthy answer. */
export async function applyFault(
  fault: Fault | null,
  respond: () => Promise<Response>,
  options: ApplyFaultOptions = {},
): Promise<Response> {
  switch (fault?.kind) {
    case undefined:
      return await respond();
    case "slow":
      await delay(fault?.delayMs ?? 0, options.signal);
      return await respond();
    case "429":
      return options.tooMany?.() ??
        Response.json({ message: "Too Many Requests" }, { status: 429 });
    case "500":
    case "503":
      return errorAnswer(Number(fault?.kind), options);
    case "502-html":
    case "503-html":
    case "504-html":
      return htmlAnswer(Number(fault?.kind.slice(0, 3)));
    case "after-500":
      await discard(await respond());
      return errorAnswer(500, options);
    case "after-empty":
      await discard(await respond());
      return new Response(null, { status: 200 });
    case "after-reset":
      await discard(await respond());
      return broken(new Uint8Array(0));
    default:
      return await cutAnswer(await respond(), fault as Fault);
  }
}

function errorAnswer(status: number, options: ApplyFaultOptions): Response {
  const message = "The backend service returned a 5xx or could not be reached";
  return Response.json(options.errorBody?.(status) ?? { errorCode: status, message }, { status });
}

function htmlAnswer(status: number): Response {
  const text =
    `<!DOCTYPE HTML><html><head><title>ERROR: The request could not be satisfied</title>` +
    `</head><body><h1>${status} ERROR</h1><p>The Lambda function associated with the CloudFront ` +
    `distribution is invalid or doesn't have the required permissions.</p></body></html>`;
  return new Response(text, { status, headers: { "content-type": "text/html" } });
}

async function discard(answer: Response): Promise<void> {
  await answer.body?.cancel();
}

/**
 * `truncated`: a well-formed HTTP answer whose text stops early; `reset`: the connection breaks. A file
 * that stops early always breaks: nothing else would tell.
 */
async function cutAnswer(answer: Response, fault: Fault): Promise<Response> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const cut = bytes.subarray(0, Math.min(bytes.length - 1, Math.floor(bytes.length * fault.at)));
  const headers = new Headers(answer.headers);
  headers.delete("content-length");
  const isJson = headers.get("content-type")?.includes("json") === true;
  if (fault.kind === "truncated" && isJson) {
    return new Response(cut, { status: answer.status, headers });
  }
  return broken(cut, answer.status, headers);
}

function broken(sent: Uint8Array<ArrayBuffer>, status = 200, headers?: Headers): Response {
  let started = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (!started && sent.length > 0) controller.enqueue(sent);
      else controller.error(new Error("connection reset"));
      started = true;
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status, headers });
}

/** Waits, or returns at once when the signal is aborted. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
