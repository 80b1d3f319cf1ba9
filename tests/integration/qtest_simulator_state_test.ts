import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Any, type Reply, SimClient } from "../helpers/qtest_simulator_client.ts";

Deno.test("a test case goes 0.1, 0.2, 1.0 with a new version id each time", async () => {
  await using client = await SimClient.start();
  const testCase = await client.testCase();
  assertEquals(testCase.version, "0.1");
  const params = { testCaseId: testCase.id };
  const changed = await client.send("PUT", "~/test-cases/{testCaseId}", {
    params,
    body: { name: "Changed", properties: [] },
  });
  assertEquals(changed.json.version, "0.2");
  const approved = await client.approve(testCase);
  assertEquals(approved.version, "1.0");
  const again = await client.approve(testCase);
  assertEquals(again.test_case_version_id, approved.test_case_version_id);
  const ids = [testCase, changed.json, approved].map((item) => item.test_case_version_id);
  assertEquals(new Set(ids).size, 3);
  await client.send("PUT", "~/test-cases/{testCaseId}", { params, body: { name: "More" } });
  await client.send("PUT", "~/test-cases/{testCaseId}", { params, body: { name: "Most" } });
  const versions = await client.get("~/test-cases/{testCaseId}/versions", { params });
  assertEquals(versions.map((item: Any) => item.version), ["1.0", "1.2"]);
  const foreign = await client.send("GET", "~/test-cases/{testCaseId}/versions/{versionId}", {
    params: { ...params, versionId: 1 },
  });
  assertEquals([foreign.status, foreign.text], [404, ""]);
});

Deno.test("a test case without parent lands in Created via API and answers to its label", async () => {
  await using client = await SimClient.start();
  const one = await client.make("~/test-cases", { name: "A" });
  const two = await client.make("~/test-cases", { name: "B" });
  assertEquals(one.parent_id, two.parent_id);
  const modules = await client.get("~/modules");
  assertEquals(modules.map((item: Any) => item.name), ["Created via API"]);
  const byPid = await client.get("~/test-cases/{testCaseId}", { params: { testCaseId: two.pid } });
  assertEquals(byPid.id, two.id);
  const put = await client.send("PUT", "~/test-cases/{testCaseId}", {
    params: { testCaseId: two.pid },
    body: { name: "C" },
  });
  assertEquals(put.status, 404);
});

Deno.test("a mention in a step becomes a parameter; rich text comes back in the site's markup", async () => {
  await using client = await SimClient.start();
  const testCase = await client.testCase(0, {
    description: "<p class='x'>a<br/>b&nbsp;c</p> ",
    test_steps: [{ description: "ask [~user]", expected: "", order: 1 }],
  });
  assertEquals(testCase.description, '<p class="x">a<br>b\u00a0c</p>');
  const id = client.sim.state.parameters.get("user");
  assertEquals(testCase.test_steps[0].description, `ask [~${id}]`);
  const named = await client.get("~/test-cases/{testCaseId}", {
    params: { testCaseId: testCase.id },
    query: { expand: "teststep", showParamIdentifier: true },
  });
  assertEquals(named.test_steps[0].description, "ask [~user]");
  assertEquals(client.sim.oracle().counts.parameters, 1);
});

Deno.test("PUT with steps replaces them, or keeps what was not sent, by switch", async () => {
  for (const [stepsReplaceOnPut, wanted] of [[true, ["new"]], [false, ["new", "Do 2"]]] as const) {
    await using client = await SimClient.start({ switches: { stepsReplaceOnPut } });
    const testCase = await client.testCase(2);
    const first = testCase.test_steps[0];
    const params = { testCaseId: testCase.id };
    await client.send("PUT", "~/test-cases/{testCaseId}", {
      params,
      body: { test_steps: [{ id: first.id, description: "new", expected: "x", order: 1 }] },
    });
    const steps = await client.get("~/test-cases/{testCaseId}/test-steps", { params });
    assertEquals(steps.map((step: Any) => step.description), [...wanted]);
    assertEquals(steps[0].id === first.id, !stepsReplaceOnPut);
  }
});

Deno.test("PUT with a parent moves a module, suite or run and ignores the body", async () => {
  await using client = await SimClient.start();
  const [a, b] = [await client.module("A"), await client.module("B")];
  const moved = await client.send("PUT", "~/modules/{moduleId}", {
    params: { moduleId: b.id },
    query: { parentId: a.id },
    body: { name: "Renamed" },
  });
  assertEquals([moved.json.parent_id, moved.json.name], [a.id, "B"]);
  const loop = await client.send("PUT", "~/modules/{moduleId}", {
    params: { moduleId: a.id },
    query: { parentId: b.id },
    body: {},
  });
  assertEquals(loop.status, 400);
  const run = await client.run(await client.testCase());
  const cycle = await client.make("~/test-cycles", { name: "C" });
  const movedRun = await client.send("PUT", "~/test-runs/{testRunId}", {
    params: { testRunId: run.id },
    query: { parentId: cycle.id, parentType: "test-cycle" },
    body: { name: "Renamed" },
  });
  assertEquals([movedRun.json.parentId, movedRun.json.name], [cycle.id, "Run"]);
});

