/** Which type of field holds the values of a custom field. @module */
import type { CustomFieldStats, FieldType } from "../ports/mod.ts";

/** Most distinct values, longest value, and fewest rows for a combo box. */
const COMBO = { distinct: 20, length: 100, rows: 10 } as const;
/** The store tells at most one value more than this. */
const MAX_VALUES = 200;

/** What {@linkcode inferType} knows of accounts. */
export interface Accounts {
  /** Seen as owner, executor or assignee. */
  seen: ReadonlySet<string>;
  isMapped: (accountId: string) => boolean;
}

export interface InferredType {
  type: FieldType;
  /** Labels for combo box and multi-select, in order. */
  options: string[];
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Labels that values of the field need. */
export function optionsOf(stats: CustomFieldStats, type: FieldType): string[] {
  if (type !== "combo" && type !== "multiSelect") return [];
  if ((stats.types.boolean ?? 0) > 0 && type === "combo") return ["Yes", "No"];
  return [...new Set(stats.values.map(({ value }) => value.trim()))]
    .filter((value) => value !== "")
    .sort(byCodeUnit);
}

/**
 * Returns the first type that fits all non-empty values: boolean, number, array, date, date-time,
 * user, combo box, rich text, text. Null when there are no values.
 */
export function inferType(stats: CustomFieldStats, accounts: Accounts): InferredType | null {
  if (stats.count === 0) return null;
  const type = typeOf(stats, accounts);
  return { type, options: optionsOf(stats, type) };
}

function typeOf(stats: CustomFieldStats, accounts: Accounts): FieldType {
  const all = (n: number | undefined): boolean => n === stats.count;
  const complete = stats.values.length <= MAX_VALUES;
  if (all(stats.types.boolean)) return "combo";
  if (all(stats.types.number)) return "number";
  // Without every label a multi-select would refuse some values.
  if (all(stats.types.array)) return complete ? "multiSelect" : "text";
  if (!all(stats.types.string)) return "text";
  if (all(stats.strings.date)) return "date";
  if (all(stats.strings.dateTime)) return "dateTime";
  if (complete && stats.values.every(({ value }) => accounts.seen.has(value))) {
    return stats.values.every(({ value }) => accounts.isMapped(value)) ? "user" : "text";
  }
  if (isCombo(stats)) return "combo";
  return stats.strings.withMarkup > 0 ? "richText" : "text";
}

function isCombo(stats: CustomFieldStats): boolean {
  const distinct = stats.values.length;
  return distinct <= COMBO.distinct && stats.strings.maxLength <= COMBO.length &&
    stats.count >= COMBO.rows && distinct * 2 <= stats.count;
}

const HOLDS: Record<FieldType, readonly FieldType[]> = {
  text: ["text", "combo", "number", "date", "dateTime", "multiSelect", "user", "url", "checkbox"],
  richText: [
    "richText",
    "text",
    "combo",
    "number",
    "date",
    "dateTime",
    "multiSelect",
    "user",
    "url",
    "checkbox",
  ],
  number: ["number"],
  date: ["date"],
  dateTime: ["dateTime", "date"],
  combo: ["combo"],
  multiSelect: ["multiSelect", "combo"],
  checkbox: ["checkbox"],
  user: ["user"],
  url: ["url"],
  other: [],
};

/** Tells whether an existing field of one type holds values meant for another without loss. */
export function canHold(existing: FieldType, wanted: FieldType, isBoolean = false): boolean {
  return HOLDS[existing].includes(wanted) || (existing === "checkbox" && isBoolean);
}
