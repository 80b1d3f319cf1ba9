import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Run, Store } from "../../core/ports/mod.ts";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { StoreError } from "../../core/errors.ts";
import {
  planeServices,
  readEvents,
  startPlane,
  type TestPlane,
  TOKEN,
  VIEW_TOKEN,
} from "../helpers/control_plane.ts";
import { openApiCheck } from "../helpers/openapi_check.ts";
import { storedRun } from "../helpers/stored_run.ts";

const ENV = {
  ZEPHYR_BASE_URL: "http://127.0.0.1:1",
  ZEPHYR_API_TOKEN: "a.b.c-source-secret",
  ZEPHYR_PROJECT_KEY: "SA",
  QTEST_BASE_URL: "http://127.0.0.1:2",
  QTEST_BEARER_TOKEN: "target-secret",
  QTEST_PROJECT_ID: "1",
};

async function planeWithRun(
  change: Partial<Run> = {},
): Promise<{ plane: TestPlane; store: Store; run: Run }> {
  const store = createMemoryStore();
  const run = await storedRun(store, change);
  return {
    store,
    run,
    plane: startPlane(planeServices({ store: () => Promise.resolve(store) }, ENV)),
  };
}

/** Status and problem document; asserts that it is one. */
async function problem(answer: Response): Promise<Record<string, unknown> & { detail: string }> {
  assertEquals(answer.headers.get("content-type"), "application/problem+json");
  const body = await answer.json();
  assertEquals(body.status, answer.status);
  assertEquals(body.requestId, answer.headers.get("x-request-id"));
  return body;
}

Deno.test("/v1 refuses whoever has no token, a wrong one, or only may read", async () => {
  const { plane } = await planeWithRun();
  const none = await plane.ask("GET", "/v1/migrations", { token: null });
  assertEquals(none.status, 401);
  assertMatch(none.headers.get("www-authenticate") ?? "", /^Bearer/);
  await problem(none);
  for (const token of [`${TOKEN}x`, TOKEN.slice(0, -1), "", "Bearer"]) {
    assertEquals((await plane.ask("GET", "/v1/migrations", { token })).status, 401, token);
  }
  const inAddress = await plane.ask("GET", `/v1/migrations?token=${TOKEN}`, { token: null });
  assertEquals(inAddress.status, 401);
  assertEquals((await plane.ask("GET", "/v1/migrations", { token: VIEW_TOKEN })).status, 200);
  const change = await plane.ask("POST", "/v1/migrations/run-1/pause", { token: VIEW_TOKEN });
  assertEquals(change.status, 403);
  assertStringIncludes((await problem(change)).detail, "viewer");
});

Deno.test("/v1 answers 403 to everybody, when no token is configured", async () => {
  const plane = startPlane(planeServices({ tokens: [] }));
  for (const token of [null, TOKEN]) {
    for (const path of ["/v1/migrations", "/v1/tick", "/v1/nothing"]) {
      const answer = await plane.ask("POST", path, { token });
      assertEquals(answer.status, 403);
      assertStringIncludes((await problem(answer)).hint as string, "ZTOQ_API_TOKEN");
    }
  }
  assertEquals((await plane.ask("GET", "/healthz", { token: null })).status, 200);
  assertEquals((await plane.ask("GET", "/metrics", { token: null })).status, 200);
  assertEquals((await plane.ask("GET", "/openapi.json", { token: null })).status, 200);
});

Deno.test("open on loopback, foreign hosts and origins are refused", async () => {
  const plane = startPlane(planeServices({ tokens: [], openOnLoopback: true }));
  const ask = async (headers: Record<string, string>, method = "GET"): Promise<number> =>
    (await plane.ask(method, "/v1/migrations", { token: null, headers })).status;
  assertEquals(await ask({ host: "127.0.0.1:8787" }), 200);
  assertEquals(await ask({ host: "localhost:8787", origin: "http://localhost:8787" }), 200);
  assertEquals(await ask({ host: "[::1]:8787" }), 200);
  for (const host of ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test:8787", "10.0.0.1"]) {
    assertEquals(await ask({ host }), 403, host);
  }
  assertEquals(await ask({ host: "localhost:8787", origin: "http://evil.test" }), 403);
  assertEquals(await ask({ host: "localhost:8787", origin: "http://localhost:3000" }), 403);
  assertEquals(await ask({ host: "localhost:8787", origin: "null" }), 403);
  assertEquals(await ask({ host: "localhost:8787", "sec-fetch-site": "cross-site" }), 403);
});

