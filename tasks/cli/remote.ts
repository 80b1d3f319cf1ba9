/** Talking to a control plane elsewhere (`--server URL`). @module */
import { EXIT, StopError } from "../../core/errors.ts";
import { UsageError } from "./parse.ts";
import type { CommandContext } from "./spec.ts";

/** Environment name of the token of the other side. */
const TOKEN_ENV = "ZTOQ_API_TOKEN";

/** Asks a control plane; every refusal becomes an error for people. */
export interface Remote {
  json<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Opens an event stream after an id. */
  events(path: string, lastId: string | null, signal: AbortSignal): Promise<Response>;
}

/** The control plane of `--server`; null without the option. @throws {UsageError} */
export function remoteOf(context: CommandContext): Remote | null {
  const server = context.options.server;
  if (typeof server !== "string") return null;
  const token = context.io.env(TOKEN_ENV)?.trim();
  const url = URL.parse(server);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError("Cannot use --server: wanted an address such as http://127.0.0.1:8787");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "") {
    throw new UsageError("Cannot use --server: a token never stands in an address", {
      hint: `Put it into ${TOKEN_ENV}`,
    });
  }
  if (token !== undefined) context.redactor.add([token]);
  return new HttpRemote(url, token === "" ? undefined : token);
}

class HttpRemote implements Remote {
  readonly #base: URL;
  readonly #token: string | undefined;

  constructor(base: URL, token: string | undefined) {
    this.#base = new URL(base.href.endsWith("/") ? base.href : `${base.href}/`);
    this.#token = token;
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.#fetch(method, path, { accept: "application/json" }, body);
    return await answer.json() as T;
  }

  async events(path: string, lastId: string | null, signal: AbortSignal): Promise<Response> {
    const headers = {
      accept: "text/event-stream",
      ...(lastId === null ? {} : { "last-event-id": lastId }),
    };
    return await this.#fetch("GET", path, headers, undefined, signal);
  }

  async #fetch(
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Response> {
    let answer: Response;
    try {
      answer = await fetch(new URL(path, this.#base), {
        method,
        // The token belongs to this address, not to one that it points to.
        redirect: "error",
        headers: {
          ...headers,
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      throw new StopError(EXIT.failed, `Cannot reach the control plane at ${this.#base.host}`, {
        hint: "Check --server, and that `ztoq serve` runs there",
      });
    }
    if (answer.ok) return answer;
    throw await refusal(answer, this.#base.host);
  }
}

async function refusal(answer: Response, host: string): Promise<StopError> {
  const problem = await answer.json().catch(() => ({})) as { detail?: string; hint?: string };
  const detail = problem.detail ?? `HTTP ${answer.status}`;
  const isOurs = answer.status >= 400 && answer.status < 500;
  const hint = problem.hint ??
    (answer.status === 401 || answer.status === 403
      ? `Set ${TOKEN_ENV} to a token of that server`
      : undefined);
  return new StopError(
    isOurs ? EXIT.usage : EXIT.failed,
    `${host} refused: ${detail}`,
    hint === undefined ? {} : { hint },
  );
}
