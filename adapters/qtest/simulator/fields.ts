/**
 * Fields of the project and the encodings of their values.
 * @module
 */
import { isRecord, type Json, refuse } from "./call.ts";
import { readInstant } from "./dates.ts";
import type { QtestState } from "./state.ts";
import { normaliseHtml } from "./text.ts";
import type { Field, FieldOption, Properties } from "./types.ts";

const ATTRIBUTE_TYPES: Record<number, string> = {
  1: "Text",
  2: "LongText",
  3: "Number",
  4: "Date",
  5: "ArrayNumber",
  6: "LongText",
  7: "Double",
  8: "ArrayNumber",
  9: "Date",
  12: "Text",
  17: "ArrayNumber",
};
/** Types a custom field may have. */
export const CUSTOM_DATA_TYPES = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 17]);
/** Types whose values are options. */
export const OPTION_DATA_TYPES = new Set([3, 8, 17]);

/** Adds a field; options get ids from `firstValue` on, or site-wide ones. */
export function addField(
  state: QtestState,
  draft: {
    id?: number;
    objectType: string;
    label: string;
    dataType: number;
    options?: string[];
    firstValue?: number;
    required?: boolean;
    multiple?: boolean;
    searchable?: boolean;
    originalName?: string;
    defaultValue?: string | null;
  },
): Field {
  const options = (draft.options ?? []).map((label, index): FieldOption => ({
    value: draft.firstValue === undefined ? state.nextId() : draft.firstValue + index,
    label,
    order: index + 1,
    isDefault: false,
    isActive: true,
    color: "#C9E7F2",
  }));
  const field: Field = {
    id: draft.id ?? state.nextId(),
    objectType: draft.objectType,
    label: draft.label,
    dataType: draft.dataType,
    attributeType: ATTRIBUTE_TYPES[draft.dataType] ?? "Text",
    multiple: draft.multiple ?? [5, 8, 17].includes(draft.dataType),
    required: draft.required ?? false,
    searchable: draft.searchable ?? true,
    isSystem: draft.originalName !== undefined,
    isActive: true,
    originalName: draft.originalName ?? null,
    defaultValue: draft.defaultValue ?? null,
    order: state.fieldsOf(draft.objectType, true).length + 1,
    options,
  };
  state.fields.set(field.id, field);
  state.fieldsChanged();
  return field;
}

/** A field as the settings routes show it. */
export function fieldView(field: Field): Json {
  return {
    links: [],
    id: field.id,
    attribute_type: field.attributeType,
    label: field.label,
    required: field.required,
    constrained: field.isSystem,
    order: field.order,
    ...(OPTION_DATA_TYPES.has(field.dataType)
      ? { allowed_values: field.options.map(optionView) }
      : {}),
    multiple: field.multiple,
    data_type: field.dataType,
    searchable: field.searchable,
    free_text_search: field.dataType === 1,
    ...(field.defaultValue === null ? {} : { default_value: field.defaultValue }),
    system_field: field.isSystem,
    ...(field.originalName === null ? {} : { original_name: field.originalName }),
    is_active: field.isActive,
  };
}

export function optionView(option: FieldOption): Json {
  return {
    links: [],
    value: option.value,
    label: option.label,
    order: option.order,
    is_default: option.isDefault,
    is_active: option.isActive,
    color: option.color,
  };
}

function constraint(field: Field): never {
  refuse(400, `Field value constraint is invalid: ${field.label}`);
}

function readIds(field: Field, raw: string): number[] {
  const bracketed = /^\[\s*(\d+(?:\s*,\s*\d+)*)?\s*\]$/.exec(raw.trim());
  if (bracketed !== null) return (bracketed[1] ?? "").split(",").filter(Boolean).map(Number);
  if (field.dataType === 5 && /^\d+$/.test(raw.trim())) return [Number(raw)];
  return constraint(field);
}

