import { assertEquals, assertRejects } from "@std/assert";
import { InDoubtError } from "../../core/errors.ts";
import type { Draft, TargetField } from "../../core/ports/mod.ts";
import { Answer, fakeTarget, writing } from "./qtest_fake.ts";

const KEY: TargetField = {
  id: "-71",
  object: "testCase",
  label: "Zephyr Key",
  type: "text",
  dataType: 1,
  multiple: false,
  required: false,
  isSystem: false,
  originalName: null,
  options: [],
  defaultValue: null,
};
const FIELDS = [{ field: KEY, value: { type: "text", text: "K-T1" } } as const];
const P = "/api/v3/projects/7";

const CASE: Draft = {
  kind: "testCase",
  parentId: "2107619",
  name: "Log in",
  order: 3,
  descriptionHtml: "<p>d</p>",
  preconditionHtml: "",
  steps: [
    { descriptionHtml: "one", expectedHtml: "", calledTestCaseId: null },
    { descriptionHtml: "Call", expectedHtml: "", calledTestCaseId: "55" },
  ],
  fields: [...FIELDS],
  attachments: [{ name: "ü.txt", contentType: "text/plain", bytes: new Uint8Array([104, 105]) }],
};

Deno.test("create() sends each kind to its route, with the parent where the target reads it", async () => {
  const root = { type: "root", id: null } as const;
  const drafts: [Draft, string, unknown][] = [
    [
      { kind: "module", parentId: "5", name: "M", descriptionHtml: "d" },
      `POST ${P}/modules?parentId=5`,
      { name: "M", description: "d", parent_id: 5 },
    ],
    [
      { kind: "module", parentId: null, name: "M", descriptionHtml: "d" },
      `POST ${P}/modules`,
      { name: "M", description: "d" },
    ],
    [
      { kind: "testCycle", parent: root, name: "C", descriptionHtml: "d" },
      `POST ${P}/test-cycles?parentId=0&parentType=root`,
      { name: "C", description: "d" },
    ],
    [
      {
        kind: "testSuite",
        parent: { type: "testCycle", id: "8" },
        name: "S",
        targetReleaseId: "4",
        fields: FIELDS,
      },
      `POST ${P}/test-suites?parentId=8&parentType=test-cycle`,
      {
        name: "S",
        properties: [{ field_id: -71, field_value: "K-T1" }],
        target_release_id: 4,
      },
    ],
    [
      {
        kind: "testRun",
        parent: { type: "testSuite", id: "9" },
        name: "R",
        testCaseId: "111",
        testCaseVersionId: "222",
        fields: [],
      },
      `POST ${P}/test-runs?parentId=9&parentType=test-suite`,
      { name: "R", properties: [], test_case: { id: 111 }, test_case_version_id: 222 },
    ],
    [
      { kind: "release", name: "L", descriptionHtml: "d", fields: [] },
      `POST ${P}/releases`,
      { name: "L", description: "d", properties: [] },
    ],
  ];
  for (const [draft, line, body] of drafts) {
    const { target, sent } = fakeTarget(() => new Answer(201, { id: 1 }));
    assertEquals((await target.create(draft, writing())).id, "1");
    assertEquals([sent[0]?.line, sent[0]?.spec.json, sent[0]?.spec.effect], [line, body, "create"]);
  }
});

Deno.test("create() sends a case with steps, called case and inline file in one body", async () => {
  const { target, sent } = fakeTarget(() => ({
    id: 1,
    pid: "TC-1",
    test_case_version_id: 4001,
    test_steps: [{ id: 32, order: 2 }, { id: 31, order: 1 }],
    attachments: [],
  }));
  const created = await target.create(CASE, writing());
  assertEquals([created.versionId, created.stepIds, created.attachments], [
    "4001",
    ["31", "32"],
    [],
  ]);
  assertEquals(sent[0]?.spec.json, {
    name: "Log in",
    parent_id: 2107619,
    order: 3,
    description: "<p>d</p>",
    precondition: "",
    properties: [{ field_id: -71, field_value: "K-T1" }],
    test_steps: [
      { description: "one", expected: "", order: 1 },
      { description: "Call", expected: "", order: 2, called_test_case_id: 55 },
    ],
    attachments: [{ name: "ü.txt", content_type: "text/plain", data: "aGk=" }],
  });
  assertEquals(sent[0]?.spec.route, "/api/v3/projects/{projectId}/test-cases");
});

Deno.test("create() sends a log with the status id alone and no fraction of a second", async () => {
  const { target, sent } = fakeTarget(() => new Answer(201, { id: 9, test_step_logs: null }));
  const created = await target.create({
    kind: "testLog",
    runId: "77",
    statusId: "601",
    start: "2026-01-02T03:04:05.678Z",
    end: "2026-01-02T03:05:05Z",
    noteHtml: "n",
    testCaseVersionId: "4001",
    steps: [{
      testStepId: "31",
      order: 1,
      statusId: "602",
      descriptionHtml: "d",
      expectedHtml: "e",
      actualHtml: "a",
      calledTestCaseId: null,
      parentTestStepId: null,
    }],
    attachments: [],
  }, writing());
  assertEquals([created.stepIds, created.attachments], [null, null]);
  assertEquals(sent[0]?.spec.route, "/api/v3/projects/{projectId}/test-runs/{testRunId}/test-logs");
  assertEquals(sent[0]?.spec.json, {
    status: { id: 601 },
    exe_start_date: "2026-01-02T03:04:05+00:00",
    exe_end_date: "2026-01-02T03:05:05+00:00",
    note: "n",
    test_step_logs: [{
      test_step_id: 31,
      order: 1,
      status: { id: 602 },
      description: "d",
      expected_result: "e",
      actual_result: "a",
      exe_date: "2026-01-02T03:05:05+00:00",
    }],
    test_case_version_id: 4001,
  });
});

