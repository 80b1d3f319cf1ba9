import { assertEquals, assertRejects } from "@std/assert";
import { AccessError } from "../../core/errors.ts";
import { Answer, collect, fakeTarget, signal, writing } from "./qtest_fake.ts";

const P = "/api/v3/projects/7";

Deno.test("profile() reads everything with ten requests and tolerates what is hidden", async () => {
  const { target, sent } = fakeTarget((line) => {
    if (line === "GET /version") return new Answer(404);
    if (line.endsWith("/re-evaluation")) {
      return { id: 3, user_name: "bot", client_site_name: "acme" };
    }
    if (line === `GET ${P}`) return { id: 7, name: "Demo", automation: true };
    if (line.endsWith("/user-profiles/current")) {
      return { test_case: { create: false, approve: true }, test_run: null };
    }
    if (line.endsWith("/test-runs/fields")) return new Answer(403);
    if (line.endsWith("/test-suites/fields")) {
      return [
        { id: -67, label: "Start", data_type: 13, original_name: "PlannedStartDateTestSuite" },
        { id: 9, label: "Off", data_type: 1, is_active: false },
        {
          id: -3,
          label: "Environment",
          data_type: 13,
          original_name: "EnvironmentTestSuite",
          allowed_values: [
            { value: 1, label: "Old", is_active: false },
            { value: 2, label: "New", is_active: true },
          ],
        },
      ];
    }
    if (line.endsWith("/execution-statuses")) {
      return [{ id: 601, name: "Passed" }, { id: 9, name: "Gone", active: false }];
    }
    if (line.includes("/users?")) {
      return [{ id: 3, username: "bot", first_name: "B", last_name: "T" }];
    }
    return [];
  });
  const profile = await target.profile(signal);
  assertEquals(sent.length, 10);
  assertEquals(sent.every(({ spec }) => spec.failFast === true), true);
  assertEquals(sent.some(({ line }) => line === `GET ${P}/users?inactive=false`), true);
  assertEquals(profile.fieldsHidden, ["testRun"]);
  assertEquals(profile.permissions, { manageFields: false, missing: ["test_case.create"] });
  assertEquals(profile.statuses, [{ id: "601", name: "Passed", isDefault: false }]);
  assertEquals(profile.users, [{ id: "3", username: "bot", name: "B T", email: null }]);
  assertEquals([profile.version, profile.site, profile.monthRemaining], [null, "acme", 4_711]);
  assertEquals(profile.fields.map((field) => [field.id, field.type, field.isSystem]), [
    ["-67", "dateTime", true],
    ["-3", "combo", true],
  ]);
  assertEquals(profile.fields[1]?.options, [{ id: "2", label: "New" }]);
});

Deno.test("profile() says, when the user may not approve cases", async () => {
  for (const approve of [true, false]) {
    const { target } = fakeTarget((line) =>
      line.endsWith("/user-profiles/current")
        ? { test_case: { create: true, approve } }
        : line === `GET ${P}`
        ? { id: 7 }
        : line.includes("users") || line.includes("fields") || line.includes("statuses")
        ? []
        : {}
    );
    assertEquals(
      (await target.profile(signal)).permissions.approvedOnly,
      approve ? undefined : true,
    );
  }
});

Deno.test("profile() names the project, when it cannot be seen", async () => {
  const { target } = fakeTarget((line) => line === `GET ${P}` ? new Answer(404) : {});
  await assertRejects(() => target.profile(signal), AccessError, 'project "7"');
});

Deno.test("children() reads the cases of a module to the empty page, once each, with steps", async () => {
  const { target, sent } = fakeTarget((line) => {
    if (line.includes("/fields")) return [{ id: 71, label: "Zephyr Key", data_type: 1 }];
    const page = Number(/page=(\d+)/.exec(line)?.[1]);
    const row = (id: number): unknown => ({
      id,
      name: `c${id}`,
      properties: [{ field_id: 71, field_value: `K-T${id}` }, { field_id: -121 }],
      test_steps: [
        { id: 5, order: 2, description: "b", called_test_case_id: 44 },
        { id: 4, order: 1, description: "a", expected: null },
        { id: 6, order: 1, description: "of the called case", parent_test_step_id: 5 },
      ],
    });
    return [[row(1), row(2)], [row(2), row(3)], []][page - 1];
  });
  const found = await collect(target.children("testCase", "5", signal));
  assertEquals(found.map((each) => [each.id, each.parentId, each.parentType]), [
    ["1", "5", "module"],
    ["2", "5", "module"],
    ["3", "5", "module"],
  ]);
  assertEquals(found[0]?.fields, [
    { fieldId: "71", label: "Zephyr Key", value: { type: "text", text: "K-T1" } },
    { fieldId: "-121", label: "", value: null },
  ]);
  assertEquals(found[0]?.steps?.map((step) => [step.id, step.calledTestCaseId]), [
    ["4", null],
    ["5", "44"],
  ]);
  assertEquals(
    sent.at(-1)?.line,
    `GET ${P}/test-cases?parentId=5&page=3&size=500&expandProps=true&expandSteps=true`,
  );
});

