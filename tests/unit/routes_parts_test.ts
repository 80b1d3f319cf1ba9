import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import {
  createWebhooks,
  type Notify,
  parseWebhooks,
  signature,
} from "../../adapters/notify/mod.ts";
import { parseRateWindows, ratesAt } from "../../core/engine/schedule.ts";
import { ConfigError } from "../../core/errors.ts";
import type { EventRow } from "../../core/ports/mod.ts";
import { lastTime, nextTime, parseSchedules } from "../../routes/schedules.ts";
import { createControlPlane } from "../../routes/mod.ts";
import { createTokenCheck, readTokens } from "../../routes/tokens.ts";
import { planeServices } from "../helpers/control_plane.ts";
import { createFakeClock, type FakeClock } from "../helpers/fake_clock.ts";

const at = (iso: string): number => Date.parse(iso);

function noFiles(): string {
  throw new Error("no files");
}

Deno.test("ratesAt() follows the wall clock of the window's own time zone", () => {
  const windows = parseRateWindows([{
    days: ["mon", "tue", "wed", "thu", "fri"],
    from: "08:00",
    to: "18:00",
    timeZone: "Europe/Berlin",
    source: { requestsPerMinute: 60 },
    target: { requestsPerMinute: 30 },
  }]);
  const rate = (iso: string): number | null => ratesAt(windows, at(iso)).source;
  // Winter: Berlin is UTC+1; Friday 20 November 2026.
  assertEquals(rate("2026-11-20T06:59:59Z"), null);
  assertEquals(rate("2026-11-20T07:00:00Z"), 60);
  assertEquals(rate("2026-11-20T16:59:59Z"), 60);
  assertEquals(rate("2026-11-20T17:00:00Z"), null);
  assertEquals(rate("2026-11-21T09:00:00Z"), null);
  // Summer: UTC+2.
  assertEquals(rate("2026-07-17T06:30:00Z"), 60);
  const { target, reason } = ratesAt(windows, at("2026-11-20T07:00:00Z"));
  assertEquals([target, reason], [30, "schedule 08:00–18:00 Europe/Berlin"]);
});

Deno.test("ratesAt() lets a window run over midnight into the day after", () => {
  const windows = parseRateWindows([
    { days: ["fri"], from: "22:00", to: "06:00", source: { requestsPerMinute: 400 } },
  ]);
  const rate = (iso: string): number | null => ratesAt(windows, at(iso)).source;
  assertEquals(rate("2026-11-20T23:00:00Z"), 400);
  assertEquals(rate("2026-11-21T05:59:00Z"), 400);
  assertEquals(rate("2026-11-21T06:00:00Z"), null);
  assertEquals(rate("2026-11-21T23:00:00Z"), null);
  assertEquals(rate("2026-11-20T05:00:00Z"), null);
});

Deno.test("parseRateWindows() names the entry and the key at fault", () => {
  const rate = { source: { requestsPerMinute: 60 } };
  const cases: [unknown, string][] = [
    ["night", "limits.schedule[0]"],
    [{ from: "8:00", to: "18:00", ...rate }, "limits.schedule[0].from"],
    [{ from: "08:00", to: "24:30", ...rate }, "limits.schedule[0].to"],
    [{ from: "08:00", to: "18:00", days: ["monday"], ...rate }, "limits.schedule[0].days"],
    [{ from: "08:00", to: "18:00", timeZone: "Moon/Sea", ...rate }, "limits.schedule[0].timeZone"],
    [{ from: "08:00", to: "18:00", source: { requestsPerMinute: 0 } }, "limits.schedule[0].source"],
    [{ from: "08:00", to: "18:00" }, "a rate"],
    [{ from: "08:00", to: "18:00", rpm: 5, ...rate }, "limits.schedule[0].rpm"],
  ];
  for (const [entry, words] of cases) {
    assertThrows(() => parseRateWindows([entry]), ConfigError, words);
  }
});