/** Reads a value as it is sent; null clears. Throws a 400 for what the field cannot hold. */
export function readValue(state: QtestState, field: Field, raw: unknown): string | number[] | null {
  if (raw === null || raw === undefined) return null;
  if (typeof raw === "object") refuse(400, "Could not read JSON: field_value has to be a string");
  const text = String(raw);
  if (OPTION_DATA_TYPES.has(field.dataType)) return readOptions(field, text);
  if (field.dataType === 5) {
    const ids = text === "" ? [] : readIds(field, text);
    const isKnown = (id: number): boolean =>
      state.users.some((user) => user.id === id && user.active);
    if (!ids.every(isKnown)) constraint(field);
    return ids.length === 0 ? null : ids;
  }
  if (text === "") return null;
  if (field.dataType === 7 && !Number.isFinite(Number(text))) constraint(field);
  if (field.dataType === 4 || field.dataType === 9) {
    const instant = readInstant(text, { fraction: true });
    return instant === null
      ? constraint(field)
      : new Date(instant).toISOString().replace(".000Z", "+00:00");
  }
  return field.dataType === 6 && state.switches.normaliseHtml ? normaliseHtml(text) : text;
}

function readOptions(field: Field, text: string): number[] | null {
  const isAllowed = (id: number): boolean =>
    field.options.some((option) => option.value === id && option.isActive);
  if (field.multiple) {
    const ids = readIds(field, text);
    if (!ids.every(isAllowed)) constraint(field);
    return ids.length === 0 ? null : ids;
  }
  // A single choice can be set, never cleared.
  if (!/^\d+$/.test(text) || !isAllowed(Number(text))) constraint(field);
  return [Number(text)];
}

/**
 * Applies `properties` of a body to an object's values. For a create, defaults are filled in and
 * required fields are checked.
 */
export function applyProperties(
  state: QtestState,
  objectType: string,
  current: Properties,
  given: unknown[] | undefined,
  mode: "create" | "update" | "lenient",
): Properties {
  const next: Properties = new Map(current);
  if (mode !== "update") fillDefaults(state, objectType, next);
  for (const item of given ?? []) {
    if (!isRecord(item)) refuse(400, "Could not read JSON: properties holds something else");
    applyOne(state, objectType, next, item, mode);
  }
  if (mode === "create") {
    const missing = state.fieldsOf(objectType).find((field) =>
      field.required && !field.isSystem && !next.has(field.id)
    );
    if (missing !== undefined) refuse(400, `Field '${missing.label}' is required`);
  }
  return next;
}

function applyOne(
  state: QtestState,
  objectType: string,
  next: Properties,
  item: Json,
  mode: "create" | "update" | "lenient",
): void {
  const id = Number(item.field_id);
  if (item.field_id === undefined || item.field_id === null || !Number.isSafeInteger(id)) {
    refuse(400, "field_id is required");
  }
  const field = state.fields.get(id);
  if (field === undefined || field.objectType !== objectType || !field.isActive) {
    if (state.switches.unknownField === "ignore" || mode === "lenient") return;
    refuse(400, `Field ${id} does not exist`);
  }
  if (!("field_value" in item)) return;
  const value = readValue(state, field, item.field_value);
  if (value === null && field.required) refuse(400, `Field '${field.label}' is required`);
  if (value === null) next.delete(id);
  else next.set(id, value);
}

function fillDefaults(state: QtestState, objectType: string, values: Properties): void {
  for (const field of state.fieldsOf(objectType)) {
    if (values.has(field.id)) continue;
    const option = field.options.find((item) => item.isDefault);
    if (option !== undefined) values.set(field.id, [option.value]);
    else if (field.defaultValue !== null) values.set(field.id, field.defaultValue);
  }
}

/** Label(s) of a value, as `field_value_name` shows them. */
export function valueName(
  state: QtestState,
  field: Field,
  value: string | number[],
): string | null {
  if (typeof value === "string") return null;
  const labels = value.map((id) => {
    if (field.dataType !== 5) {
      return field.options.find((option) => option.value === id)?.label ?? "";
    }
    const user = state.users.find((item) => item.id === id);
    return user === undefined ? "" : `${user.firstName} ${user.lastName}`;
  });
  return field.multiple ? `[${labels.join(", ")}]` : labels.join(", ");
}

/** `properties` of an answer: every active field, those without value without `field_value`. */
export function propertiesView(state: QtestState, objectType: string, values: Properties): Json[] {
  return state.fieldsOf(objectType).map((field) => {
    const view: Json = { field_id: field.id, field_name: field.label };
    const value = values.get(field.id);
    if (value === undefined) return view;
    if (typeof value === "string") view.field_value = value;
    else if (field.multiple) view.field_value = `[${value.join(",")}]`;
    else view.field_value = state.switches.numericComboValues ? value[0] : String(value[0]);
    const name = valueName(state, field, value);
    if (name !== null) view.field_value_name = name;
    return view;
  });
}
