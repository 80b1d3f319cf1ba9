/** What the HTTP client has to know about Zephyr Scale. @module */
import { ConfigError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports/mod.ts";
import type { HttpOptions } from "../http/types.ts";
import { checkZephyrBaseUrl } from "./address.ts";
import { asObject, toText } from "./values.ts";

/** The part of the settings that concerns the transport to Zephyr Scale. */
export interface ZephyrHttpSettings {
  baseUrl: string;
  /** API token of a Jira user; sent as bearer to the base URL's host only. */
  token: string;
  /** 0 = unlimited. */
  requestsPerMinute: number;
  concurrency?: number;
  timeoutMs?: number;
  maxOutageMs?: number;
  clock: Clock;
  log?: HttpOptions["log"];
  fetch?: typeof globalThis.fetch;
}

/**
 * Builds the options of the HTTP client for Zephyr Scale. Throws {@linkcode ConfigError} for an
 * address of another product and for a token that cannot stand in a header.
 */
export function createZephyrHttp(settings: ZephyrHttpSettings): HttpOptions {
  const { token: given, baseUrl, ...transport } = settings;
  const token = given.trim().replace(/^bearer\s+/i, "");
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError("Cannot use source token: it is empty or holds characters no token has", {
      hint: "Copy the API access token from the Jira profile menu, Zephyr API keys",
    });
  }
  return {
    ...transport,
    system: "source",
    name: "Zephyr Scale",
    baseUrl: checkZephyrBaseUrl(baseUrl),
    authorize: (headers) => headers.set("authorization", `Bearer ${token}`),
    errorMessage: readZephyrError,
  };
}

/**
 * Returns the vendor's own words of an error body: `{errorCode, message}`, `{error}` of the
 * authorizer, `{message}` of the gateway, or the readable text of an HTML page; null when empty.
 */
export function readZephyrError(body: unknown, text: string): string | null {
  const object = asObject(body);
  const words = object === null
    ? null
    : toText(object.message) ?? toText(object.Message) ?? toText(object.error);
  if (words !== null && words !== "") return words;
  const readable = /^\s*</.test(text) ? htmlText(text) : text.trim();
  return readable === "" ? null : readable.slice(0, 300);
}

function htmlText(html: string): string {
  return html.replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, " ").replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ").trim();
}
