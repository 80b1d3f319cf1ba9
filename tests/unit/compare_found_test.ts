import { assertEquals } from "@std/assert";
import type {
  Draft,
  FieldValue,
  Found,
  FoundLog,
  TestCaseDraft,
  TestLogDraft,
  TestRunDraft,
  TestSuiteDraft,
} from "../../core/ports/mod.ts";
import { compareFound, markerOf } from "../../core/validate/compare.ts";
import { sameValue } from "../../core/validate/compare_fields.ts";
import { fieldOf } from "./transform_support.ts";

const FIELD = fieldOf("testCase", "Browser", "text", { id: "f1" });

const CASE: TestCaseDraft = {
  kind: "testCase",
  parentId: "10",
  name: "Log in",
  order: null,
  descriptionHtml: "<p>a<br>[\u200b~b]</p>",
  preconditionHtml: "",
  steps: [
    { descriptionHtml: "do", expectedHtml: "", calledTestCaseId: null },
    { descriptionHtml: "<p>Call to test SA-T1</p>", expectedHtml: "", calledTestCaseId: "5" },
  ],
  fields: [{ field: FIELD, value: { type: "text", text: "Chrome" } }],
  attachments: [],
};

function found(part: Partial<Found> = {}): Found {
  return {
    kind: "testCase",
    id: "1",
    pid: null,
    webUrl: null,
    parentId: "10",
    parentType: "module",
    name: " Log  in",
    descriptionHtml: "<P>a<br/>[~b]</P>\n",
    preconditionHtml: null,
    order: 3,
    fields: [
      { fieldId: "f1", label: "renamed", value: { type: "text", text: "Chrome " } },
      { fieldId: "f2", label: "other", value: { type: "text", text: "theirs" } },
    ],
    steps: [
      { id: "2", order: 2, descriptionHtml: "", expectedHtml: "", calledTestCaseId: "5" },
      { id: "1", order: 1, descriptionHtml: "do", expectedHtml: "<p></p>", calledTestCaseId: null },
    ],
    versionId: null,
    testCaseId: null,
    targetReleaseId: null,
    log: null,
    ...part,
  };
}

function fieldsOf(draft: Draft, actual: Found): string[] {
  return compareFound(draft, actual).map((item) =>
    `${item.field}: ${item.expected} | ${item.actual}`
  );
}

Deno.test("compareFound() finds a case equal that reads back in another form", () => {
  assertEquals(compareFound(CASE, found()), []);
});

const STEPS = found().steps ?? [];
const CASE_CHANGES: [Partial<Found>, string][] = [
  [{ name: "Log out" }, "name: Log in | Log out"],
  [{ descriptionHtml: "<p>a</p>" }, "description: <p>a<br>[~b]</p> | <p>a</p>"],
  [{ descriptionHtml: null }, "description: <p>a<br>[~b]</p> | "],
  [{ preconditionHtml: "x" }, "precondition:  | x"],
  [{ parentId: "11" }, "parent: 10 | 11"],
  [{ steps: STEPS.slice(1) }, "steps: 2 | 1"],
  [{ steps: STEPS.map((step) => ({ ...step, order: -step.order })) }, "step 1 called case:  | 5"],
  [{ steps: STEPS.map((step) => ({ ...step, expectedHtml: "x" })) }, "step 1 expected:  | x"],
  [
    { steps: STEPS.map((step) => ({ ...step, calledTestCaseId: null })) },
    "step 2 called case: 5 | ",
  ],
  [{ fields: [] }, "field Browser: Chrome | "],
  [{ fields: [{ fieldId: "f1", label: "", value: null }] }, "field Browser: Chrome | "],
  [{ kind: "release" }, "kind: testCase | release"],
];
for (const [change, difference] of CASE_CHANGES) {
  Deno.test(`compareFound() reports "${difference}"`, () => {
    assertEquals(fieldsOf(CASE, found(change))[0], difference);
  });
}

Deno.test("compareFound() does not judge what the route did not tell", () => {
  assertEquals(compareFound(CASE, found({ steps: null, parentId: null, parentType: null })), []);
});

Deno.test("compareFound() shows the place of a difference in long texts", () => {
  const draft = { ...CASE, descriptionHtml: `${"x".repeat(900)}A${"y".repeat(900)}` };
  const [difference] = compareFound(
    draft,
    found({ descriptionHtml: `${"x".repeat(900)}B${"y".repeat(900)}` }),
  );
  assertEquals(difference?.expected.length, 500);
  assertEquals(difference?.expected.slice(0, 63), `…${"x".repeat(60)}Ay`);
  assertEquals(difference?.actual.slice(0, 63), `…${"x".repeat(60)}By`);
});

