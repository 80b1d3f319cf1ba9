/**
 * What an outcome means: what was seen, whether the request may go again, and which error it is
 * when it may not. The only place where vendor status codes become errors.
 * @module
 */
import {
  AccessError,
  InDoubtError,
  type MigrationError,
  RefusedError,
  RetryError,
} from "../../core/errors.ts";
import type { ReadAnswer } from "./answer.ts";
import type { RequestSpec } from "./types.ts";

const FIRST_BACKOFF_MS = 500;
const LAST_BACKOFF_MS = 30_000;

/** Gateways and networks; the record asked for has no part in it. */
const OUTAGE_STATUSES = new Set([408, 425, 502, 503, 504, 520, 521, 522, 523, 524, 525, 527, 530]);

/** Exponential backoff with full jitter, ms; `attempt` counts from 1. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
}

/** Thrown when the tries allowed by `maxAttempts` or `failFast` are used up. */
export class GaveUpError extends RetryError {
  /** HTTP status of the last answer, when there was one. */
  readonly status: number | undefined;
  constructor(message: string, options: { hint?: string; status?: number } = {}) {
    super(message, options);
    this.status = options.status;
  }
}

/** An attempt without an answer. */
export interface NoAnswer {
  /** `connect`: the connection was never made, so nothing left. `setup`: it can never be made. */
  kind: "connect" | "lost" | "timeout" | "setup";
  /** Completes "<system>: …"; holds no secrets. */
  detail: string;
}

/** What is wrong when the request itself may be fine. */
export interface Problem {
  /** Counts against `outage`: the system is down. `server`: this request may be the reason. */
  kind: "network" | "outage" | "server" | "html" | "body";
  /** Completes "<system> …": "answered 503". */
  seen: string;
  status: number | undefined;
  /** Vendor's words, for the error when it stays. */
  answer: string;
}

/** What an outcome means. */
export type Verdict =
  | { kind: "done" }
  | { kind: "limited" }
  | { kind: "unauthorized"; error: MigrationError }
  | { kind: "redirect"; location: string }
  | { kind: "transient"; problem: Problem }
  | { kind: "failed"; error: MigrationError };

/** Who asked for what: words for messages. */
export interface Subject {
  /** "qTest". */
  name: string;
  /** "POST /projects/1/modules"; no query. */
  action: string;
  origin: string;
  effect: RequestSpec["effect"];
  accept: readonly number[];
  method: string;
  /** Reads a vendor's words; scrubbed. */
  words: (answer: ReadAnswer) => string;
  /** Whether bytes of a file come back and the body is no matter. */
  streamed: boolean;
  /** Whether a redirect led to another host, whose answers say nothing about our credentials. */
  foreign: boolean;
}

/** Classifies an attempt that brought no answer. */
export function classifyNoAnswer(subject: Subject, outcome: NoAnswer): Verdict {
  if (outcome.kind === "setup") {
    const message = `Cannot reach ${subject.name} at ${subject.origin}: ${outcome.detail}`;
    return failed(new AccessError(message, { hint: "Check the base URL, certificates and proxy" }));
  }
  if (subject.effect === "create" && outcome.kind !== "connect") {
    return failed(inDoubt(subject, outcome.detail));
  }
  const problem = { seen: `is unreachable (${outcome.detail})`, status: undefined, answer: "" };
  return { kind: "transient", problem: { kind: "network", ...problem } };
}

/** Classifies an answer. */
export function classifyAnswer(subject: Subject, answer: ReadAnswer): Verdict {
  const { status } = answer;
  if (subject.accept.includes(status)) return { kind: "done" };
  if (status >= 200 && status < 300) return classifySuccess(subject, answer);
  if (subject.foreign) return classifyForeign(subject, answer);
  if (status === 429) return { kind: "limited" };
  if (status >= 300 && status < 400) return classifyRedirect(subject, answer);
  if (status === 401) return { kind: "unauthorized", error: accessError(subject, answer) };
  if (status === 403) return failed(accessError(subject, answer));
  if (OUTAGE_STATUSES.has(status) || status >= 500) return classifyTransient(subject, answer);
  return failed(refused(subject, status, subject.words(answer)));
}

/** The error of a problem that stayed too long. */
export function stayedError(subject: Subject, problem: Problem, tries: number): MigrationError {
  if (problem.kind === "html" && (problem.status ?? 500) < 300) {
    const message =
      `Cannot ${subject.action}: ${subject.name} answered HTML instead of JSON: is the base URL right?`;
    return new AccessError(message, {
      status: problem.status,
      hint: `Open ${subject.origin} in a browser: a login page or a proxy may be in the way`,
    });
  }
  const answer = problem.answer === "" ? problem.seen : problem.answer;
  return new RefusedError(
    `Cannot ${subject.action}: ${subject.name} ${problem.seen} ${tries} times${quoted(problem)}`,
    { status: problem.status ?? 0, answer },
  );
}

