import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotMatch,
  assertRejects,
} from "@std/assert";
import {
  createHttpClient,
  GaveUpError,
  type HttpAnswer,
  type HttpClient,
  type HttpOptions,
  type RequestSpec,
} from "../../adapters/http/mod.ts";
import {
  AccessError,
  BudgetError,
  ConfigError,
  InDoubtError,
  InterruptedError,
  RefusedError,
} from "../../core/errors.ts";
import { createFakeClock, type FakeClock } from "../helpers/fake_clock.ts";

type Reply = Response | Error | "hang";
type Handler = (request: Request, count: number) => Reply | Promise<Reply>;

interface Rig {
  client: HttpClient;
  clock: FakeClock;
  requests: Request[];
  times: number[];
  logs: string[];
  get: (more?: Partial<RequestSpec>) => Promise<HttpAnswer>;
  create: (more?: Partial<RequestSpec>) => Promise<HttpAnswer>;
}

const SECRET = "s3cr3t-t0ken-value";

function rig(handler: Handler, more: Partial<HttpOptions> = {}): Rig {
  const clock = createFakeClock(Date.UTC(2026, 0, 1, 12, 3, 5));
  const requests: Request[] = [];
  const times: number[] = [];
  const logs: string[] = [];
  const client = createHttpClient({
    system: "target",
    name: "qTest",
    baseUrl: "https://qtest.example/root/",
    requestsPerMinute: 0,
    authorize: (headers) => headers.set("authorization", `Bearer ${SECRET}`),
    errorMessage: (body) => (body as { message?: string } | undefined)?.message ?? null,
    clock,
    log: (entry) => logs.push(JSON.stringify(entry)),
    fetch: async (input, init): Promise<Response> => {
      const request = new Request(input, init);
      requests.push(request);
      times.push(clock.monotonic());
      const reply = await handler(request, requests.length);
      if (reply === "hang") return await new Promise<never>(() => {});
      if (reply instanceof Error) throw reply;
      return reply;
    },
    ...more,
  });
  const signal = new AbortController().signal;
  const get = (spec: Partial<RequestSpec> = {}): Promise<HttpAnswer> =>
    client.request({ method: "GET", path: "/a", route: "/a", effect: "read", signal, ...spec });
  const create = (spec: Partial<RequestSpec> = {}): Promise<HttpAnswer> =>
    client.request({
      method: "POST",
      path: "/a",
      route: "/a",
      effect: "create",
      json: { name: "x" },
      signal,
      ...spec,
    });
  return { client, clock, requests, times, logs, get, create };
}

function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(value, { status, headers });
}

function html(status = 200): Response {
  const headers = { "content-type": "text/html" };
  return new Response("<!DOCTYPE html><title>Sign in</title>", { status, headers });
}

function refusedConnection(): Error {
  const cause = new Error(
    "error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)",
  );
  return new TypeError("fetch failed", { cause });
}

function lostConnection(): Error {
  const cause = new Error(`error sending request for https://x/?token=${SECRET}: connection reset`);
  return new TypeError("fetch failed", { cause });
}

Deno.test("request() joins path and query, sends credentials, and returns the bytes as received", async () => {
  const bytes = new TextEncoder().encode('\uFEFF{ "ü" : 1 }\n');
  const { get, requests, clock } = rig(() => new Response(bytes));
  const answer = await get({
    path: "/p/1",
    query: { q: "a b&c", none: undefined, n: 2, yes: true },
  });
  assertEquals(requests[0]?.url, "https://qtest.example/root/p/1?q=a%20b%26c&n=2&yes=true");
  assertEquals(requests[0]?.headers.get("authorization"), `Bearer ${SECRET}`);
  assertMatch(requests[0]?.headers.get("x-correlation-id") ?? "", /^[0-9a-f-]{36}$/);
  assertEquals([...answer.bytes], [...bytes]);
  assertEquals(answer.json, { "ü": 1 });
  assertEquals(clock.sleeping, 0);
});

Deno.test("request() sends JSON and forms with their content types", async () => {
  const seen: string[] = [];
  const { create } = rig(async (request) => {
    seen.push(`${request.headers.get("content-type")} ${await request.text()}`);
    return json({});
  });
  await create({ json: { a: [1] } });
  await create({ json: undefined, form: { user: "a b", password: "p&q" } });
  assertEquals(seen, [
    'application/json {"a":[1]}',
    "application/x-www-form-urlencoded user=a+b&password=p%26q",
  ]);
});

