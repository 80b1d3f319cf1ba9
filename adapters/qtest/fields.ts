/** Fields of the project: reading, typing, creating. @module */
import { InDoubtError } from "../../core/errors.ts";
import type {
  FieldDraft,
  FieldObject,
  FieldOption,
  FieldType,
  TargetField,
  WriteOptions,
} from "../../core/ports/mod.ts";
import { FIELD_OBJECTS } from "../../core/ports/mod.ts";
import type { QtestApi } from "./api.ts";
import { FIELD_FOLDERS } from "./kinds.ts";
import { parseOne, parseRows, type WireField, wireField, wireOption } from "./wire.ts";

const FIELDS_ROUTE = "/settings/{objectType}/fields";
/** The vendor takes at most this many allowed values in one request. */
const OPTIONS_PER_REQUEST = 100;

const DATA_TYPES: Record<number, FieldType> = {
  1: "text",
  2: "text",
  3: "combo",
  4: "date",
  5: "user",
  6: "richText",
  7: "number",
  8: "checkbox",
  9: "dateTime",
  12: "url",
  17: "multiSelect",
};
const NUMBERS: Record<Exclude<FieldType, "other">, number> = {
  text: 1,
  richText: 6,
  number: 7,
  date: 4,
  dateTime: 9,
  combo: 3,
  multiSelect: 17,
  checkbox: 8,
  user: 5,
  url: 12,
};

/** Turns a field of the settings route into ours. Inactive options are left out. */
export function toField(object: FieldObject, wire: WireField): TargetField {
  const options = (wire.allowed_values ?? []).flatMap((option): FieldOption[] =>
    option.is_active === false ? [] : [{ id: option.value, label: option.label ?? "" }]
  );
  const dataType = wire.data_type ?? null;
  const type = fieldType(wire, options.length > 0);
  return {
    id: wire.id,
    object,
    label: wire.label ?? "",
    type,
    dataType,
    multiple: wire.multiple ?? (type === "multiSelect" || type === "checkbox"),
    required: wire.required ?? false,
    isSystem: wire.system_field ?? wire.id.startsWith("-"),
    originalName: wire.original_name ?? null,
    options,
    // Options name their default on themselves, the field does not always repeat it.
    defaultValue: wire.default_value ??
      wire.allowed_values?.find((option) => option.is_default && option.is_active !== false)
        ?.value ??
      null,
  };
}

/** System fields come with numbers outside the documented list (13); their other marks tell more. */
function fieldType(wire: WireField, hasOptions: boolean): FieldType {
  const known = DATA_TYPES[wire.data_type ?? -1];
  if (known === "combo" && wire.multiple) return "multiSelect";
  if (known !== undefined) return known;
  const name = wire.original_name ?? "";
  const attribute = (wire.attribute_type ?? "").toLowerCase();
  if (hasOptions) return wire.multiple || attribute === "arraynumber" ? "multiSelect" : "combo";
  if (/^Planned(Start|End)Date|(Start|End)Date/.test(name) || attribute.startsWith("date")) {
    return "dateTime";
  }
  if (/Assign(ed|ee)/i.test(name)) return "user";
  if (/description/i.test(name)) return "richText";
  if (attribute === "longtext" || attribute === "text" || attribute === "string") return "text";
  return attribute === "number" ? "number" : "other";
}

/** Knows the fields of the project; each object's list is read at most once unless asked anew. */
export class FieldBook {
  readonly #api: QtestApi;
  readonly #lists = new Map<FieldObject, Promise<TargetField[] | null>>();

  constructor(api: QtestApi) {
    this.#api = api;
  }

  /** Fields of one object type; null when the token may not read them (403). */
  list(object: FieldObject, signal: AbortSignal, failFast = false): Promise<TargetField[] | null> {
    const known = this.#lists.get(object);
    return known ?? this.reload(object, signal, failFast);
  }

  /** Reads the list again and keeps it. */
  reload(
    object: FieldObject,
    signal: AbortSignal,
    failFast = false,
  ): Promise<TargetField[] | null> {
    const reading = this.#fetch(object, signal, failFast, false);
    this.#lists.set(object, reading);
    reading.catch(() => this.#lists.delete(object));
    return reading;
  }

  /** Finds the object type a field belongs to, inactive fields included; null when it is gone. */
  async ownerOf(fieldId: string, signal: AbortSignal): Promise<FieldObject | null> {
    for (const [object, reading] of this.#lists) {
      if ((await reading)?.some((field) => field.id === fieldId)) return object;
    }
    for (const object of FIELD_OBJECTS) {
      const fields = await this.#fetch(object, signal, false, true);
      if (fields?.some((field) => field.id === fieldId)) return object;
    }
    return null;
  }

  /** Puts a new or changed field into its list. */
  async keep(field: TargetField): Promise<void> {
    const fields = await this.#lists.get(field.object);
    if (!fields) return;
    const index = fields.findIndex((each) => each.id === field.id);
    if (index < 0) fields.push(field);
    else fields[index] = field;
  }

  /** Takes a deleted field out. */
  forget(object: FieldObject): void {
    this.#lists.delete(object);
  }

  async #fetch(
    object: FieldObject,
    signal: AbortSignal,
    failFast: boolean,
    includeInactive: boolean,
  ): Promise<TargetField[] | null> {
    const answer = await this.#api.read({
      to: FIELDS_ROUTE,
      params: { objectType: FIELD_FOLDERS[object] },
      query: includeInactive ? { includeInactive: true } : {},
      accept: [403],
      failFast,
      signal,
    });
    if (answer.status === 403) return null;
    const rows = parseRows(wireField, Array.isArray(answer.json) ? answer.json : []);
    return rows.filter((row) => includeInactive || row.is_active !== false)
      .map((row) => toField(object, row));
  }
}

