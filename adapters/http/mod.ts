/**
 * Sends requests to one vendor's system: slots, timeouts, retries of reads, exactly one departure
 * of each write, breaker, counters, and errors of ours without secrets.
 * @module
 */
import { ConfigError } from "../../core/errors.ts";
import { Client } from "./client.ts";
import { checkRate } from "./limits.ts";
import type { HttpClient, HttpOptions } from "./types.ts";

export * from "./types.ts";
export { GaveUpError } from "./retry.ts";

/**
 * Creates the client of one system. Throws {@linkcode ConfigError} when the base URL is none and
 * `RangeError` for a rate below 0. Opens no connection before the first request.
 */
export function createHttpClient(options: HttpOptions): HttpClient {
  checkRate(options.requestsPerMinute);
  const baseUrl = options.baseUrl.trim().replace(/\/+$/, "");
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "") {
    throw new ConfigError(`The base URL of ${options.name} is not an http(s) address`, {
      hint: "Give it as https://host/path, without user name and password",
    });
  }
  return new Client(options, baseUrl);
}