Deno.test("request() repeats a read through 5xx, resets, half bodies and HTML errors until it is answered", async () => {
  const replies: Reply[] = [
    json({}, 503),
    lostConnection(),
    html(502),
    new Response('{"half": ['),
    new Response(""),
    json({}, 408),
    json({ ok: 1 }),
  ];
  const { get, client, clock } = rig((_request, count) => replies[count - 1] ?? json({}, 500));
  assertEquals((await clock.run(get())).json, { ok: 1 });
  const { retried, byStatus, total } = client.stats();
  assertEquals([retried, total], [6, 7]);
  assertEquals(byStatus, { "GET /a": { 503: 1, error: 1, 502: 1, 200: 3, 408: 1 } });
});

Deno.test("request() ends a read that always answers 500 as refused, other requests going well", async () => {
  const { get, clock, requests } = rig((request) =>
    request.url.endsWith("/bad") ? json({ message: "Unexpected error" }, 500) : json({})
  );
  const bad = get({ path: "/bad" });
  bad.catch(() => {});
  for (let round = 0; round < 200; round++) {
    await get();
    await clock.tick(500);
  }
  const error = await assertRejects(() => bad, RefusedError, "answered 500");
  assertEquals([error.status, error.answer], [500, "Unexpected error"]);
  assertEquals(requests.filter((request) => request.url.endsWith("/bad")).length, 6);
});

Deno.test("request() says that the base URL may be wrong after three login pages", async () => {
  const { get, clock, requests } = rig(() => html());
  await assertRejects(
    () => clock.run(get()),
    AccessError,
    "HTML instead of JSON: is the base URL right?",
  );
  assertEquals(requests.length, 3);
});

Deno.test("request() gives up with InterruptedError after maxOutageMs and not before", async () => {
  const { get, clock, client } = rig(() => refusedConnection(), { maxOutageMs: 600_000 });
  const work = get();
  work.catch(() => {});
  await clock.tick(595_000);
  assertMatch(
    client.stats().waiting ?? "",
    /^qTest is unreachable \(connection refused\) since 12:0\d UTC: next try in \d+ s$/,
  );
  await assertRejects(() => clock.run(work), InterruptedError, "longer than 10 minutes");
});

Deno.test("request() with failFast tries for seconds only and names the address", async () => {
  const { get, clock, requests } = rig(() => refusedConnection());
  const error = await assertRejects(
    () => clock.run(get({ failFast: true })),
    GaveUpError,
    "Cannot reach qTest at https://qtest.example: connection refused",
  );
  assert(error.hint !== undefined);
  assertEquals(requests.length, 5);
  assert(clock.monotonic() < 5_000);
  const silent = rig(() => "hang");
  await assertRejects(() => silent.clock.run(silent.get({ failFast: true })), GaveUpError);
  assertEquals(silent.requests.length, 2);
});

Deno.test("request() with maxAttempts gives up with the status", async () => {
  const { get, clock, requests } = rig(() => html(504));
  const error = await assertRejects(() => clock.run(get({ maxAttempts: 2 })), GaveUpError);
  assertEquals([error.status, requests.length], [504, 2]);
});

Deno.test("request() waits out 429 for reads and writes alike, asking for the intent each time", async () => {
  const { create, get, client, clock, times } = rig((_request, count) =>
    count === 1
      ? json({}, 429, { "retry-after": "20" })
      : count < 12
      ? new Response("", { status: 429, headers: { "retry-after": "0" } })
      : json({ id: 1 })
  );
  let intents = 0;
  const work = create({ intent: () => Promise.resolve(void intents++) });
  await clock.tick(5_000);
  assertEquals(client.stats().waiting, "qTest answered 429: next request in 15 s");
  const other = get();
  await clock.tick(14_000);
  assertEquals(times.length, 1);
  await clock.run(work);
  await clock.run(other);
  assert((times[1] ?? 0) >= 20_000);
  const writes = client.stats().byRoute["POST /a"];
  assertEquals(intents, writes);
  assertEquals(client.stats().rateLimited, 11);
});