/**
 * Creates a custom field. The first 100 options ride along, further ones follow in portions, so a
 * field may exist with a part of them when a later request fails; {@linkcode addOptions} completes it.
 */
export async function createField(
  api: QtestApi,
  book: FieldBook,
  draft: FieldDraft,
  write: WriteOptions,
): Promise<TargetField> {
  if (draft.type === "other") throw new TypeError(`Field "${draft.label}" has no type to create`);
  const isList = draft.type === "checkbox" || draft.type === "multiSelect";
  const wanted = draft.type === "checkbox" && draft.options.length === 0
    ? ["Yes", "No"]
    : draft.options;
  const hasOptions = isList || draft.type === "combo";
  const answer = await api.write({
    method: "POST",
    to: FIELDS_ROUTE,
    params: { objectType: FIELD_FOLDERS[draft.object] },
    json: {
      label: draft.label,
      data_type: NUMBERS[draft.type],
      required: false,
      searchable: true,
      ...(isList ? { multiple: true } : {}),
      ...(hasOptions ? { allowed_values: toLabels(wanted.slice(0, OPTIONS_PER_REQUEST)) } : {}),
    },
  }, write);
  const wire = parseOne(wireField, answer.json);
  if (wire === null) {
    throw new InDoubtError(`Cannot create field "${draft.label}": the answer holds no id`);
  }
  const first = hasOptions ? wanted.slice(0, OPTIONS_PER_REQUEST) : [];
  const created = withDraft(toField(draft.object, wire), draft);
  const field = await complete(book, created, first, write);
  return hasOptions && wanted.length > first.length
    ? await addOptions(api, book, field, wanted.slice(first.length), write)
    : field;
}

/** Some servers answer a create with little more than the id. */
function withDraft(field: TargetField, draft: FieldDraft): TargetField {
  const label = field.label === "" ? draft.label : field.label;
  return field.type === draft.type ? { ...field, label } : {
    ...field,
    label,
    type: draft.type,
    multiple: field.multiple || draft.type === "multiSelect" || draft.type === "checkbox",
  };
}

/** Adds options in portions of at most 100 labels; labels the field already has are not sent. */
export async function addOptions(
  api: QtestApi,
  book: FieldBook,
  field: TargetField,
  labels: string[],
  write: WriteOptions,
): Promise<TargetField> {
  const known = new Set(field.options.map((option) => option.label));
  const missing = [...new Set(labels)].filter((label) => !known.has(label));
  const added: FieldOption[] = [];
  for (let start = 0; start < missing.length; start += OPTIONS_PER_REQUEST) {
    const answer = await api.write({
      method: "POST",
      to: `${FIELDS_ROUTE}/{fieldId}/allowed-values`,
      params: { objectType: FIELD_FOLDERS[field.object], fieldId: field.id },
      json: toLabels(missing.slice(start, start + OPTIONS_PER_REQUEST)),
    }, write);
    added.push(...answeredOptions(answer.json));
  }
  const taken = added.filter((option) => missing.includes(option.label));
  return await complete(book, { ...field, options: [...field.options, ...taken] }, missing, write);
}

/** Makes sure that every wanted label has an id: one read of the list when the answer kept it back. */
async function complete(
  book: FieldBook,
  field: TargetField,
  labels: string[],
  write: WriteOptions,
): Promise<TargetField> {
  const has = (label: string): boolean => field.options.some((option) => option.label === label);
  if (labels.every(has)) {
    await book.keep(field);
    return field;
  }
  const fields = await book.reload(field.object, write.signal);
  const fresh = fields?.find((each) => each.id === field.id);
  return fresh ?? field;
}

function answeredOptions(json: unknown): FieldOption[] {
  const items = Array.isArray(json) ? json : (json as { items?: unknown } | undefined)?.items;
  return parseRows(wireOption, Array.isArray(items) ? items : [])
    .map((row) => ({ id: row.value, label: row.label ?? "" }));
}

function toLabels(labels: string[]): { label: string }[] {
  return labels.map((label) => ({ label }));
}
