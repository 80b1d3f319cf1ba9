/** GET requests to Zephyr Scale: the one place that sends, and it can send nothing else. @module */
import { AccessError, RefusedError } from "../../core/errors.ts";
import type { HttpAnswer, HttpClient, RequestSpec } from "../http/types.ts";
import { REGION_HINT } from "./address.ts";

/** A read. `path` holds encoded parts, `route` the template of the vendor's specification. */
export type GetSpec = Pick<
  RequestSpec,
  "path" | "route" | "query" | "signal" | "accept" | "maxAttempts"
>;

/** Reads from Zephyr Scale; errors of access carry the hint on regions. */
export class ZephyrClient {
  readonly http: HttpClient;

  constructor(http: HttpClient) {
    this.http = http;
  }

  /** Sends a read; throws what {@linkcode HttpClient} throws for reads. */
  async get(spec: GetSpec): Promise<HttpAnswer> {
    try {
      return await this.http.request({ ...spec, method: "GET", effect: "read" });
    } catch (error) {
      throw withRegionHint(error);
    }
  }

  /** Opens a body as a stream; redirects to other hosts go without credentials. */
  async stream(spec: GetSpec): ReturnType<HttpClient["stream"]> {
    try {
      return await this.http.stream(spec);
    } catch (error) {
      throw withRegionHint(error);
    }
  }
}

function withRegionHint(error: unknown): unknown {
  if (!(error instanceof AccessError) || (error.status !== 401 && error.status !== 403)) {
    return error;
  }
  const { message, cause, status } = error;
  return new AccessError(message, { cause, status, hint: REGION_HINT });
}

/** Encodes one path part; keys and ids come from outside. */
export function part(value: string): string {
  return encodeURIComponent(value);
}

/** Builds the error for an accepted status that turns out to be final. */
export function refused(what: string, answer: Pick<HttpAnswer, "status" | "text">): RefusedError {
  return new RefusedError(`Cannot read ${what}: the source answered ${answer.status}`, {
    status: answer.status,
    answer: answer.text,
  });
}
