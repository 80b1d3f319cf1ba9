/** Records, profiles and contexts for tests of the transform. @module */
import type { Mapping } from "../../core/config/types.ts";
import type {
  CustomFieldStats,
  FieldObject,
  FieldType,
  LossRow,
  TargetField,
  TargetProfile,
} from "../../core/ports/mod.ts";
import type {
  ExecutionRecord,
  ExecutionStepRecord,
  FolderRecord,
  LinkRecord,
  LookupRecord,
  StepRecord,
  TestCaseRecord,
  TestCycleRecord,
  TestPlanRecord,
  TestScript,
} from "../../core/records/mod.ts";
import { createTransform, planFields } from "../../core/transform/mod.ts";
import type { FieldPlanInput, Transform, TransformContext } from "../../core/transform/mod.ts";

export function mappingOf(part: Partial<Mapping> = {}): Mapping {
  return {
    statuses: { execution: {} },
    priorities: {},
    users: {},
    names: {},
    issues: {},
    fields: {},
    automationStatuses: {},
    defaults: {},
    required: {},
    ...part,
  };
}

let nextId = 500;
export function fieldOf(
  object: FieldObject,
  label: string,
  type: FieldType,
  part: Partial<TargetField> & { labels?: string[] } = {},
): TargetField {
  const { labels = [], ...rest } = part;
  return {
    id: `${nextId++}`,
    object,
    label,
    type,
    dataType: null,
    multiple: type === "multiSelect",
    required: false,
    isSystem: false,
    originalName: null,
    options: labels.map((option, index) => ({ id: `${700 + index}`, label: option })),
    defaultValue: null,
    ...rest,
  };
}

export const PRIORITY = fieldOf("testCase", "Priority", "combo", {
  id: "p1",
  isSystem: true,
  originalName: "PriorityTestCase",
  labels: ["Undecided", "Low", "Medium", "High", "Urgent"],
});
const SYSTEM = [
  PRIORITY,
  fieldOf("testCase", "Zugewiesen", "user", {
    id: "a1",
    isSystem: true,
    originalName: "AssignedToTestCase",
  }),
  fieldOf("testSuite", "Planned Start Date", "date", {
    id: "-67",
    isSystem: true,
    originalName: "PlannedStartDateTestSuite",
  }),
  fieldOf("testSuite", "Planned End Date", "date", {
    id: "-69",
    isSystem: true,
    originalName: "PlannedEndDateTestSuite",
  }),
];

export function profileOf(part: Partial<TargetProfile> = {}): TargetProfile {
  return {
    version: null,
    site: null,
    project: { id: "1", name: "P", automation: false },
    user: { id: "9", username: "bot" },
    fields: SYSTEM,
    fieldsHidden: [],
    statuses: [
      { id: "601", name: "Passed", isDefault: false },
      { id: "602", name: "Failed", isDefault: false },
      { id: "603", name: "Incomplete", isDefault: false },
      { id: "604", name: "Blocked", isDefault: false },
      { id: "605", name: "Unexecuted", isDefault: true },
    ],
    users: [{ id: "77", username: "Jane", name: "Jane Doe", email: "jane@example.com" }],
    permissions: { manageFields: true, missing: [] },
    maxAttachmentBytes: 50_000_000,
    monthRemaining: null,
    ...part,
  };
}

export function systemFields(): TargetField[] {
  return [...SYSTEM];
}

function lookup(
  kind: LookupRecord["kind"],
  id: string,
  name: string | null,
  part: Partial<LookupRecord> = {},
): LookupRecord {
  return {
    kind,
    id,
    name,
    statusType: kind === "status" ? "TEST_EXECUTION" : null,
    index: 0,
    isDefault: false,
    isArchived: false,
    ...part,
  };
}