Deno.test("children() takes runs from the paged object and from a bare array", async () => {
  const run = {
    id: 1,
    name: "r",
    parentId: 9,
    parentType: "test-suite",
    test_case: { id: 111, properties: null },
    test_case_version_id: 222,
  };
  for (const body of [{ page: 1, page_size: 999, total: 1, items: [run] }, [run]]) {
    const { target } = fakeTarget((line) => line.includes("/fields") ? new Answer(403) : body);
    const found = await collect(target.children("testRun", { type: "testSuite", id: "9" }, signal));
    assertEquals(found.map((each) => [each.id, each.testCaseId, each.versionId, each.parentId]), [
      ["1", "111", "222", "9"],
    ]);
  }
});

Deno.test("children() pages cycles on, when a server ignores the negative page size", async () => {
  const row = (id: number): unknown => ({ id, name: `c${id}` });
  const { target, sent } = fakeTarget((line) => {
    if (line.includes("pageSize=-1")) return Array.from({ length: 100 }, (_, index) => row(index));
    return line.includes("page=2") ? [row(100)] : [];
  });
  const found = await collect(target.children("testCycle", null, signal));
  assertEquals([found.length, sent.length], [101, 3]);
  assertEquals(
    sent[1]?.line,
    `GET ${P}/test-cycles?parentId=0&parentType=root&page=2&pageSize=100`,
  );
});

Deno.test("children() asks for closed releases too", async () => {
  const { target, sent } = fakeTarget((line) =>
    line.includes("/fields") ? [] : [{ id: 1, name: "L" }]
  );
  assertEquals((await collect(target.children("release", null, signal))).length, 1);
  assertEquals(sent[0]?.line, `GET ${P}/releases?includeClosed=true`);
});

Deno.test("sweep() flattens the trees and takes parents from the place in them", async () => {
  const { target } = fakeTarget((line) =>
    line.includes("/modules")
      ? [{ id: 1, name: "a", parent_id: 99, children: [{ id: 2, name: "b", children: null }] }]
      : [{ id: 3, name: "c", "test-cycles": [{ id: 4, name: "d" }], "test-suites": [{ id: 5 }] }]
  );
  const modules = await collect(target.sweep("module", signal));
  assertEquals(modules.map((each) => [each.id, each.parentId]), [["1", null], ["2", "1"]]);
  const cycles = await collect(target.sweep("testCycle", signal));
  assertEquals(cycles.map((each) => [each.id, each.parentId, each.parentType]), [
    ["3", null, "root"],
    ["4", "3", "testCycle"],
  ]);
});

Deno.test("sweep() finds the run of a log in the body or its links, and tells missing steps apart", async () => {
  const log = { status: { id: 601, name: "Passed" }, exe_start_date: "2026-01-02T03:04:05-04:00" };
  const items = [
    { id: 1, ...log, test_run_id: 70, test_step_logs: [] },
    { id: 2, ...log, links: [{ rel: "self", href: `https://q${P}/test-runs/71/test-logs/2` }] },
    { id: 3, status: "Failed", note: "n", test_step_logs: [{ test_step_log_id: 8, order: 1 }] },
  ];
  const { target, sent } = fakeTarget(() => ({ page: 1, page_size: 999, total: 3, items }));
  const found = await collect(target.sweep("testLog", signal));
  assertEquals(found.map((each) => each.parentId), ["70", "71", null]);
  assertEquals(found.map((each) => each.log?.steps?.length ?? null), [0, null, 1]);
  assertEquals(found[0]?.log?.start, "2026-01-02T07:04:05Z");
  assertEquals(found[2]?.log?.statusName, "Failed");
  assertEquals(sent[0]?.line, `POST ${P}/search?includeTestLogProperties=true&page=1&pageSize=999`);
  assertEquals([sent[0]?.spec.json, sent[0]?.spec.effect], [
    { object_type: "test-logs", fields: ["*"], query: "" },
    "read",
  ]);
});

Deno.test("read() returns null, when the artefact is gone", async () => {
  const { target, sent } = fakeTarget(() => new Answer(404));
  assertEquals(await target.read("testCase", "1", signal), null);
  assertEquals(await target.read("testLog", "70/2", signal), null);
  assertEquals(sent.map((each) => each.line), [
    `GET ${P}/test-cases/1?expand=teststep`,
    `GET ${P}/test-runs/70/test-logs/2`,
  ]);
  await assertRejects(() => target.read("testLog", "2", signal), TypeError, "runId/logId");
});

