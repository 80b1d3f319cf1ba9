/** Change detection for drafts. @module */
import type { DraftField } from "../ports/mod.ts";

/** Two 32-bit lanes with one seed (cyrb53's mixing), as 16 hex digits. */
function lanes(text: string, seed: number): string {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [a, b].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

function isDraftField(value: object): value is DraftField {
  return "field" in value && "value" in value && typeof value.field === "object";
}

/** JSON with sorted keys; fields count by id and value, files do not count. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== "object") return value;
  if (isDraftField(value)) return [value.field.id, canonical(value.value)];
  const entries = Object.entries(value)
    .filter(([key, item]) => key !== "attachments" && item !== undefined)
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
    .map(([key, item]) => [key, canonical(item)]);
  return Object.fromEntries(entries);
}

/**
 * Hashes a draft (with or without target ids) to 32 hex digits. Equal content gives equal hashes
 * whatever the order of keys; options of a field and attachments do not count. For telling whether
 * a record has changed only: it is no cryptographic hash.
 */
export function payloadHash(draft: object): string {
  const text = JSON.stringify(canonical(draft));
  return lanes(text, 0) + lanes(text, 0x9e3779b9);
}
