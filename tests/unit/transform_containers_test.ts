import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { payloadHash } from "../../core/transform/mod.ts";
import {
  cycleOf,
  fieldOf,
  folderOf,
  issueLink,
  mappingOf,
  planOf,
  profileOf,
  rulesOf,
  statsOf,
  systemFields,
  transformWith,
  valuesOf,
  webLink,
} from "./transform_support.ts";

Deno.test("folder() stands under its parent with its marker", () => {
  const folders = [folderOf("1"), folderOf("2", { parentId: "1", name: "A &amp; B" })];
  const plan = transformWith({ folders }).folder(
    folderOf("2", { parentId: "1", name: "A &amp; B" }),
  );
  assertEquals(plan, {
    draft: { name: "A & B", descriptionHtml: "<p>zephyr:folder:2</p>" },
    parentKey: "1",
    losses: [],
    links: 0,
  });
});

Deno.test("folder() goes to the root, when the parent is unknown or of another type", () => {
  const folders = [folderOf("1", { folderType: "TEST_PLAN" })];
  for (const parentId of ["1", "404"]) {
    const plan = transformWith({ folders }).folder(folderOf("2", { parentId }));
    assertEquals(plan.parentKey, "root");
    assertEquals(rulesOf(plan.losses), [`missing-parent parent: ${parentId} → root`]);
  }
});

Deno.test("folder() cuts a ring of parents at its lowest id", () => {
  const ring = [
    folderOf("9", { parentId: "10" }),
    folderOf("10", { parentId: "11" }),
    folderOf("11", { parentId: "9" }),
    folderOf("12", { parentId: "11" }),
    folderOf("13", { parentId: "13" }),
  ];
  const transform = transformWith({ folders: ring });
  const plans = ring.map((folder) => transform.folder(folder));
  assertEquals(plans.map((plan) => plan.parentKey), ["root", "11", "9", "11", "root"]);
  assertEquals(plans.map((plan) => plan.losses.length), [1, 0, 0, 0, 1]);
});

Deno.test("folder() of plans has no artefact but a loss with its path", () => {
  const type = { folderType: "TEST_PLAN" } as const;
  const folders = [
    folderOf("1", { ...type, name: "2026" }),
    folderOf("2", { ...type, parentId: "1" }),
  ];
  const { losses } = transformWith({ folders }).folder(folderOf("2", { ...type, parentId: "1" }));
  assertEquals(losses.map((row) => [row.rule, row.before]), [["plan-folder", "2026 / Folder 2"]]);
});

Deno.test("folder() has no marker, when markers are off", () => {
  assertEquals(
    transformWith({ marker: "none" }).folder(folderOf("1")).draft.descriptionHtml,
    "",
  );
  assertEquals(
    transformWith({ marker: "text" }).folder(folderOf("1")).draft.descriptionHtml,
    "<p>zephyr:folder:1</p>",
  );
});

Deno.test("testPlan() becomes a release with lines for path, links and key", () => {
  const folders = [folderOf("1", { folderType: "TEST_PLAN", name: "Q&amp;A" })];
  const { draft, losses, links } = transformWith({ folders, marker: "text" }).testPlan(planOf({
    objective: "<b>o</b>",
    folderId: "1",
    statusId: "6",
    ownerId: "acc-x",
    labels: ["x", "y"],
    links: [webLink("https://x.test")],
  }));
  assertEquals(
    draft.descriptionHtml,
    "<b>o</b><p>Folder: Q&amp;A</p>" +
      '<p>Web link: <a href="https://x.test">https://x.test</a></p>' +
      "<p>zephyr:testPlan:SA-P3</p>",
  );
  assertEquals(valuesOf(draft), {
    "Zephyr Status": { type: "text", text: "Approved" },
    "Labels": { type: "text", text: "x, y" },
    "Owner": { type: "text", text: "acc-x" },
  });
  assertEquals([losses.length, links], [0, 1]);
});

Deno.test("testPlan() writes values without a field as lines, when fields may not be made", () => {
  const profile = profileOf({ permissions: { manageFields: false, missing: [] } });
  const { draft, losses } = transformWith({
    profile,
    marker: "text",
    stats: { testPlan: [statsOf("Train", ["A<1"])] },
  }).testPlan(planOf({ labels: ["x"], customFields: { Train: "A<1" } }));
  assertEquals(
    draft.descriptionHtml,
    "<p>Labels: x</p><p>Train: A&lt;1</p><p>zephyr:testPlan:SA-P3</p>",
  );
  assertEquals(losses.map((row) => row.rule), ["no-field", "no-field"]);
});

Deno.test("testCycle() becomes a suite with its dates, version and description", () => {
  const { draft, losses, parentKey, releaseKey } = transformWith({
    folders: [folderOf("4", { folderType: "TEST_CYCLE" })],
    mapping: mappingOf({ names: { "Jira version 10": "2.0" } }),
  }).testCycle(cycleOf({
    folderId: "4",
    description: "text<br>more",
    plannedStartDate: "2026-01-05T09:30:00Z",
    plannedEndDate: "2026-01-09T00:00:00Z",
    jiraVersionId: "10",
    links: [issueLink("5", "https://j.test/5")],
  }));
  assertEquals(draft.name, "Sprint 5");
  assertEquals([parentKey, releaseKey], ["4", null]);
  assertEquals(valuesOf(draft), {
    "Zephyr Key": { type: "text", text: "SA-R5" },
    "Planned Start Date": { type: "date", iso: "2026-01-05T09:30:00Z" },
    "Planned End Date": { type: "date", iso: "2026-01-09" },
    "Zephyr Version": { type: "text", text: "2.0" },
    "Zephyr Description": {
      type: "richText",
      html: "text<br>more<p>Issue link (COVERAGE): issue 5 " +
        '<a href="https://j.test/5">https://j.test/5</a></p>',
    },
  });
  assertEquals(losses.map((row) => row.rule), ["issue-key-unknown"]);
});

