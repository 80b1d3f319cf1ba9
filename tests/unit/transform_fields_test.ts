import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { FieldType } from "../../core/ports/mod.ts";
import { customSource, planFields } from "../../core/transform/mod.ts";
import type { FieldPlanInput, PlannedField } from "../../core/transform/mod.ts";
import { canHold, inferType } from "../../core/transform/fields_infer.ts";
import {
  fieldOf,
  mappingOf,
  planInput,
  profileOf,
  statsOf,
  systemFields,
} from "./transform_support.ts";

const ACCOUNTS = { seen: new Set(["acc-x", "acc-y"]), isMapped: (id: string) => id === "acc-x" };
const times = <T>(n: number, value: (i: number) => T): T[] =>
  Array.from({ length: n }, (_, i) => value(i));

const TYPES: [string, unknown[], FieldType | null][] = [
  ["nothing", ["", null, []], null],
  ["yes and no", [true, false], "combo"],
  ["numbers", [1, 2.5], "number"],
  ["lists", [["a"], ["b", "c"]], "multiSelect"],
  ["dates", ["2026-01-02", "2026-02-03"], "date"],
  ["date-times", ["2026-01-02T00:00:00Z"], "dateTime"],
  ["dates and date-times", ["2026-01-02", "2026-01-02T00:00:00Z"], "text"],
  ["mapped accounts", ["acc-x"], "user"],
  ["accounts not all mapped", times(20, (i) => i % 2 ? "acc-x" : "acc-y"), "text"],
  ["accounts and others", ["acc-x", "someone"], "text"],
  ["few words over ten rows", times(10, (i) => `v${i % 5}`), "combo"],
  ["few words over nine rows", times(9, () => "v"), "text"],
  ["words that differ in more than half of the rows", times(10, (i) => `v${i % 6}`), "text"],
  ["twenty words over forty rows", times(40, (i) => `v${i % 20}`), "combo"],
  ["twenty-one words", times(80, (i) => `v${i % 21}`), "text"],
  ["words of 100 characters", times(10, () => "x".repeat(100)), "combo"],
  ["words of 101 characters", times(10, () => "x".repeat(101)), "text"],
  ["few words with a tag", times(10, () => "a<br>b"), "combo"],
  ["a tag", ["a<br>b", "c"], "richText"],
  ["a line break", ["a\nb"], "richText"],
  ["mixed types", ["a", 1], "text"],
  ["yes, no and words", [true, "true"], "text"],
  ["more than 200 list values", times(201, (i) => [`v${i}`]), "text"],
];
for (const [name, values, type] of TYPES) {
  Deno.test(`inferType() takes ${name} as ${type}`, () => {
    assertEquals(inferType(statsOf("F", values), ACCOUNTS)?.type ?? null, type);
  });
}

Deno.test("inferType() lists options once, in order", () => {
  const values = [["b", "a"], ["a"]];
  assertEquals(inferType(statsOf("F", values), ACCOUNTS)?.options, ["a", "b"]);
  assertEquals(inferType(statsOf("F", [true]), ACCOUNTS)?.options, ["Yes", "No"]);
});

Deno.test("canHold() keeps values out of fields that would change them", () => {
  const no: [FieldType, FieldType][] = [
    ["number", "text"],
    ["date", "dateTime"],
    ["combo", "text"],
    ["combo", "multiSelect"],
    ["text", "richText"],
    ["other", "text"],
    ["user", "text"],
  ];
  assertEquals(no.map(([have, want]) => canHold(have, want)), no.map(() => false));
  const yes: [FieldType, FieldType][] = [["text", "combo"], ["richText", "text"], [
    "dateTime",
    "date",
  ]];
  assertEquals(yes.map(([have, want]) => canHold(have, want)), yes.map(() => true));
  assert(canHold("checkbox", "combo", true));
});

function labels(fields: PlannedField[], object: string): string[] {
  return fields.filter((field) => field.object === object && !field.source.startsWith("system:"))
    .map((field) => `${field.label} ${field.type}`);
}

