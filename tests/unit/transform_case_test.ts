import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  caseOf,
  fieldOf,
  folderOf,
  issueLink,
  mappingOf,
  PRIORITY,
  profileOf,
  rulesOf,
  scriptOf,
  statsOf,
  stepOf,
  systemFields,
  transformWith,
  valuesOf,
  webLink,
} from "./transform_support.ts";

Deno.test("testCase() carries every field, when all are given", () => {
  const { draft, losses, parentKey } = transformWith({ folders: [folderOf("7")] }).testCase(
    caseOf({
      name: " R&amp;D &amp;lt; ",
      folderId: "7",
      statusId: "6",
      priorityId: "21",
      ownerId: "acc-x",
      componentId: "12029",
      createdOn: "2023-06-20T16:25:58Z",
      objective: "<b>why</b>",
      precondition: "a < b",
      estimatedTimeMs: 100_000,
      labels: ["a", "b"],
    }),
    null,
  );
  assertEquals(draft.name, "R&D &lt;");
  assertEquals(draft.descriptionHtml, "<b>why</b>");
  assertEquals(draft.preconditionHtml, "a < b");
  assertEquals(parentKey, "7");
  assertEquals(losses, []);
  assertEquals(valuesOf(draft), {
    "Zephyr Key": { type: "text", text: "SA-T9" },
    "Priority": { type: "options", labels: ["Urgent"] },
    "Zephyr Status": { type: "text", text: "Approved" },
    "Labels": { type: "text", text: "a, b" },
    "Owner": { type: "text", text: "acc-x" },
    "Component": { type: "text", text: "component 12029" },
    "Estimated Time (min)": { type: "number", value: 1.67 },
    "Zephyr Created": { type: "dateTime", iso: "2023-06-20T16:25:58Z" },
  });
});

Deno.test("testCase() assigns the owner, when the user is mapped", () => {
  const mapping = mappingOf({
    users: { "acc-x": "jane" },
    names: { "component 12029": "Billing" },
  });
  const { draft } = transformWith({ mapping }).testCase(
    caseOf({ ownerId: "acc-x", componentId: "12029" }),
    null,
  );
  assertEquals(valuesOf(draft).Zugewiesen, { type: "users", ids: ["77"] });
  assertEquals(valuesOf(draft).Owner, undefined);
  assertEquals(valuesOf(draft).Component, { type: "text", text: "Billing" });
});

Deno.test("testCase() cuts names over 500 characters and lists them", () => {
  const { draft, losses } = transformWith().testCase(
    caseOf({ name: "x".repeat(499) + "😀y" }),
    null,
  );
  assertEquals(draft.name, "x".repeat(499));
  assertEquals(losses.map((row) => row.rule), ["name-cut"]);
  assertEquals(transformWith().testCase(caseOf({ name: "x".repeat(500) }), null).losses, []);
});

Deno.test("testCase() takes the key for a missing name", () => {
  const { draft, losses } = transformWith().testCase(caseOf({ name: " " }), null);
  assertEquals([draft.name, losses[0]?.rule], ["SA-T9", "name-missing"]);
});

Deno.test("testCase() goes to the root with a loss, when its folder is unknown or of another type", () => {
  const transform = transformWith({ folders: [folderOf("8", { folderType: "TEST_CYCLE" })] });
  for (const folderId of ["404", "8"]) {
    const { parentKey, losses } = transform.testCase(caseOf({ folderId }), null);
    assertEquals(parentKey, "root");
    assertEquals(rulesOf(losses), [`missing-parent folder: ${folderId} → root`]);
  }
});

