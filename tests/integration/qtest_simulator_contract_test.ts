import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Any, SimClient } from "../helpers/qtest_simulator_client.ts";

Deno.test("simulator answers every read and write as documented, with its own status codes", async () => {
  await using client = await SimClient.start();
  const get = (path: string, query: Record<string, string> = {}, params = {}): Promise<Any> =>
    client.get(path, { query, params });
  await get("/oauth/status");
  await get("/api/v3/re-evaluation");
  await get("/api/v3/projects");
  assertEquals((await get("~")).automation, true);
  assertEquals((await get("~/user-profiles/current")).project_setting.manage, true);
  assertEquals((await get("~/users", { inactive: "false" })).length, 3);
  assertEquals(
    (await get("/api/v3/users/search", { username: "jane", pageSize: "500" })).page_size,
    100,
  );
  const statuses = await get("~/test-runs/execution-statuses");
  assertEquals(statuses[0].name, "Passed");

  const module = await client.module("M");
  const release = await client.make("~/releases", {
    name: "R",
    start_date: "2026-01-01T00:00:00+00:00",
  });
  await client.make("~/builds", { name: "B", release: { id: release.id } });
  const cycle = await client.make("~/test-cycles", { name: "C" }, {
    parentId: 0,
    parentType: "root",
  });
  const inside = { parentId: cycle.id, parentType: "test-cycle" };
  const suite = await client.make(
    "~/test-suites",
    { name: "S", target_release_id: release.id },
    inside,
  );
  const testCase = await client.testCase(2);
  const run = await client.make(
    "~/test-runs",
    { name: "Run", test_case: { id: testCase.id } },
    { parentId: suite.id, parentType: "test-suite" },
  );
  const log = await client.log(run, {});
  assertEquals(log.status, 201);

  for (
    const name of [
      "modules",
      "test-cases",
      "test-cycles",
      "test-suites",
      "test-runs",
      "releases",
      "requirements",
      "builds",
    ]
  ) {
    await get(`~/${name}`, name === "builds" ? { releaseId: String(release.id) } : {});
  }
  await get("~/modules/{moduleId}", { expand: "descendants" }, { moduleId: module.id });
  await get("~/test-cycles/{testCycleId}", { expand: "descendants" }, { testCycleId: cycle.id });
  await get("~/test-suites/{testSuiteId}", {}, { testSuiteId: suite.id });
  await get("~/releases/{releaseId}", {}, { releaseId: release.id });
  const runParams = { testRunId: run.id };
  await get("~/test-runs/{testRunId}", { expand: "testcase.teststep" }, runParams);
  await get("~/test-runs/subhierarchy", { parentId: "0", parentType: "root" });
  await get("~/test-runs/{testRunId}/test-logs", {}, runParams);
  await get(
    "~/test-runs/{testRunId}/test-logs/last-run",
    { expand: "teststeplog.teststep" },
    runParams,
  );
  await get("~/test-runs/{testRunId}/test-logs/{id}", {}, { ...runParams, id: log.json.id });
  await get("~/test-cases/{testCaseId}/versions", {}, { testCaseId: testCase.id });
  await get("~/test-cases/{testCaseId}/test-steps", {}, { testCaseId: testCase.id });
  for (const objectType of ["test-cases", "test-suites", "test-runs", "releases", "test-steps"]) {
    await get("~/settings/{objectType}/fields", { includeInactive: "true" }, { objectType });
  }
  for (
    const object_type of [
      "test-cases",
      "test-suites",
      "test-runs",
      "releases",
      "test-logs",
      "test-cycles",
    ]
  ) {
    const found = await client.make("~/search", { object_type, fields: ["*"], query: "" });
    assert(found.total >= 1, object_type);
  }
});

Deno.test("simulator answers 404 to routes that are only rumoured, and to a double slash", async () => {
  await using client = await SimClient.start();
  const rumours = [
    ["POST", "~/test-cases/bulk"],
    ["GET", "~/test-cases/{id}/links"],
    ["POST", "~/test-cases/{id}/links"],
    ["GET", "~/test-cases/search"],
    ["GET", "~/test-cycles/search"],
    ["POST", "~/test-cycles/{id}/test-runs"],
    ["GET", "~/attachments/{id}"],
    ["DELETE", "~/test-runs/{id}/test-logs/{id}"],
    ["DELETE", "~"],
    ["GET", "//api/v3/projects"],
  ];
  for (const [method = "", path = ""] of rumours) {
    const reply = await client.send(method, path, { params: { id: 1 } });
    assertEquals(reply.status, 404, `${method} ${path}`);
  }
  assertEquals((await client.send("GET", "~/modules", { params: { projectId: 77 } })).status, 404);
});

Deno.test("simulator pages test cases by size with default 20 and runs by pageSize up to 999", async () => {
  await using client = await SimClient.start({ switches: { maxListSize: 25 } });
  const module = await client.module("M");
  for (let n = 0; n < 31; n++) {
    await client.make("~/test-cases", { name: `Case ${n}`, parent_id: module.id });
  }
  const sizes = async (query: Record<string, string>): Promise<number> =>
    (await client.get("~/test-cases", { query: { parentId: module.id, ...query } })).length;
  assertEquals(await sizes({}), 20);
  assertEquals(await sizes({ pageSize: "100" }), 20);
  assertEquals(await sizes({ size: "500" }), 25);
  assertEquals(await sizes({ size: "25", page: "2" }), 6);
  assertEquals(await sizes({ size: "25", page: "3" }), 0);
  const testCase = await client.testCase(0);
  await client.run(testCase);
  const page = await client.get("~/test-runs", {
    query: { parentId: 0, parentType: "root", expand: "descendants", pageSize: 5000 },
  });
  assertEquals([page.page, page.page_size, page.total, page.items.length], [1, 999, 1, 1]);
});