Deno.test("planFields() plans own fields per object", () => {
  const { plan, problems, losses } = planFields(planInput());
  assertEquals([problems, losses], [[], []]);
  assertEquals(labels(plan.fields, "testCase"), [
    "Zephyr Key text",
    "Zephyr Status text",
    "Labels text",
    "Component text",
    "Owner text",
    "Estimated Time (min) number",
    "Zephyr Created dateTime",
  ]);
  assertEquals(labels(plan.fields, "testSuite"), [
    "Zephyr Key text",
    "Zephyr Status text",
    "Owner text",
    "Zephyr Description richText",
    "Zephyr Version text",
  ]);
  assertEquals(labels(plan.fields, "testRun"), ["Zephyr Key text"]);
  assertEquals(labels(plan.fields, "release"), [
    "Zephyr Key text",
    "Zephyr Status text",
    "Labels text",
    "Owner text",
  ]);
  assertEquals(
    plan.fields.filter((field) => field.source.startsWith("system:")).map((field) =>
      `${field.object} ${field.source} ${field.existing?.id}`
    ),
    [
      "testCase system:priority p1",
      "testCase system:assignedTo a1",
      "testSuite system:plannedStart -67",
      "testSuite system:plannedEnd -69",
    ],
  );
});

Deno.test("planFields() leaves out what this run does not need", () => {
  const own = (part: Partial<FieldPlanInput>, object: string): string[] =>
    labels(planFields(planInput(part)).plan.fields, object);
  const include = {
    testCases: true,
    testCycles: true,
    testPlans: false,
    executions: "none",
  } as const;
  assertEquals(own({ include }, "release"), []);
  assertEquals(own({ include }, "testRun"), []);
  assert(!own({ marker: "text" }, "testCase").includes("Zephyr Key text"));
  const mapping = mappingOf({ users: { "acc-x": "JANE" } });
  assert(!own({ mapping }, "testCase").includes("Owner text"));
  assert(own({ mapping }, "release").includes("Owner text"));
  const occurring = { testCase: new Set(["Labels"]) };
  assertEquals(own({ occurring }, "testCase"), ["Zephyr Key text", "Labels text"]);
});

Deno.test("planFields() uses existing fields and adds missing options", () => {
  const existing = [
    fieldOf("testCase", "zephyr key", "text", { id: "k" }),
    fieldOf("testCase", "Browser", "combo", { id: "b", labels: ["chrome"] }),
  ];
  const { plan, losses } = planFields(planInput({
    profile: profileOf({ fields: [...systemFields(), ...existing] }),
    stats: {
      testCase: [statsOf("Browser", times(10, (i) => i % 2 ? "Chrome" : "Opera"))],
      testCycle: [],
      testPlan: [],
    },
  }));
  assertEquals(plan.fields.find((field) => field.source === "own:Zephyr Key")?.existing?.id, "k");
  const browser = plan.fields.find((field) => field.source === "custom:Browser");
  assertEquals([browser?.existing?.id, browser?.missingOptions, browser?.rule], [
    "b",
    ["Opera"],
    null,
  ]);
  assertEquals(losses, []);
});

function placed(
  name: string,
  values: unknown[],
  fields = systemFields(),
  mapping = mappingOf(),
): [string, FieldType, string | null] {
  const { plan } = planFields(planInput({
    profile: profileOf({ fields }),
    mapping,
    stats: { testCase: [statsOf(name, values)], testCycle: [], testPlan: [] },
  }));
  const field = plan.fields.find((item) => item.source === `custom:${name}`);
  assert(field !== undefined);
  return [field.label, field.type, field.rule];
}

Deno.test("planFields() renames custom fields whose label is taken", () => {
  assertEquals(placed("priority", ["a"]), ["priority (Zephyr)", "text", "label-taken"]);
  assertEquals(placed("Labels", ["a"]), ["Labels (Zephyr)", "text", "label-taken"]);
  assertEquals(placed("Zephyr Description", [1]), [
    "Zephyr Description (Zephyr)",
    "number",
    "label-taken",
  ]);
});

Deno.test("planFields() avoids existing fields that cannot hold the values", () => {
  const clash = fieldOf("testCase", "Browser", "number");
  assertEquals(placed("Browser", [true], [...systemFields(), clash]), [
    "Browser (Zephyr)",
    "text",
    "field-type-clash",
  ]);
  const other = fieldOf("testSuite", "Browser", "number");
  assertEquals(placed("Browser", [true], [...systemFields(), other])[0], "Browser");
  const twice = fieldOf("testCase", "Browser (Zephyr)", "date");
  assertEquals(
    placed("Browser", ["x"], [...systemFields(), clash, twice])[0],
    "Browser (Zephyr 2)",
  );
});

Deno.test("planFields() lists renamed fields as losses", () => {
  const { losses } = planFields(planInput({
    stats: { testCase: [statsOf("Owner", ["x"])], testCycle: [], testPlan: [] },
  }));
  assertEquals(losses, [{
    kind: "field",
    key: "testCase/Owner",
    field: "label",
    rule: "label-taken",
    before: "Owner",
    after: "Owner (Zephyr)",
  }]);
});

