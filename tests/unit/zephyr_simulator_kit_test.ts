import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  applyFault,
  createFaults,
  createRandom,
  createRateLimit,
  createRequestLog,
  type FaultKind,
  randomBytes,
  READ_FAULTS,
} from "../../adapters/simulator_kit/mod.ts";

Deno.test("createRandom() repeats itself for a seed and differs between seeds", () => {
  const draw = (seed: number): number[] => {
    const random = createRandom(seed);
    return Array.from({ length: 20 }, () => random.int(1, 1_000_000));
  };
  assertEquals(draw(5), draw(5));
  assertNotEquals(draw(5), draw(6));
  assert(draw(5).every((value) => value >= 1 && value <= 1_000_000));
  assertEquals(createRandom(3).shuffle([1, 2, 3, 4]).toSorted(), [1, 2, 3, 4]);
});

Deno.test("randomBytes() gives the same bytes for a seed, also none", () => {
  assertEquals(randomBytes(9, 100), randomBytes(9, 100));
  assertNotEquals(randomBytes(9, 100), randomBytes(10, 100));
  assertEquals(randomBytes(9, 0).length, 0);
});

Deno.test("createRateLimit() as bucket allows the burst, then the even rate", () => {
  let now = 0;
  const limit = createRateLimit({ requestsPerMinute: 60, burst: 3, now: () => now });
  const burst = [1, 2, 3, 4].map(() => limit.take().allowed);
  assertEquals(burst, [true, true, true, false]);
  assertEquals(limit.take().retryAfterMs, 1000);
  now = 1000;
  assertEquals([limit.take().allowed, limit.take().allowed], [true, false]);
});

Deno.test("createRateLimit() sliding never lets more than the limit through in any 60 s", () => {
  let now = 0;
  const limit = createRateLimit({ requestsPerMinute: 5, window: "sliding", now: () => now });
  const allowed: number[] = [];
  for (now = 0; now < 200_000; now += 1_700) if (limit.take().allowed) allowed.push(now);
  for (const at of allowed) {
    assert(allowed.filter((time) => time > at - 60_000 && time <= at).length <= 5);
  }
  assert(allowed.length >= 15);
});

Deno.test("createRateLimit() fixed starts anew with each minute of the clock", () => {
  let now = 59_000;
  const limit = createRateLimit({ requestsPerMinute: 2, window: "fixed", now: () => now });
  assertEquals([limit.take(), limit.take(), limit.take()].map((v) => v.allowed), [
    true,
    true,
    false,
  ]);
  assertEquals(limit.take().retryAfterMs, 1000);
  now = 60_000;
  assertEquals(limit.take().remaining, 1);
  limit.setRequestsPerMinute(0);
  assertEquals(limit.take().limit, 0);
});

Deno.test("createFaults() decides by seed and request, whatever the order of arrival", () => {
  const keys = Array.from({ length: 2000 }, (_, i) => `GET /x/${i % 500}`);
  const plan = { ...READ_FAULTS.harsh, kinds: { "500": 1, reset: 1 } };
  const run = (order: string[]): Map<string, string[]> => {
    const faults = createFaults(4, plan);
    const seen = new Map<string, string[]>();
    for (const key of order) {
      seen.set(key, [...(seen.get(key) ?? []), faults.next(key)?.kind ?? "ok"]);
    }
    return seen;
  };
  const seen = run(keys);
  const shuffled = run([...keys].sort());
  for (const [key, kinds] of seen) assertEquals(shuffled.get(key), kinds);
  const share = [...seen.values()].flat().filter((kind) => kind !== "ok").length / keys.length;
  assert(share > 0.05 && share < 0.11, `share ${share}`);
});

Deno.test("createFaults() lets a request through after two faults in a row", () => {
  const faults = createFaults(1, { rate: 1, kinds: { "500": 1 } });
  const kinds = Array.from({ length: 6 }, () => faults.next("GET /a") !== null);
  assertEquals(kinds, [true, true, false, true, true, false]);
  assertEquals(faults.counts, { "500": 4 });
});

Deno.test("createFaults() refuses a whole burst once a 429 is drawn", () => {
  const faults = createFaults(1, { rate: 1, kinds: { "429": 1 }, burst: 3, maxInARow: 1 });
  faults.next("GET /a");
  assertEquals([faults.next("GET /b")?.kind, faults.next("GET /c")?.kind], ["429", "429"]);
});

Deno.test("applyFault() runs the request before it loses the answer, only for after-… kinds", async () => {
  const ran = async (kind: FaultKind): Promise<[number, number]> => {
    let times = 0;
    const answer = await applyFault({ kind, delayMs: 0, at: 0.5 }, () => {
      times++;
      return Promise.resolve(Response.json({ a: 1 }));
    });
    await answer.body?.cancel();
    return [times, answer.status];
  };
  assertEquals(await ran("after-500"), [1, 500]);
  assertEquals(await ran("after-empty"), [1, 200]);
  assertEquals(await ran("500"), [0, 500]);
  assertEquals(await ran("502-html"), [0, 502]);
  assertEquals(await ran("429"), [0, 429]);
});

Deno.test("createRequestLog() counts routes, repeats, writes and the worst minute", () => {
  let now = 0;
  const log = createRequestLog(() => now);
  const send = (url: string, status: number, method = "GET"): void =>
    log.begin({ method, route: "/x/{id}", url })(status);
  for (now = 0; now < 120_000; now += 10_000) send(`/x/${now}`, 200);
  const open = log.begin({ method: "POST", route: "/x", url: "/x" });
  send("/x/0", 429);
  open(201);
  const stats = log.stats();
  assertEquals(stats.total, 14);
  assertEquals(stats.byRoute, { "GET /x/{id}": 13, "POST /x": 1 });
  assertEquals([stats.duplicates, stats.writes, stats.rateLimited], [1, 1, 1]);
  assertEquals(stats.peakConcurrency, 2);
  // At 120 s: those of 70 … 110 s and the last two.
  assertEquals(stats.peakPerMinute, 7);
  log.reset();
  assertEquals(log.stats().total, 0);
});
