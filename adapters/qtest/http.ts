/** Options of the shared client for the target. @module */
import type { HttpAnswer, HttpClient, HttpOptions } from "../http/types.ts";
import { createQtestAuth, type QtestAuth } from "./auth.ts";
import { qtestErrorMessage } from "./error_text.ts";

export interface QtestHttpSettings {
  /** Site address; a trailing `/` or `/api/v3` is dropped. */
  baseUrl: string;
  /** Static token; wins over user name and password. */
  token?: string;
  username?: string;
  password?: string;
  requestsPerMinute: number;
  concurrency?: number;
  timeoutMs?: number;
  maxOutageMs?: number;
  monthReserve?: number;
  clock: HttpOptions["clock"];
  log?: HttpOptions["log"];
  fetch?: HttpOptions["fetch"];
}

/** Options for `createHttpClient`, with the wire that logins need. */
export interface QtestHttpOptions extends HttpOptions {
  /**
   * Gives the credentials the client that was created from these options, so that logins take slots
   * and are counted, and returns it with a login before its first request. Does nothing else for a
   * static token.
   */
  bind(http: HttpClient): HttpClient;
}

/**
 * Creates the client options of the target.
 *
 * @example
 * ```ts
 * const options = createQtestHttp(settings);
 * const http = options.bind(createHttpClient(options));
 * ```
 */
export function createQtestHttp(settings: QtestHttpSettings): QtestHttpOptions {
  const { token, username, password, baseUrl, ...rest } = settings;
  const auth = createQtestAuth(
    token === undefined || token === ""
      ? { username: username ?? "", password: password ?? "" }
      : { token },
  );
  return {
    ...rest,
    system: "target",
    name: "qTest",
    // Two slashes before `api` make every route a 404.
    baseUrl: baseUrl.replace(/\/+$/, "").replace(/\/api\/v3$/, "").replace(/\/+$/, ""),
    authorize: (headers) => auth.authorize(headers),
    refresh: (signal) => auth.refresh(signal),
    errorMessage: qtestErrorMessage,
    bind: (http) => {
      auth.bind(http);
      return withLogin(http, auth);
    },
  };
}

/** Logs in ahead of the first request instead of spending one on a certain 401. */
function withLogin(http: HttpClient, auth: QtestAuth): HttpClient {
  return {
    request: async (spec): Promise<HttpAnswer> => {
      if (spec.anonymous !== true) await auth.ready(spec.signal);
      return await http.request(spec);
    },
    stream: async (spec) => {
      await auth.ready(spec.signal);
      return await http.stream(spec);
    },
    stats: () => http.stats(),
    setRequestsPerMinute: (value) => http.setRequestsPerMinute(value),
    close: () => http.close(),
  };
}