Deno.test("planFields() parts custom fields whose names differ in case only", () => {
  const { plan } = planFields(planInput({
    stats: {
      testCase: [statsOf("Area", ["x"]), statsOf("AREA", ["y"])],
      testCycle: [],
      testPlan: [],
    },
  }));
  const custom = plan.fields.filter((field) => field.source.startsWith("custom:"));
  assertEquals(custom.map((field) => field.label), ["Area", "AREA (Zephyr)"]);
});

Deno.test("planFields() gives a custom field without name a label of its own", () => {
  const { plan } = planFields(planInput({
    stats: { testCase: [statsOf(" ", ["x"])], testCycle: [], testPlan: [] },
  }));
  const own = plan.fields.filter((field) => field.source === customSource(" "));
  assertEquals(own.map((field) => field.label), ["Custom field"]);
});

Deno.test("planFields() takes label and type from the mapping file", () => {
  const mapping = mappingOf({ fields: { testCase: { Browser: { label: "Web", type: "combo" } } } });
  assertEquals(placed("Browser", ["a"], systemFields(), mapping), ["Web", "combo", null]);
});

Deno.test("planFields() names every field to create, when none may be made", () => {
  const profile = profileOf({ permissions: { manageFields: false, missing: [] } });
  const { problems } = planFields(planInput({ profile }));
  const text = problems.map((problem) => problem.message).join("\n");
  assertEquals(new Set(problems.map((problem) => problem.kind)), new Set(["field-permission"]));
  assertStringIncludes(text, '"Estimated Time (min)" (number)');
  assertStringIncludes(
    text,
    'Fields of test runs are missing and may not be created: "Zephyr Key"',
  );
  assert(problems.every(({ message, fix }) => message.length + fix.length < 400));
});

Deno.test("planFields() counts hidden fields as missing", () => {
  const { problems } = planFields(planInput({ profile: profileOf({ fieldsHidden: ["testRun"] }) }));
  assertEquals(problems.map((problem) => problem.message), [
    'Fields of test runs cannot be read: "Zephyr Key" (text)',
  ]);
});

Deno.test("planFields() only warns of missing fields, when markers are texts", () => {
  const profile = profileOf({ permissions: { manageFields: false, missing: [] } });
  const { problems, warnings, plan } = planFields(planInput({ profile, marker: "text" }));
  assertEquals(problems, []);
  assert(warnings.length > 0);
  assert(plan.fields.every((field) => field.existing !== null));
});

function required(
  part: Partial<Parameters<typeof fieldOf>[3]>,
  input: Partial<FieldPlanInput> = {},
): string[] {
  const field = fieldOf("testCase", "Cost centre", "text", { required: true, ...part });
  const profile = profileOf({ fields: [...systemFields(), field] });
  return planFields(planInput({ profile, ...input })).problems.map((problem) =>
    `${problem.kind} | ${problem.message} | ${problem.fix}`
  );
}

Deno.test("planFields() refuses required fields without a value, naming the file's key", () => {
  const [problem = ""] = required({});
  assertStringIncludes(problem, '"Cost centre"');
  assertStringIncludes(problem, "required.testCase.Cost centre");
  assertEquals(required({ defaultValue: "A" }), []);
  const mapping = mappingOf({ required: { testCase: { "Cost centre": "A" } } });
  assertEquals(required({}, { mapping }), []);
  assertEquals(required({ object: "testRun" }, { mapping }).length, 1);
  const include = { testCases: true, testCycles: true, testPlans: false };
  assertEquals(required({ object: "release" }, { include }), []);
});

Deno.test("planFields() refuses a value of the mapping file that the field cannot take", () => {
  const mapping = mappingOf({ required: { testCase: { "Cost centre": "Z" } } });
  const [problem = ""] = required({ type: "combo", options: [{ id: "1", label: "A" }] }, {
    mapping,
  });
  assertStringIncludes(problem, 'cannot take "Z"');
  assertStringIncludes(problem, "(A)");
});

Deno.test("planFields() accepts required fields that every record fills", () => {
  const stats = { testCase: [statsOf("Cost centre", ["a", "b"])], testCycle: [], testPlan: [] };
  assertEquals(required({}, { stats, counts: { testCase: 2 } }), []);
  assertEquals(required({}, { stats, counts: { testCase: 3 } }).length, 1);
  assertEquals(required({}, { stats }).length, 1);
  assertEquals(required({ label: "Type", isSystem: true }), []);
});
