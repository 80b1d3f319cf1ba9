/** Keeps secrets out of everything that is printed. @module */

const MASK = "[redacted]";
const PATTERNS: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${MASK}`],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, MASK],
  // No quotes: in JSON the match must not run on into the next value.
  [/\/\/[^/\s:@"'\\]+:[^/\s@"'\\]+@/g, `//${MASK}@`],
];

/** Shortest value that is masked wherever it appears; shorter ones would mask ordinary words. */
const MIN_LENGTH = 6;

/** Masks known secret values and everything that looks like a credential. */
export class Redactor {
  readonly #values = new Set<string>();

  /** Adds secret values, with the forms they take in URLs and JSON. */
  add(secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (secret.length < MIN_LENGTH) continue;
      this.#values.add(secret);
      this.#values.add(encodeURIComponent(secret));
      this.#values.add(JSON.stringify(secret).slice(1, -1));
      this.#values.add(btoa(String.fromCharCode(...new TextEncoder().encode(secret))));
    }
  }

  /** Returns the text with every secret masked. */
  redact(text: string): string {
    let clean = text;
    for (const value of this.#values) clean = clean.replaceAll(value, MASK);
    for (const [pattern, mask] of PATTERNS) clean = clean.replace(pattern, mask);
    return clean;
  }
}
