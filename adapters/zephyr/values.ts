/**
 * Readers of single values. Null, missing and `""` all occur for the same field, numbers come as
 * strings and references with or without id: whatever is readable is read, nothing throws.
 * @module
 */
import type { CustomFields, LinkRecord } from "../../core/records/mod.ts";

/** Returns the value when it is a JSON object, else null. */
export function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : null;
}

/** Returns the value when it is an array, else an empty one. */
export function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Text as received, `""` included; scalars as text; anything else as its JSON, so nothing is lost. */
export function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Finite number, also from a numeric string. */
export function toNumber(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || value.trim() === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** Id as text; null for null, missing and `""`. */
export function toId(value: unknown): string | null {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : null;
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

/** Id of a reference `{id, self}`, from the end of `self` when there is no id. */
export function toRefId(value: unknown): string | null {
  const reference = asObject(value);
  if (reference === null) return toId(value);
  return toId(reference.id) ?? /\/(\d+)\/?$/.exec(pathOf(reference.self))?.[1] ?? null;
}

/** Account id of `{self, accountId}`, of a plain string, or null for deleted users. */
export function toAccountId(value: unknown): string | null {
  const owner = asObject(value);
  return toId(owner === null ? value : owner.accountId);
}

/** Flags: true, `"true"` and 1 are true, all else is false. */
export function toFlag(value: unknown): boolean {
  return value === true || value === 1 || (typeof value === "string" && /^true$/i.test(value));
}

/** Labels as an array of text; blank ones are dropped. */
export function toLabels(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map(toText).filter((label): label is string => label !== null && label !== "");
}

/** Custom fields as received; `{}` when absent. */
export function toCustomFields(value: unknown): CustomFields {
  return asObject(value) ?? {};
}

/** Path part of a `self` URL, without query; `""` when it is no text. */
export function pathOf(self: unknown): string {
  return typeof self === "string" ? self.replace(/[?#].*$/, "") : "";
}

/** Decodes %xx; text that is no valid encoding stays as it is. */
export function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:[.,]\d+)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/**
 * Instant in UTC with second precision, `2023-06-20T16:25:58Z`. Milliseconds are cut, offsets
 * applied, no zone means UTC, a bare date means its midnight; null when it is no date.
 */
export function toInstant(value: unknown): string | null {
  if (typeof value === "number") return fromMillis(value);
  const match = typeof value === "string" ? INSTANT.exec(value.trim()) : null;
  if (match === null) return null;
  const [, date, time = "00:00", seconds = ":00", zone = "Z"] = match;
  return fromMillis(Date.parse(`${date}T${time}${seconds}${isoZone(zone)}`));
}

function isoZone(zone: string): string {
  if (/^z$/i.test(zone)) return "Z";
  return `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}`;
}

function fromMillis(millis: number): string | null {
  if (!Number.isFinite(millis) || Math.abs(millis) > 8.64e15) return null;
  return new Date(millis).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Issue and web links, which come inline in list rows, issues first. */
export function toLinks(value: unknown): LinkRecord[] {
  const links = asObject(value) ?? {};
  return [
    ...linkRows(links.issues).map((row, index): LinkRecord => ({
      id: toRefId(row) ?? `issue-${index}`,
      type: "issue",
      url: toText(row.target),
      description: toText(row.description),
      issueId: toId(row.issueId),
      relation: toText(row.type),
    })),
    ...linkRows(links.webLinks).map((row, index): LinkRecord => ({
      id: toRefId(row) ?? `web-${index}`,
      type: "web",
      url: toText(row.url),
      description: toText(row.description),
      issueId: null,
      relation: toText(row.type),
    })),
  ];
}

/** Distinct ids of linked plans or cycles; `target` is used only when the id field is missing. */
export function toLinkedIds(rows: unknown, idField: string): string[] {
  const ids = linkRows(rows).map((row) =>
    toId(row[idField]) ?? /\/(\d+)\/?$/.exec(pathOf(row.target))?.[1] ?? null
  );
  return [...new Set(ids.filter((id) => id !== null))];
}

function linkRows(rows: unknown): Record<string, unknown>[] {
  return asArray(rows).map(asObject).filter((row) => row !== null);
}