Deno.test("the tree of cycles has hyphenated keys and only force deletes what has children", async () => {
  await using client = await SimClient.start();
  const root = await client.make("~/test-cycles", {
    name: "Root",
    description: "zephyr:project:SA",
  });
  const inside = { parentId: root.id, parentType: "test-cycle" };
  await client.make("~/test-cycles", { name: "Child" }, inside);
  const suite = await client.make("~/test-suites", { name: "Suite" }, inside);
  const testCase = await client.testCase();
  const run = await client.make("~/test-runs", { name: "R", test_case: { id: testCase.id } }, {
    parentId: suite.id,
    parentType: "test-suite",
  });
  await client.log(run, {});
  const [tree] = await client.get("~/test-cycles", { query: { expand: "descendants" } });
  assertEquals(tree["test-cycles"].length, 1);
  assertEquals(tree["test-suites"][0].name, "Suite");
  const remove = (force: boolean): Promise<Reply> =>
    client.send("DELETE", "~/test-cycles/{testCycleId}", {
      params: { testCycleId: root.id },
      query: { force },
    });
  assertEquals((await remove(false)).status, 400);
  assertEquals((await remove(true)).status, 200);
  const { counts, orphans } = client.sim.oracle();
  assertEquals(
    [counts["test-cycles"], counts["test-suites"], counts["test-runs"], counts["test-logs"]],
    [0, 0, 0, 0],
  );
  assertEquals(orphans, []);
  assertEquals((await remove(true)).status, 404);
});

Deno.test("a suite with runs and a case with runs refuse to go where deletes do not cascade", async () => {
  await using client = await SimClient.start({ preset: "strict" });
  const testCase = await client.testCase();
  const run = await client.run(testCase);
  const suite = await client.send("DELETE", "~/test-suites/{testSuiteId}", {
    params: { testSuiteId: run.parentId },
  });
  assertEquals(suite.status, 400);
  const removed = await client.send("DELETE", "~/test-cases/{testCaseId}", {
    params: { testCaseId: testCase.id },
  });
  assertEquals(removed.status, 400);
});

Deno.test("names of 1 to 500 characters are taken", async () => {
  await using client = await SimClient.start();
  for (
    const path of ["~/modules", "~/test-cases", "~/test-cycles", "~/test-suites", "~/releases"]
  ) {
    for (const [length, wanted] of [[0, 400], [501, 400]] as const) {
      const reply = await client.send("POST", path, { body: { name: "x".repeat(length) } });
      assertEquals(reply.status, wanted, `${path} ${length}`);
    }
    await client.make(path, { name: "x".repeat(500) });
  }
});

Deno.test("field values follow their encodings; what a field cannot hold is 400", async () => {
  await using client = await SimClient.start({ preset: "strict" });
  const make = async (body: Record<string, unknown>): Promise<Any> => {
    const params = { objectType: "test-cases" };
    const reply = await client.send("POST", "~/settings/{objectType}/fields", { params, body });
    assertEquals(reply.status, 201, reply.text);
    return reply.json;
  };
  const values = [{ label: "A, B" }, { label: "C" }];
  const multi = await make({
    label: "Multi",
    data_type: 17,
    multiple: true,
    allowed_values: values,
  });
  const combo = await make({ label: "Combo", data_type: 3, allowed_values: values });
  const number = await make({ label: "Number", data_type: 7 });
  const [x, y] = multi.allowed_values.map((item: Any) => item.value);
  const pick = combo.allowed_values[0].value;
  const user = client.sim.state.users[1]?.id;
  const send = (field_id: number, field_value: unknown): Promise<Reply> =>
    client.send("POST", "~/test-cases", {
      body: { name: "A", properties: [{ field_id, field_value }] },
      isChecked: false,
    });
  const shown = async (id: number, value: unknown): Promise<Any> =>
    (await send(id, value)).json.properties.find((item: Any) => item.field_id === id);
  assertEquals((await shown(multi.id, `[${x},${y}]`)).field_value_name, "[A, B, C]");
  assertEquals((await shown(multi.id, `[${x},${y}]`)).field_value, `[${x},${y}]`);
  assertEquals("field_value" in await shown(multi.id, "[]"), false);
  assertEquals((await shown(combo.id, String(pick))).field_value, pick);
  assertEquals((await shown(combo.id, pick)).field_value_name, "A, B");
  assertEquals((await shown(-4, `[${user}]`)).field_value_name, "[Jane Doe]");
  const bad: [number, unknown][] = [
    [multi.id, [x]],
    [multi.id, String(x)],
    [combo.id, ""],
    [combo.id, "Combo label"],
    [combo.id, y],
    [number.id, "many"],
    [-4, "[1]"],
    [999, "x"],
  ];
  for (const [id, value] of bad) {
    assertEquals((await send(id, value)).status, 400, `${id} ${value}`);
  }
  const option = client.sim.state.fields.get(combo.id)?.options[0];
  if (option !== undefined) option.isActive = false;
  assertEquals((await send(combo.id, pick)).status, 400);
});