Deno.test("simulator search finds by field, hides young objects, and links to the next page", async () => {
  let now = Date.UTC(2026, 0, 1);
  await using client = await SimClient.start({ now: () => now, switches: { searchLagMs: 500 } });
  const field = await client.send("POST", "~/settings/{objectType}/fields", {
    params: { objectType: "test-cases" },
    body: { label: "Zephyr Key", data_type: 1 },
  });
  for (const key of ["SA-T1", "SA-T2", "SA-T12"]) {
    await client.testCase(1, { properties: [{ field_id: field.json.id, field_value: key }] });
  }
  const search = (query: string, more: Record<string, unknown> = {}): Promise<Any> =>
    client.make("~/search", {
      object_type: "test-cases",
      fields: ["id", "Zephyr Key"],
      query,
      ...more,
    }, {
      pageSize: 2,
    });
  assertEquals((await search("")).total, 0);
  now += 501;
  const all = await search("'Zephyr Key' ~ 'SA-T'");
  assertEquals([all.total, all.items.length, all.links.at(-1).rel], [3, 2, "next"]);
  assertEquals(Object.keys(all.items[0]), ["id", "properties"]);
  const one = await search(`${field.json.id} = 'SA-T1' and Id is 'not empty'`);
  assertEquals(one.items[0].properties[0].field_value, "SA-T1");
  assertEquals((await search("'Zephyr Key' in ('SA-T2', 'SA-T12')")).total, 2);
  const bad = await client.send("POST", "~/search", {
    body: { object_type: "modules", query: "" },
  });
  assertEquals(bad.status, 400);
  const steps = await client.send("POST", "~/search", {
    body: { object_type: "test-cases", query: "'Zephyr Key' = 'SA-T2'" },
    query: { appendTestSteps: true },
  });
  assertEquals(steps.json.items[0].test_steps.length, 1);
});

Deno.test("simulator grants tokens by password and refresh, and refuses a Basic password", async () => {
  let now = Date.UTC(2026, 0, 1);
  await using client = await SimClient.start({ now: () => now, tokenLifetimeSeconds: 60 });
  const { username, password } = client.sim;
  const grant = (basic: string, form: Record<string, string>): Promise<Any> =>
    client.send("POST", "/oauth/token", {
      raw: new URLSearchParams(form),
      headers: { authorization: `Basic ${btoa(basic)}` },
    });
  const form = { grant_type: "password", username, password };
  assertEquals((await grant("site:secret", form)).status, 401);
  assertEquals((await grant("site:", { ...form, password: "x" })).status, 400);
  const first = (await grant("site:", form)).json;
  assertEquals(first.expires_in, 60);
  const whoAmI = async (token: string): Promise<number> =>
    (await client.send("GET", "/api/v3/re-evaluation", {
      headers: { authorization: `Bearer ${token}` },
    })).status;
  assertEquals(await whoAmI(first.access_token), 200);
  now += 61_000;
  assertEquals(await whoAmI(first.access_token), 401);
  const refresh = { grant_type: "refresh_token", refresh_token: first.refresh_token };
  assertEquals((await grant("site:", refresh)).status, 401);
  const second = (await grant("qtest-api:", refresh)).json;
  assertEquals(await whoAmI(second.access_token), 200);
  client.sim.expireTokens();
  assertEquals(await whoAmI(second.access_token), 401);
  const status = await client.get("/oauth/status");
  assertEquals(status.expiration, 0);
});

Deno.test("simulator lists a row of the last page again when rows move meanwhile, losing none", async () => {
  const plan = { rate: 1, kinds: {} };
  await using client = await SimClient.start({ faults: plan, realResets: false, seed: 2 });
  for (let n = 0; n < 5; n++) await client.module(`M${n}`);
  for (let n = 0; n < 5; n++) {
    await client.make("~/test-cases", { name: `Case ${n}` });
  }
  const seen: number[] = [];
  for (let page = 1; page <= 3; page++) {
    const items = await client.get("~/test-cases", { query: { size: 2, page } });
    seen.push(...items.map((item: Any) => item.id));
  }
  assert(seen.length > 5, String(seen.length));
  assertEquals(new Set(seen).size, 5);
});

Deno.test("simulator tells dates in the site's offset and unset fields without a value", async () => {
  await using client = await SimClient.start({ switches: { siteOffset: "-04:00" } });
  const release = await client.make("~/releases", {
    name: "R",
    start_date: "2026-01-02T03:00:00+00:00",
  });
  assertEquals(release.start_date, "2026-01-01T23:00:00-04:00");
  const byId = (id: number): Any => release.properties.find((item: Any) => item.field_id === id);
  assertEquals(byId(-123).field_value, "2026-01-02T03:00:00+00:00");
  assertEquals(byId(-121), { field_id: -121, field_name: "Note" });
  assertMatch(release.created_date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-04:00$/);
  const shown = await client.get("~/releases");
  assertEquals(shown.map((item: Any) => item.name), ["R"]);
  assertEquals((await client.get("~/releases", { query: { includeClosed: true } })).length, 2);
});