const VALUES: [string, FieldValue, FieldValue | null, boolean][] = [
  ["empty text and unset", { type: "text", text: "" }, null, true],
  ["empty rich text and unset", { type: "richText", html: "<p></p>" }, null, true],
  ["rich text in another form", { type: "richText", html: "a<br>" }, {
    type: "richText",
    html: "a<BR/>",
  }, true],
  ["rich text told as text", { type: "richText", html: "<b>a</b>" }, {
    type: "text",
    text: "<b>a</b>",
  }, true],
  ["numbers", { type: "number", value: 1.5 }, { type: "number", value: 1.50 }, true],
  ["a number told as text", { type: "number", value: 1.5 }, { type: "text", text: "1.50" }, true],
  ["other numbers", { type: "number", value: 1.5 }, { type: "number", value: 1.51 }, false],
  ["zero and unset", { type: "number", value: 0 }, null, false],
  ["one instant", { type: "dateTime", iso: "2026-01-02T03:04:05Z" }, {
    type: "dateTime",
    iso: "2026-01-02T05:04:05+02:00",
  }, true],
  ["a day and its midnight", { type: "date", iso: "2026-01-02" }, {
    type: "date",
    iso: "2026-01-02T00:00:00Z",
  }, true],
  ["other days", { type: "date", iso: "2026-01-02" }, { type: "date", iso: "2026-01-03" }, false],
  ["labels in another order", { type: "options", labels: ["a", "b"] }, {
    type: "options",
    labels: ["b", "a"],
  }, true],
  ["fewer labels", { type: "options", labels: ["a", "b"] }, {
    type: "options",
    labels: ["a"],
  }, false],
  ["other labels", { type: "options", labels: ["a"] }, { type: "options", labels: ["A"] }, false],
  ["users", { type: "users", ids: ["1"] }, { type: "users", ids: ["1"] }, true],
  ["other users", { type: "users", ids: ["1"] }, { type: "users", ids: ["2"] }, false],
  ["no and unset", { type: "boolean", value: false }, null, true],
  ["yes and unset", { type: "boolean", value: true }, null, false],
  ["other texts", { type: "text", text: "a" }, { type: "text", text: "A" }, false],
  ["a text that is encoded twice", { type: "text", text: "a & b" }, {
    type: "text",
    text: "a &amp; b",
  }, false],
];
for (const [name, expected, actual, same] of VALUES) {
  Deno.test(`sameValue() takes ${name} as ${same ? "equal" : "different"}`, () => {
    assertEquals(sameValue(expected, actual), same);
  });
}

const SUITE: TestSuiteDraft = {
  kind: "testSuite",
  parent: { type: "testCycle", id: "20" },
  name: "Sprint 5 [SA-R5]",
  targetReleaseId: null,
  fields: [],
};

Deno.test("compareFound() compares suites by name without marker, parent and release", () => {
  const actual = found({
    kind: "testSuite",
    name: "Sprint 5",
    parentId: "20",
    parentType: "testCycle",
    targetReleaseId: "0",
  });
  assertEquals(fieldsOf(SUITE, actual), []);
  assertEquals(fieldsOf(SUITE, { ...actual, targetReleaseId: "8" }), ["release:  | 8"]);
  assertEquals(fieldsOf({ ...SUITE, targetReleaseId: "8" }, actual), ["release: 8 | "]);
  assertEquals(fieldsOf(SUITE, { ...actual, parentType: "root", parentId: null }), [
    "parent: testCycle 20 | root",
  ]);
  assertEquals(fieldsOf(SUITE, { ...actual, parentType: "release" }), [
    "parent: testCycle 20 | release 20",
  ]);
});

Deno.test("compareFound() compares the container of root cycles", () => {
  const draft: Draft = {
    kind: "testCycle",
    parent: { type: "root", id: null },
    name: "Log in",
    descriptionHtml: "",
  };
  const actual = found({
    kind: "testCycle",
    descriptionHtml: null,
    parentId: null,
    parentType: "root",
  });
  assertEquals(fieldsOf(draft, actual), []);
  assertEquals(fieldsOf(draft, { ...actual, parentId: "0" }), []);
  assertEquals(fieldsOf(draft, { ...actual, parentId: "4", parentType: "testCycle" }), [
    "parent: root | testCycle 4",
  ]);
});

Deno.test("compareFound() compares the case of a run", () => {
  const draft: TestRunDraft = {
    kind: "testRun",
    parent: { type: "testSuite", id: "30" },
    name: "Log in",
    testCaseId: "1",
    testCaseVersionId: "7",
    fields: [],
  };
  const actual = found({
    kind: "testRun",
    parentId: "30",
    parentType: "testSuite",
    testCaseId: "2",
  });
  assertEquals(fieldsOf(draft, actual), ["test case: 1 | 2"]);
});

