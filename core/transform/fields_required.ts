/** Fields that the target requires and no record fills. @module */
import type { Mapping } from "../config/types.ts";
import type { FieldObject, FieldValue, TargetField, TargetProfile } from "../ports/mod.ts";
import type { MappingProblem, PlannedField } from "./types.ts";
import type { FieldKind, FieldPlanInput } from "./fields_plan.ts";
import { lookUp } from "./references.ts";
import { isoDate, isoInstant } from "./dates.ts";

/** A value for a required field and where it is from. */
export type RequiredValue =
  | { value: FieldValue; from: "mapping" | "default"; text: string }
  | { value: null; reason: "missing" | "unusable"; text: string };

/**
 * System fields that the target fills and changes by itself: a status follows from logs and
 * approvals, the automation mark from bulk logs. A value of ours would only be overwritten.
 */
function isFilledByTarget(field: TargetField): boolean {
  return field.isSystem &&
    (/^(status|type|automation)(test|release|$)/i.test(field.originalName ?? "") ||
      /^(status|type|automation)$/i.test(field.label.trim()));
}

/** Required fields of an object that a draft must have a value for. */
export function requiredFields(
  profile: Pick<TargetProfile, "fields">,
  object: FieldObject,
): TargetField[] {
  return profile.fields.filter((field) =>
    field.object === object && field.required && !isFilledByTarget(field)
  );
}

/** Returns the value of the mapping file's `required`, else the field's default value. */
export function requiredValue(
  field: TargetField,
  mapping: Pick<Mapping, "required">,
  profile: Pick<TargetProfile, "users">,
): RequiredValue {
  const given = lookUp(mapping.required[field.object] ?? {}, field.label);
  if (given !== undefined && given !== null) {
    const text = typeof given === "string" ? given : JSON.stringify(given);
    const value = valueFromText(field, given, profile);
    return value === null
      ? { value: null, reason: "unusable", text }
      : { value, from: "mapping", text };
  }
  if (field.defaultValue === null || field.defaultValue.trim() === "") {
    return { value: null, reason: "missing", text: "" };
  }
  const value = valueFromText(field, field.defaultValue, profile);
  return value === null
    ? { value: null, reason: "unusable", text: field.defaultValue }
    : { value, from: "default", text: valueText(value) };
}

/** A field's value as short text for ledgers. */
export function valueText(value: FieldValue): string {
  switch (value.type) {
    case "text":
      return value.text;
    case "richText":
      return value.html;
    case "number":
    case "boolean":
      return String(value.value);
    case "date":
    case "dateTime":
      return value.iso;
    case "options":
      return value.labels.join(", ");
    case "users":
      return value.ids.join(", ");
  }
}

function list(given: unknown): string[] {
  if (Array.isArray(given)) return given.map(String);
  const text = String(given).trim();
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  return bracketed === undefined ? [text] : bracketed.split(",").map((part) => part.trim());
}

/** Reads a value that people wrote or that the target has as default (option ids or labels). */
function valueFromText(
  field: TargetField,
  given: unknown,
  profile: Pick<TargetProfile, "users">,
): FieldValue | null {
  // Lists hold ids or labels whatever the type is called.
  if (field.options.length > 0) return optionsFrom(field, given);
  switch (field.type) {
    case "number": {
      const value = typeof given === "number" ? given : Number(String(given).trim() || NaN);
      return Number.isFinite(value) ? { type: "number", value } : null;
    }
    case "date": {
      const iso = isoDate(String(given));
      return iso === null ? null : { type: "date", iso };
    }
    case "dateTime": {
      const iso = isoInstant(String(given));
      return iso === null ? null : { type: "dateTime", iso };
    }
    case "checkbox":
      if (given === true || given === "true") return { type: "boolean", value: true };
      return given === false || given === "false" ? { type: "boolean", value: false } : null;
    case "user":
      return usersFrom(given, profile);
    case "combo":
    case "multiSelect":
      return null;
    case "richText":
      return { type: "richText", html: String(given) };
    default:
      return { type: "text", text: String(given) };
  }
}

function optionsFrom(field: TargetField, given: unknown): FieldValue | null {
  const find = (name: string): string | undefined =>
    field.options.find((option) => option.label.trim().toLowerCase() === name.trim().toLowerCase())
      ?.label ?? field.options.find((option) => option.id === name.trim())?.label;
  const whole = find(String(given));
  if (whole !== undefined) return { type: "options", labels: [whole] };
  const labels = list(given).map(find).filter((label) => label !== undefined);
  return labels.length > 0 && labels.length === list(given).length
    ? { type: "options", labels }
    : null;
}

function usersFrom(given: unknown, profile: Pick<TargetProfile, "users">): FieldValue | null {
  const ids = list(given).flatMap((name) => {
    const wanted = name.toLowerCase();
    const user = profile.users.find((candidate) =>
      candidate.id === name || candidate.username.toLowerCase() === wanted ||
      candidate.email?.toLowerCase() === wanted
    );
    return user === undefined ? [] : [user.id];
  });
  return ids.length === 0 ? null : { type: "users", ids };
}

/** Problems for required fields that some record would leave empty. */
export function requiredProblems(
  input: FieldPlanInput & { objects: FieldObject[]; fields: PlannedField[] },
): MappingProblem[] {
  return input.objects.flatMap((object) =>
    requiredFields(input.profile, object).flatMap((field) => {
      const outcome = requiredValue(field, input.mapping, input.profile);
      if (outcome.value !== null) return [];
      if (outcome.reason === "missing" && isAlwaysFilled(field, input)) return [];
      const key = `required.${object}.${field.label}`;
      const allowed = field.options.slice(0, 8).map((option) => option.label).join(", ");
      const state = outcome.reason === "missing"
        ? "has no value to take"
        : `cannot take "${outcome.text}"`;
      return [{
        kind: "required-field",
        message: `The target requires "${field.label}" of each ${object}, which ${state}`,
        fix: `Set "${key}" in the mapping file` + (allowed === "" ? "" : ` (${allowed})`),
      }];
    })
  );
}

const KIND_OF_OBJECT: Partial<Record<FieldObject, FieldKind>> = {
  testCase: "testCase",
  testSuite: "testCycle",
  release: "testPlan",
};

/** Whether every artefact of the object brings a value for the field. */
function isAlwaysFilled(
  field: TargetField,
  input: FieldPlanInput & { fields: PlannedField[] },
): boolean {
  const planned = input.fields.find((candidate) => candidate.existing?.id === field.id);
  if (planned === undefined || planned.object !== field.object) return false;
  if (planned.source === "own:Zephyr Key") return true;
  // The source always names a status and a priority; what else it names may be missing somewhere.
  if (planned.source === "system:priority") return input.include.testCases;
  if (planned.source === "own:Zephyr Status") return true;
  const kind = KIND_OF_OBJECT[field.object];
  const name = /^custom:(.*)$/s.exec(planned.source)?.[1];
  const total = kind === undefined ? undefined : input.counts?.[kind];
  if (kind === undefined || name === undefined || total === undefined) return false;
  return (input.stats[kind].find((stats) => stats.name === name)?.count ?? 0) >= total;
}
