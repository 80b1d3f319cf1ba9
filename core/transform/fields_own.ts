/** Fields that ztoq brings along, and the target's own fields that it fills. @module */
import type { FieldObject, FieldType, TargetField } from "../ports/mod.ts";

/** A field made by ztoq when it is missing and permitted. */
export interface OwnField {
  label: string;
  type: FieldType;
  objects: readonly FieldObject[];
}

export const OWN_FIELDS: readonly OwnField[] = [
  { label: "Zephyr Key", type: "text", objects: ["testCase", "testSuite", "testRun", "release"] },
  { label: "Zephyr Status", type: "text", objects: ["testCase", "testSuite", "release"] },
  { label: "Labels", type: "text", objects: ["testCase", "release"] },
  { label: "Component", type: "text", objects: ["testCase"] },
  { label: "Owner", type: "text", objects: ["testCase", "testSuite", "release"] },
  { label: "Estimated Time (min)", type: "number", objects: ["testCase"] },
  { label: "Zephyr Created", type: "dateTime", objects: ["testCase"] },
  { label: "Zephyr Description", type: "richText", objects: ["testSuite"] },
  { label: "Zephyr Version", type: "text", objects: ["testSuite"] },
];

/** Name of an own field in plans: `own:Zephyr Key`. */
export function ownSource(label: string): string {
  return `own:${label}`;
}

/** Name of a custom field of the source in plans: `custom:Browser`. */
export function customSource(name: string): string {
  return `custom:${name}`;
}

/** System fields of the target that records fill, by the name plans give them. */
export const SYSTEM_SOURCES = [
  "system:priority",
  "system:assignedTo",
  "system:description",
  "system:plannedStart",
  "system:plannedEnd",
  "system:automation",
  "system:automationContent",
] as const;
export type SystemSource = (typeof SYSTEM_SOURCES)[number];

interface SystemField {
  objects: readonly FieldObject[];
  originalName: RegExp;
  label: RegExp;
}

const SYSTEM_FIELDS: Record<SystemSource, SystemField> = {
  "system:priority": {
    objects: ["testCase"],
    originalName: /priority/i,
    label: /^priority$/i,
  },
  "system:assignedTo": {
    objects: ["testCase", "testSuite", "release"],
    originalName: /assigned.?to|assignee/i,
    label: /^(assigned to|assignee)$/i,
  },
  "system:description": {
    objects: ["testSuite"],
    originalName: /^(testsuite)?.?description/i,
    label: /^description$/i,
  },
  "system:plannedStart": {
    objects: ["testSuite"],
    originalName: /planned.?start/i,
    label: /^planned start date$/i,
  },
  "system:plannedEnd": {
    objects: ["testSuite"],
    originalName: /planned.?end/i,
    label: /^planned end date$/i,
  },
  "system:automation": {
    objects: ["testCase"],
    originalName: /^automation(test.?case)?$/i,
    label: /^automation$/i,
  },
  "system:automationContent": {
    objects: ["testCase"],
    originalName: /automation.?content/i,
    label: /^automation content$/i,
  },
};

/** Finds a system field by its stable name, else by its label (labels can be renamed). */
export function findSystemField(
  fields: readonly TargetField[],
  object: FieldObject,
  source: SystemSource,
): TargetField | null {
  const wanted = SYSTEM_FIELDS[source];
  if (!wanted.objects.includes(object)) return null;
  const candidates = fields.filter((field) => field.object === object && field.isSystem);
  return candidates.find((field) =>
    field.originalName !== null && wanted.originalName.test(field.originalName)
  ) ?? candidates.find((field) => wanted.label.test(field.label.trim())) ?? null;
}
