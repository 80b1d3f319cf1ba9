import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Store } from "../../core/ports/mod.ts";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import {
  planeServices,
  readEvents,
  startPlane,
  type TestPlane,
  TOKEN,
} from "../helpers/control_plane.ts";
import { EventFeed } from "../../routes/feed.ts";
import { createFakeClock } from "../helpers/fake_clock.ts";
import { storedRun } from "../helpers/stored_run.ts";

const AUTH = { authorization: `Bearer ${TOKEN}` };

async function planeWithRun(): Promise<{ plane: TestPlane; store: Store }> {
  const store = createMemoryStore();
  await storedRun(store);
  return { store, plane: startPlane(planeServices({ store: () => Promise.resolve(store) })) };
}

/** A request as servers hand it over: its body is a stream, also when there is nothing in it. */
async function stream(
  plane: TestPlane,
  method: string,
  path: string,
  { chunks = [], headers = {} }: { chunks?: string[]; headers?: Record<string, string> } = {},
): Promise<Response> {
  const body = ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
  const url = `http://127.0.0.1${path}`;
  return await plane.app.request(
    new Request(url, { method, headers: { ...AUTH, ...headers }, body }),
  );
}

Deno.test("a verb needs no body, whatever its content type says", async () => {
  const { plane } = await planeWithRun();
  const types = ["application/json", "text/plain", "application/x-www-form-urlencoded"];
  for (const headers of [{}, ...types.map((type) => ({ "content-type": type }))]) {
    const answer = await stream(plane, "POST", "/v1/migrations/run-1/pause", { headers });
    assertEquals([answer.status, (await answer.json()).state], [200, "paused"]);
  }
  const needed = await stream(plane, "PATCH", "/v1/migrations/run-1/limits");
  assertEquals(needed.status, 422);
  assertStringIncludes((await needed.json()).detail, "source, target or both");
});

Deno.test("bodies in pieces are read whole, and refused as soon as they are too long", async () => {
  const { plane } = await planeWithRun();
  const headers = { "content-type": "application/json" };
  const pause = "/v1/migrations/run-1/pause";
  const fine = await stream(plane, "POST", pause, { headers, chunks: ['{"rea', 'son":"x"}'] });
  assertEquals([fine.status, (await fine.json()).reason], [200, "x"]);
  const chunks = Array.from({ length: 100 }, () => " ".repeat(1_000));
  assertEquals((await stream(plane, "POST", pause, { headers, chunks })).status, 413);
  assertEquals((await stream(plane, "POST", pause, { chunks: ["a=1"] })).status, 415);
});

Deno.test("methods that an address does not take are 405 with Allow, with a body or without", async () => {
  const { plane } = await planeWithRun();
  for (const method of ["DELETE", "OPTIONS", "PUT", "QUERY"]) {
    for (const chunks of [[], ["a=1"]]) {
      const answer = await stream(plane, method, "/v1/migrations/run-1/pause", { chunks });
      assertEquals([answer.status, answer.headers.get("allow")], [405, "POST"], method);
      assertEquals(answer.headers.get("content-type"), "application/problem+json");
    }
  }
});

Deno.test("a body that does not arrive is 408 after a while", async () => {
  const clock = createFakeClock();
  const plane = startPlane(planeServices({ clock }));
  const request = new Request("http://127.0.0.1/v1/tick", {
    method: "POST",
    headers: { ...AUTH, "content-type": "application/json" },
    body: new ReadableStream({ pull: () => new Promise(() => undefined) }),
  });
  const answer = await clock.run(Promise.resolve(plane.app.request(request)));
  assertEquals([answer.status, (await answer.json()).title], [408, "Request timeout"]);
});

Deno.test("HEAD of an event stream leaves no listener behind", async () => {
  const { plane } = await planeWithRun();
  const answer = await plane.ask("HEAD", "/v1/migrations/run-1/events");
  assertEquals([answer.status, await answer.text()], [200, ""]);
  const metrics = await (await plane.ask("GET", "/metrics")).text();
  assertStringIncludes(metrics, "ztoq_event_listeners 0\n");
  await plane.close();
});

Deno.test("invented methods do not grow the metrics", async () => {
  const { plane } = await planeWithRun();
  for (let n = 0; n < 5; n++) await plane.ask(`MADEUP${n}`, "/healthz");
  const metrics = await (await plane.ask("GET", "/metrics")).text();
  assert(!metrics.includes("MADEUP"));
  assertStringIncludes(metrics, 'method="other",route="other",status="405"} 5\n');
});

