/** Which fields hold what, and which of them must be made. @module */
import type { Mapping } from "../config/types.ts";
import type {
  CustomFieldStats,
  FieldObject,
  FieldType,
  LossRow,
  TargetField,
  TargetProfile,
} from "../ports/mod.ts";
import { FIELD_OBJECTS } from "../ports/mod.ts";
import type { FieldPlan, MappingProblem, PlannedField } from "./types.ts";
import {
  customSource,
  findSystemField,
  OWN_FIELDS,
  ownSource,
  SYSTEM_SOURCES,
} from "./fields_own.ts";
import type { Accounts } from "./fields_infer.ts";
import { canHold, inferType, optionsOf } from "./fields_infer.ts";
import { Ledger } from "./ledger.ts";
import { userFinder } from "./references.ts";
import { requiredProblems } from "./fields_required.ts";
import { automationProblems } from "./automation.ts";

/** Source kinds with custom fields that the target holds in fields. */
export type FieldKind = "testCase" | "testCycle" | "testPlan";

export const OBJECT_OF_KIND: Record<FieldKind, FieldObject> = {
  testCase: "testCase",
  testCycle: "testSuite",
  testPlan: "release",
};

/** Words for people. */
export const OBJECT_NAMES: Record<FieldObject, string> = {
  testCase: "test case",
  testSuite: "test suite",
  testRun: "test run",
  release: "release",
};

/** What {@linkcode planFields} looks at. */
export interface FieldPlanInput {
  profile: TargetProfile;
  mapping: Mapping;
  include: {
    testCases: boolean;
    testCycles: boolean;
    testPlans: boolean;
    executions?: "all" | "last" | "none";
  };
  marker: "field" | "text" | "none";
  /** How logs are written; in bulk, cases need the fields that tell automation. @default {"manual"} */
  logs?: "manual" | "bulk" | "auto";
  stats: Record<FieldKind, CustomFieldStats[]>;
  /** Account ids seen as owner, executor or assignee. */
  accounts: ReadonlySet<string>;
  /** Labels of own fields with values, per object; every own field counts as used where it is left out. */
  occurring?: Partial<Record<FieldObject, ReadonlySet<string>>>;
  /** Number of records per kind, to tell whether a required field always has a value. */
  counts?: Partial<Record<FieldKind, number>>;
}

export interface FieldPlanning {
  plan: FieldPlan;
  /** Keep the load from starting. */
  problems: MappingProblem[];
  /** Fields that should exist but may be missing: their values go into texts or the loss ledger. */
  warnings: MappingProblem[];
  losses: LossRow[];
}

interface WantedField {
  object: FieldObject;
  source: string;
  label: string;
  type: FieldType;
  options: string[];
  isBoolean: boolean;
}

/** Objects that this run writes. */
export function objectsOf(include: FieldPlanInput["include"]): FieldObject[] {
  const executions = include.executions !== "none";
  const written: Record<FieldObject, boolean> = {
    testCase: include.testCases || executions,
    testSuite: include.testCycles || executions,
    testRun: executions,
    release: include.testPlans,
  };
  return FIELD_OBJECTS.filter((object) => written[object]);
}

/**
 * Plans the fields of a run: system fields that records fill, ztoq's own fields, and one field per
 * custom field that has values. Existing fields are used where they hold the values.
 */
export function planFields(input: FieldPlanInput): FieldPlanning {
  const objects = objectsOf(input.include);
  const losses: LossRow[] = [];
  const placer = new Placer(input.profile.fields, losses);
  const fields = [
    ...systemFields(input, objects),
    ...ownFields(input, objects).map((wanted) => placer.place(wanted)),
    ...customFields(input, objects).map((wanted) => placer.place(wanted)),
  ];
  const missing = missingFields(input.profile, fields);
  // Without key fields there is no way to find artefacts again: only then is a missing field fatal.
  const isFatal = input.marker === "field";
  const kept = fields.filter((field) => isFatal || !missing.blocked.has(field));
  const problems = [
    ...(isFatal ? missing.problems : []),
    ...requiredProblems({ ...input, objects, fields: kept }),
    ...automationProblems(input.profile, input.logs),
  ];
  return {
    plan: { fields: kept },
    problems,
    warnings: isFatal ? [] : missing.problems,
    losses,
  };
}