Deno.test("create() is in doubt, when the answer holds no id", async () => {
  const { target } = fakeTarget(() => ({ name: "Log in" }));
  const error = await assertRejects(() => target.create(CASE, writing()), InDoubtError);
  assertEquals(error.answered, false);
});

Deno.test("create() sends nothing, when the intent is refused", async () => {
  const { target, sent } = fakeTarget(() => ({ id: 1 }));
  const stop = new Error("lease lost");
  const hooks = { ...writing(), intent: () => Promise.reject(stop) };
  await assertRejects(() => target.create(CASE, hooks), Error, "lease lost");
  assertEquals(sent.length, 0);
});

Deno.test("update() keeps step ids, drops steps the target kept, and attaches nothing again", async () => {
  let puts = 0;
  const { target, sent } = fakeTarget((line) => {
    if (line.startsWith("PUT")) puts++;
    const steps = [{ id: 31, order: 1 }, { id: 32, order: 2 }, { id: 33, order: 3 }];
    return line.startsWith("DELETE") ? new Answer(200) : { id: 1, test_steps: steps };
  });
  const updated = await target.update("1", CASE, writing());
  const body = sent.find(({ spec }) => spec.method === "PUT")?.spec.json as Record<string, unknown>;
  const steps = body.test_steps as { id: number }[];
  assertEquals([puts, steps.map((step) => step.id), "attachments" in body], [1, [31, 32], false]);
  assertEquals(sent.at(-1)?.line, `DELETE ${P}/test-cases/1/test-steps/33`);
  assertEquals(updated.stepIds, ["31", "32"]);
});

Deno.test("update() never names a parent of tree nodes, because a move ignores the body", async () => {
  const { target, sent } = fakeTarget(() => ({ id: 1 }));
  await target.update(
    "1",
    { kind: "module", parentId: "5", name: "M", descriptionHtml: "d" },
    writing(),
  );
  assertEquals([sent[0]?.line, sent[0]?.spec.json], [
    `PUT ${P}/modules/1`,
    { name: "M", description: "d" },
  ]);
});

Deno.test("approve() returns the new version id, also after an empty answer", async () => {
  const direct = fakeTarget(() => ({ id: 1, test_case_version_id: 5000 }));
  assertEquals(await direct.target.approve("1", writing()), { versionId: "5000" });
  assertEquals(direct.sent.map((each) => each.line), [`PUT ${P}/test-cases/1/approve`]);
  const empty = fakeTarget((line) =>
    line.startsWith("PUT") ? new Answer(200) : { id: 1, test_case_version_id: 5001 }
  );
  assertEquals(await empty.target.approve("1", writing()), { versionId: "5001" });
});

Deno.test("createField() sends 100 values along and the rest in portions", async () => {
  const labels = Array.from({ length: 230 }, (_, index) => `v${index}`);
  const { target, sent } = fakeTarget((line, spec) => {
    const body = spec.json as { allowed_values?: { label: string }[] };
    const values = (line.endsWith("allowed-values") ? spec.json : body.allowed_values) as {
      label: string;
    }[];
    const items = values.map((value) => ({ ...value, value: Number(value.label.slice(1)) + 1 }));
    return line.endsWith("allowed-values") ? { total: items.length, items } : new Answer(201, {
      id: 12,
      label: "Tags",
      data_type: 17,
      multiple: true,
      allowed_values: items,
    });
  });
  const draft = { object: "testRun", label: "Tags", type: "multiSelect", options: labels } as const;
  const field = await target.createField({ ...draft, options: [...draft.options] }, writing());
  assertEquals(field.options.map((option) => option.label), labels);
  assertEquals(sent.map((each) => each.line), [
    `POST ${P}/settings/test-runs/fields`,
    `POST ${P}/settings/test-runs/fields/12/allowed-values`,
    `POST ${P}/settings/test-runs/fields/12/allowed-values`,
  ]);
  const body = sent[0]?.spec.json as Record<string, unknown>;
  assertEquals([body.data_type, body.multiple], [17, true]);
});

Deno.test("createField() reads the list once, when the answer holds no value ids", async () => {
  const listed = { id: 12, label: "B", data_type: 3, allowed_values: [{ value: 5, label: "x" }] };
  const { target, sent } = fakeTarget((line) =>
    line.startsWith("POST") ? new Answer(201, { id: 12 }) : [listed]
  );
  const draft = { object: "testCase", label: "B", type: "combo", options: ["x"] } as const;
  const field = await target.createField({ ...draft, options: ["x"] }, writing());
  assertEquals([field.type, field.options], ["combo", [{ id: "5", label: "x" }]]);
  assertEquals(sent.length, 2);
});

Deno.test("remove() counts what is gone already as gone, and tells that logs stay", async () => {
  const { target, sent } = fakeTarget(() => new Answer(404));
  assertEquals(await target.remove("testRun", "5", writing()), true);
  assertEquals(await target.remove("testLog", "6", writing()), false);
  assertEquals(await target.remove("attachment", "testCase/12/345", writing()), true);
  assertEquals(await target.remove("requirementLink", "66/12", writing()), true);
  assertEquals(sent.map((each) => each.line), [
    `DELETE ${P}/test-runs/5`,
    `DELETE ${P}/test-cases/12/blob-handles/345`,
    `DELETE ${P}/requirements/66/link?type=test-cases`,
  ]);
  assertEquals(sent[2]?.spec.json, [12]);
});