Deno.test("fields take at most 100 new values a call, and are hidden without the permission", async () => {
  await using client = await SimClient.start();
  const params = { objectType: "test-cases" };
  const path = "~/settings/{objectType}/fields";
  const refused = await client.send("POST", path, { params, body: { label: "M", data_type: 17 } });
  assertEquals(refused.status, 400);
  const combo = await client.send("POST", path, {
    params,
    body: { label: "Zephyr Status", data_type: 3 },
  });
  const add = (count: number): Promise<Reply> =>
    client.send("POST", `${path}/{fieldId}/allowed-values`, {
      params: { ...params, fieldId: combo.json.id },
      body: Array.from({ length: count }, (_, n) => ({ label: `V${n}` })),
      isChecked: false,
    });
  assertEquals((await add(101)).status, 400);
  assertEquals((await add(100)).json.total, 100);
  const cycles = await client.send("GET", path, { params: { objectType: "test-cycles" } });
  assertEquals(cycles.status, 404);
  await using low = await SimClient.start({ switches: { fieldManagement: false } });
  assertEquals((await low.send("GET", path, { params })).status, 403);
});

Deno.test("a field the project requires refuses a create without it", async () => {
  await using client = await SimClient.start({ switches: { requiredField: "Cost centre" } });
  const reply = await client.send("POST", "~/test-cases", { body: { name: "A" } });
  assertEquals(reply.status, 400);
  assertStringIncludes(reply.json.message, "Cost centre");
});

Deno.test("files are kept byte for byte, multipart and all, and only where there is a slot", async () => {
  await using client = await SimClient.start({
    switches: { maxAttachmentBytes: 1000, scanDelayMs: 60_000 },
  });
  const testCase = await client.testCase(1);
  const object = { objectType: "test-cases", objectId: testCase.id };
  const upload = (
    params: Any,
    headers: Record<string, string>,
    raw: BodyInit = "abc",
  ): Promise<Reply> =>
    client.send("POST", "~/{objectType}/{objectId}/blob-handles", { params, headers, raw });
  const named = { "file-name": "%C3%BC%20a.bin", "content-type": "application/octet-stream" };
  const bytes = new Uint8Array([0, 255, 13, 10, 128]);
  const made = await upload(object, named, bytes);
  assertEquals([made.status, made.json.name], [201, "ü a.bin"]);
  assertEquals((await upload(object, { "content-type": "text/plain" })).status, 400);
  assertEquals((await upload({ ...object, objectType: "test-runs" }, named)).status, 404);
  assertEquals((await upload(object, named, new Uint8Array(1001))).status, 413);
  const stepParams = { objectType: "test-steps", objectId: testCase.test_steps[0].id };
  assertEquals((await upload(stepParams, named)).status, 201);
  const path = "~/{objectType}/{objectId}/attachments/{attachmentId}";
  const params = { ...object, attachmentId: made.json.id };
  assertEquals((await client.send("GET", path, { params, isChecked: false })).status, 400);
  const url =
    `${client.sim.url}/api/v3/projects/1001/test-cases/${testCase.id}/attachments/${made.json.id}`;
  const response = await fetch(`${url}?forceDownload=true`, {
    headers: { authorization: `Bearer ${client.sim.token}` },
  });
  assertEquals(new Uint8Array(await response.arrayBuffer()), bytes);
  const listed = await client.get("~/attachments", {
    query: { type: "test-cases", ids: `${testCase.id},5` },
  });
  assertEquals(listed.items.map((item: Any) => item.artifact_id), [testCase.id]);
});

Deno.test("links start at a requirement, skip unknown ids silently, and count once", async () => {
  await using client = await SimClient.start();
  const testCase = await client.testCase();
  const [requirement] = await client.get("~/requirements", {
    query: { includeExternalProperties: true },
  });
  assertEquals(requirement.external_properties.id, "SA-101");
  const found = await client.make("~/search", {
    object_type: "requirements",
    query: "'External Id' = 'SA-102'",
  });
  assertEquals(found.total, 1);
  const link = (objectType: string): Promise<Reply> =>
    client.send("POST", "~/{objectType}/{objectId}/link", {
      params: {
        objectType,
        objectId: objectType === "requirements" ? requirement.id : testCase.id,
      },
      query: { type: "test-cases" },
      body: [testCase.id, 12345],
    });
  assertEquals((await link("test-cases")).status, 400);
  await link("requirements");
  const [linked] = (await link("requirements")).json;
  assertEquals(linked.objects.map((item: Any) => item.id), [testCase.id]);
  assertEquals(client.sim.oracle().counts.links, 1);
  const [read] = await client.get("~/linked-artifacts", {
    query: { type: "requirements", ids: requirement.id },
  });
  assertEquals(read.objects.map((item: Any) => item.pid), [testCase.pid]);
});