Deno.test("testCase() writes links as lines and asks for requirements the mapping names", () => {
  const mapping = mappingOf({ issues: { "305177": "ABC-1" } });
  const { draft, losses, requirementKeys, links } = transformWith({ mapping }).testCase(
    caseOf({
      objective: "o",
      links: [
        webLink("https://x.test/?a=1&b=2", "Wiki <1>"),
        webLink("javascript:alert(1)"),
        issueLink("305177", "https://j.test/305177"),
        issueLink("9", "https://j.test/9"),
      ],
    }),
    null,
  );
  const html = draft.descriptionHtml;
  assert(html.startsWith("o<p>"));
  assertStringIncludes(html, "https://x.test/?a=1&amp;b=2</a> (Wiki &lt;1&gt;)");
  assert(!html.includes('href="javascript'));
  assertStringIncludes(html, "javascript:alert(1)");
  assertStringIncludes(html, "ABC-1");
  assertStringIncludes(html, "issue 9");
  assertEquals(requirementKeys, ["ABC-1"]);
  assertEquals(links, 4);
  assertEquals(rulesOf(losses), ["issue-key-unknown link: 9 → issue 9"]);
});

Deno.test("testCase() lists links as not included, when links are switched off", () => {
  const include = {
    testPlans: true,
    testCycles: true,
    testCases: true,
    folders: true,
    links: false,
  };
  const { draft, losses } = transformWith({ include }).testCase(
    caseOf({ links: [webLink("https://x.test")] }),
    null,
  );
  assertEquals(draft.descriptionHtml, "");
  assertEquals(rulesOf(losses), ["not-included link: https://x.test → null"]);
});

Deno.test("testCase() replaces images that cannot be read by a named note", () => {
  const { draft, losses } = transformWith().testCase(
    caseOf({
      objective: "a<img alt='' src='https://cdn.test/t/shot%201.png?x=1&amp;y=2'/>b" +
        '<IMG src="/rel/pic.png">' +
        '<img src="https://api.zephyrscale.smartbear.com/v2/i.png">' +
        '<img src="data:image/png;base64,AA">',
    }),
    null,
  );
  assertEquals(
    draft.descriptionHtml,
    "a[Image: shot 1.png, https://cdn.test/t/shot%201.png?x=1&amp;y=2]b" +
      "[Image: pic.png, /rel/pic.png]" +
      '<img src="https://api.zephyrscale.smartbear.com/v2/i.png">' +
      '<img src="data:image/png;base64,AA">',
  );
  assertEquals(losses.map((row) => [row.rule, row.before]), [
    ["image-unreachable", "https://cdn.test/t/shot%201.png?x=1&y=2"],
    ["image-unreachable", "/rel/pic.png"],
  ]);
});

Deno.test("testCase() puts steps with test data and custom fields in order", () => {
  const { draft } = transformWith().testCase(
    caseOf(),
    scriptOf(
      stepOf({
        description: "do [~accountid:1]",
        testData: "x<br>y",
        expectedResult: "ok",
        customFields: { "A&B": "1 < 2", Empty: "", Flag: false },
      }),
      stepOf({ description: "then" }),
    ),
  );
  assertEquals(draft.steps, [
    {
      descriptionHtml: "do [\u200b~accountid:1]<p><strong>Test data:</strong> x<br>y</p>" +
        "<p><strong>A&amp;B:</strong> 1 &lt; 2</p><p><strong>Flag:</strong> false</p>",
      expectedHtml: "ok",
      callKey: null,
    },
    { descriptionHtml: "then", expectedHtml: "", callKey: null },
  ]);
});

const SCRIPTS = [
  { name: "a lone empty step", script: scriptOf(stepOf()), steps: [] },
  { name: "no step", script: scriptOf(), steps: [] },
  { name: "an empty text", script: { type: "plain", text: " ", steps: [] }, steps: [] },
  { name: "no text", script: { type: "bdd", text: null, steps: [] }, steps: [] },
  { name: "none", script: { type: "none", text: null, steps: [] }, steps: [] },
  {
    name: "a plain text",
    script: { type: "plain", text: "do<br>it", steps: [] },
    steps: ["do<br>it"],
  },
  {
    name: "Gherkin",
    script: { type: "bdd", text: "Given <a> & b\n  When [~x]", steps: [] },
    steps: ["<pre>Given &lt;a&gt; &amp; b\n  When [\u200b~x]</pre>"],
  },
  { name: "two empty steps", script: scriptOf(stepOf(), stepOf()), steps: ["", ""] },
] as const;