Deno.test("request() sends at most the set rate with retries counted, evenly", async () => {
  const { get, client, clock, times } = rig(
    (_request, count) => count % 10 === 0 ? json({}, 503) : json({}),
    { requestsPerMinute: 400, concurrency: 16 },
  );
  await clock.run(Promise.all(Array.from({ length: 450 }, () => get())));
  assert(client.stats().peakPerMinute <= 400);
  assert(client.stats().total >= 495);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assert(Math.min(...gaps) > 151 && Math.min(...gaps) < 152);
});

Deno.test("setRequestsPerMinute() takes effect on the next request", async () => {
  const { get, client, clock, times } = rig(() => json({}), { requestsPerMinute: 1 });
  const work = Promise.all([get(), get(), get()]);
  await clock.tick(1_000);
  client.setRequestsPerMinute(60);
  await clock.run(work);
  assertEquals(times.map(Math.round), [0, 1_010, 2_020]);
});

Deno.test("request() stops at the month's reserve before another request", async () => {
  const { get, client, requests } = rig(() =>
    json({}, 200, { "x-ratelimit-remaining-month": "100" })
  );
  await get();
  assertEquals(client.stats().monthRemaining, 100);
  await assertRejects(() => get(), BudgetError, "100 requests left this month");
  assertEquals(requests.length, 1);
});

Deno.test("request() waits for the next minute when none are left in this one", async () => {
  const none = { "x-ratelimit-remaining-minute": "0" };
  const { get, clock, times } = rig(() => json({}, times.length === 2 ? 429 : 200, none));
  await get();
  await clock.run(get());
  assertEquals(times[1], 3_000);
  assert((times[2] ?? 0) >= 55_000 && (times[2] ?? 0) < 55_600);
});

Deno.test("request() sends a create once and leaves it in doubt, whatever goes wrong", async () => {
  const cases: [Reply, number | undefined, boolean][] = [
    [json({ message: "Unexpected error" }, 500), 500, true],
    [html(502), 502, true],
    [json({}, 504), 504, true],
    [json({}, 408), undefined, false],
    [lostConnection(), undefined, false],
    ["hang", undefined, false],
    [html(200), undefined, false],
    [new Response(""), undefined, false],
    [new Response('{"id": 1'), undefined, false],
    [new Response("", { status: 303, headers: { location: "/x" } }), undefined, false],
  ];
  for (const [reply, status, answered] of cases) {
    const { create, clock, requests } = rig(() => reply);
    const error = await assertRejects(() => clock.run(create()), InDoubtError);
    assertEquals([error.status, error.answered, requests.length], [status, answered, 1]);
  }
});

Deno.test("request() repeats a create only when the connection was refused", async () => {
  const { create, clock, requests } = rig((_request, count) =>
    count < 4 ? refusedConnection() : json({ id: 5 }, 201)
  );
  let intents = 0;
  const answer = await clock.run(create({ intent: () => Promise.resolve(void intents++) }));
  assertEquals([answer.status, requests.length, intents], [201, 4, 4]);
});

Deno.test("request() sends nothing when the intent rejects", async () => {
  const { create, requests, client } = rig(() => json({}));
  const intent = (): Promise<void> => Promise.reject(new Error("lease lost"));
  await assertRejects(() => create({ intent }), Error, "lease lost");
  assertEquals([requests.length, client.stats().total], [0, 0]);
});

Deno.test("request() turns statuses that stay into errors of ours, with the vendor's words", async () => {
  for (const status of [400, 404, 409, 413, 422]) {
    const { create, get } = rig(() => json({ message: `Bad name, Bearer ${SECRET}` }, status));
    for (const send of [create, get]) {
      const error = await assertRejects(() => send(), RefusedError, `answered ${status}: Bad name`);
      assertEquals([error.status, error.answer], [status, "Bad name, ***"]);
    }
  }
  await assertRejects(() => rig(() => json({}, 403)).get(), AccessError, "answered 403");
  const { get } = rig(() => new Response("", { status: 404 }));
  assertEquals((await get({ accept: [404] })).status, 404);
});

