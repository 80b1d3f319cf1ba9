/**
 * The error tree, grouped by what to do next rather than by where it happened.
 * Vendor status codes become one of these inside `adapters/http` and nowhere else;
 * the command line and the control plane each map them once (exit code, HTTP status).
 *
 * Message form: `Cannot <action> <kind> "<id>": <state seen>`; `hint` says what the operator can do.
 * @module
 */

/** Exit codes of `contract.md`; the numbers are public. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  setAside: 3,
  differences: 4,
  interrupted: 5,
  preflight: 6,
  held: 7,
  budget: 8,
} as const;

/** One of the exit codes in {@linkcode EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Precedence when several exit codes apply: 7 > 2 > 6 > 1 > 8 > 5 > 4 > 3 > 0. */
const PRECEDENCE: readonly ExitCode[] = [7, 2, 6, 1, 8, 5, 4, 3, 0];

/** Returns the exit code that wins when several apply. */
export function worstExit(...codes: ExitCode[]): ExitCode {
  return PRECEDENCE.find((code) => codes.includes(code)) ?? EXIT.done;
}

/** What the engine does with an error. */
export type Recovery = "retry" | "in-doubt" | "set-aside" | "stop";

export interface MigrationErrorOptions {
  cause?: unknown;
  /** One sentence for the operator: what to change or try. */
  hint?: string;
}

/** Base of every error that ztoq throws on purpose. */
export abstract class MigrationError extends Error {
  abstract readonly recovery: Recovery;
  readonly hint: string | undefined;

  constructor(message: string, options: MigrationErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.hint = options.hint;
  }
}

/**
 * The request certainly had no effect and may be sent again later: a read that failed, or a write
 * that was refused before it was processed (429, breaker open, connection refused).
 */
export class RetryError extends MigrationError {
  readonly recovery = "retry";
}

/** A write whose outcome is unknown: timeout, reset, 5xx, HTML or an empty answer. Never resent blindly. */
export class InDoubtError extends MigrationError {
  readonly recovery = "in-doubt";
  /** HTTP status when there was one. */
  readonly status: number | undefined;
  /** True when an answer 5xx came back (qTest also says 500 for bad input). */
  readonly answered: boolean;
  constructor(message: string, options: MigrationErrorOptions & { status?: number } = {}) {
    super(message, options);
    this.status = options.status;
    this.answered = options.status !== undefined;
  }
}

/** The vendor refused this one request for good (400, 404 of a record, 413, 422 …). */
export class RefusedError extends MigrationError {
  readonly recovery = "set-aside";
  readonly status: number;
  /** The vendor's own words, at most 2,000 characters. */
  readonly answer: string;
  constructor(
    message: string,
    options: MigrationErrorOptions & { status: number; answer: string },
  ) {
    super(message, options);
    this.status = options.status;
    this.answer = options.answer.slice(0, 2_000);
  }
}

/** This record cannot go on; it is kept with the reason and the run continues. */
export class SetAsideError extends MigrationError {
  readonly recovery = "set-aside";
  /** Short machine word, e.g. `unreadable`, `parent-set-aside`, `refused`. */
  readonly reason: string;
  constructor(reason: string, message: string, options: MigrationErrorOptions = {}) {
    super(message, options);
    this.reason = reason;
  }
}

/** The run cannot go on. Nothing is lost: running again continues where it stopped. */
export class StopError extends MigrationError {
  readonly recovery = "stop";
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options: MigrationErrorOptions = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Usage or configuration cannot be used as given (exit 2). */
export class ConfigError extends StopError {
  constructor(message: string, options: MigrationErrorOptions = {}) {
    super(EXIT.usage, message, options);
  }
}

/** Something outside must be put right before the first write (exit 6). */
export class PreflightError extends StopError {
  constructor(message: string, options: MigrationErrorOptions = {}) {
    super(EXIT.preflight, message, options);
  }
}

/** Credentials, permissions, or a wrong address: the vendor will keep refusing (exit 6). */
export class AccessError extends StopError {
  readonly status: number | undefined;
  constructor(message: string, options: MigrationErrorOptions & { status?: number } = {}) {
    super(EXIT.preflight, message, options);
    this.status = options.status;
  }
}

/** Another process holds this run (exit 7). */
export class LeaseHeldError extends StopError {
  constructor(message: string, options: MigrationErrorOptions = {}) {
    super(EXIT.held, message, options);
  }
}

/** This process lost its lease to another owner; it must not write another row (exit 7). */
export class LeaseLostError extends StopError {
  constructor(message: string, options: MigrationErrorOptions = {}) {
    super(EXIT.held, message, options);
  }
}

/** The vendor's quota or a budget we were given is used up; the run can be resumed (exit 8). */
export class BudgetError extends StopError {
  constructor(message: string, options: MigrationErrorOptions = {}) {
    super(EXIT.budget, message, options);
  }
}

/** A system stayed unreachable longer than allowed, or the operator interrupted (exit 5). */
export class InterruptedError extends StopError {
  constructor(message: string, options: MigrationErrorOptions = {}) {
    super(EXIT.interrupted, message, options);
  }
}

/** The store refused: read-only, disk full, locked, corrupt, or of a newer version (exit 1). */
export class StoreError extends StopError {
  /** What is wrong with it, for tests and for `db check`. */
  readonly state:
    | "locked"
    | "read-only"
    | "disk-full"
    | "corrupt"
    | "newer"
    | "unreachable"
    | "other";
  constructor(
    state: StoreError["state"],
    message: string,
    options: MigrationErrorOptions = {},
  ) {
    super(EXIT.failed, message, options);
    this.state = state;
  }
}

/** Returns the message and hint of any thrown value, for people. Never prints stacks or causes. */
export function describeError(error: unknown): { message: string; hint: string | undefined } {
  if (error instanceof MigrationError) return { message: error.message, hint: error.hint };
  if (error instanceof Error) return { message: error.message, hint: undefined };
  return { message: String(error), hint: undefined };
}