for (const { name, script, steps } of SCRIPTS) {
  Deno.test(`testCase() makes ${steps.length} step(s) of a script with ${name}`, () => {
    const { draft, losses } = transformWith().testCase(caseOf(), {
      ...script,
      steps: [...script.steps],
    });
    assertEquals(draft.steps.map((step) => step.descriptionHtml), [...steps]);
    assertEquals(losses, []);
  });
}

const CALLS = [
  { key: "SA-T7", isCall: true },
  { key: "SA-T9", isCall: false },
  { key: "SA-T12", isCall: false },
  { key: "OTHER-T1", isCall: false },
  { key: "SA-T1", isCall: false },
];
for (const { key, isCall } of CALLS) {
  Deno.test(`testCase() ${isCall ? "keeps" : "inlines"} the call of SA-T9 to ${key}`, () => {
    const transform = transformWith({ isMigratedCase: (called) => called !== "SA-T1" });
    const parameters = isCall ? [] : [{ name: "a", value: "1 < 2" }, { name: "b", value: null }];
    const { draft, losses } = transform.testCase(
      caseOf(),
      scriptOf(stepOf({ call: { key, parameters } })),
    );
    const text = `Call to test ${key}`;
    assertEquals(draft.steps[0]?.callKey, isCall ? key : null);
    assertEquals(
      draft.steps[0]?.descriptionHtml,
      isCall ? `<p>${text}</p>` : `<p>${text} (a = 1 &lt; 2, b =)</p>`,
    );
    assertEquals(
      rulesOf(losses),
      isCall ? [] : [`call-inlined step 1: ${key} → ${text} (a = 1 < 2, b =)`],
    );
  });
}

Deno.test("testCase() lists parameters of a call that stays a call", () => {
  const call = { key: "SA-T7", parameters: [{ name: "a", value: "1" }] };
  const { losses } = transformWith().testCase(caseOf(), scriptOf(stepOf({ call })));
  assertEquals(losses.map((row) => [row.rule, row.before]), [["call-parameters", "a = 1"]]);
});

Deno.test("testCase() fills empty step texts, when the tenant refuses them", () => {
  const { draft, losses } = transformWith({ emptyExpectedRefused: true }).testCase(
    caseOf(),
    scriptOf(stepOf({ description: "do" }), stepOf({ expectedResult: "ok" })),
  );
  assertEquals(draft.steps.map((step) => [step.descriptionHtml, step.expectedHtml]), [
    ["do", "-"],
    ["-", "ok"],
  ]);
  assertEquals(losses.map((row) => `${row.rule} ${row.field}`), [
    "empty-expected step 1 expected result",
    "empty-expected step 2 description",
  ]);
});

Deno.test("testCase() writes custom fields by the type of their field", () => {
  const many = Array.from({ length: 10 }, () => "Chrome");
  const stats = {
    testCase: [
      statsOf("Browser", many),
      statsOf("Done", [true, false]),
      statsOf("Score", [1.5]),
      statsOf("Areas", [["UI", "API"]]),
      statsOf("Due", ["2026-01-02"]),
      statsOf("At", ["2026-01-02T03:04:05Z"]),
      statsOf("Notes", ["a<br>b"]),
      statsOf("Free", ["a < b"]),
      statsOf("Tester", ["acc-x"]),
      statsOf("Labels", ["mine"]),
    ],
  };
  const mapping = mappingOf({ users: { "acc-x": "jane" } });
  const { draft, losses } = transformWith({ stats, mapping }).testCase(
    caseOf({
      customFields: {
        Browser: "Chrome",
        Done: false,
        Score: 1.5,
        Areas: ["UI", "API"],
        Due: "2026-01-02",
        At: "2026-01-02T03:04:05Z",
        Notes: "a<br>[~b]",
        Free: "a < b",
        Tester: "acc-x",
        Labels: "mine",
        Blank: "",
        None: null,
        Nothing: [],
      },
    }),
    null,
  );
  assertEquals(valuesOf(draft), {
    "Zephyr Key": { type: "text", text: "SA-T9" },
    "Browser": { type: "options", labels: ["Chrome"] },
    "Done": { type: "options", labels: ["No"] },
    "Score": { type: "number", value: 1.5 },
    "Areas": { type: "options", labels: ["UI", "API"] },
    "Due": { type: "date", iso: "2026-01-02" },
    "At": { type: "dateTime", iso: "2026-01-02T03:04:05Z" },
    "Notes": { type: "richText", html: "a<br>[\u200b~b]" },
    "Free": { type: "text", text: "a < b" },
    "Tester": { type: "users", ids: ["77"] },
    "Labels (Zephyr)": { type: "text", text: "mine" },
  });
  assertEquals(losses, []);
});

