/** Credentials of the target: a static token, or a login that is renewed. @module */
import { Buffer } from "node:buffer";
import { AccessError } from "../../core/errors.ts";
import type { HttpClient } from "../http/types.ts";
import { parseOne, wireToken } from "./wire.ts";

/** Any client name followed by a colon; a password part makes the vendor refuse the login. */
const LOGIN_BASIC = `Basic ${Buffer.from("ztoq:").toString("base64")}`;
/** `qtest-api:`, prescribed for refreshing. */
const REFRESH_BASIC = "Basic cXRlc3QtYXBpOg==";
const TOKEN_ROUTE = "/oauth/token";

export type QtestCredentials =
  | { token: string }
  | { username: string; password: string };

/** Adds and renews the bearer token of one client. */
export interface QtestAuth {
  authorize(headers: Headers): void;
  /** Renews after a 401; false when nothing better can be had. */
  refresh(signal: AbortSignal): Promise<boolean>;
  /** Makes sure there is a token before the first request. Throws {@linkcode AccessError} when the login is refused. */
  ready(signal: AbortSignal): Promise<void>;
  /** The client that logins go through: they take slots and count like any request. */
  bind(http: HttpClient): void;
}

/** Creates the credentials of one client. */
export function createQtestAuth(credentials: QtestCredentials): QtestAuth {
  return "token" in credentials
    ? new StaticToken(credentials.token)
    : new Login(credentials.username, credentials.password);
}

class StaticToken implements QtestAuth {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token.trim().replace(/^bearer\s+/i, "");
  }

  authorize(headers: Headers): void {
    headers.set("Authorization", `Bearer ${this.#token}`);
  }

  refresh(): Promise<boolean> {
    return Promise.resolve(false);
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  bind(): void {}
}

class Login implements QtestAuth {
  readonly #username: string;
  readonly #password: string;
  #http: HttpClient | undefined;
  #access: string | undefined;
  #refreshToken: string | undefined;
  #pending: Promise<boolean> | undefined;

  constructor(username: string, password: string) {
    this.#username = username;
    this.#password = password;
  }

  bind(http: HttpClient): void {
    this.#http = http;
  }

  authorize(headers: Headers): void {
    if (this.#access !== undefined) headers.set("Authorization", `Bearer ${this.#access}`);
  }

  async ready(signal: AbortSignal): Promise<void> {
    if (this.#access !== undefined || await this.#once(() => this.#login(signal))) return;
    throw new AccessError(`Cannot log in as "${this.#username}": the target refused`, {
      status: 401,
      hint: "Check user name and password, or use a token from Resources → API & SDK.",
    });
  }

  refresh(signal: AbortSignal): Promise<boolean> {
    return this.#once(async () => await this.#renew(signal) || await this.#login(signal));
  }

  /** Requests that find the token missing or dead at the same time share one login. */
  #once(work: () => Promise<boolean>): Promise<boolean> {
    this.#pending ??= work().finally(() => this.#pending = undefined);
    return this.#pending;
  }

  async #renew(signal: AbortSignal): Promise<boolean> {
    const refreshToken = this.#refreshToken;
    if (refreshToken === undefined) return false;
    this.#refreshToken = undefined;
    return await this.#ask(
      { grant_type: "refresh_token", refresh_token: refreshToken },
      REFRESH_BASIC,
      signal,
    );
  }

  #login(signal: AbortSignal): Promise<boolean> {
    const form = { grant_type: "password", username: this.#username, password: this.#password };
    return this.#ask(form, LOGIN_BASIC, signal);
  }

  async #ask(form: Record<string, string>, basic: string, signal: AbortSignal): Promise<boolean> {
    if (this.#http === undefined) {
      throw new TypeError("Bind the HTTP client before the first login");
    }
    const answer = await this.#http.request({
      method: "POST",
      path: TOKEN_ROUTE,
      route: TOKEN_ROUTE,
      form,
      headers: { Authorization: basic },
      anonymous: true,
      effect: "idempotent",
      accept: [400, 401, 403],
      signal,
    });
    const token = answer.status < 300 ? parseOne(wireToken, answer.json) : null;
    if (token === null) return false;
    this.#access = token.access_token;
    this.#refreshToken = token.refresh_token ?? undefined;
    return true;
  }
}
