/** Field values between meaning and the target's strings. @module */
import { SetAsideError } from "../../core/errors.ts";
import type { FieldOption, FieldValue, TargetField } from "../../core/ports/mod.ts";
import { toUtcSeconds, toWireInstant } from "./instants.ts";

const YES = new Set(["yes", "true", "y", "on", "1", "checked"]);
const NO = new Set(["no", "false", "n", "off", "0", "unchecked"]);

/**
 * Returns `field_value` for a value, null when the field cannot express it (a single-select cannot
 * be cleared, an unknown type is never written). Throws {@linkcode SetAsideError} for a label that
 * is no active option and for a date that is none.
 */
export function encodeValue(field: TargetField, value: FieldValue): string | null {
  switch (field.type) {
    case "text":
    case "url":
      return toPlain(value);
    case "richText":
      return value.type === "richText" ? value.html : escapeHtml(toPlain(value));
    case "number":
      return value.type === "number" ? toDecimal(value.value) : toPlain(value);
    case "date":
    case "dateTime":
      return toWireInstant(
        value.type === "date" || value.type === "dateTime" ? value.iso : toPlain(value),
      );
    case "combo":
      return encodeOptions(field, value)[0] ?? null;
    case "multiSelect":
    case "checkbox":
      return bracketed(encodeOptions(field, value));
    case "user":
      return value.type === "users" ? bracketed(value.ids) : null;
    case "other":
      return null;
  }
}

/** Decimal digits only: exponents are no numbers to the target. */
function toDecimal(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  return value.toLocaleString("en-US", { useGrouping: false, maximumFractionDigits: 20 });
}

function encodeOptions(field: TargetField, value: FieldValue): string[] {
  if (value.type === "boolean") {
    const option = booleanOption(field, value.value);
    if (option !== null) return [option.id];
    if (!value.value) return [];
  }
  const labels = value.type === "options" ? value.labels : [toPlain(value)];
  return labels.map((label) => optionOf(field, label).id);
}

function optionOf(field: TargetField, label: string): FieldOption {
  const wanted = fold(label);
  const found = field.options.find((option) => option.label === label) ??
    field.options.find((option) => fold(option.label) === wanted);
  if (found === undefined) {
    throw new SetAsideError(
      "unknown-option",
      `Cannot write field "${field.label}": "${label}" is no active value of it`,
      { hint: "Add the value to the field in the target or map it to another one." },
    );
  }
  return found;
}

/** A lone option stands for "yes" whatever it is called: ticked or not is all a box can say. */
function booleanOption(field: TargetField, value: boolean): FieldOption | null {
  const words = value ? YES : NO;
  const named = field.options.find((option) => words.has(fold(option.label)));
  if (named !== undefined) return named;
  return value && field.options.length === 1 ? field.options[0] ?? null : null;
}

function toPlain(value: FieldValue): string {
  switch (value.type) {
    case "text":
      return value.text;
    case "richText":
      return value.html;
    case "number":
      return String(value.value);
    case "date":
    case "dateTime":
      return value.iso;
    case "options":
      return value.labels.join(", ");
    case "users":
      return value.ids.join(", ");
    case "boolean":
      return value.value ? "Yes" : "No";
  }
}

/**
 * Reads `field_value` by the field's type; null = unset (absent, null, empty, `[]`). Values of an
 * unknown field come back as text. A lost option id falls back to the name in the answer.
 */
export function decodeValue(
  field: TargetField | undefined,
  raw: unknown,
  name: string | null,
): FieldValue | null {
  const text = rawText(raw);
  if (text === null || text.trim() === "") return null;
  switch (field?.type) {
    case "richText":
      return { type: "richText", html: text };
    case "number":
      return Number.isFinite(Number(text))
        ? { type: "number", value: Number(text) }
        : { type: "text", text };
    case "date":
    case "dateTime": {
      const iso = toUtcSeconds(typeof raw === "number" ? raw : text);
      return iso === null ? { type: "text", text } : { type: field.type, iso };
    }
    case "combo":
    case "multiSelect":
      return decodeOptions(field, text, name);
    case "checkbox":
      return decodeCheckbox(field, text, name);
    case "user": {
      const ids = idsOf(text);
      return ids.length === 0 ? null : { type: "users", ids };
    }
    default:
      return { type: "text", text };
  }
}

function decodeOptions(field: TargetField, text: string, name: string | null): FieldValue | null {
  const labels = labelsOf(field, text, name);
  return labels.length === 0 ? null : { type: "options", labels };
}

function decodeCheckbox(field: TargetField, text: string, name: string | null): FieldValue | null {
  const labels = field.options.map((option) => fold(option.label));
  const isBoolean = labels.length > 0 && labels.length <= 2 &&
    labels.every((label) => YES.has(label) || NO.has(label));
  if (!isBoolean && labels.length === 1) {
    return { type: "boolean", value: idsOf(text).length > 0 };
  }
  if (!isBoolean) return decodeOptions(field, text, name);
  const chosen = labelsOf(field, text, name).map(fold);
  if (chosen.some((label) => YES.has(label))) return { type: "boolean", value: true };
  // With no "no" to tick, the empty list is how "no" was written.
  const saysNo = chosen.length > 0 || !labels.some((label) => NO.has(label));
  return saysNo ? { type: "boolean", value: false } : null;
}

function labelsOf(field: TargetField, text: string, name: string | null): string[] {
  const ids = idsOf(text);
  return ids.map((id) => {
    const option = field.options.find((each) => each.id === id) ??
      field.options.find((each) => each.label === id);
    // Labels may hold commas, so a joined name only serves when it stands for one value.
    return option?.label ?? (ids.length === 1 && name !== null ? unbracketed(name) : id);
  });
}

/** `[21,22]`, `21`, `"21"` → ids. */
function idsOf(text: string): string[] {
  return unbracketed(text).split(",").map((part) => part.trim().replace(/^"|"$/g, ""))
    .filter((part) => part !== "");
}

function bracketed(ids: string[]): string {
  return `[${ids.join(",")}]`;
}

function unbracketed(text: string): string {
  const trimmed = text.trim();
  return trimmed.startsWith("[") && trimmed.endsWith("]") ? trimmed.slice(1, -1) : trimmed;
}

function rawText(raw: unknown): string | null {
  if (typeof raw === "string") return raw;
  if (typeof raw === "number" || typeof raw === "boolean") return String(raw);
  return Array.isArray(raw) ? JSON.stringify(raw) : null;
}

function fold(label: string): string {
  return label.trim().toLowerCase();
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