function systemFields(input: FieldPlanInput, objects: FieldObject[]): PlannedField[] {
  const isManual = (input.logs ?? "manual") === "manual";
  const sources = SYSTEM_SOURCES.filter((source) =>
    !isManual || !source.startsWith("system:automation")
  );
  return objects.flatMap((object) =>
    sources.flatMap((source) => {
      const existing = findSystemField(input.profile.fields, object, source);
      return existing === null ? [] : [{
        object,
        source,
        label: existing.label,
        type: existing.type,
        options: existing.options.map((option) => option.label),
        existing,
        missingOptions: [],
        rule: null,
      }];
    })
  );
}

function ownFields(input: FieldPlanInput, objects: FieldObject[]): WantedField[] {
  const user = userFinder(input.mapping, input.profile);
  const everyOwnerMapped = [...input.accounts].every((id) => user(id) !== null);
  const has = (object: FieldObject, source: (typeof SYSTEM_SOURCES)[number]): boolean =>
    findSystemField(input.profile.fields, object, source) !== null;
  const isNeeded = (object: FieldObject, label: string): boolean => {
    if (label === "Zephyr Key") return input.marker === "field";
    if (object === "testCase" && !input.include.testCases) return false;
    if (object === "testSuite" && !input.include.testCycles) return false;
    const used = input.occurring?.[object];
    if (used !== undefined && !used.has(label)) return false;
    if (label === "Owner") return !(everyOwnerMapped && has(object, "system:assignedTo"));
    if (label === "Zephyr Description") return !has(object, "system:description");
    return true;
  };
  return objects.flatMap((object) =>
    OWN_FIELDS.filter((own) => own.objects.includes(object) && isNeeded(object, own.label))
      .map((own) => ({
        object,
        source: ownSource(own.label),
        label: own.label,
        type: own.type,
        options: [],
        isBoolean: false,
      }))
  );
}

function customFields(input: FieldPlanInput, objects: FieldObject[]): WantedField[] {
  const user = userFinder(input.mapping, input.profile);
  const accounts: Accounts = { seen: input.accounts, isMapped: (id) => user(id) !== null };
  const included: Record<FieldKind, boolean> = {
    testCase: input.include.testCases,
    testCycle: input.include.testCycles,
    testPlan: input.include.testPlans,
  };
  return (Object.keys(OBJECT_OF_KIND) as FieldKind[])
    .filter((kind) => included[kind] && objects.includes(OBJECT_OF_KIND[kind]))
    .flatMap((kind) =>
      input.stats[kind].flatMap((stats) => {
        const inferred = inferType(stats, accounts);
        if (inferred === null) return [];
        const override = input.mapping.fields[kind]?.[stats.name] ?? {};
        const type = override.type === undefined ? inferred.type : override.type as FieldType;
        return [{
          object: OBJECT_OF_KIND[kind],
          source: customSource(stats.name),
          label: override.label ?? (stats.name.trim() || NAMELESS),
          type,
          options: optionsOf(stats, type),
          isBoolean: stats.types.boolean === stats.count,
        }];
      })
    );
}

function lower(text: string): string {
  return text.trim().toLowerCase();
}

/** Label of a custom field whose name is blank. */
const NAMELESS = "Custom field";
const OWN_LABELS = new Set(OWN_FIELDS.map((own) => lower(own.label)));

/** Gives each wanted field a label that is free and a field that can hold its values. */
class Placer {
  readonly #present: readonly TargetField[];
  readonly #losses: LossRow[];
  readonly #used = new Set<string>();

  constructor(present: readonly TargetField[], losses: LossRow[]) {
    this.#present = present;
    this.#losses = losses;
  }

