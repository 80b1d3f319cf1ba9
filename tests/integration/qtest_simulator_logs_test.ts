import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Any, type Reply, SimClient } from "../helpers/qtest_simulator_client.ts";

Deno.test("a manual log is refused for each thing the vendor dislikes", async () => {
  await using client = await SimClient.start({ preset: "strict" });
  const testCase = await client.testCase(2);
  const other = await client.testCase(1);
  await client.approve(testCase);
  const run = await client.run(testCase);
  const [first, second] = testCase.test_steps;
  const step = (id: number, order: number): Any => ({
    test_step_id: id,
    order,
    status: { id: 601 },
  });
  const runStatus = client.sim.state.fields.get(-80)?.options[0]?.value;
  const refused: [string, Record<string, unknown>][] = [
    ["fraction", { exe_end_date: "2026-01-02T03:05:05.123Z" }],
    ["no offset", { exe_start_date: "2026-01-02T03:04:05" }],
    ["end before start", { exe_end_date: "2026-01-01T03:05:05Z" }],
    ["missing date", { exe_start_date: undefined }],
    ["bare status", { status: "Passed" }],
    ["status by name", { status: { name: "Passed" } }],
    ["status of the run's field", { status: { id: runStatus } }],
    ["inactive status", { status: { id: 8402 } }],
    ["extra status keys", { status: { id: 601, is_default: false } }],
    ["foreign version", { test_case_version_id: other.test_case_version_id }],
    ["some step logs", { test_step_logs: [step(first.id, 1)] }],
    ["foreign step", { test_step_logs: [step(first.id, 1), step(other.test_steps[0].id, 2)] }],
    ["step without status", {
      test_step_logs: [step(first.id, 1), { test_step_id: second.id, order: 2 }],
    }],
    ["bad base64", { attachments: [{ name: "a", content_type: "text/plain", data: "§" }] }],
  ];
  for (const [what, body] of refused) assertEquals((await client.log(run, body)).status, 400, what);
  assertEquals(client.sim.oracle().counts["test-logs"], 0);
  const taken = await client.log(run, { test_step_logs: [step(second.id, 2), step(first.id, 1)] });
  assertEquals(taken.status, 201);
  client.sim.lockRun(run.id);
  const locked = await client.log(run, {});
  assertEquals([locked.status, locked.json.message], [400, "Test run was locked"]);
});

Deno.test("the latest log decides the run's status, and the oracle sees a wrong order", async () => {
  await using client = await SimClient.start();
  const run = await client.run(await client.testCase());
  await client.log(run, { status: { id: 602 }, note: "zephyr:execution:1" });
  await client.log(run, {
    exe_start_date: "2026-01-01T00:00:00Z",
    exe_end_date: "2026-01-01T00:00:00Z",
  });
  const read = await client.get("~/test-runs/{testRunId}", { params: { testRunId: run.id } });
  assertEquals(read.latest_test_log.status, "Passed");
  const status = read.properties.find((item: Any) => item.field_name === "Status");
  assertEquals(status.field_value_name, "Passed");
  assertEquals(client.sim.oracle().runsOutOfOrder, [run.id]);
  assertEquals(client.sim.oracle().logsPerRun[run.id]?.[0], "zephyr:execution:1");
});

Deno.test("a log without version uses the approved one; without any it is refused or not, by switch", async () => {
  for (const [choice, wanted] of [["latest", 201], ["refuse", 400]] as const) {
    await using client = await SimClient.start({ switches: { logWithoutApprovedVersion: choice } });
    const testCase = await client.testCase();
    const run = await client.run(testCase);
    assertEquals((await client.log(run, {})).status, wanted);
    const explicit = { test_case_version_id: testCase.test_case_version_id };
    assertEquals((await client.log(run, explicit)).status, 201);
    const approved = await client.approve(testCase);
    assertEquals(
      (await client.log(run, {})).json.test_case_version_id,
      approved.test_case_version_id,
    );
  }
});

