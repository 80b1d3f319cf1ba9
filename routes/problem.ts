/** Errors as RFC 9457 problem documents: the one place where they get a status. @module */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import {
  AccessError,
  ConfigError,
  LeaseHeldError,
  MigrationError,
  PreflightError,
  StopError,
  StoreError,
} from "../core/errors.ts";
import type { AppEnv } from "./services.ts";

/** One thing that is wrong with a request. */
export interface ProblemItem {
  /** Dotted path of the value: `target.projectId`. */
  key: string;
  message: string;
}

export interface ProblemOptions {
  hint?: string;
  errors?: ProblemItem[];
  headers?: Record<string, string>;
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Malformed request",
  401: "Token needed",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  406: "No such format",
  408: "Request timeout",
  409: "Does not fit the state",
  413: "Body too large",
  414: "Address too long",
  415: "Body must be JSON",
  422: "Cannot be used",
  429: "Too many requests",
  431: "Headers too large",
  500: "Internal error",
  501: "Not available",
  502: "A system refused",
  503: "Not ready",
};

/** An error with a status of its own. */
export class Problem extends Error {
  readonly status: number;
  readonly options: ProblemOptions;
  constructor(status: number, detail: string, options: ProblemOptions = {}) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.options = options;
  }
}

/** Gives any thrown value its status. Unexpected errors become 500 and tell nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException) {
    const detail = error.status === 400 ? "The body is not valid JSON" : error.message;
    return new Problem(error.status, detail || (TITLES[error.status] ?? "Refused"));
  }
  if (error instanceof MigrationError) return fromMigrationError(error);
  return new Problem(500, "Something unexpected happened; the log of the server has the details");
}

function fromMigrationError(error: MigrationError): Problem {
  const options = error.hint === undefined ? {} : { hint: error.hint };
  const status = error instanceof StoreError
    ? 503
    : error instanceof LeaseHeldError
    ? 409
    : error instanceof ConfigError || error instanceof PreflightError
    ? 422
    : error instanceof AccessError
    ? 502
    : error instanceof StopError
    ? 409
    : 500;
  if (status === 500) {
    return new Problem(500, "Something went wrong; the log of the server has the details");
  }
  return new Problem(status, error.message, options);
}

/** The answer for a problem, whatever middleware had prepared before. */
export function problemResponse(c: Context<AppEnv>, problem: Problem): Response {
  const { status, options } = problem;
  const body = {
    type: `urn:ztoq:problem:${status}`,
    title: TITLES[status] ?? "Refused",
    status,
    detail: problem.message,
    instance: c.req.path,
    requestId: c.get("requestId"),
    ...(options.hint === undefined ? {} : { hint: options.hint }),
    ...(options.errors === undefined ? {} : { errors: options.errors }),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/problem+json", ...options.headers },
  });
}
