/** Whether a field's value is the one that was sent. @module */
import type { DraftField, FieldValue, Found } from "../ports/mod.ts";
import { normalizeHtml, normalizeText } from "../text/mod.ts";
import type { Difference } from "./compare_text.ts";
import { difference } from "./compare_text.ts";

/** Smallest step of numbers that both systems keep. */
const NUMBER_TOLERANCE = 1e-9;

function sortedSet(items: readonly string[]): string {
  return [...new Set(items.map((item) => normalizeText(item)))].sort().join(", ");
}

/** A value as text, for any type. */
function plain(value: FieldValue | null): string {
  switch (value?.type) {
    case undefined:
      return "";
    case "text":
      return normalizeText(value.text);
    case "richText":
      return normalizeHtml(value.html);
    case "number":
    case "boolean":
      return String(value.value);
    case "date":
    case "dateTime":
      return value.iso;
    case "options":
      return sortedSet(value.labels);
    case "users":
      return sortedSet(value.ids);
  }
}

function textOrEmpty(value: FieldValue | null): string {
  return value === null ? "" : value.type === "richText" ? value.html : plain(value);
}

function sameInstant(a: string, b: string): boolean {
  const [first, second] = [Date.parse(a), Date.parse(b)];
  return Number.isNaN(first) || Number.isNaN(second)
    ? a === b
    : Math.floor(first / 1000) === Math.floor(second / 1000);
}

function sameNumber(a: string, b: string): boolean {
  return a.trim() !== "" && b.trim() !== "" &&
    Math.abs(Number(a) - Number(b)) <= NUMBER_TOLERANCE * Math.max(1, Math.abs(Number(a)));
}

/** Tells whether two values mean the same; unset and empty are the same. */
export function sameValue(expected: FieldValue, actual: FieldValue | null): boolean {
  const [a, b] = [plain(expected), plain(actual)];
  if (a === b) return true;
  switch (expected.type) {
    case "richText":
      return normalizeHtml(expected.html) === normalizeHtml(textOrEmpty(actual));
    case "date":
    case "dateTime":
      return actual !== null && sameInstant(a, textOrEmpty(actual));
    case "number":
      return sameNumber(a, b);
    case "boolean":
      // An unticked box reads back as unset.
      return !expected.value && (actual === null || b === "");
    case "text":
      // The field may be typed otherwise than the value: dates and numbers read back in a normal form.
      if (actual?.type === "date" || actual?.type === "dateTime") return sameInstant(a, b);
      return actual?.type === "number" && sameNumber(a, b);
    default:
      return false;
  }
}

/** Compares every field that was sent; fields that the target has beyond those do not count. */
export function compareFields(expected: readonly DraftField[], found: Found): Difference[] {
  const byId = new Map(found.fields.map((field) => [field.fieldId, field.value]));
  return expected.flatMap(({ field, value }) => {
    const actual = byId.get(field.id) ?? null;
    return sameValue(value, actual)
      ? []
      : [difference(`field ${field.label}`, plain(value), plain(actual))];
  });
}