Deno.test("schedules follow cron expressions in their time zone, across the change to winter time", () => {
  const [nightly] = parseSchedules([{ cron: "30 2 * * *", timeZone: "Europe/Berlin" }]);
  assert(nightly !== undefined);
  assertEquals(nextTime(nightly, at("2026-11-20T12:00:00Z")), at("2026-11-21T01:30:00Z"));
  assertEquals(nextTime(nightly, at("2026-07-20T12:00:00Z")), at("2026-07-21T00:30:00Z"));
  assertEquals(lastTime(nightly, at("2026-11-21T01:30:00Z")), at("2026-11-21T01:30:00Z"));
  assertEquals(lastTime(nightly, at("2026-11-21T01:29:00Z")), at("2026-11-20T01:30:00Z"));
  assertThrows(() => parseSchedules([{ cron: "61 * * * *" }]), ConfigError, "schedules[0].cron");
  assertThrows(() => parseSchedules([{ at: "noon" }]), ConfigError, "schedules[0].at");
  assertThrows(
    () => parseSchedules([{ cron: "0 0 * * *", timeZone: "Moon/Sea" }]),
    ConfigError,
    "schedules[0]",
  );
});

Deno.test("readTokens() resolves secrets, and never repeats them in what it refuses", () => {
  const env = (name: string): string | undefined => ({ A: "token-aaaaaaaa" })[name];
  const read = (tokens: unknown[]): unknown =>
    readTokens({ controlPlane: { token: null, tokens } }, { env, readSecretFile: noFiles });
  assertEquals(
    read([{ name: "ops", role: "operate", token: "env:A" }, { name: "b", token: "literal-bbbb" }]),
    [
      { name: "ops", role: "operate", token: "token-aaaaaaaa" },
      { name: "b", role: "view", token: "literal-bbbb" },
    ],
  );
  for (
    const entry of [
      { name: "x", token: "env:UNSET" },
      { name: "x", token: "short" },
      { name: "x", role: "root", token: "env:A" },
      { name: "", token: "env:A" },
      { name: "x", token: "env:A", note: "?" },
      { name: "x", token: "file:gone" },
    ]
  ) {
    const { message } = assertThrows(() => read([entry]), ConfigError, "controlPlane.tokens[0]");
    assert(!message.includes("short"));
  }
  assertThrows(
    () => read([{ name: "x", token: "env:A" }, { name: "x", token: "env:A" }]),
    ConfigError,
    "tokens[1].name",
  );
});

Deno.test("createTokenCheck() knows whole tokens only", () => {
  const check = createTokenCheck([
    { name: "a", role: "operate", token: "token-aaaaaaaa" },
    { name: "b", role: "view", token: "token-bbbbbbbb" },
  ]);
  assertEquals(check("token-bbbbbbbb"), { name: "b", role: "view" });
  for (const wrong of ["", "token-", "token-aaaaaaaaa", "TOKEN-AAAAAAAA"]) {
    assertEquals(check(wrong), null);
  }
});

interface Sent {
  url: string;
  body: string;
  headers: Headers;
}

const EVENT: EventRow = {
  id: 7,
  runId: "run-1",
  type: "state",
  at: "t",
  data: { state: "completed" },
};

async function deliver(
  answers: (number | "unreachable")[],
  event: EventRow = EVENT,
): Promise<{ sent: Sent[]; recorded: Record<string, unknown>[]; slept: readonly number[] }> {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const sent: Sent[] = [];
  const notify = createWebhooks({
    webhooks: [{ url: "https://hooks.test/path?key=hidden", secret: "env:S" }],
    env: () => "webhook-secret",
    readSecretFile: noFiles,
    store: () => Promise.resolve(store),
    clock,
    log: () => undefined,
    fetch: (input, init) => {
      sent.push({
        url: String(input),
        body: String(init?.body),
        headers: new Headers(init?.headers),
      });
      const answer = answers[sent.length - 1] ?? 200;
      return answer === "unreachable"
        ? Promise.reject(new TypeError("connection refused"))
        : Promise.resolve(new Response(null, { status: answer }));
    },
  });
  await clock.run(notify(event));
  const recorded = (await store.events("run-1", 0, 10)).map(({ data }) => data);
  return { sent, recorded, slept: clock.slept };
}