Deno.test("files() asks in batches, and one by one where the owner is not told", async () => {
  const ids = Array.from({ length: 101 }, (_, index) => String(index + 1));
  const batched = fakeTarget((line) => ({
    total: 1,
    page: 1,
    page_size: 999,
    items: [{ id: line.includes("ids=101") ? 2 : 1, name: "a%20%C3%BC.txt", artifact_id: 5 }],
  }));
  const found = await batched.target.files("testCase", ids, signal);
  assertEquals([batched.sent.length, found.length], [2, 2]);
  const storedName = "a%20%C3%BC.txt";
  assertEquals(found[0], { id: "1", name: "a ü.txt", objectId: "5", storedName });
  const single = fakeTarget((line) =>
    line.includes("type=") ? { items: [{ id: 1, name: "x" }] } : [{ id: 1, name: "x" }]
  );
  assertEquals(
    (await single.target.files("release", ["3", "4"], signal)).map((each) => each.objectId),
    [
      "3",
      "4",
    ],
  );
  const steps = fakeTarget(() => new Answer(404));
  assertEquals(await steps.target.files("testStepLog", ["8"], signal), []);
  assertEquals(steps.sent[0]?.line, `GET ${P}/test-step-logs/8/attachments`);
});

Deno.test("upload() sends raw bytes with both headers, and refuses another size", async () => {
  const received: string[] = [];
  const { target, sent } = fakeTarget(async (_, spec) => {
    received.push(await new Response(await spec.body?.()).text());
    return new Answer(201, { id: 4, name: "Prü.txt", artifact_id: 9 });
  });
  const file = {
    object: { kind: "testLog", id: "9" } as const,
    name: "Prü.txt",
    contentType: "text/plain",
    size: 2,
    open: () => Promise.resolve(new Blob(["hi"]).stream()),
  };
  assertEquals(await target.upload(file, writing()), { id: "4", name: "Prü.txt", objectId: "9" });
  assertEquals(received, ["hi"]);
  assertEquals(sent[0]?.line, `POST ${P}/test-logs/9/blob-handles`);
  assertEquals(sent[0]?.spec.headers?.["File-Name"], "Pr%C3%BC.txt");
  assertEquals(sent[0]?.spec.effect, "create");
  await assertRejects(
    () => target.upload({ ...file, size: 3 }, writing()),
    RangeError,
    "announced",
  );
});

Deno.test("upload() sends the name as it is, when the target keeps it encoded", async () => {
  const { target, sent } = fakeTarget(async (line, spec) => {
    if (line.startsWith("DELETE")) return new Answer(200);
    await new Response(await spec.body?.()).text();
    return new Answer(201, { id: sent.length, name: spec.headers?.["File-Name"], artifact_id: 9 });
  });
  const upload = (name: string): Promise<unknown> =>
    target.upload({
      object: { kind: "testCase", id: "9" },
      name,
      contentType: "text/plain",
      size: 2,
      open: () => Promise.resolve(new Blob(["hi"]).stream()),
    }, writing());
  assertEquals(await upload("Prü 5%.txt"), { id: "3", name: "Prü 5%.txt", objectId: "9" });
  assertEquals(await upload("ä.txt"), { id: "4", name: "ä.txt", objectId: "9" });
  const storedName = "%E6%97%A5.txt";
  assertEquals(await upload("日.txt"), { id: "5", name: "日.txt", objectId: "9", storedName });
  assertEquals(
    sent.map(({ line, spec }) => spec.headers?.["File-Name"] ?? line),
    [
      "Pr%C3%BC%205%25.txt",
      `DELETE ${P}/test-cases/9/blob-handles/1`,
      "Prü 5%.txt",
      "ä.txt",
      storedName,
    ],
  );
});

Deno.test("file() opens also what is not scanned yet, and returns null when it is gone", async () => {
  const { target, sent } = fakeTarget((line) => line.includes("/4?") ? "bytes" : new Answer(404));
  const object = { kind: "testCase", id: "9" } as const;
  assertEquals(await new Response(await target.file(object, "4", signal)).text(), '"bytes"');
  assertEquals(sent[0]?.line, `GET ${P}/test-cases/9/attachments/4?forceDownload=true`);
  assertEquals(await target.file(object, "5", signal), null);
});

Deno.test("linkRequirement() returns only the cases the answer names", async () => {
  const { target, sent } = fakeTarget((line) =>
    line.startsWith("POST") ? [{ id: 66, pid: "RQ-1", objects: [{ id: 12, pid: "TC-12" }] }] : [{
      id: 66,
      objects: [{ id: 12, self: `https://q${P}/test-cases/12` }, {
        id: 5,
        self: `https://q${P}/defects/5`,
      }],
    }]
  );
  assertEquals(await target.linkRequirement("66", ["12", "13"], writing()), ["12"]);
  assertEquals([sent[0]?.line, sent[0]?.spec.json], [
    `POST ${P}/requirements/66/link?type=test-cases`,
    [12, 13],
  ]);
  const linked = await target.linkedTestCases(["66", "67"], signal);
  assertEquals([...linked], [["66", ["12"]], ["67", []]]);
});

Deno.test("findRequirement() searches by external id and never by a quote", async () => {
  const { target, sent } = fakeTarget(() => ({ total: 1, items: [{ id: 66, name: "r" }] }));
  assertEquals(await target.findRequirement("ABC-1", signal), { id: "66" });
  assertEquals((sent[0]?.spec.json as { query: string }).query, "'External Id' = 'ABC-1'");
  assertEquals(await target.findRequirement("A'B", signal), null);
  assertEquals(sent.length, 1);
});
