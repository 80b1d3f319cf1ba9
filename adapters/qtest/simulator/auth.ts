/**
 * Access tokens and the OAuth routes.
 * @module
 */
import { type Answer, type Call, ok, Refusal, type Route } from "./call.ts";
import { hashText } from "../../simulator_kit/mod.ts";

export interface AuthOptions {
  /** Static token, valid until revoked. */
  token: string;
  username: string;
  password: string;
  /** Life of an access token from the password or refresh grant, seconds. */
  tokenLifetimeSeconds: number;
  /** Life counts from the last use instead of the issue. */
  idleExpiry: boolean;
  seed: number;
  now: () => number;
}

interface Token {
  /** Epoch ms; null = never. */
  expiresAt: number | null;
}

/** Issues and checks access tokens. */
export class Auth {
  readonly #options: AuthOptions;
  readonly #tokens = new Map<string, Token>();
  readonly #refreshTokens = new Set<string>();
  #issued = 0;

  constructor(options: AuthOptions) {
    this.#options = options;
    this.#tokens.set(options.token, { expiresAt: null });
  }

  /** True when the header holds a live token; counts as a use of it. */
  accepts(header: string | null): boolean {
    const token = this.#find(header);
    if (token === undefined) return false;
    if (this.#options.idleExpiry && token.expiresAt !== null) token.expiresAt = this.#deadline();
    return true;
  }

  /** Makes every access token from a login invalid at once. */
  expireAll(): void {
    for (const token of this.#tokens.values()) {
      if (token.expiresAt !== null) token.expiresAt = 0;
    }
  }

  #find(header: string | null): Token | undefined {
    const match = /^bearer\s+(\S+)$/i.exec(header ?? "");
    const token = match?.[1] === undefined ? undefined : this.#tokens.get(match[1]);
    const isDead = token?.expiresAt !== null && (token?.expiresAt ?? 0) <= this.#options.now();
    return isDead ? undefined : token;
  }

  #deadline(): number {
    return this.#options.now() + this.#options.tokenLifetimeSeconds * 1000;
  }

  /** `POST /oauth/token`. */
  grant(call: Call): Answer {
    const form = new URLSearchParams(new TextDecoder().decode(call.bytes));
    const value = (name: string): string => form.get(name) ?? call.query.get(name) ?? "";
    const client = readBasic(call.headers.get("authorization"));
    if (client === null) {
      throw oauthError(
        401,
        "unauthorized",
        "Full authentication is required to access this resource",
      );
    }
    if (value("grant_type") === "refresh_token") {
      if (client !== "qtest-api") throw oauthError(401, "invalid_client", "Bad client credentials");
      if (!this.#refreshTokens.has(value("refresh_token"))) {
        throw oauthError(400, "invalid_grant", "Invalid refresh token");
      }
      return ok(this.#issue(value("refresh_token")));
    }
    if (value("grant_type") !== "password") {
      throw oauthError(400, "unsupported_grant_type", "Unsupported grant type");
    }
    if (
      value("username") !== this.#options.username || value("password") !== this.#options.password
    ) {
      throw oauthError(400, "invalid_grant", "Bad credentials");
    }
    return ok(this.#issue(null));
  }

  #issue(refreshToken: string | null): unknown {
    const serial = ++this.#issued;
    const text = (part: string): string =>
      [1, 2, 3].map((n) => hashText(`${part} ${serial} ${n}`, this.#options.seed).toString(16))
        .join("");
    const access = text("access");
    const refresh = refreshToken ?? text("refresh");
    this.#tokens.set(access, { expiresAt: this.#deadline() });
    this.#refreshTokens.add(refresh);
    return {
      access_token: access,
      token_type: "bearer",
      refresh_token: refresh,
      scope: "read write create delete",
      // The vendor answers the string, not null.
      agent: "null",
      expires_in: this.#options.tokenLifetimeSeconds,
    };
  }

  /** `GET /oauth/status`. */
  status(call: Call): Answer {
    const token = this.#find(call.headers.get("authorization"));
    if (token === undefined) throw invalidToken();
    const left = token.expiresAt === null ? 0 : token.expiresAt - this.#options.now();
    return ok({ expiration: token.expiresAt ?? 0, validityInMilliseconds: left });
  }

  /** `POST /oauth/revoke`. */
  revoke(call: Call): Answer {
    const match = /^bearer\s+(\S+)$/i.exec(call.headers.get("authorization") ?? "");
    if (match?.[1] === undefined || !this.#tokens.delete(match[1])) throw invalidToken();
    return { status: 200 };
  }

  routes(): Route[] {
    return [
      { method: "POST", path: "/oauth/token", isPublic: true, run: (call) => this.grant(call) },
      { method: "GET", path: "/oauth/status", isPublic: true, run: (call) => this.status(call) },
      { method: "POST", path: "/oauth/revoke", isPublic: true, run: (call) => this.revoke(call) },
    ];
  }
}

/** The refusal of a missing, unknown or dead token. */
export function invalidToken(): Refusal {
  return oauthError(401, "invalid_token", "Invalid access token");
}

function oauthError(status: number, error: string, description: string): Refusal {
  return new Refusal(status, description, { error, error_description: description });
}

/** Client name of a Basic header with an empty password; null when the header is anything else. */
function readBasic(header: string | null): string | null {
  const match = /^basic\s+([A-Za-z0-9+/=]+)$/i.exec(header ?? "");
  if (match?.[1] === undefined) return null;
  try {
    const text = atob(match[1]);
    return /^[^:]+:$/.test(text) ? text.slice(0, -1) : null;
  } catch {
    return null;
  }
}