Deno.test("request() takes an empty answer to a delete and text where text is expected", async () => {
  const { get } = rig((request) => new Response(request.method === "GET" ? "raw-token" : ""));
  assertEquals((await get({ method: "DELETE", effect: "idempotent" })).json, undefined);
  assertEquals((await get({ textAnswer: true })).text, "raw-token");
});

Deno.test("request() renews credentials once for all requests and sends them again", async () => {
  let token = "old";
  let renewals = 0;
  const { create, client } = rig(
    (request) => request.headers.get("authorization") === "new" ? json({}) : json({}, 401),
    {
      authorize: (headers) => headers.set("authorization", token),
      refresh: async () => {
        renewals++;
        await Promise.resolve();
        token = "new";
        return true;
      },
    },
  );
  let intents = 0;
  const intent = (): Promise<void> => Promise.resolve(void intents++);
  await Promise.all([create({ intent }), create({ intent }), create({ intent })]);
  assertEquals([renewals, intents, client.stats().total], [1, 6, 6]);
});

Deno.test("request() ends with AccessError when new credentials are refused too", async () => {
  const { get, requests } = rig(() => json({ error: "bad token" }, 401), {
    refresh: () => Promise.resolve(true),
  });
  const error = await assertRejects(() => get(), AccessError, "answered 401");
  assertEquals([error.status, requests.length], [401, 2]);
  const anonymous = rig(() => json({}, 401), { refresh: () => Promise.reject(new Error("no")) });
  await assertRejects(() => anonymous.get({ anonymous: true }), AccessError);
  assertEquals(anonymous.requests[0]?.headers.has("authorization"), false);
});

Deno.test("request() renews credentials again, when the new ones worked and ran out too", async () => {
  let refused = 0;
  let renewals = 0;
  const made: Rig = rig(async (request) => {
    if (!request.url.includes("slow")) return json({});
    // The credentials are good for others before they are refused here.
    await made.get();
    return json({}, ++refused <= 3 ? 401 : 200);
  }, { refresh: () => Promise.resolve(++renewals > 0) });
  await made.get({ path: "/slow", route: "/slow" });
  assertEquals([refused, renewals], [4, 3]);
  refused = -100;
  await assertRejects(() => made.get({ path: "/slow", route: "/slow" }), AccessError);
  assert(renewals < 12, `${renewals} renewals for a route that refuses every token`);
});

Deno.test("authorize may send a request of its own through the same client", async () => {
  let token: string | null = null;
  const made: Rig = rig((request) => json({ token: `T-${request.url.slice(-5)}` }), {
    concurrency: 1,
    authorize: async (headers) => {
      if (token === null) {
        const login = await made.get({ path: "/login", anonymous: true, effect: "idempotent" });
        token = (login.json as { token: string }).token;
      }
      headers.set("authorization", token);
    },
  });
  await made.get();
  assertEquals(made.requests.map((one) => one.headers.get("authorization")), [null, "T-login"]);
});

Deno.test("request() rejects at once with the signal's reason, in every kind of wait", async () => {
  const waits: [string, Handler, Partial<HttpOptions>][] = [
    ["answer", () => "hang", {}],
    ["backoff", () => json({}, 503), {}],
    ["429", () => json({}, 429, { "retry-after": "60" }), {}],
    ["slot", () => json({}), { requestsPerMinute: 1 }],
  ];
  for (const [name, handler, options] of waits) {
    const { get, clock } = rig(handler, options);
    if (name === "slot") await get();
    const stop = new AbortController();
    const work = get({ signal: stop.signal });
    work.catch(() => {});
    await clock.tick(100);
    stop.abort(new Error(`stopped in ${name}`));
    await assertRejects(() => work, Error, `stopped in ${name}`);
    await clock.flush();
    assertEquals(clock.sleeping, 0);
  }
});

Deno.test("request() of a create is in doubt when aborted on the wire, not when aborted before", async () => {
  const { create, clock, requests } = rig(() => "hang");
  const stop = new AbortController();
  const work = create({ signal: stop.signal });
  await clock.flush();
  stop.abort(new Error("stopped"));
  await assertRejects(() => work, InDoubtError, "interrupted");
  const late = new AbortController();
  const intent = (): Promise<void> => Promise.resolve(late.abort(new Error("too late")));
  await assertRejects(() => create({ signal: late.signal, intent }), Error, "too late");
  assertEquals(requests.length, 1);
});