Deno.test("testCycle() uses the suite's own description field, when there is one", () => {
  const own = fieldOf("testSuite", "Beschreibung", "richText", {
    isSystem: true,
    originalName: "DescriptionTestSuite",
  });
  const { draft } = transformWith({ profile: profileOf({ fields: [...systemFields(), own] }) })
    .testCycle(cycleOf({ description: "d" }));
  assertEquals(valuesOf(draft).Beschreibung, { type: "richText", html: "d" });
  assertEquals(valuesOf(draft)["Zephyr Description"], undefined);
});

Deno.test("testCycle() aims at its lowest plan and names the others", () => {
  const plans = [
    planOf({ id: "100", key: "SA-P1" }),
    planOf({ id: "99", key: "SA-P2", cycleIds: ["50"] }),
  ];
  const { draft, losses, releaseKey } = transformWith({ plans })
    .testCycle(cycleOf({ planIds: ["100", "404"] }));
  assertEquals(releaseKey, "SA-P2");
  assertEquals(valuesOf(draft)["Zephyr Description"], {
    type: "richText",
    html: "<p>Test plan: SA-P1</p><p>Test plan: test plan 404</p>",
  });
  assertEquals(rulesOf(losses), [
    "extra-plan testPlan: SA-P1 → SA-P1",
    "missing-parent testPlan: 404 → test plan 404",
  ]);
});

Deno.test("testCycle() keeps references to kinds that are left out as text", () => {
  const include = {
    testPlans: false,
    testCycles: true,
    testCases: true,
    folders: false,
    links: true,
  };
  const { draft, losses, parentKey, releaseKey } = transformWith({ include })
    .testCycle(cycleOf({ planIds: ["9"], folderId: "4" }));
  assertEquals([parentKey, releaseKey], ["root", null]);
  assertEquals(valuesOf(draft)["Zephyr Description"], {
    type: "richText",
    html: "<p>Folder: folder 4</p><p>Test plan: test plan 9</p>",
  });
  assertEquals(losses.map((row) => row.rule), ["not-included", "not-included"]);
});

Deno.test("testRun() is named like its case and keyed by cycle and case", () => {
  const { draft } = transformWith().testRun(cycleOf(), "Log &amp; in", "SA-T9");
  assertEquals(draft.name, "Log & in");
  assertEquals(valuesOf(draft), { "Zephyr Key": { type: "text", text: "SA-R5/SA-T9" } });
  const adhoc = transformWith().testRun(null, undefined, "SA-T9").draft;
  assertEquals(adhoc.name, "SA-T9 (archived in Zephyr)");
  assertEquals(valuesOf(adhoc), { "Zephyr Key": { type: "text", text: "adhoc/SA-T9" } });
});

Deno.test("testRun() takes the key, when the name of its case is empty", () => {
  for (const name of [null, "  "]) {
    assertEquals(transformWith().testRun(cycleOf(), name, "SA-T9").draft.name, "SA-T9");
  }
});

Deno.test("testRun() and testCycle() carry their key in the name, when markers are texts", () => {
  const transform = transformWith({ marker: "text" });
  assertEquals(transform.testCycle(cycleOf()).draft.name, "Sprint 5 [SA-R5]");
  const { draft, losses } = transform.testRun(cycleOf(), "n".repeat(500), "SA-T9");
  assertEquals(draft.name, "n".repeat(500 - 14) + " [SA-R5/SA-T9]");
  assertEquals(losses.map((row) => row.rule), ["name-cut"]);
  assertEquals(draft.fields, []);
});

Deno.test("roots() are named and marked for the project", () => {
  const roots = transformWith().roots();
  const root = { name: "Zephyr SA", descriptionHtml: "<p>zephyr:project:SA</p>" };
  assertEquals([roots.module, roots.cycle], [root, root]);
  assertEquals(roots.archivedModule.name, "Archived");
  assertEquals(roots.adhocSuite.name, "Ad hoc executions");
  assertEquals(valuesOf(roots.adhocSuite), { "Zephyr Key": { type: "text", text: "adhoc" } });
});

Deno.test("payloadHash() depends on content, not on key order, options or attachments", () => {
  const field = fieldOf("testCase", "B", "combo", { id: "1" });
  const value = { type: "options", labels: ["x"] };
  const a = { name: "n", fields: [{ field, value }], attachments: [] };
  const richer = { ...field, options: [{ id: "1", label: "new" }] };
  const b = { attachments: [1], fields: [{ value, field: richer }], name: "n" };
  assertEquals(payloadHash(a), payloadHash(b));
  assertEquals(payloadHash(a).length, 32);
  assertNotEquals(payloadHash(a), payloadHash({ ...a, name: "m" }));
  assertNotEquals(
    payloadHash(a),
    payloadHash({ ...a, fields: [{ field, value: { type: "options", labels: ["y"] } }] }),
  );
  assert(payloadHash({ steps: ["a", "b"] }) !== payloadHash({ steps: ["b", "a"] }));
});
