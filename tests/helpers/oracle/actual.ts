/** Reads fields of the target by label. @module */
import type { Scope } from "./scope.ts";

export type ObjectType = "test-cases" | "test-suites" | "test-runs" | "releases";
type Properties = Map<number, string | number[]>;

/** Values of the fields that people (or the migration) made, by label: text or option labels. */
export function ownValues(
  scope: Scope,
  objectType: ObjectType,
  properties: Properties,
): Map<string, { dataType: number; value: string | string[] }> {
  const values = new Map<string, { dataType: number; value: string | string[] }>();
  for (const field of scope.state.fieldsOf(objectType)) {
    const value = properties.get(field.id);
    if (field.isSystem || value === undefined) continue;
    values.set(field.label, {
      dataType: field.dataType,
      value: typeof value === "string"
        ? value
        : value.map((id) =>
          field.dataType === 5
            ? `user ${id}`
            : field.options.find((option) => option.value === id)?.label ?? `option ${id}`
        ),
    });
  }
  return values;
}

/** Value of a system field by its stable name: text, labels of options, ids of users. */
export function systemValue(
  scope: Scope,
  objectType: ObjectType,
  properties: Properties,
  originalName: string,
): string | null {
  const field = scope.state.fieldByName(objectType, originalName);
  const value = field === undefined ? undefined : properties.get(field.id);
  if (value === undefined || field === undefined) return null;
  if (typeof value === "string") return value;
  if (field.dataType === 5) return value.join(",");
  return value.map((id) => field.options.find((row) => row.value === id)?.label).join(",");
}