export const LOOKUPS: LookupRecord[] = [
  lookup("status", "1", "Pass"),
  lookup("status", "2", "Fail"),
  lookup("status", "3", "Blocked"),
  lookup("status", "4", "In Progress"),
  lookup("status", "5", "Not Executed", { isDefault: true }),
  lookup("status", "6", "Approved", { statusType: "TEST_CASE" }),
  lookup("status", "7", "Geplant", { isDefault: true }),
  lookup("status", "8", "Parked"),
  lookup("priority", "20", "High"),
  lookup("priority", "21", "Highest"),
  lookup("priority", "22", "P1"),
  lookup("environment", "30", "Chrome <90>"),
];

export function caseOf(part: Partial<TestCaseRecord> = {}): TestCaseRecord {
  return {
    kind: "testCase",
    id: "1000",
    key: "SA-T9",
    ord: 9,
    name: "Log in",
    folderId: null,
    statusId: null,
    priorityId: null,
    ownerId: null,
    componentId: null,
    createdOn: null,
    objective: null,
    precondition: null,
    estimatedTimeMs: null,
    labels: [],
    scriptRoute: null,
    customFields: {},
    links: [],
    ...part,
  };
}

export function cycleOf(part: Partial<TestCycleRecord> = {}): TestCycleRecord {
  return {
    kind: "testCycle",
    id: "50",
    key: "SA-R5",
    ord: 5,
    name: "Sprint 5",
    folderId: null,
    statusId: null,
    description: null,
    plannedStartDate: null,
    plannedEndDate: null,
    ownerId: null,
    jiraVersionId: null,
    customFields: {},
    links: [],
    planIds: [],
    ...part,
  };
}

export function planOf(part: Partial<TestPlanRecord> = {}): TestPlanRecord {
  return {
    kind: "testPlan",
    id: "90",
    key: "SA-P3",
    ord: 3,
    name: "Release 1",
    objective: null,
    folderId: null,
    statusId: null,
    ownerId: null,
    labels: [],
    customFields: {},
    links: [],
    cycleIds: [],
    ...part,
  };
}

export function executionOf(part: Partial<ExecutionRecord> = {}): ExecutionRecord {
  return {
    kind: "execution",
    id: "4001",
    key: "SA-E1",
    testCaseKey: "SA-T9",
    ord: 9,
    testCaseVersion: 1,
    testCaseVersionId: "1000",
    cycleId: "50",
    statusId: "1",
    environmentId: null,
    jiraVersionId: null,
    actualEndDate: "2026-01-02T03:04:05Z",
    estimatedTimeMs: null,
    executionTimeMs: null,
    executedById: null,
    assignedToId: null,
    comment: null,
    automated: false,
    customFields: {},
    links: [],
    ...part,
  };
}

export function stepOf(part: Partial<StepRecord> = {}): StepRecord {
  return {
    id: null,
    description: null,
    testData: null,
    expectedResult: null,
    customFields: {},
    call: null,
    ...part,
  };
}

export function executedStep(part: Partial<ExecutionStepRecord> = {}): ExecutionStepRecord {
  return {
    id: null,
    description: null,
    testData: null,
    expectedResult: null,
    actualResult: null,
    dataRow: null,
    statusId: "1",
    ...part,
  };
}

export function scriptOf(...steps: StepRecord[]): TestScript {
  return { type: "steps", text: null, steps };
}

export function webLink(url: string, description: string | null = null): LinkRecord {
  return { id: "l1", type: "web", url, description, issueId: null, relation: null };
}

export function issueLink(issueId: string, url: string): LinkRecord {
  return { id: "l2", type: "issue", url, description: null, issueId, relation: "COVERAGE" };
}

export function folderOf(id: string, part: Partial<FolderRecord> = {}): FolderRecord {
  return {
    kind: "folder",
    id,
    folderType: "TEST_CASE",
    parentId: null,
    name: `Folder ${id}`,
    index: 0,
    ...part,
  };
}

