/** Losses of one record, collected while it is transformed. @module */
import type { LossRow } from "../ports/mod.ts";
import { cutText } from "../text/mod.ts";

const MAX_TEXT = 500;

/** Shortens what stands in a ledger row to 500 characters. */
export function shortText(text: string | null): string | null {
  return text === null || text.length <= MAX_TEXT ? text : `${cutText(text, MAX_TEXT - 1)}…`;
}

/** Collects {@linkcode LossRow}s of one record in the order in which they arise. */
export class Ledger {
  readonly rows: LossRow[] = [];
  readonly #kind: string;
  readonly #key: string;

  constructor(kind: string, key: string) {
    this.#kind = kind;
    this.#key = key;
  }

  /** Adds a row: the value in the source, and what stands in the target instead (null = nothing). */
  add(field: string, rule: string, before: string | null, after: string | null): void {
    this.rows.push({
      kind: this.#kind,
      key: this.#key,
      field,
      rule,
      before: shortText(before),
      after: shortText(after),
    });
  }
}
