/** What an examination found wrong. @module */

/** Collects discrepancies; an empty list means that everything arrived as the mapping says. */
export class Findings {
  readonly list: string[] = [];
  /** Comparisons made: an examination that compared nothing proves nothing. */
  compared = 0;

  fail(where: string, what: string): void {
    this.list.push(`${where}: ${what}`);
  }

  /** Compares by JSON, so that arrays and plain objects are fine. */
  same(where: string, actual: unknown, expected: unknown): void {
    this.compared++;
    const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (is !== should) this.fail(where, `is ${shorten(is)}, should be ${shorten(should)}`);
  }
}

function shorten(text: string | undefined): string {
  if (text === undefined || text.length <= 600) return text ?? "undefined";
  return `${text.slice(0, 600)}… (${text.length})`;
}