Deno.test("a called case is logged step by step with its parent named", async () => {
  await using client = await SimClient.start();
  const called = await client.testCase(2);
  const caller = await client.testCase(0, {
    test_steps: [
      { description: "own", expected: "x", order: 1 },
      { description: "call", expected: "", order: 2, called_test_case_id: called.id },
    ],
  });
  const run = await client.run(caller);
  const [own, call] = caller.test_steps;
  const status = { id: 601 };
  const inner = called.test_steps.map((step: Any, index: number) => ({
    test_step_id: step.id,
    order: index + 2,
    status,
    called_test_case_id: called.id,
    parent_test_step_id: call.id,
  }));
  const ownLog = { test_step_id: own.id, order: 1, status };
  assertEquals((await client.log(run, { test_step_logs: [ownLog, ...inner] })).status, 201);
  const bare = inner.map(({ parent_test_step_id: _, ...rest }: Any) => rest);
  assertEquals((await client.log(run, { test_step_logs: [ownLog, ...bare] })).status, 400);
});

Deno.test("inline attachments are stored or dropped by switch, and readable at log and step log", async () => {
  for (const [inlineLogAttachments, count] of [["accept", 1], ["ignore", 0]] as const) {
    await using client = await SimClient.start({ switches: { inlineLogAttachments } });
    const run = await client.run(await client.testCase(1));
    const attachments = [{ name: "a.txt", content_type: "text/plain", data: btoa("hello") }];
    const log = await client.log(run, {
      attachments,
      test_step_logs: [{ order: 1, status: { id: 601 }, attachments }],
    });
    const params = { objectType: "test-logs", objectId: log.json.id };
    const files = await client.get("~/{objectType}/{objectId}/attachments", { params });
    assertEquals(files.length, count);
    const stepParams = {
      objectType: "test-step-logs",
      objectId: log.json.test_step_logs[0].test_step_log_id,
    };
    const stepFiles = await client.get("~/{objectType}/{objectId}/attachments", {
      params: stepParams,
    });
    assertEquals(stepFiles.length, count);
  }
});

Deno.test("a log can be changed but not deleted, and search shows its steps on demand", async () => {
  await using client = await SimClient.start();
  const run = await client.run(await client.testCase(1));
  const step = { order: 1, status: { id: 602 }, actual_result: "broke" };
  const log = await client.log(run, { test_step_logs: [step] });
  const changed = await client.send("PUT", "~/test-runs/{testRunId}/test-logs/{id}", {
    params: { testRunId: run.id, id: log.json.id },
    body: {
      status: { id: 602 },
      exe_start_date: "2026-01-02T03:04:05Z",
      exe_end_date: "2026-01-02T03:04:06Z",
      note: "changed",
      test_step_logs: [{ order: 1, status: { id: 601 }, actual_result: "fine" }],
    },
  });
  assertEquals([changed.json.status.name, changed.json.note], ["Failed", "changed"]);
  const query = "'Execution Start Date' >= '2026-01-02T00:00:00.000Z'";
  const search = (includeTestLogProperties: boolean): Promise<Any> =>
    client.make("~/search", { object_type: "test-logs", query }, { includeTestLogProperties });
  assertEquals((await search(true)).items[0].test_step_logs[0].actual_result, "fine");
  assertEquals("test_step_logs" in (await search(false)).items[0], false);
});

const BULK = "/api/v3.1/projects/{projectId}/test-runs/{testRunId}/auto-test-logs";

function entry(content: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: `Auto ${content}`,
    automation_content: content,
    status: "PASSED",
    exe_start_date: "2026-01-02T03:04:05.000Z",
    exe_end_date: "2026-01-02T03:05:05.000Z",
    ...more,
  };
}

async function bulkClient(
  switches: Record<string, unknown> = {},
): Promise<
  {
    client: SimClient;
    clock: { now: number };
    send: (logs: unknown[]) => Promise<Reply>;
    job: (id: number) => Promise<Any>;
  }
> {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const client = await SimClient.start({
    now: () => clock.now,
    switches: { bulkDelayMs: 900, bulkMaxLogs: 3, ...switches },
  });
  const suite = await client.make("~/test-suites", { name: "Suite" });
  const send = (test_logs: unknown[]): Promise<Reply> =>
    client.send("POST", BULK, {
      params: { testRunId: 0 },
      query: { type: "automation" },
      body: { test_suite: suite.id, execution_date: "2026-01-02", test_logs },
    });
  const job = (id: number): Promise<Any> =>
    client.get("/api/v3/projects/queue-processing/{id}", { params: { id } });
  return { client, clock, send, job };
}

