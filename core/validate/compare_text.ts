/** Differences, and the comparisons that make them. @module */
import { cutText, normalizeHtml, normalizeText } from "../text/mod.ts";

/** One place where the target differs from what was sent; both sides in normal form. */
export interface Difference {
  /** `name`, `description`, `step 2 expected`, `field Labels` … */
  field: string;
  expected: string;
  actual: string;
}

const MAX_TEXT = 500;
/** Text shown before the first difference of long texts. */
const LEAD = 60;

/** Cuts both sides alike, so that the first difference is in sight. */
export function difference(field: string, expected: string, actual: string): Difference {
  if (expected.length <= MAX_TEXT && actual.length <= MAX_TEXT) return { field, expected, actual };
  let at = 0;
  while (at < expected.length && expected[at] === actual[at]) at++;
  const from = Math.max(0, at - LEAD);
  const cut = (text: string): string => {
    const part = text.slice(from);
    return (from > 0 ? "…" : "") +
      (part.length > MAX_TEXT - 2 ? `${cutText(part, MAX_TEXT - 2)}…` : part);
  };
  return { field, expected: cut(expected), actual: cut(actual) };
}

/** Compares rich text in normal form. */
export function compareHtml(
  field: string,
  expected: string | null,
  actual: string | null,
): Difference[] {
  if (expected === actual) return [];
  return compareTexts(field, normalizeHtml(expected), normalizeHtml(actual));
}

/** Compares plain text with white space folded. */
export function comparePlain(
  field: string,
  expected: string | null,
  actual: string | null,
): Difference[] {
  return compareTexts(field, normalizeText(expected), normalizeText(actual));
}

/** Compares ids; null, "" and "0" all mean none. */
export function compareIdentity(
  field: string,
  expected: string | null,
  actual: string | null,
): Difference[] {
  const id = (value: string | null): string => value === null || value === "0" ? "" : value;
  return compareTexts(field, id(expected), id(actual));
}

function compareTexts(field: string, expected: string, actual: string): Difference[] {
  return expected === actual ? [] : [difference(field, expected, actual)];
}
