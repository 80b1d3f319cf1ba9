/** Refusals in the vendor's words. @module */

/** An error answer of the API. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }

  toResponse(): Response {
    const body = { errorCode: this.status, message: this.message };
    return Response.json(body, { status: this.status });
  }
}

/** 404 in the vendor's words. */
export function notFound(what: string): ApiError {
  return new ApiError(404, `${what} does not exist or you do not have access to it`);
}

const PROJECT_KEY = /^[A-Z][A-Z_0-9]+$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Query parameters, checked as they are read; unknown ones are never looked at. */
export class Query {
  #params: URLSearchParams;

  constructor(params: URLSearchParams) {
    this.#params = params;
  }

  text(name: string, pattern?: RegExp): string | null {
    const value = this.#params.get(name);
    if (value === null || value === "") return null;
    if (pattern !== undefined && !pattern.test(value)) {
      throw new ApiError(400, `${name}: '${value}' does not match ${pattern.source}`);
    }
    return value;
  }

  projectKey(): string | null {
    return this.text("projectKey", PROJECT_KEY);
  }

  /** An instant with second precision, as the vendor's documents ask for. */
  instant(name: string): string | null {
    return this.text(name, INSTANT);
  }

  integer(name: string, min: number, max = Number.MAX_SAFE_INTEGER): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw new ApiError(400, `${name}: '${text}' is not a whole number of at least ${min}`);
    }
    return value;
  }

  flag(name: string): boolean {
    return this.text(name, /^(true|false)$/) === "true";
  }

  /** The parameters with some of them replaced; for `next` links. */
  with(changes: Record<string, number>): string {
    const params = new URLSearchParams(this.#params);
    for (const [name, value] of Object.entries(changes)) params.set(name, String(value));
    return params.toString();
  }
}