Deno.test("wrong tokens are slowed down per client", async () => {
  const { plane } = await planeWithRun();
  const statuses = [];
  for (let n = 0; n < 32; n++) {
    statuses.push((await plane.ask("GET", "/v1/migrations", { token: `wrong-${n}` })).status);
  }
  assertEquals([statuses[0], statuses.at(-1)], [401, 429]);
  assertEquals((await plane.ask("GET", "/v1/migrations")).status, 200);
});

Deno.test("rateGuard() answers 429 with Retry-After above the limit", async () => {
  const plane = startPlane(planeServices({ requestsPerMinute: 3 }));
  for (let n = 0; n < 3; n++) assertEquals((await plane.ask("GET", "/healthz")).status, 200);
  const refused = await plane.ask("GET", "/healthz");
  assertEquals(refused.status, 429);
  assert(Number(refused.headers.get("retry-after")) > 0);
});

Deno.test("bodies that cannot be used are 400, 413, 415 or 422", async () => {
  const { plane } = await planeWithRun();
  const post = async (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    await plane.ask("POST", "/v1/migrations", { body, headers });
  assertEquals((await post("{not json")).status, 400);
  assertEquals((await post("[1]")).status, 422);
  assertEquals((await post({}, { "content-type": "text/plain" })).status, 415);
  assertEquals(
    (await post({}, { "content-type": "application/x-www-form-urlencoded" })).status,
    415,
  );
  assertEquals((await post({ include: { padding: "x".repeat(70_000) } })).status, 413);
  const unknown = await post({ sorce: { projectKey: "SA" } });
  assertEquals(unknown.status, 422);
  const [first] = (await problem(unknown)).errors as { key: string; message: string }[];
  assertEquals(first?.key, "sorce");
  assertStringIncludes(first?.message ?? "", "source");
});

Deno.test("POST /v1/migrations names every override that a request may not make", async () => {
  const { plane } = await planeWithRun();
  const answer = await plane.ask("POST", "/v1/migrations", {
    body: {
      source: { token: "my-own-token", requestsPerMinute: "many" },
      target: { username: "me" },
      store: { url: "file:/etc/passwd" },
      report: { dir: "/etc" },
      mapping: "../../secret.json",
      webhooks: [],
      controlPlane: { tokens: [] },
    },
  });
  assertEquals(answer.status, 422);
  const body = await problem(answer);
  const keys = (body.errors as { key: string }[]).map(({ key }) => key).sort();
  assertEquals(keys, [
    "controlPlane.tokens",
    "mapping",
    "report.dir",
    "source.requestsPerMinute",
    "source.token",
    "store.url",
    "target.username",
    "webhooks",
  ]);
  assert(!JSON.stringify(body).includes("my-own-token"));
});

Deno.test("POST /v1/migrations sends the server's token to no other address", async () => {
  const { plane } = await planeWithRun();
  const body = { target: { baseUrl: "http://evil.test" } };
  const answer = await plane.ask("POST", "/v1/migrations", { body });
  assertEquals(answer.status, 422);
  assertEquals((await problem(answer)).errors, [{
    key: "target.baseUrl",
    message: "target.baseUrl is fixed by the server: its token belongs there",
  }]);
});

Deno.test("POST /v1/migrations says what the server's configuration lacks", async () => {
  const plane = startPlane(planeServices());
  const answer = await plane.ask("POST", "/v1/migrations", { body: {} });
  assertEquals(answer.status, 422);
  const keys = ((await problem(answer)).errors as { key: string }[]).map(({ key }) => key);
  for (const key of ["source.token", "target.baseUrl", "source.projectKey"]) {
    assert(keys.includes(key), key);
  }
});

Deno.test("unknown runs, records and addresses are 404, wrong methods 405 with Allow", async () => {
  const { plane } = await planeWithRun();
  const paths = [
    "/v1/migrations/nothing",
    "/v1/migrations/nothing/events",
    "/v1/migrations/..%2F..%2Fetc%2Fpasswd",
    "/v1/migrations/run-1/records/SA-T404",
    "/v1/migrations/run-1/records/..%2F..%2Fetc%2Fpasswd",
    "/v1/migrations/run-1/records/'%20OR%201=1--",
    "/v1/nothing",
    "/assets/../deno.json",
  ];
  for (const path of paths) {
    const answer = await plane.ask("GET", path);
    assertEquals(answer.status, 404, path);
    await problem(answer);
  }
  assertEquals((await plane.ask("POST", "/v1/migrations/nothing/pause")).status, 404);
  const wrong = await plane.ask("DELETE", "/v1/migrations/run-1");
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "GET"]);
});