Deno.test("webhooks are signed over time and body, so that a receiver can check both", async () => {
  const { sent, recorded } = await deliver([200]);
  const [only] = sent;
  assert(only !== undefined && sent.length === 1);
  assertEquals(JSON.parse(only.body), {
    state: "completed",
    id: 7,
    runId: "run-1",
    at: "t",
    type: "state",
  });
  const given = only.headers.get("x-ztoq-signature") ?? "";
  const seconds = Number(/^t=(\d+),/.exec(given)?.[1]);
  assertEquals(given, signature("webhook-secret", seconds, only.body));
  assert(given !== signature("other-secret", seconds, only.body));
  assertEquals(recorded, [
    { host: "hooks.test", event: 7, about: "state", ok: true, attempts: 1, answer: "HTTP 200" },
  ]);
});

Deno.test("webhooks are tried again after what may pass, with the same delivery id", async () => {
  const { sent, recorded, slept } = await deliver([503, "unreachable", 429, 204]);
  assertEquals(sent.length, 4);
  assertEquals(slept, [1_000, 5_000, 30_000]);
  assertEquals(new Set(sent.map(({ headers }) => headers.get("x-ztoq-delivery"))).size, 1);
  assertEquals([recorded[0]?.ok, recorded[0]?.attempts], [true, 4]);
});

Deno.test("webhooks give up after a refusal at once, and after five attempts, and say so", async () => {
  const refused = await deliver([410]);
  assertEquals([refused.sent.length, refused.recorded[0]?.ok], [1, false]);
  assertEquals(refused.recorded[0]?.answer, "HTTP 410");
  const dead = await deliver([500, 500, 500, 500, 500, 500]);
  assertEquals([dead.sent.length, dead.recorded[0]?.attempts], [5, 5]);
  const deliveries = await deliver([200], { ...EVENT, type: "webhook" });
  assertEquals(deliveries.sent.length, 0);
});

Deno.test("webhooks carry no secret that an event came with", async () => {
  const bodies: string[] = [];
  const notify = createWebhooks({
    webhooks: [{ url: "https://hooks.test/", secret: "env:S", events: ["warning"] }],
    env: () => "webhook-secret",
    readSecretFile: noFiles,
    store: () => Promise.resolve(createMemoryStore()),
    clock: createFakeClock(),
    log: () => undefined,
    redact: (text) => text.replaceAll("hidden-secret-value", "[redacted]"),
    fetch: (_, init) => {
      bodies.push(String(init?.body));
      return Promise.resolve(new Response());
    },
  });
  await notify({ ...EVENT, type: "warning", data: { message: "refused hidden-secret-value" } });
  assertEquals(bodies.map((body) => JSON.parse(body).message), ["refused [redacted]"]);
});

/** Two receivers, of which one is away; gives the events each was asked to take. */
function twoReceivers(): {
  notify: Notify;
  clock: FakeClock;
  sent: Record<string, number[]>;
  recorded: () => Promise<Record<string, unknown>[]>;
} {
  const store = createMemoryStore();
  const clock = createFakeClock();
  const sent: Record<string, number[]> = { "away.test": [], "there.test": [] };
  const notify = createWebhooks({
    webhooks: Object.keys(sent).map((host) => ({ url: `https://${host}/`, secret: "env:S" })),
    env: () => "webhook-secret",
    readSecretFile: noFiles,
    store: () => Promise.resolve(store),
    clock,
    log: () => undefined,
    fetch: (input, init) => {
      const { host } = new URL(String(input));
      sent[host]?.push(JSON.parse(String(init?.body)).id);
      return host === "away.test"
        ? Promise.reject(new TypeError("connection refused"))
        : Promise.resolve(new Response());
    },
  });
  const recorded = async (): Promise<Record<string, unknown>[]> =>
    (await store.events("run-1", 0, 100)).map(({ data }) => data);
  return { notify, clock, sent, recorded };
}

Deno.test("webhooks: an address that is away keeps the others from nothing, and gets its events in order", async () => {
  const { notify, clock, sent } = twoReceivers();
  const told = Promise.all([1, 2, 3].map((id) => notify({ ...EVENT, id })));
  await clock.flush();
  assertEquals(sent["there.test"], [1, 2, 3]);
  assertEquals(sent["away.test"], [1]);
  await clock.run(told);
  assertEquals(sent["away.test"], [1, 2, 3].flatMap((id) => Array.from({ length: 5 }, () => id)));
});

