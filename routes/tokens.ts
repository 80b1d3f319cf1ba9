/** Tokens of the control plane: reading them from the configuration, telling who sends one. @module */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Settings, SettingSources } from "../core/config/mod.ts";
import { ConfigError } from "../core/errors.ts";
import type { Actor, ApiToken } from "./services.ts";

const MIN_LENGTH = 8;

/**
 * Reads `controlPlane.token` (name `default`, role `operate`) and `controlPlane.tokens`
 * (`{"name", "role": "view|operate", "token": "env:NAME"}`).
 * @throws {ConfigError} naming the entry and what is wrong; never its value
 */
export function readTokens(
  { controlPlane }: Pick<Settings, "controlPlane">,
  { env, readSecretFile }: Pick<SettingSources, "env" | "readSecretFile">,
): ApiToken[] {
  const tokens: ApiToken[] = controlPlane.token === null
    ? []
    : [{ name: "default", role: "operate", token: controlPlane.token }];
  controlPlane.tokens.forEach((entry, index) => {
    const token = readToken(entry, `controlPlane.tokens[${index}]`, env, readSecretFile);
    if (tokens.some(({ name }) => name === token.name)) {
      throw wrong(`controlPlane.tokens[${index}].name`, "a name that no other token has");
    }
    tokens.push(token);
  });
  return tokens;
}

function readToken(
  entry: unknown,
  place: string,
  env: SettingSources["env"],
  readSecretFile: SettingSources["readSecretFile"],
): ApiToken {
  if (typeof entry !== "object" || entry === null) throw wrong(place, "an object");
  const { name, role = "view", token, ...rest } = entry as Record<string, unknown>;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) throw wrong(`${place}.${extra}`, "only name, role and token");
  if (typeof name !== "string" || name.trim() === "") throw wrong(`${place}.name`, "a name");
  if (role !== "view" && role !== "operate") throw wrong(`${place}.role`, "view or operate");
  if (typeof token !== "string") throw wrong(`${place}.token`, '"env:NAME" or "file:PATH"');
  const value = resolve(token, `${place}.token`, env, readSecretFile).trim();
  if (value.length < MIN_LENGTH) {
    throw wrong(`${place}.token`, `a token of at least ${MIN_LENGTH} characters that is set`);
  }
  return { name, role, token: value };
}

function resolve(
  raw: string,
  place: string,
  env: SettingSources["env"],
  readSecretFile: SettingSources["readSecretFile"],
): string {
  const [, scheme, name = ""] = /^(env|file):(.+)$/.exec(raw) ?? [];
  if (scheme === "env") return env(name) ?? "";
  if (scheme !== "file") return raw;
  try {
    return readSecretFile(name);
  } catch {
    throw wrong(place, "a file that can be read");
  }
}

function wrong(place: string, wanted: string): ConfigError {
  return new ConfigError(`Cannot use the configuration: ${place}; wanted ${wanted}`);
}

/** Returns who holds a token; every known token is compared, each in constant time. */
export function createTokenCheck(tokens: readonly ApiToken[]): (token: string) => Actor | null {
  const known = tokens.map(({ name, role, token }) => ({ name, role, hash: hash(token) }));
  return (token) => {
    const given = hash(token);
    let found: Actor | null = null;
    for (const one of known) {
      if (timingSafeEqual(one.hash, given)) found ??= { name: one.name, role: one.role };
    }
    return found;
  };
}

function hash(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