Deno.test("verbs fit the state of a run, or are 409", async () => {
  for (const state of ["completed", "cancelled", "rolled-back"] as const) {
    const { plane } = await planeWithRun({ state });
    for (const verb of ["pause", "resume"]) {
      const answer = await plane.ask("POST", `/v1/migrations/run-1/${verb}`);
      assertEquals(answer.status, 409, `${verb} ${state}`);
      assertStringIncludes((await problem(answer)).detail, state);
    }
    const limits = await plane.ask("PATCH", "/v1/migrations/run-1/limits", {
      body: { source: { requestsPerMinute: 5 } },
    });
    assertEquals(limits.status, 409);
  }
  const { plane } = await planeWithRun();
  assertEquals((await plane.ask("POST", "/v1/migrations/run-1/validate")).status, 409);
});

Deno.test("pause and cancel of a run without an owner take effect at once, and may be repeated", async () => {
  const { plane, store } = await planeWithRun();
  const before = await (await plane.ask("GET", "/v1/migrations/run-1")).json();
  assertEquals([before.state, before.interrupted], ["loading", true]);
  for (let n = 0; n < 2; n++) {
    const paused = await plane.ask("POST", "/v1/migrations/run-1/pause", {
      body: { reason: "lunch" },
    });
    assertEquals(paused.status, 200);
    const { state, reason } = await paused.json();
    assertEquals([state, reason], ["paused", "lunch"]);
  }
  for (let n = 0; n < 2; n++) {
    const cancelled = await plane.ask("POST", "/v1/migrations/run-1/cancel");
    assertEquals([cancelled.status, (await cancelled.json()).state], [200, "cancelled"]);
  }
  assertEquals((await store.run("run-1"))?.state, "cancelled");
  const trail = (await store.events("run-1", 0, 100)).filter(({ type }) => type === "audit");
  assertEquals(trail.map(({ data }) => [data.action, data.by]), [
    ["pause", "tester"],
    ["cancel", "tester"],
  ]);
});

Deno.test("limits: a change of one system leaves the other, null returns to the configured rate", async () => {
  const { plane } = await planeWithRun();
  const patch = async (body: unknown): Promise<unknown[]> => {
    const answer = await plane.ask("PATCH", "/v1/migrations/run-1/limits", { body });
    if (answer.status !== 200) return [answer.status];
    const { source, target } = (await answer.json()).limits;
    return [source.requestsPerMinute, target.requestsPerMinute];
  };
  assertEquals(await patch({ source: { requestsPerMinute: 120 } }), [120, 300]);
  assertEquals(await patch({ target: { requestsPerMinute: 60 } }), [120, 60]);
  assertEquals(await patch({ source: { requestsPerMinute: null } }), [400, 60]);
  for (
    const wrong of [
      {},
      { source: { requestsPerMinute: 0 } },
      { source: { requestsPerMinute: 1.5 } },
      { source: { requestsPerMinute: "120" } },
      { source: { rpm: 120 } },
      { sorce: { requestsPerMinute: 120 } },
    ]
  ) assertEquals(await patch(wrong), [422], JSON.stringify(wrong));
  assertEquals(await patch("{"), [400]);
});