const LOG: TestLogDraft = {
  kind: "testLog",
  runId: "40",
  statusId: "601",
  start: "2026-01-02T03:04:05Z",
  end: "2026-01-02T03:05:05Z",
  noteHtml: "c<p>zephyr:execution:4001</p>",
  testCaseVersionId: null,
  steps: [{
    testStepId: "7",
    order: 1,
    statusId: "602",
    descriptionHtml: "d",
    expectedHtml: "",
    actualHtml: "x",
    calledTestCaseId: null,
    parentTestStepId: null,
  }],
  attachments: [],
};
function foundLog(part: Partial<FoundLog> = {}): Found {
  return found({
    kind: "testLog",
    parentId: "40",
    log: {
      statusId: "601",
      statusName: "Passed",
      start: "2026-01-01T22:04:05-05:00",
      end: "2026-01-02T03:05:05Z",
      noteHtml: "c\n<p>zephyr:execution:4001</p>",
      steps: [{
        id: "1",
        testStepId: "7",
        order: 0,
        statusId: "602",
        statusName: "Failed",
        actualHtml: "x",
      }],
      ...part,
    },
  });
}
const LOG_STEP = foundLog().log?.steps?.[0];

const LOG_CHANGES: [Partial<FoundLog>, string[]][] = [
  [{}, []],
  [{ steps: null }, []],
  [{ statusId: "602" }, ["status: 601 | 602"]],
  [{ start: null }, ["start: 2026-01-02T03:04:05Z | "]],
  [{ end: "2026-01-02T03:05:06Z" }, ["end: 2026-01-02T03:05:05Z | 2026-01-02T03:05:06Z"]],
  [{ noteHtml: "c" }, ["note: c<p>zephyr:execution:4001</p> | c"]],
  [{ steps: [] }, ["step logs: 1 | 0"]],
  [
    { steps: LOG_STEP === undefined ? [] : [{ ...LOG_STEP, statusId: "601", actualHtml: "y" }] },
    ["step log 1 status: 602 | 601", "step log 1 actual: x | y"],
  ],
];
for (const [change, differences] of LOG_CHANGES) {
  Deno.test(`compareFound() of logs reports ${JSON.stringify(differences)}`, () => {
    assertEquals(fieldsOf(LOG, foundLog(change)), differences);
  });
}

Deno.test("compareFound() allows untouched step logs that the target made itself", () => {
  const draft = { ...LOG, steps: [] };
  const made = LOG_STEP === undefined ? [] : [{ ...LOG_STEP, actualHtml: "" }];
  assertEquals(fieldsOf(draft, foundLog({ steps: made })), []);
  assertEquals(fieldsOf(draft, foundLog()), ["step logs: 0 | 1"]);
});

Deno.test("markerOf() reads the key field first", () => {
  const key = {
    fieldId: "k",
    label: "Zephyr Key",
    value: { type: "text", text: " SA-T9 " },
  } as const;
  const actual = found({ fields: [key], descriptionHtml: "<p>zephyr:testCase:SA-T1</p>" });
  assertEquals(markerOf(actual, "k", "testCase"), "SA-T9");
  assertEquals(markerOf(actual, null, "testCase"), "SA-T1");
  const rich = { ...key, value: { type: "richText", html: "<p>SA-T8</p>" } } as const;
  assertEquals(markerOf(found({ fields: [rich] }), "k", "testCase"), "SA-T8");
});

Deno.test("markerOf() reads lines and names per kind", () => {
  const description = (html: string): Found => found({ descriptionHtml: html });
  assertEquals(markerOf(description("x<p>zephyr:folder:12</p>"), null, "module"), "12");
  assertEquals(markerOf(description("<p>zephyr:project:SA</p>"), null, "testCycle"), "project:SA");
  assertEquals(markerOf(description("<p>zephyr:archived:SA</p>"), null, "module"), "archived:SA");
  assertEquals(markerOf(description("<p>zephyr:testPlan:SA-P3</p>"), null, "release"), "SA-P3");
  assertEquals(markerOf(foundLog(), null, "testLog"), "4001");
  assertEquals(markerOf(found({ name: "A [SA-R5/SA-T1]" }), null, "testRun"), "SA-R5/SA-T1");
  assertEquals(markerOf(found({ name: "A [SA-R5]" }), null, "module"), null);
  assertEquals(markerOf(found(), "k", "testCase"), null);
});