Deno.test("cursors that no page ended with are 422 and say so", async () => {
  const { plane, store } = await planeWithRun();
  const [scope] = await store.scopes();
  const taken = await store.acquireLease({
    scopeId: scope?.id ?? 0,
    owner: "o",
    host: "h",
    pid: 1,
    now: "2026-01-01T00:00:00.000Z",
    expiresAt: "2030-01-01T00:00:00.000Z",
  }, () => true);
  assert(taken.lease !== null);
  await store.apply(taken.lease, [{
    op: "losses",
    phase: "transform",
    kind: "testCase",
    key: "SA-T1",
    rows: ["a", "b", "c"].map((field) => ({
      kind: "testCase",
      key: "SA-T1",
      field,
      rule: "cut",
      before: "x",
      after: "y",
    })),
  }]);
  const lists = [
    "/v1/migrations",
    ...["errors", "losses", "differences"].map((list) => `/v1/migrations/run-1/${list}`),
  ];
  for (const path of lists) {
    for (const cursor of ["bad", "-1", "%7B%22a%22%3A1%7D", "WzFd", "x'%20OR%201=1", "%FF"]) {
      const answer = await plane.ask("GET", `${path}?cursor=${cursor}`);
      assertEquals(answer.status, 422, `${path} ${cursor}`);
      assertEquals((await answer.json()).errors[0].key, "cursor");
    }
    assertEquals((await plane.ask("GET", `${path}?cursor=`)).status, 200);
  }
  const first = await (await plane.ask("GET", "/v1/migrations/run-1/losses?limit=2")).json();
  assertEquals(first.losses.length, 2);
  const cursor = encodeURIComponent(first.cursor);
  const rest = await (await plane.ask("GET", `/v1/migrations/run-1/losses?cursor=${cursor}`))
    .json();
  assertEquals([rest.losses.length, rest.losses[0].field, rest.cursor], [1, "c", null]);
  const other = await plane.ask("GET", `/v1/migrations/run-1/errors?cursor=${cursor}`);
  assertEquals(other.status, 422);
});

/** A completed run with that many events. */
async function planeWithPast(count: number): Promise<{ plane: TestPlane; reads: () => number }> {
  const store = createMemoryStore();
  await storedRun(store, { state: "completed", result: 0 });
  for (let n = 0; n < count; n++) {
    await store.appendEvent?.({ runId: "run-1", type: "warning", at: "t", data: { n } });
  }
  let reads = 0;
  const { events } = store;
  store.events = (...args) => {
    reads++;
    return events.apply(store, args);
  };
  const plane = startPlane(planeServices({ store: () => Promise.resolve(store) }));
  return { plane, reads: () => reads };
}

Deno.test("a listener that reads slowly gets the past piece by piece, and all of it", async () => {
  const { plane, reads } = await planeWithPast(3_000);
  const answer = await plane.ask("GET", "/v1/migrations/run-1/events");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert(reads() <= 2, `${reads()} pages read ahead`);
  const seen = (await readEvents(answer)).map(({ data }) => data);
  const numbers = seen.filter(({ type }) => type === "warning").map(({ n }) => n);
  assertEquals(numbers, Array.from({ length: 3_000 }, (_, n) => n));
  assertEquals(seen.at(-1)?.final, true);
  await plane.close();
});

Deno.test("a listener that reads nothing is let go", async () => {
  const store = createMemoryStore();
  await storedRun(store, { state: "completed", result: 0 });
  for (let n = 0; n < 600; n++) {
    await store.appendEvent?.({ runId: "run-1", type: "warning", at: "t", data: { n } });
  }
  const clock = createFakeClock();
  const plane = startPlane(planeServices({ clock, store: () => Promise.resolve(store) }));
  const answer = await plane.ask("GET", "/v1/migrations/run-1/events");
  await clock.flush();
  await clock.tick(61_000);
  const metrics = await clock.run(plane.ask("GET", "/metrics").then((page) => page.text()));
  assertStringIncludes(metrics, "ztoq_event_listeners 0\n");
  await answer.body?.cancel();
  await plane.close();
});

Deno.test("an event id that was never given starts the stream anew, instead of hiding what comes", async () => {
  const { plane } = await planeWithPast(3);
  for (const [id, expected] of [["3", 0], ["2", 1], ["0", 3], ["999999", 3]] as const) {
    const answer = await plane.ask("GET", "/v1/migrations/run-1/events", {
      headers: { "last-event-id": id },
    });
    const events = await readEvents(answer);
    assertEquals(events.filter(({ id }) => id !== null).length, expected, id);
  }
  await plane.close();
});

Deno.test("progress of a run in another process comes from what is finished in the store", async () => {
  const store = createMemoryStore();
  const run = await storedRun(store);
  const clock = createFakeClock();
  let finished = 0;
  const feed = new EventFeed(
    planeServices({ clock, pollMs: 1_000, store: () => Promise.resolve(store) }),
    { isBusy: () => false, finished: () => Promise.resolve(finished += 20) },
  );
  const events = readEvents(new Response(feed.open(run, 0)));
  for (let n = 0; n < 6; n++) await clock.tick(1_000);
  await feed.close();
  const progress = (await events).map(({ data }) => data);
  assertEquals(progress.map(({ type, rate }) => [type, rate]), [["progress", 10], [
    "progress",
    10,
  ]]);
  assertEquals(progress[0]?.runId, "run-1");
});

Deno.test("what is kept of changes and warnings holds no secret", async () => {
  const { store } = await planeWithRun();
  const plane = startPlane(planeServices({
    store: () => Promise.resolve(store),
    redact: (text) => text.replaceAll("hidden-secret-value", "[redacted]"),
  }));
  const body = { reason: "token hidden-secret-value" };
  await plane.ask("POST", "/v1/migrations/run-1/pause", { body });
  const kept = (await store.events("run-1", 0, 100)).filter(({ type }) => type === "audit");
  assertEquals(kept.map(({ data }) => data.reason), ["token [redacted]"]);
  assert(!JSON.stringify(plane.log).includes("hidden-secret-value"));
});