Deno.test("events resume after Last-Event-ID and end with the final state", async () => {
  const { plane, store } = await planeWithRun({ state: "completed", result: 3 });
  for (const stage of ["a", "b", "c"]) {
    await store.appendEvent?.({
      runId: "run-1",
      type: "stage",
      at: "2026-01-01T00:00:00.000Z",
      data: { stage, state: "done" },
    });
  }
  const all = await readEvents(await plane.ask("GET", "/v1/migrations/run-1/events"));
  assertEquals(all.map(({ id }) => id), ["1", "2", "3", null]);
  assertEquals(all.at(-1)?.data.state, "completed");
  assertEquals(all.at(-1)?.data.final, true);
  for (const { data } of all) {
    for (const member of ["runId", "at", "type"]) assertEquals(typeof data[member], "string");
  }
  // Only the state of the run is called that.
  assertEquals(all.filter(({ data }) => data.state === "done"), []);
  const rest = await readEvents(
    await plane.ask("GET", "/v1/migrations/run-1/events", { headers: { "last-event-id": "2" } }),
  );
  assertEquals(rest.map(({ id }) => id), ["3", null]);
  const wrong = await plane.ask("GET", "/v1/migrations/run-1/events", {
    headers: { "last-event-id": "1; drop table" },
  });
  assertEquals(wrong.status, 400);
});

Deno.test("events reach every listener in order, each once, from one reader of the table", async () => {
  const { plane, store } = await planeWithRun();
  let reads = 0;
  const { events } = store;
  store.events = (...args) => {
    reads++;
    return events.apply(store, args);
  };
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => plane.ask("GET", "/v1/migrations/run-1/events")),
  );
  const texts = answers.map(readEvents);
  for (let n = 0; n < 30; n++) {
    await store.appendEvent?.({ runId: "run-1", type: "warning", at: "t", data: { n } });
    if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const before = reads;
  await plane.ask("POST", "/v1/migrations/run-1/cancel");
  for (const events of await Promise.all(texts)) {
    const seen = events.filter(({ data }) => data.type === "warning").map(({ data }) => data.n);
    assertEquals(seen, Array.from({ length: 30 }, (_, n) => n));
    assertEquals(events.at(-1)?.data.state, "cancelled");
  }
  assert(before < 60, `${before} reads for 50 listeners`);
  await plane.close();
});

Deno.test("event streams are limited in number, and end when the plane closes", async () => {
  const store = createMemoryStore();
  await storedRun(store);
  const services = planeServices({ store: () => Promise.resolve(store), maxListeners: 1 });
  const plane = startPlane(services);
  const first = await plane.ask("GET", "/v1/migrations/run-1/events");
  const second = await plane.ask("GET", "/v1/migrations/run-1/events");
  assertEquals([second.status, second.headers.get("retry-after")], [503, "30"]);
  await plane.close();
  await first.text();
});

Deno.test("secrets and script never come out as they went in", async () => {
  const store = createMemoryStore();
  const run = await storedRun(store, { reason: "refused hidden-secret-value <script>" });
  const plane = startPlane(planeServices({
    store: () => Promise.resolve(store),
    redact: (text) => text.replaceAll("hidden-secret-value", "[redacted]"),
  }));
  await store.appendEvent?.({
    runId: run.id,
    type: "warning",
    at: "t",
    data: { message: "hidden-secret-value" },
  });
  await plane.ask("POST", "/v1/migrations/run-1/cancel", {
    body: { reason: "hidden-secret-value" },
  });
  for (const path of ["", "/events", "/errors", "/report?format=json", "/report?format=html"]) {
    const answer = await plane.ask("GET", `/v1/migrations/run-1${path}`);
    assertEquals(answer.status, 200, path);
    const text = await answer.text();
    assert(!text.includes("hidden-secret-value"), path);
    assert(!text.includes("<script"), path);
  }
});

Deno.test("answers carry strict headers, and the page nothing inline", async () => {
  const { plane } = await planeWithRun();
  for (const path of ["/", "/healthz", "/v1/migrations", "/v1/nothing"]) {
    const { headers } = await plane.ask("GET", path);
    assertStringIncludes(headers.get("content-security-policy") ?? "", "default-src 'none'", path);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("x-frame-options"), "DENY");
    assertEquals(headers.get("access-control-allow-origin"), null);
  }
  const page = await (await plane.ask("GET", "/", { token: null })).text();
  assertMatch(page, /^\s*<!doctype html>/i);
  assertEquals(/<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=/i.test(page), false);
  const assets = await Promise.all(
    ["/assets/app.js", "/assets/app.css"].map(async (path) =>
      (await (await plane.ask("GET", path, { token: null })).text()).length
    ),
  );
  assert(page.length + assets.reduce((sum, size) => sum + size, 0) < 150_000);
});