export function statsOf(name: string, values: unknown[]): CustomFieldStats {
  const full = values.filter((v) => v !== null && v !== "" && !(Array.isArray(v) && !v.length));
  const types: CustomFieldStats["types"] = {};
  const counts = new Map<string, number>();
  const texts = full.filter((v) => typeof v === "string");
  for (const value of full) {
    const type = Array.isArray(value) ? "array" : typeof value as "string";
    types[type] = (types[type] ?? 0) + 1;
    for (const item of Array.isArray(value) ? value : [value]) {
      counts.set(String(item), (counts.get(String(item)) ?? 0) + 1);
    }
  }
  return {
    name,
    count: full.length,
    types,
    values: [...counts].map(([value, count]) => ({ value, count })).slice(0, 201),
    strings: {
      date: texts.filter((v) => /^\d{4}-\d\d-\d\d$/.test(v)).length,
      dateTime: texts.filter((v) => /^\d{4}-\d\d-\d\dT/.test(v)).length,
      withMarkup: texts.filter((v) => /[\n]|<\w/.test(v)).length,
      maxLength: Math.max(0, ...texts.map((v) => v.length)),
    },
  };
}

export function planInput(part: Partial<FieldPlanInput> = {}): FieldPlanInput {
  return {
    profile: profileOf(),
    mapping: mappingOf(),
    include: { testCases: true, testCycles: true, testPlans: true, executions: "all" },
    marker: "field",
    stats: { testCase: [], testCycle: [], testPlan: [] },
    accounts: new Set(["acc-x"]),
    ...part,
  };
}

type Setup =
  & Partial<Omit<TransformContext, "lookups" | "folders" | "plans" | "cycles">>
  & {
    folders?: FolderRecord[];
    plans?: TestPlanRecord[];
    cycles?: TestCycleRecord[];
    stats?: Partial<FieldPlanInput["stats"]>;
    accounts?: string[];
  };

/** A transform over planned fields; fields that are to be created get their label as id. */
export function transformWith(setup: Setup = {}): Transform {
  const { folders = [], plans = [], cycles = [cycleOf()], stats, accounts = ["acc-x"], ...part } =
    setup;
  const profile = part.profile ?? profileOf();
  const mapping = part.mapping ?? mappingOf();
  const { plan } = planFields(planInput({
    profile,
    mapping,
    marker: part.marker ?? "field",
    stats: { testCase: [], testCycle: [], testPlan: [], ...stats },
    accounts: new Set(accounts),
  }));
  const field: TransformContext["field"] = (object, source) => {
    const planned = plan.fields.find((item) => item.object === object && item.source === source);
    if (planned === undefined) return null;
    return planned.existing ?? fieldOf(object, planned.label, planned.type, {
      id: `${object}:${planned.label}`,
      labels: planned.options,
    });
  };
  const byId = <T extends { id: string }>(rows: T[]): Map<string, T> =>
    new Map(rows.map((row) => [row.id, row]));
  return createTransform({
    projectKey: "SA",
    rootName: "Zephyr SA",
    marker: "field",
    include: { testPlans: true, testCycles: true, testCases: true, folders: true, links: true },
    isMigratedCase: () => true,
    sourceOrigin: "https://api.zephyrscale.smartbear.com",
    runStartedAt: "2026-06-01T00:00:00Z",
    emptyExpectedRefused: false,
    field,
    ...part,
    mapping,
    profile,
    fieldPlan: plan,
    lookups: new Map(LOOKUPS.map((row) => [`${row.kind}/${row.id}`, row])),
    folders: byId(folders),
    plans: byId(plans),
    cycles: byId(cycles),
  });
}

/** Field values of a draft by label. */
export function valuesOf(
  draft: { fields: { field: TargetField; value: unknown }[] },
): Record<string, unknown> {
  return Object.fromEntries(draft.fields.map(({ field, value }) => [field.label, value]));
}

/** `rule field: before → after` of each loss. */
export function rulesOf(losses: LossRow[]): string[] {
  return losses.map((row) => `${row.rule} ${row.field}: ${row.before} → ${row.after}`);
}