Deno.test("a bulk job is invisible until it succeeds; cases and runs are reused, logs appended", async () => {
  const { client, clock, send, job } = await bulkClient();
  await using _ = client;
  const known = await client.testCase(0, { properties: [{ field_id: -6, field_value: "known" }] });
  const first = await send([entry("known"), entry("fresh")]);
  assertEquals([first.status, first.json.state], [201, "IN_WAITING"]);
  clock.now += 500;
  assertEquals((await job(first.json.id)).state, "IN_PROCESSING");
  assertEquals(client.sim.oracle().counts["test-logs"], 0);
  clock.now += 500;
  const done = await job(first.json.id);
  assertEquals(done.state, "SUCCESS");
  assertEquals(JSON.parse(done.content).totalTestLogs, 2);
  const second = await send([entry("known", { status: "FAILED" })]);
  clock.now += 1000;
  assertEquals((await job(second.json.id)).state, "SUCCESS");
  const { counts } = client.sim.oracle();
  assertEquals([counts["test-cases"], counts["test-runs"], counts["test-logs"]], [2, 2, 3]);
  assertEquals(client.sim.state.runsOfCase(known.id)[0]?.logIds.length, 2);
  const modules = await client.get("~/modules");
  assert(modules.some((item: Any) => item.name === "Automation"));
});

Deno.test("a bulk job fails for an unmapped status, whole or in part by switch", async () => {
  for (const [bulkAtomic, logs] of [[true, 0], [false, 1]] as const) {
    const { client, clock, send, job } = await bulkClient({ bulkAtomic });
    await using _ = client;
    const sent = await send([entry("a"), entry("b", { status: "Passed" })]);
    clock.now += 1000;
    const done = await job(sent.json.id);
    assertEquals(done.state, "FAILED");
    assertStringIncludes(done.content, "not mapped");
    assertEquals(client.sim.oracle().counts["test-logs"], logs);
  }
});

Deno.test("a bulk request is refused when too large, without its keys, or without automation", async () => {
  const { client, clock, send, job } = await bulkClient();
  await using _ = client;
  assertEquals((await send(["a", "b", "c", "d"].map((name) => entry(name)))).status, 413);
  assertEquals((await send([entry("a", { automation_content: "" })])).status, 400);
  assertEquals((await send([])).status, 400);
  const steps = [{ description: "x", expected_result: "y", status: "PASSED", order: 1 }];
  const gap = await send([entry("a", { test_step_logs: steps })]);
  const version = await send([entry("b", { test_case_version_id: 5 })]);
  clock.now += 5000;
  assertStringIncludes((await job(gap.json.id)).content, "starting from zero");
  assertEquals((await job(version.json.id)).state, "FAILED");
  client.sim.state.switches.automation = false;
  assertEquals((await send([entry("a")])).status, 400);
});

Deno.test("a bulk tree mirrors module names below the cycle and the design root", async () => {
  const { client, clock } = await bulkClient();
  await using _ = client;
  const cycle = await client.make("~/test-cycles", { name: "C" });
  await client.make("~/auto-test-logs", {
    test_cycle: cycle.pid,
    execution_date: "2026-01-02",
    test_logs: [entry("a", { module_names: ["X", "Y"] }), entry("b", { module_names: ["X"] })],
  }, { type: "automation" });
  clock.now += 1000;
  const [tree] = await client.get("~/test-cycles", { query: { expand: "descendants" } });
  assertEquals(tree["test-cycles"].map((item: Any) => item.name), ["X"]);
  assertEquals(tree["test-cycles"][0]["test-cycles"][0].name, "Y");
  const modules = await client.get("~/modules", { query: { expand: "descendants" } });
  const x = modules.filter((item: Any) => item.name === "X");
  assertEquals([x.length, x[0].children[0].name], [1, "Y"]);
});