Deno.test("a store that cannot be reached is 503, and told by readyz; the app stays up", async () => {
  let isDown = true;
  const store = createMemoryStore();
  const plane = startPlane(planeServices({
    store: () =>
      isDown
        ? Promise.reject(
          new StoreError("unreachable", "Cannot reach the store", { hint: "Start it" }),
        )
        : Promise.resolve(store),
  }, ENV));
  const answer = await plane.ask("GET", "/v1/migrations");
  assertEquals(answer.status, 503);
  assertEquals((await problem(answer)).hint, "Start it");
  const ready = await plane.ask("GET", "/readyz", { token: null });
  assertEquals(ready.status, 503);
  const { checks } = await ready.json();
  assertEquals(checks.map(({ name, ok }: { name: string; ok: boolean }) => [name, ok]), [
    ["store", false],
    ["configuration", true],
  ]);
  assertStringIncludes(await (await plane.ask("GET", "/metrics")).text(), "ztoq_store_up 0");
  isDown = false;
  assertEquals((await plane.ask("GET", "/v1/migrations")).status, 200);
  assertEquals((await plane.ask("GET", "/readyz")).status, 200);
});

Deno.test("an unexpected error is 500 without its words, which go to the log", async () => {
  const plane = startPlane(planeServices({
    store: () => Promise.reject(new TypeError("inner workings at /home/me")),
  }));
  const answer = await plane.ask("GET", "/v1/migrations", {
    headers: { "x-request-id": "request-0001" },
  });
  assertEquals(answer.status, 500);
  const body = await problem(answer);
  assertEquals(body.requestId, "request-0001");
  assert(!JSON.stringify(body).includes("inner workings"));
  assertStringIncludes(JSON.stringify(plane.log), "inner workings");
});

Deno.test("report comes in the format that Accept or ?format= names", async () => {
  const { plane } = await planeWithRun();
  const type = async (accept: string, query = ""): Promise<string> => {
    const answer = await plane.ask("GET", `/v1/migrations/run-1/report${query}`, {
      headers: { accept },
    });
    await answer.body?.cancel();
    return answer.status === 200 ? answer.headers.get("content-type") ?? "" : String(answer.status);
  };
  assertMatch(await type("*/*"), /html/);
  assertMatch(await type("text/csv"), /csv/);
  assertMatch(await type("application/json, text/html;q=0.5"), /json/);
  assertMatch(await type("text/html", "?format=csv"), /csv/);
  assertEquals(await type("application/pdf"), "406");
  assertEquals(await type("*/*", "?format=xml"), "422");
});

Deno.test("lists are filtered and come in pages", async () => {
  const store = createMemoryStore();
  for (let n = 0; n < 5; n++) {
    await storedRun(store, {
      id: `run-${n}`,
      state: n < 3 ? "completed" : "failed",
      createdAt: `2026-01-0${n + 1}T00:00:00.000Z`,
    });
  }
  const plane = startPlane(planeServices({ store: () => Promise.resolve(store) }));
  const list = async (query: string): Promise<{ ids: string[]; cursor: string | null }> => {
    const { runs, cursor } = await (await plane.ask("GET", `/v1/migrations${query}`)).json();
    return { ids: runs.map(({ runId }: { runId: string }) => runId), cursor };
  };
  assertEquals(await list("?limit=2"), { ids: ["run-4", "run-3"], cursor: "run-3" });
  assertEquals(await list("?limit=2&cursor=run-3"), { ids: ["run-2", "run-1"], cursor: "run-1" });
  assertEquals(await list("?state=failed"), { ids: ["run-4", "run-3"], cursor: null });
  assertEquals(await list("?project=OTHER"), { ids: [], cursor: null });
  assertEquals((await plane.ask("GET", "/v1/migrations?limit=0")).status, 422);
  assertEquals((await plane.ask("GET", "/v1/migrations?state=odd")).status, 422);
});