Deno.test("webhooks: a server that ends does not wait for an address that is away", async () => {
  const { notify, clock, sent, recorded } = twoReceivers();
  const closing = new AbortController();
  const told = [1, 2, 3].map((id) => notify({ ...EVENT, id }, closing.signal));
  await clock.flush();
  closing.abort();
  await Promise.all([...told, notify({ ...EVENT, id: 4 }, closing.signal)]);
  assertEquals(sent, { "away.test": [1], "there.test": [1, 2, 3, 4] });
  const failed = (await recorded()).filter(({ ok }) => ok === false);
  assertEquals(failed.map(({ event, attempts }) => [event, attempts]), [
    [1, 1],
    [2, 0],
    [3, 0],
    [4, 0],
  ]);
});

Deno.test("parseWebhooks() names what is wrong, never the secret", () => {
  const parse = (entry: unknown): unknown =>
    parseWebhooks({ webhooks: [entry], env: () => undefined, readSecretFile: noFiles });
  const fine = { url: "https://hooks.test/", secret: "plain-secret" };
  assertEquals(parse(fine), [{ ...fine, events: ["state", "report"] }]);
  for (
    const [change, words] of [
      [{ url: "ftp://hooks.test/" }, "webhooks[0].url"],
      [{ secret: "env:UNSET" }, "webhooks[0].secret"],
      [{ secret: "tiny" }, "webhooks[0].secret"],
      [{ events: ["everything"] }, "webhooks[0].events"],
      [{ token: "x" }, "webhooks[0].token"],
    ] as const
  ) {
    const { message } = assertThrows(() => parse({ ...fine, ...change }), ConfigError, words);
    assert(!message.includes("tiny"));
    assertStringIncludes(message, "wanted");
  }
});

Deno.test("the Grafana dashboard asks only for metrics that exist", async () => {
  const source = await Deno.readTextFile(new URL("../../routes/metrics.ts", import.meta.url));
  const names = new Set(source.match(/"(ztoq|process)_\w+"/g)?.map((name) => name.slice(1, -1)));
  const dashboard = await Deno.readTextFile(
    new URL("../../docs/grafana/ztoq.json", import.meta.url),
  );
  for (const name of new Set(dashboard.match(/\b(ztoq|process)_[a-z_]+/g))) {
    assert(names.has(name.replace(/_bucket$/, "")), name);
  }
});

Deno.test("parseSchedules() refuses overrides that no run could take, before their time comes", () => {
  for (
    const [config, words] of [
      [{ sorce: { projectKey: "SA" } }, "sorce"],
      [{ source: { token: "literal-secret" } }, "credential"],
      [{ store: { url: "file:x" } }, "belongs to the server"],
    ] as const
  ) {
    const parse = (): unknown => parseSchedules([{ cron: "0 2 * * *", config }]);
    const { message } = assertThrows(parse, ConfigError, "schedules[0].config");
    assertStringIncludes(message, words);
    assert(!message.includes("literal-secret"));
  }
});

Deno.test("followSchedules() starts a schedule once, however many of its times a long sleep has passed", async () => {
  const clock = createFakeClock(Date.UTC(2026, 0, 5, 1, 59, 30));
  let starts = 0;
  const services = planeServices({ clock }, {
    ZEPHYR_BASE_URL: "http://127.0.0.1:1",
    ZEPHYR_API_TOKEN: "source-token",
    ZEPHYR_PROJECT_KEY: "SA",
    QTEST_BASE_URL: "http://127.0.0.1:2",
    QTEST_BEARER_TOKEN: "target-token",
    QTEST_PROJECT_ID: "1",
  });
  services.config.file = {
    path: "ztoq.json",
    text: JSON.stringify({ schedules: [{ name: "often", cron: "* * * * *" }] }),
  };
  services.connect = () => {
    starts++;
    return Promise.reject(new Error("away"));
  };
  const plane = createControlPlane(services);
  plane.startSchedules();
  await clock.tick(30_000);
  assertEquals(starts, 1);
  clock.jump(8 * 3_600_000);
  await clock.tick(30_000);
  assertEquals(starts, 2);
  await clock.tick(60_000);
  assertEquals(starts, 3);
  await plane.close();
});