  place(wanted: WantedField): PlannedField {
    let rule: PlannedField["rule"] = null;
    let { type, options } = wanted;
    for (let attempt = 0;; attempt++) {
      const label = labelOf(wanted.label, attempt);
      if (this.#isTaken(wanted, label)) {
        rule ??= "label-taken";
        continue;
      }
      const existing = this.#present.find((field) =>
        field.object === wanted.object && !field.isSystem && lower(field.label) === lower(label)
      ) ?? null;
      if (existing !== null && !canHold(existing.type, type, wanted.isBoolean)) {
        rule ??= "field-type-clash";
        type = "text";
        options = [];
        continue;
      }
      return this.#planned(wanted, { label, type, options, existing, rule });
    }
  }

  #isTaken(wanted: WantedField, label: string): boolean {
    const name = lower(label);
    const isSystem = this.#present.some((field) =>
      field.object === wanted.object && field.isSystem && lower(field.label) === name
    );
    const isOwn = OWN_LABELS.has(name) && !wanted.source.startsWith("own:");
    return isSystem || isOwn || this.#used.has(`${wanted.object}/${name}`);
  }

  #planned(
    wanted: WantedField,
    chosen: Pick<PlannedField, "label" | "type" | "options" | "existing" | "rule">,
  ): PlannedField {
    const { label, existing, rule } = chosen;
    this.#used.add(`${wanted.object}/${lower(label)}`);
    if (rule !== null) {
      const ledger = new Ledger("field", `${wanted.object}/${wanted.label}`);
      ledger.add("label", rule, wanted.label, label);
      this.#losses.push(...ledger.rows);
    }
    const present = new Set((existing?.options ?? []).map((option) => lower(option.label)));
    const takesOptions = existing === null || existing.type === "combo" ||
      existing.type === "multiSelect";
    return {
      ...chosen,
      type: existing?.type ?? chosen.type,
      options: takesOptions ? chosen.options : [],
      object: wanted.object,
      source: wanted.source,
      missingOptions: existing === null || !takesOptions
        ? []
        : chosen.options.filter((option) => !present.has(lower(option))),
    };
  }
}

function labelOf(label: string, attempt: number): string {
  if (attempt === 0) return label;
  return attempt === 1 ? `${label} (Zephyr)` : `${label} (Zephyr ${attempt})`;
}

/** Lists are split so that one message stays readable on a terminal. */
const FIELDS_PER_PROBLEM = 5;

function missingFields(
  profile: TargetProfile,
  fields: PlannedField[],
): { problems: MappingProblem[]; blocked: Set<PlannedField> } {
  const blocked = new Set<PlannedField>();
  const problems: MappingProblem[] = [];
  for (const object of FIELD_OBJECTS) {
    const isHidden = profile.fieldsHidden.includes(object);
    if (profile.permissions.manageFields && !isHidden) continue;
    const of = fields.filter((field) => field.object === object);
    const open = of.filter((field) => field.existing === null);
    const partial = of.filter((field) =>
      field.existing !== null && field.missingOptions.length > 0
    );
    for (const field of open) blocked.add(field);
    const why = isHidden ? "cannot be read" : "are missing and may not be created";
    for (let at = 0; at < open.length; at += FIELDS_PER_PROBLEM) {
      const list = open.slice(at, at + FIELDS_PER_PROBLEM)
        .map((field) => `"${field.label}" (${field.type})`).join(", ");
      problems.push({
        kind: "field-permission",
        message: `Fields of ${OBJECT_NAMES[object]}s ${why}: ${list}`,
        fix: `Create them in the target project, give the user "Field Management", ` +
          `or set target.marker to "text"`,
      });
    }
    problems.push(...partial.map((field) => ({
      kind: "field-permission",
      message: `Field "${field.label}" of ${OBJECT_NAMES[object]}s lacks values: ` +
        field.missingOptions.slice(0, 10).map((option) => `"${option}"`).join(", "),
      fix: `Add the values in the target project or give the user "Field Management"`,
    })));
  }
  return { problems, blocked };
}