Deno.test("every route and answer is as /openapi.json says", async () => {
  const { plane, store } = await planeWithRun();
  const document = await (await plane.ask("GET", "/openapi.json")).json();
  assertEquals(document.openapi, "3.1.0");
  const check = openApiCheck(document);
  await store.appendEvent?.({ runId: "run-1", type: "warning", at: "t", data: {} });
  const id = "/v1/migrations/run-1";
  const asked: [string, string, unknown?][] = [
    ["GET", "/"],
    ["GET", "/openapi.json"],
    ["GET", "/healthz"],
    ["GET", "/readyz"],
    ["GET", "/metrics"],
    ["GET", "/v1/migrations"],
    ["POST", "/v1/migrations", { nonsense: 1 }],
    ["POST", "/v1/migrations", "{"],
    ["GET", id],
    ["GET", "/v1/migrations/none"],
    ["PATCH", `${id}/limits`, { source: { requestsPerMinute: 5 } }],
    ["PATCH", `${id}/limits`, {}],
    ["GET", `${id}/errors`],
    ["GET", `${id}/losses`],
    ["GET", `${id}/differences`],
    ["GET", `${id}/records/none`],
    ["GET", `${id}/redirects`],
    ["GET", `${id}/redirects?format=csv`],
    ["GET", `${id}/report?format=json`],
    ["GET", `${id}/report?format=csv`],
    ["GET", `${id}/report`],
    ["POST", `${id}/checkpoint`],
    ["POST", `${id}/validate`],
    ["POST", `${id}/pause`, { reason: "x" }],
    ["POST", `${id}/pause`, { why: "x" }],
    ["POST", "/v1/tick", { budgetMs: 1 }],
    ["POST", `${id}/cancel`],
    ["GET", `${id}/events`],
  ];
  for (const [method, path, body] of asked) {
    const answer = await plane.ask(method, path, body === undefined ? {} : { body });
    const type = answer.headers.get("content-type") ?? "";
    const text = await answer.text();
    const value = type.includes("json") ? JSON.parse(text) : text;
    const [pathname = ""] = path.split("?");
    assertEquals(check(method, pathname, answer.status, type, value), []);
  }
  const documented = Object.keys(document.paths).sort();
  assertEquals(documented, [
    "/",
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/readyz",
    "/v1/migrations",
    "/v1/migrations/{id}",
    "/v1/migrations/{id}/cancel",
    "/v1/migrations/{id}/checkpoint",
    "/v1/migrations/{id}/differences",
    "/v1/migrations/{id}/errors",
    "/v1/migrations/{id}/events",
    "/v1/migrations/{id}/limits",
    "/v1/migrations/{id}/losses",
    "/v1/migrations/{id}/pause",
    "/v1/migrations/{id}/records/{key}",
    "/v1/migrations/{id}/redirects",
    "/v1/migrations/{id}/report",
    "/v1/migrations/{id}/resume",
    "/v1/migrations/{id}/retry",
    "/v1/migrations/{id}/rollback",
    "/v1/migrations/{id}/validate",
    "/v1/tick",
  ]);
});

Deno.test("metrics escape labels and carry the contract's counter", async () => {
  const { plane, store } = await planeWithRun();
  const taken = await store.acquireLease({
    scopeId: 1,
    owner: "o",
    host: "test",
    pid: 1,
    now: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 9_000).toISOString(),
  }, () => true);
  assert(taken.lease !== null);
  await store.apply(taken.lease, [{
    op: "requests",
    runId: "run-1",
    rows: [{ system: "source", route: 'GET /a"b\\c', status: "200", count: 7 }],
  }]);
  const text = await (await plane.ask("GET", "/metrics")).text();
  assertStringIncludes(
    text,
    'ztoq_requests_total{system="source",route="GET /a\\"b\\\\c",status="200"} 7\n',
  );
  for (const line of text.trimEnd().split("\n")) {
    assertMatch(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? [-+\dEe.Inf]+)$/);
  }
});