/** The error of a request that may not wait any longer. */
export function gaveUpError(subject: Subject, problem: Problem): GaveUpError {
  if (problem.kind === "network") {
    const why = problem.seen.replace(/^is unreachable \((.*)\)$/, "$1");
    return new GaveUpError(`Cannot reach ${subject.name} at ${subject.origin}: ${why}`, {
      hint: "Check the base URL, the network and the proxy settings",
    });
  }
  return new GaveUpError(
    `Cannot ${subject.action}: ${subject.name} ${problem.seen}${quoted(problem)}`,
    { status: problem.status },
  );
}

/** A create whose outcome is unknown. */
export function inDoubt(subject: Subject, seen: string, status?: number): InDoubtError {
  return new InDoubtError(
    `Cannot tell whether ${subject.action} took effect: ${subject.name}: ${seen}`,
    status === undefined ? {} : { status },
  );
}

function classifySuccess(subject: Subject, answer: ReadAnswer): Verdict {
  const { fault, status } = answer;
  if (fault === null || subject.streamed) return { kind: "done" };
  // A DELETE says all there is to say with its status.
  if (fault === "empty" && subject.method === "DELETE") return { kind: "done" };
  const seen = BODY_WORDS[fault].replace("STATUS", String(status));
  if (subject.effect === "create") return failed(inDoubt(subject, seen));
  const kind = fault === "html" ? "html" : "body";
  return { kind: "transient", problem: { kind, seen, status, answer: "" } };
}

const BODY_WORDS = {
  html: "answered STATUS with HTML instead of JSON",
  empty: "answered STATUS with an empty body",
  broken: "answered STATUS with broken JSON",
} as const;

function classifyForeign(subject: Subject, answer: ReadAnswer): Verdict {
  const { status } = answer;
  const location = answer.headers.get("location");
  if (status >= 300 && status < 400 && location !== null) return { kind: "redirect", location };
  if (status === 429 || status >= 500) return classifyTransient(subject, answer);
  return failed(refused(subject, status, subject.words(answer)));
}

function classifyRedirect(subject: Subject, answer: ReadAnswer): Verdict {
  const location = answer.headers.get("location");
  if (subject.method === "GET" && location !== null) return { kind: "redirect", location };
  // 303 is how a processed POST sends a browser on.
  if (subject.effect === "create" && answer.status === 303) {
    return failed(inDoubt(subject, "answered 303"));
  }
  return failed(redirectError(subject, location, answer.status));
}

/** A redirect that is not followed. */
export function redirectError(
  subject: Subject,
  location: string | null,
  status: number,
): AccessError {
  const to = location !== null && URL.canParse(location, subject.origin)
    ? ` to ${new URL(location, subject.origin).origin}`
    : "";
  return new AccessError(
    `Cannot ${subject.action}: ${subject.name} answered ${status}, a redirect${to}: is the base URL right?`,
    { status, hint: "Set the base URL to the address that answers itself" },
  );
}

function classifyTransient(subject: Subject, answer: ReadAnswer): Verdict {
  const { status } = answer;
  const words = subject.words(answer);
  const seen = `answered ${status}`;
  if (subject.effect === "create") {
    const said = words === "" ? seen : `${seen}: ${words.slice(0, 300)}`;
    return failed(inDoubt(subject, said, status >= 500 ? status : undefined));
  }
  const kind = OUTAGE_STATUSES.has(status) || status === 429 ? "outage" : "server";
  return { kind: "transient", problem: { kind, seen, status, answer: words } };
}

function accessError(subject: Subject, answer: ReadAnswer): AccessError {
  const hint = answer.status === 401
    ? `Check the credentials of ${subject.name}: they may be wrong, expired, or of another site`
    : `Check the permissions of the ${subject.name} user and the base URL`;
  return new AccessError(describe(subject, answer.status, subject.words(answer)), {
    status: answer.status,
    hint,
  });
}

function refused(subject: Subject, status: number, words: string): RefusedError {
  return new RefusedError(describe(subject, status, words), { status, answer: words });
}

function describe(subject: Subject, status: number, words: string): string {
  const said = words === "" ? "" : `: ${words.slice(0, 300)}`;
  return `Cannot ${subject.action}: ${subject.name} answered ${status}${said}`;
}

function quoted(problem: Problem): string {
  return problem.answer === "" ? "" : `: ${problem.answer.slice(0, 300)}`;
}

function failed(error: MigrationError): Verdict {
  return { kind: "failed", error };
}
