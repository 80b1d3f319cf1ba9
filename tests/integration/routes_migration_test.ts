import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openLibsqlStore } from "../../adapters/libsql/mod.ts";
import { readEvents, startPlane, worldServices } from "../helpers/control_plane.ts";
import { openApiCheck } from "../helpers/openapi_check.ts";
import { startSqld, whySqldIsMissing } from "../helpers/sqld.ts";
import { startWorld, type World } from "../helpers/world.ts";

interface Json {
  runId: string;
  state: string;
  // Documents of many shapes; the check against the OpenAPI document knows them.
  // deno-lint-ignore no-explicit-any
  [member: string]: any;
}

async function smallWorld(cases = 12, executions = 30): Promise<World> {
  return await startWorld({ zephyr: { seed: 3, data: { cases, executions } } });
}

Deno.test("a migration is started, throttled, paused, resumed and validated over HTTP", async () => {
  await using world = await smallWorld();
  const plane = startPlane(worldServices(world, {}, {
    source: { requestsPerMinute: 1_000_000 },
    target: { requestsPerMinute: 1_000_000, settleMs: 500, timeoutMs: 2_000 },
  }));
  const check = openApiCheck(await (await plane.ask("GET", "/openapi.json")).json());
  const ask = async (method: string, path: string, body?: unknown, wait = 0): Promise<Json> => {
    const headers: Record<string, string> = wait === 0 ? {} : { prefer: `wait=${wait}` };
    const answer = await plane.ask(method, path, {
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const value = await answer.json();
    const type = answer.headers.get("content-type") ?? "";
    assertEquals(check(method, path, answer.status, type, value), []);
    assert(answer.ok, `${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  };
  // Slow enough that every verb meets a run at work.
  const started = await plane.ask("POST", "/v1/migrations", {
    body: { source: { requestsPerMinute: 1_500 }, include: { attachments: "none" } },
  });
  assertEquals(started.status, 202);
  const id = `/v1/migrations/${(await started.json()).runId}`;
  assertEquals(started.headers.get("location"), id);
  const second = await plane.ask("POST", "/v1/migrations", { body: {} });
  assertEquals([second.status, second.headers.get("location")], [409, id]);
  const following = plane.ask("GET", `${id}/events`).then(readEvents);

  const paused = await ask("POST", `${id}/pause`, { reason: "lunch" }, 20);
  assertEquals([paused.state, paused.reason], ["paused", "lunch"]);
  await ask("POST", `${id}/pause`);
  const atRest = world.zephyr.requestLog.stats().total;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(world.zephyr.requestLog.stats().total, atRest);

  const limits = await ask("PATCH", `${id}/limits`, { source: { requestsPerMinute: 900_000 } });
  assertEquals(limits.limits.source, {
    requestsPerMinute: 900_000,
    configured: 1_500,
  });
  await ask("POST", `${id}/resume`);
  const done = await ask("GET", id, undefined, 60);
  assertEquals([done.state, done.result, done.interrupted], ["completed", 0, false]);
  const events = await following;
  const states = events.filter(({ event }) => event === "state").map(({ data }) => data.state);
  for (const state of ["extracting", "paused", "loading", "completed"]) {
    assert(states.includes(state), `${state} in ${states}`);
  }
  assertEquals(states.at(-1), "completed");
  assert(events.some(({ data }) => data.type === "progress"));

  const before = world.qtest.requestLog.stats().total;
  const again = await ask("POST", `${id}/validate`, undefined, 60);
  assertEquals(again.state, "completed");
  assert(world.qtest.requestLog.stats().total > before);
  const repeated = await plane.ask("POST", "/v1/migrations", { body: {} });
  assertEquals([repeated.status, (await repeated.json()).runId], [200, done.runId]);

  const redirects = await ask("GET", `${id}/redirects`);
  assert(redirects.redirects.some(({ key }: { key: string }) => key === "SA-T1"));
  const stories = await ask("GET", `${id}/records/SA-T1`);
  assertEquals(stories.stories[0]?.key, "SA-T1");
  const report = await (await plane.ask("GET", `${id}/report?format=json`)).json();
  assertEquals([report.runId, report.state], [done.runId, "completed"]);
  const metrics = await (await plane.ask("GET", "/metrics")).text();
  assert(/^ztoq_requests_total\{system="source",.*status="200"\} \d+$/m.test(metrics));
  for (const secret of [world.settings.source.token, world.settings.target.token ?? "?"]) {
    assert(!JSON.stringify(events).includes(secret) && !metrics.includes(secret));
    assert(!JSON.stringify(plane.log).includes(secret));
  }
  await plane.close();
});

/** Drives a whole migration through the exported app in ticks of two seconds. */
async function driveInTicks(world: World): Promise<void> {
  const plane = startPlane(worldServices(world, {}, {
    source: { requestsPerMinute: 2_400 },
    target: { requestsPerMinute: 3_600, settleMs: 500, timeoutMs: 500 },
    schedules: [{ cron: "* * * * *" }],
  }));
  let ticks = 0;
  for (;;) {
    const answer = await plane.ask("POST", "/v1/tick", { body: { budgetMs: 2_000 } });
    assertEquals(answer.status, 200);
    const { runs, left, workedMs } = await answer.json();
    assert(workedMs < 6_000, `a tick of 2 s took ${workedMs} ms`);
    const sent = world.zephyr.requestLog.stats().total + world.qtest.requestLog.stats().total;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertEquals(
      world.zephyr.requestLog.stats().total + world.qtest.requestLog.stats().total,
      sent,
    );
    if (runs[0]?.state === "completed") {
      assertEquals([runs[0].exitCode, left], [0, 0]);
      break;
    }
    assertEquals(runs[0]?.exitCode, 5);
    assert(++ticks < 60, "never ends");
  }
  assert(ticks >= 1, `${ticks} ticks`);
  assertEquals(world.qtest.oracle().duplicates, []);
  await plane.close();
}

Deno.test("a whole migration goes in ticks, with nothing working in between", async () => {
  await using world = await smallWorld(30, 60);
  await driveInTicks(world);
});

Deno.test("a whole migration goes in ticks, with a libSQL server and no file system", async () => {
  const missing = await whySqldIsMissing();
  if (missing !== null) return console.log(`skipped: ${missing}`);
  const sqld = await startSqld();
  const store = await openLibsqlStore({ url: sqld.url });
  await store.migrate();
  try {
    await using world = await startWorld({
      zephyr: { seed: 9, data: { cases: 15, executions: 30 } },
      store,
    });
    await driveInTicks(world);
  } finally {
    await store.close();
    await sqld.stop();
  }
});

Deno.test("close() finishes the work in hand; a new plane resumes what was left", async () => {
  await using world = await smallWorld();
  const slow = {
    source: { requestsPerMinute: 3_000 },
    target: { requestsPerMinute: 1_000_000, settleMs: 500, timeoutMs: 1_000 },
  };
  const first = startPlane(worldServices(world, {}, slow));
  const { runId } = await (await first.ask("POST", "/v1/migrations", { body: {} })).json();
  const stream = await first.ask("GET", `/v1/migrations/${runId}/events`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await first.close();
  await stream.text();
  const second = startPlane(worldServices(world));
  const left = await (await second.ask("GET", `/v1/migrations/${runId}`)).json();
  assertEquals(left.interrupted, true);
  const resume = (): Promise<Response> => second.ask("POST", `/v1/migrations/${runId}/resume`);
  for (const resumed of await Promise.all([resume(), resume(), resume()])) {
    assert(resumed.ok, JSON.stringify(await resumed.json()));
  }
  const done = await (await second.ask("GET", `/v1/migrations/${runId}`, {
    headers: { prefer: "wait=60" },
  })).json();
  assertEquals([done.state, done.result], ["completed", 0]);
  // What the run was started with holds, not what the second server would take.
  assertEquals(done.limits.source.configured, 3_000);
  assertEquals(world.qtest.oracle().duplicates, []);
  await second.close();
});

Deno.test("cancel ends a running migration for good", async () => {
  await using world = await smallWorld();
  const slow = {
    source: { requestsPerMinute: 1_200 },
    target: { requestsPerMinute: 1_000_000, settleMs: 500, timeoutMs: 1_000 },
  };
  const plane = startPlane(worldServices(world, {}, slow));
  const { runId } = await (await plane.ask("POST", "/v1/migrations", { body: {} })).json();
  const cancelled = await plane.ask("POST", `/v1/migrations/${runId}/cancel`, {
    headers: { prefer: "wait=20" },
    body: { reason: "wrong project" },
  });
  assertEquals([cancelled.status, (await cancelled.json()).state], [200, "cancelled"]);
  assertEquals((await plane.ask("POST", `/v1/migrations/${runId}/resume`)).status, 409);
  await plane.close();
});

Deno.test("a run whose credentials are refused says why", async () => {
  await using world = await smallWorld(2, 2);
  world.settings.target.token = "not-the-token";
  const plane = startPlane(worldServices(world));
  const answer = await plane.ask("POST", "/v1/migrations", { body: {} });
  assertEquals(answer.status, 202);
  const { runId } = await answer.json();
  let reason: string | null = null;
  for (let n = 0; n < 200 && reason === null; n++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    ({ reason } = await (await plane.ask("GET", `/v1/migrations/${runId}`)).json());
  }
  assertStringIncludes(reason ?? "", "qTest");
  assert(!(reason ?? "").includes("not-the-token"));
  await plane.close();
});

Deno.test("rollback over HTTP deletes what the run created; retry works on a completed run", async () => {
  await using world = await smallWorld(6, 10);
  const plane = startPlane(worldServices(world));
  const wait = { headers: { prefer: "wait=60" } };
  const { runId } = await (await plane.ask("POST", "/v1/migrations", { body: {} })).json();
  const id = `/v1/migrations/${runId}`;
  const running = await plane.ask("POST", `${id}/rollback`);
  assertEquals(running.status, 409);
  assertEquals((await (await plane.ask("GET", id, wait)).json()).state, "completed");
  const strange = await plane.ask("POST", `${id}/retry`, { ...wait, body: { keys: ["SA-T1"] } });
  assertEquals(strange.status, 422);
  assertStringIncludes((await strange.json()).detail, '"SA-T1" was not set aside');
  const retried = await plane.ask("POST", `${id}/retry`, wait);
  assert(retried.ok, JSON.stringify(await retried.json()));
  // Asked for twice at the same moment, it is done once.
  const both = await Promise.all([1, 2].map(() => plane.ask("POST", `${id}/validate`, wait)));
  assertEquals(both.map(({ status }) => status), [200, 200]);
  const audits = (await world.store.events(runId, 0, 1_000))
    .filter(({ type, data }) => type === "audit" && data.action === "validate");
  assertEquals(audits.length, 1);
  for (let n = 0; n < 2; n++) {
    const back = await plane.ask("POST", `${id}/rollback`, wait);
    assertEquals([back.status, (await back.json()).state], [200, "rolled-back"]);
  }
  await plane.close();
});