Deno.test("request() lets one request probe a system that is down while others wait", async () => {
  let down = true;
  const { get, clock, requests, client } = rig(() => down ? json({}, 503) : json({}), {
    concurrency: 16,
  });
  const work = Promise.all(Array.from({ length: 16 }, () => get()));
  await clock.tick(120_000);
  assert(requests.length < 40, `${requests.length} requests to a system that is down`);
  assertMatch(client.stats().waiting ?? "", /^qTest answers 503 since 12:03 UTC: /);
  down = false;
  await clock.run(work);
  assertEquals(client.stats().waiting, null);
});

Deno.test("request() follows redirects to the same origin and refuses others", async () => {
  const { get, requests } = rig((request) =>
    request.url.endsWith("/b")
      ? json({ ok: 1 })
      : new Response("", { status: 302, headers: { location: "/root/b" } })
  );
  assertEquals((await get()).json, { ok: 1 });
  assertEquals(requests[1]?.headers.get("authorization"), `Bearer ${SECRET}`);
  const headers = { location: "https://login.example/?next=1" };
  const away = rig(() => new Response("", { status: 302, headers }));
  await assertRejects(() => away.get(), AccessError, "a redirect to https://login.example");
  await assertRejects(() => away.create(), AccessError, "redirect");
  assertEquals(away.requests.length, 2);
  const loop = rig(() => new Response("", { status: 302, headers: { location: "/x" } }));
  await assertRejects(() => loop.get(), AccessError);
  assertEquals(loop.requests.length, 6);
});

Deno.test("stream() follows to another host without credentials and does not count it", async () => {
  const { client, requests, clock } = rig((request, count) =>
    request.url.startsWith("https://files.example/")
      ? (count < 3 ? json({}, 503) : new Response("<html>file"))
      : new Response("", { status: 302, headers: { location: "https://files.example/f?sig=1" } })
  );
  const signal = new AbortController().signal;
  const work = client.stream({ path: "/f", route: "/f", signal, headers: { cookie: "c=1" } });
  const { body } = await clock.run(work);
  assertEquals(await new Response(body).text(), "<html>file");
  const away = requests.filter((request) => request.url.startsWith("https://files"));
  assertEquals(away.map((one) => [...one.headers.keys()]), [["accept"], ["accept"]]);
  assertEquals(client.stats().total, 2);
});

Deno.test("stream() errors a body that stops coming", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller): void => controller.enqueue(new Uint8Array(3)),
  });
  const { client, clock } = rig(() => new Response(body));
  const signal = new AbortController().signal;
  const file = await client.stream({ path: "/f", route: "/f", signal });
  const work = new Response(file.body).arrayBuffer();
  await assertRejects(() => clock.run(work), Error, "broke off after 3 bytes");
});

Deno.test("errors and log entries hold no secrets", async () => {
  const replies: Reply[] = [lostConnection(), json({ message: `no ${SECRET} hunter22` }, 400)];
  const made = rig((_request, count) => replies[count - 1] ?? json({}));
  const form = { password: "hunter22" };
  const error = await assertRejects(
    () => made.clock.run(made.get({ query: { access_token: "query-secret" } })),
    RefusedError,
  );
  await made.create({ json: undefined, form });
  const everything = made.logs.join("\n") + Deno.inspect(error, { depth: 9 });
  assert(made.logs.length >= 3);
  assertNotMatch(everything, new RegExp(`${SECRET}|query-secret`));
  assertMatch(everything, /correlationId/);
  const login = rig(() => json({ message: "bad hunter22" }, 400));
  const refused = await assertRejects(() => login.create({ json: undefined, form }), RefusedError);
  assertEquals(refused.answer, "bad ***");
});

Deno.test("createHttpClient() refuses what is no base URL", () => {
  for (const baseUrl of ["", "qtest.example", "ftp://x", "https://u:p@x"]) {
    let error: unknown;
    try {
      rig(() => json({}), { baseUrl });
    } catch (caught) {
      error = caught;
    }
    assertInstanceOf(error, ConfigError);
    assertNotMatch(error.message, /u:p/);
  }
});
