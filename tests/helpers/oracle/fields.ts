/** Custom fields: types inferred over all values, and values by type. @module */
import type { SimCustomFields } from "../../../adapters/zephyr/simulator/mod.ts";
import { type ObjectType, ownValues } from "./actual.ts";
import { accountOf, type Scope, userOf } from "./scope.ts";
import { richWithPictures } from "./text.ts";

export type Kind =
  | "boolean"
  | "number"
  | "array"
  | "date"
  | "dateTime"
  | "user"
  | "combo"
  | "richText"
  | "text";

/** The target's numbers for each type; more than one where the mapping leaves a choice. */
const DATA_TYPES: Record<Kind, number[]> = {
  boolean: [8, 3],
  number: [7],
  array: [17],
  date: [4],
  dateTime: [9],
  user: [5],
  combo: [3],
  richText: [6],
  text: [1, 2],
};
const OWN: Record<ObjectType, string[]> = {
  "test-cases": [
    "Zephyr Key",
    "Zephyr Status",
    "Labels",
    "Component",
    "Owner",
    "Estimated Time (min)",
    "Zephyr Created",
  ],
  "test-suites": ["Zephyr Key", "Zephyr Status", "Owner", "Zephyr Description", "Zephyr Version"],
  "test-runs": ["Zephyr Key"],
  releases: ["Zephyr Key", "Zephyr Status", "Labels", "Owner"],
};

export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" ||
    (Array.isArray(value) && value.length === 0);
}

/** Type of every custom field that has a value somewhere. */
export function inferKinds(scope: Scope, rows: SimCustomFields[]): Map<string, Kind> {
  const values = new Map<string, unknown[]>();
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      if (isEmpty(value)) continue;
      values.set(name, [...values.get(name) ?? [], value]);
    }
  }
  const accounts = knownAccounts(scope);
  return new Map(Array.from(values, ([name, list]) => [name, inferKind(scope, list, accounts)]));
}

function inferKind(scope: Scope, list: unknown[], accounts: Set<string>): Kind {
  if (list.every((value) => typeof value === "boolean")) return "boolean";
  if (list.every((value) => typeof value === "number")) return "number";
  if (list.every((value) => Array.isArray(value))) return "array";
  const texts = list.filter((value) => typeof value === "string");
  if (texts.length !== list.length) return "text";
  if (texts.every((text) => /^\d{4}-\d\d-\d\d$/.test(text))) return "date";
  if (texts.every((text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text))) return "dateTime";
  if (texts.every((text) => accounts.has(text))) {
    return texts.every((text) => userOf(scope, text) !== null) ? "user" : "text";
  }
  const distinct = new Set(texts);
  const isChoice = texts.length >= 10 && distinct.size <= 20 && distinct.size * 2 <= texts.length &&
    texts.every((text) => text.length <= 100);
  if (isChoice) return "combo";
  return texts.some((text) => /[\r\n]|<\/?[a-z]/i.test(text)) ? "richText" : "text";
}

function knownAccounts(scope: Scope): Set<string> {
  const owners = [...scope.cases.values(), ...scope.cycles, ...scope.plans].map((row) =>
    accountOf(row.owner)
  );
  const people = scope.executions.flatMap((row) => [row.executedById, row.assignedToId]);
  return new Set([...owners, ...people].filter((id) => typeof id === "string" && id !== "")) as Set<
    string
  >;
}

const SUFFIX = " (Zephyr)";

/** A custom field's label in the target. */
export function labelOf(scope: Scope, objectType: ObjectType, name: string): string {
  const isTaken = (label: string): boolean =>
    OWN[objectType].includes(label) ||
    scope.state.fieldsOf(objectType).some((field) => field.isSystem && field.label === label);
  // The label that another field moved to is taken as well.
  const isSecond = name.endsWith(SUFFIX) && isTaken(name.slice(0, -SUFFIX.length));
  return isTaken(name) || isSecond ? `${name}${SUFFIX}` : name;
}

/** Compares all fields of one artefact that are not the target's own; none may be left over. */
export function checkFields(
  scope: Scope,
  where: string,
  artefact: { objectType: ObjectType; properties: Map<number, string | number[]> },
  expected: {
    /** Plain values of ztoq's own fields by label; empty ones are left out. */
    own: Record<string, string | number | null | undefined>;
    custom: SimCustomFields;
    kinds: Map<string, Kind>;
  },
): void {
  const { objectType, properties } = artefact;
  const actual = ownValues(scope, objectType, properties);
  const take = (label: string, kind: Kind, value: unknown): void => {
    const found = actual.get(label);
    actual.delete(label);
    if (found === undefined) return scope.findings.fail(where, `field "${label}" has no value`);
    if (!DATA_TYPES[kind].includes(found.dataType)) {
      scope.findings.fail(where, `field "${label}" has data type ${found.dataType}, not ${kind}`);
    }
    scope.findings.same(
      `${where} "${label}"`,
      comparable(scope, kind, found.value, false),
      comparable(scope, kind, value, true),
    );
  };
  for (const [label, value] of Object.entries(expected.own)) {
    if (!isEmpty(value)) take(label, OWN_KINDS[label] ?? "text", value);
  }
  for (const [name, value] of Object.entries(expected.custom)) {
    if (isEmpty(value)) continue;
    take(labelOf(scope, objectType, name), expected.kinds.get(name) ?? "text", value);
  }
  scope.findings.same(`${where} other fields`, [...actual.keys()], []);
}

const OWN_KINDS: Record<string, Kind> = {
  "Estimated Time (min)": "number",
  "Zephyr Created": "dateTime",
};

/** A value as text. */
export function plainText(value: unknown): string {
  if (Array.isArray(value)) return value.map(plainText).join(", ");
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function comparable(scope: Scope, kind: Kind, value: unknown, isSource: boolean): unknown {
  const list = Array.isArray(value) ? value : [value];
  switch (kind) {
    case "number":
      return Number(list[0]);
    case "date":
    case "dateTime":
      return Math.floor(Date.parse(String(list[0])) / 1000);
    case "boolean":
      return isSource ? (value === true ? "Yes" : "No") : list.join();
    case "user":
      return isSource ? `user ${userOf(scope, String(value))}` : list.join();
    case "array":
      return list.map(String).sort();
    case "richText":
      return richWithPictures(String(list[0]));
    default:
      return list.map(plainText).join(", ");
  }
}

/** Rich text of a suite's description field, and the values without it. */
export function ownDescription(
  scope: Scope,
  properties: Map<number, string | number[]>,
): { html: string; rest: Map<number, string | number[]> } {
  const field = scope.state.fieldsOf("test-suites").find((row) =>
    row.label === "Zephyr Description"
  );
  const rest = new Map(properties);
  if (field === undefined) return { html: "", rest };
  const value = rest.get(field.id);
  rest.delete(field.id);
  if (value !== undefined && field.dataType !== 6) {
    scope.findings.fail("Zephyr Description", `has data type ${field.dataType}`);
  }
  return { html: typeof value === "string" ? value : "", rest };
}
