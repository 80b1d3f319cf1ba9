/** Values of the source in the shape of a target field. @module */
import type { FieldValue, TargetField, TargetUser } from "../ports/mod.ts";
import { htmlToText, plainToHtml } from "../text/mod.ts";
import { isoInstant } from "./dates.ts";

/** A value to place: what it is decides how it is written into rich text. */
export type SourceValue =
  | { kind: "plain"; value: unknown }
  /** Rich text by definition. */
  | { kind: "html"; html: string }
  /** An account id. */
  | { kind: "account"; id: string };

/** Tells whether a custom field's value counts as empty. */
export function isEmptyValue(value: unknown): boolean {
  return value === null || value === undefined || value === "" ||
    (Array.isArray(value) && value.length === 0);
}

/** A value as plain text: lists joined by ", ", yes and no as in the source. */
export function plainOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(plainOf).join(", ");
  if (typeof value === "string") return value;
  return value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
}

function textOf(value: SourceValue): string {
  if (value.kind === "html") return htmlToText(value.html);
  return value.kind === "account" ? value.id : plainOf(value.value);
}

function labelsOf(value: SourceValue): string[] {
  const raw = value.kind === "plain" ? value.value : textOf(value);
  if (typeof raw === "boolean") return [raw ? "Yes" : "No"];
  return (Array.isArray(raw) ? raw : [raw]).map((item) => plainOf(item).trim());
}

/** Labels of the field for the wanted labels, and those it does not have. */
function matchOptions(field: TargetField, wanted: string[]): { labels: string[]; lost: string[] } {
  const labels: string[] = [];
  const lost: string[] = [];
  for (const label of wanted) {
    const found = field.options.find((option) => option.label.trim() === label) ??
      field.options.find((option) => option.label.trim().toLowerCase() === label.toLowerCase());
    if (found === undefined) lost.push(label);
    else if (!labels.includes(found.label)) labels.push(found.label);
  }
  return { labels, lost };
}

/** A written value; `lost` names what of it has no place in the field. */
export interface Encoded {
  value: FieldValue | null;
  lost: { rule: "value-unfit" | "option-missing"; text: string } | null;
}

function unfit(value: SourceValue): Encoded {
  return { value: null, lost: { rule: "value-unfit", text: textOf(value) } };
}

function fitted(value: FieldValue | null, source: SourceValue): Encoded {
  return value === null ? unfit(source) : { value, lost: null };
}

/** Encodes a non-empty value for a field; what does not fit comes back as lost, never silently. */
export function encodeValue(
  field: TargetField,
  value: SourceValue,
  user: (accountId: string) => TargetUser | null,
): Encoded {
  switch (field.type) {
    case "combo":
    case "multiSelect":
      return encodeOptions(field, value);
    case "number":
      return fitted(numberValue(value), value);
    case "date": {
      const iso = isoInstant(textOf(value));
      // A time of day is kept: date fields take instants, and cutting it would be a loss.
      const kept = iso?.endsWith("T00:00:00Z") ? iso.slice(0, 10) : iso;
      return fitted(typeof kept === "string" ? { type: "date", iso: kept } : null, value);
    }
    case "dateTime": {
      const iso = isoInstant(textOf(value));
      return fitted(iso === null ? null : { type: "dateTime", iso }, value);
    }
    case "checkbox":
      return fitted(booleanValue(value), value);
    case "user": {
      const found = user(textOf(value));
      return fitted(found === null ? null : { type: "users", ids: [found.id] }, value);
    }
    case "richText":
      return fitted({ type: "richText", html: richOf(value) }, value);
    case "text":
    case "url":
      return fitted({ type: "text", text: asText(value) }, value);
    case "other":
      return unfit(value);
  }
}

/** Yes and No read the same in a text box and in a list. */
function asText(value: SourceValue): string {
  return value.kind === "plain" && typeof value.value === "boolean"
    ? labelsOf(value).join()
    : textOf(value);
}

function richOf(value: SourceValue): string {
  return value.kind === "html" ? value.html : plainToHtml(asText(value));
}

function encodeOptions(field: TargetField, value: SourceValue): Encoded {
  const { labels, lost } = matchOptions(field, labelsOf(value));
  const kept = field.type === "combo" ? labels.slice(0, 1) : labels;
  const dropped = [...lost, ...labels.slice(kept.length)];
  return {
    value: kept.length === 0 ? null : { type: "options", labels: kept },
    lost: dropped.length === 0 ? null : { rule: "option-missing", text: dropped.join(", ") },
  };
}

function numberValue(value: SourceValue): FieldValue | null {
  const raw = value.kind === "plain" ? value.value : textOf(value);
  const number = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
  return typeof number === "number" && Number.isFinite(number)
    ? { type: "number", value: number }
    : null;
}

function booleanValue(value: SourceValue): FieldValue | null {
  const raw = value.kind === "plain" ? value.value : textOf(value);
  if (raw === true || raw === "true") return { type: "boolean", value: true };
  return raw === false || raw === "false" ? { type: "boolean", value: false } : null;
}
