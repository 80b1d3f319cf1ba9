/** Keeps secrets out of messages and log entries. @module */

const SECRET_NAME = /token|password|passwd|secret|api-?key|apikey|authorization|cookie/i;
const SECRET_HEADERS = ["authorization", "cookie", "x-api-key"];
const SCHEMES = /\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi;
const JWT = /\beyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?/g;
const PAIRS =
  /((?:access_|refresh_|id_)?token|password|secret|api_?key)(["']?\s*=\s*|["']\s*:\s*)("[^"]*"|'[^']*'|[^\s"'&,;}]+)/gi;
/** Shorter values would blank out ordinary words. */
const MIN_LENGTH = 4;
/** Tokens change during a run; the old ones stop mattering. */
const MAX_KNOWN = 64;

/** Replaces what looks like a secret, and every value that was sent as one. */
export class Redactor {
  readonly #known = new Set<string>();

  /** Remembers the values of headers that carry credentials. */
  learnHeaders(headers: Headers): void {
    for (const name of SECRET_HEADERS) {
      const value = headers.get(name);
      // The usual case, per attempt: nothing new.
      if (value === null || this.#known.has(value)) continue;
      this.#learn(value);
      this.#learn(value.replace(/^\S+\s+/, ""));
    }
  }

  /** Remembers the values of form or query fields whose name says that they are secret. */
  learnFields(fields: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined && SECRET_NAME.test(name)) this.#learn(String(value));
    }
  }

  /** Returns the text without secrets. */
  scrub(text: string): string {
    let clean = text;
    for (const secret of this.#known) clean = clean.replaceAll(secret, "***");
    return clean.replace(SCHEMES, "$1 ***").replace(JWT, "***").replace(PAIRS, "$1$2***");
  }

  #learn(value: string): void {
    if (value.length < MIN_LENGTH) return;
    // Moves a known one to the end, so that the oldest are forgotten first.
    this.#known.delete(value);
    this.#known.add(value);
    for (const oldest of this.#known) {
      if (this.#known.size <= MAX_KNOWN) return;
      this.#known.delete(oldest);
    }
  }
}