Deno.test("testCase() lists what a field cannot take", () => {
  const many = Array.from({ length: 10 }, () => "Chrome");
  const stats = { testCase: [statsOf("Browser", many), statsOf("Score", [1])] };
  const { losses } = transformWith({ stats }).testCase(
    caseOf({ customFields: { Browser: "Opera", Score: "many", New: "<i>" } }),
    null,
  );
  assertEquals(rulesOf(losses), [
    "option-missing Browser: Opera → null",
    "value-unfit Score: many → null",
    "no-field New: <i> → line of the description",
  ]);
});

Deno.test("testCase() fills required fields: mapping file first, then the default with a loss", () => {
  const fields = [
    ...systemFields().map((field) => field === PRIORITY ? { ...field, required: true } : field),
    fieldOf("testCase", "Cost centre", "text", { required: true }),
    fieldOf("testCase", "Team", "combo", {
      required: true,
      labels: ["A", "B"],
      defaultValue: "701",
    }),
    fieldOf("testCase", "Status", "combo", { required: true, isSystem: true, labels: ["New"] }),
  ];
  const transform = transformWith({
    profile: profileOf({ fields }),
    mapping: mappingOf({ required: { testCase: { "cost centre": "A" } } }),
  });
  const { draft, losses } = transform.testCase(caseOf({ priorityId: "20" }), null);
  assertEquals(valuesOf(draft)["Cost centre"], { type: "text", text: "A" });
  assertEquals(valuesOf(draft).Team, { type: "options", labels: ["B"] });
  assertEquals(valuesOf(draft).Status, undefined);
  assertEquals(rulesOf(losses), ["required-default Team: null → B"]);
  assertEquals(valuesOf(transform.placeholder("SA-T1").draft).Priority, {
    type: "options",
    labels: ["Medium"],
  });
});

Deno.test("placeholder() stands in module archived with the key", () => {
  const { draft, losses, parentKey } = transformWith().placeholder("SA-T3");
  assertEquals(draft.name, "SA-T3 (archived in Zephyr)");
  assertEquals([parentKey, draft.steps.length], ["archived", 0]);
  assertEquals(valuesOf(draft)["Zephyr Key"], { type: "text", text: "SA-T3" });
  assertEquals(rulesOf(losses), [
    "archived-case testCase: SA-T3 → SA-T3 (archived in Zephyr)",
  ]);
});

Deno.test("testCase() carries its key as the last line, when markers are texts", () => {
  const transform = transformWith({ marker: "text" });
  const { draft } = transform.testCase(caseOf({ objective: "o" }), null);
  assertEquals(draft.descriptionHtml, "o<p>zephyr:testCase:SA-T9</p>");
  assertEquals(valuesOf(draft)["Zephyr Key"], undefined);
  assertEquals(
    transformWith({ marker: "none" }).testCase(caseOf(), null).draft.descriptionHtml,
    "",
  );
});

Deno.test("testCase() gives the same output for the same input", () => {
  const record = caseOf({ objective: '<img src="x">', customFields: { A: "1" } });
  const transform = transformWith();
  assertEquals(transform.testCase(record, null), transform.testCase(record, null));
});
