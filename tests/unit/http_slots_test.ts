import { assert, assertEquals, assertRejects } from "@std/assert";
import { LimitBackoff, Pace, retryAfterMs } from "../../adapters/http/pace.ts";
import { Quota } from "../../adapters/http/quota.ts";
import { Slots } from "../../adapters/http/slots.ts";
import { Counters } from "../../adapters/http/stats.ts";
import { createFakeClock, type FakeClock } from "../helpers/fake_clock.ts";

const never = new AbortController().signal;

/** Takes slots and notes when; releases at once. */
function takeAll(slots: Slots, clock: FakeClock, count: number, signal = never): number[] {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    slots.acquire(signal).then((release) => {
      times.push(Math.round(clock.monotonic() * 1_000) / 1_000);
      release();
    }, () => {});
  }
  return times;
}

Deno.test("Slots.acquire() spaces slots by an absolute clock and does not burst after idle", async () => {
  const clock = createFakeClock();
  const slots = new Slots(clock, { concurrency: 8, intervalMs: 150 });
  const times = takeAll(slots, clock, 4);
  await clock.tick(1_000);
  assertEquals(times, [0, 150, 300, 450]);
  await clock.tick(60_000);
  const later = takeAll(slots, clock, 3);
  await clock.tick(1_000);
  assertEquals(later, [61_000, 61_150, 61_300]);
});

Deno.test("Slots.setInterval() counts from the last slot, without a burst or a wait for the old one", async () => {
  const clock = createFakeClock();
  const slots = new Slots(clock, { concurrency: 8, intervalMs: 60_000 });
  const times = takeAll(slots, clock, 5);
  await clock.tick(1_000);
  slots.setInterval(5_000);
  await clock.tick(10_000);
  assertEquals(times, [0, 5_000, 10_000]);
  slots.setInterval(0);
  await clock.flush();
  assertEquals(times.length, 5);
  slots.setInterval(1_000);
  const after = takeAll(slots, clock, 2);
  await clock.tick(5_000);
  assertEquals(after, [12_000, 13_000]);
});

Deno.test("Slots.acquire() keeps at most `concurrency` in flight, without timers when unlimited", async () => {
  const clock = createFakeClock();
  const slots = new Slots(clock, { concurrency: 2, intervalMs: 0 });
  const first = await slots.acquire(never);
  await slots.acquire(never);
  let third = false;
  const waiting = slots.acquire(never).then(() => third = true);
  await clock.flush();
  assertEquals([third, slots.queued, slots.inFlight], [false, 1, 2]);
  first();
  first();
  await waiting;
  assertEquals(slots.inFlight, 2);
  assertEquals(clock.slept.length, 0);
});

Deno.test("Slots.acquire() leaves the queue when aborted and keeps the order of the others", async () => {
  const clock = createFakeClock();
  const slots = new Slots(clock, { concurrency: 8, intervalMs: 100 });
  const order: string[] = [];
  const stop = new AbortController();
  takeAll(slots, clock, 1);
  const aborted = slots.acquire(stop.signal);
  for (const name of ["a", "b"]) {
    slots.acquire(never).then((release) => {
      order.push(`${name}@${clock.monotonic()}`);
      release();
    });
  }
  stop.abort(new Error("stopped"));
  await assertRejects(() => aborted, Error, "stopped");
  await clock.tick(500);
  assertEquals(order, ["a@100", "b@200"]);
});

Deno.test("Slots.block() holds everyone until then and goes on evenly", async () => {
  const clock = createFakeClock();
  const slots = new Slots(clock, { concurrency: 8, intervalMs: 100 });
  slots.block(5_000, "qTest answered 429");
  const times = takeAll(slots, clock, 3);
  await clock.tick(4_999);
  assertEquals(times, []);
  assertEquals(slots.waiting()?.reason, "qTest answered 429");
  await clock.tick(1_000);
  assertEquals(times, [5_000, 5_100, 5_200]);
});

Deno.test("Slots.cap() widens the interval until its end and no longer", async () => {
  const clock = createFakeClock();
  const slots = new Slots(clock, { concurrency: 8, intervalMs: 100 });
  slots.cap(20_000, 30_000);
  const times = takeAll(slots, clock, 5);
  await clock.tick(31_000);
  assertEquals(times, [0, 20_000, 30_000, 30_100, 30_200]);
});

Deno.test("Pace learns from a 429 once per wave and recovers to the set rate", () => {
  const pace = new Pace(400);
  assertEquals(Math.round(pace.perMinute), 396);
  pace.limited(1_000, 900, 0);
  pace.limited(1_001, 950, 0);
  assertEquals(Math.round(pace.perMinute), 297);
  pace.set(100);
  assertEquals(pace.perMinute, 99);
  pace.set(400);
  for (let index = 0; index < 200; index++) pace.answered();
  assertEquals(pace.perMinute, 396);
  const unlimited = new Pace(0);
  assertEquals(unlimited.intervalMs, 0);
  unlimited.limited(1, 0.5, 6_000);
  assertEquals(unlimited.perMinute, 4_500);
  const idle = new Pace(0);
  idle.limited(1, 0.5, 6);
  assertEquals(idle.perMinute, 300);
});

Deno.test("Pace falls once however many tries are refused, and is back soon when all is well", () => {
  for (const set of [400, 0]) {
    const pace = new Pace(set);
    const full = pace.perMinute;
    for (let time = 1_000; time < 60_000; time += 1_000) pace.limited(time, time - 1, 400);
    assertEquals(Math.round(pace.perMinute), Math.round(0.75 * (set === 0 ? 400 : 396)));
    let answers = 0;
    while (pace.perMinute < full && answers < 1_000) {
      pace.answered();
      answers++;
    }
    assert(answers < 100, `${answers} answers until the pace of ${set} is back`);
    pace.limited(61_000, 60_999, 400);
    assert(pace.perMinute < full);
  }
});

Deno.test("LimitBackoff honours Retry-After, a floor for 0, the minute's end when absent, and grows", () => {
  const wallMs = Date.UTC(2026, 0, 1, 12, 0, 58);
  const at = (backoff: LimitBackoff, nowMs: number, told: number | null): number =>
    backoff.limited({ nowMs, sentAtMs: nowMs - 1, wallMs, retryAfterMs: told, random: () => 0.5 });
  assertEquals(at(new LimitBackoff(), 10, 12_000), 12_000);
  const zero = new LimitBackoff();
  const grown = [...Array(6).fill(1_125), 1_687.5, 2_531.25];
  assertEquals(grown.map((_, now) => at(zero, now * 10_000, 0)), grown);
  zero.answered(110_000);
  assertEquals(at(zero, 120_000, 0), 1_125);
  const absent = new LimitBackoff();
  const ended = [...Array(6).fill(1_125), 1_687.5, 2_250, 2_250];
  assertEquals(ended.map((_, now) => at(absent, now * 10_000, null)), ended);
});

Deno.test("retryAfterMs() reads seconds, dates by the server's clock, and nothing else", () => {
  const read = (headers: Record<string, string>): number | null =>
    retryAfterMs(new Headers(headers), Date.UTC(2026, 0, 1));
  assertEquals(read({ "retry-after": "0" }), 0);
  assertEquals(read({ "retry-after": "7" }), 7_000);
  const date = "Fri, 02 Jan 2026 10:00:00 GMT";
  assertEquals(read({ "retry-after": "Fri, 02 Jan 2026 10:00:09 GMT", date }), 9_000);
  assertEquals(read({ "retry-after": "soon" }), null);
  assertEquals(read({ "ratelimit-reset": "3" }), 3_000);
  assertEquals(read({}), null);
});

/** Asks a quota what it makes of a remainder at a second of the day's first minutes. */
function remain(
  quota: Quota,
  second: number,
  remaining: number,
  status = 200,
): ReturnType<Quota["answered"]> {
  const wallMs = Date.UTC(2026, 0, 1) + second * 1_000;
  const headers = new Headers({ "x-ratelimit-remaining-minute": String(remaining) });
  return quota.answered({ status, headers }, wallMs - 200, wallMs);
}

Deno.test("Quota waits for the next minute at 0 and spreads a small remainder, knowing a calendar", () => {
  const quota = new Quota(() => 0);
  for (let second = 2; second < 59; second += 2) remain(quota, second, 400 - 5 * second);
  remain(quota, 63, 380);
  assertEquals(remain(quota, 90, 5).cap, { intervalMs: 6_000, forMs: 30_050 });
  assertEquals(remain(quota, 105, 0).waitMs, 15_050);
});

Deno.test("Quota asks once more before it waits for a minute that may be none", () => {
  const quota = new Quota(() => 0);
  assertEquals(remain(quota, 20, 5).cap?.intervalMs, 3_000);
  assertEquals(remain(quota, 22, 0, 429).sure, false);
  const first = remain(quota, 25, 0);
  assertEquals([first.waitMs, first.sure], [3_000, false]);
  const second = remain(quota, 28, 0, 429);
  assertEquals([second.waitMs, second.sure], [32_050, true]);
});

Deno.test("Quota takes a remainder that grows in mid-minute for a bucket", () => {
  const quota = new Quota(() => 0);
  remain(quota, 20, 3);
  remain(quota, 22, 0);
  assertEquals(remain(quota, 25, 2).cap?.intervalMs, 0);
  assertEquals(remain(quota, 26, 0).waitMs, null);
});

Deno.test("Quota does not slow a normal calendar window at 99 % of its limit", () => {
  const quota = new Quota(() => 0);
  for (let second = 2; second < 59; second++) {
    const { cap, waitMs } = remain(quota, second, Math.floor(400 - second * 6.6));
    assertEquals(waitMs, null);
    assert((cap?.intervalMs ?? 0) <= 60_000 / 396, `slowed at second ${second}`);
  }
});

Deno.test("Quota takes a remainder that no new minute refills for a sliding window", () => {
  const quota = new Quota(() => 0);
  for (let second = 30; second < 59; second++) remain(quota, second, 400 - (second - 30) * 7);
  const after = remain(quota, 62, 190);
  assertEquals(after.cap, { intervalMs: 0, forMs: 0 });
  assertEquals(remain(quota, 70, 4).cap?.intervalMs, 0);
});

Deno.test("Quota remembers the month's remainder until the month is over", () => {
  const quota = new Quota();
  const wallMs = Date.UTC(2026, 0, 31, 23);
  const headers = new Headers({ "x-ratelimit-remaining-month": "90" });
  quota.answered({ status: 200, headers }, wallMs, wallMs);
  assertEquals(quota.monthRemaining(wallMs), 90);
  assertEquals(quota.monthRemaining(Date.UTC(2026, 1, 1)), null);
});

Deno.test("Counters.sent() finds the peak of any rolling 60 s", () => {
  const counters = new Counters();
  for (let index = 0; index < 3_000; index++) counters.sent("GET /a", index * 100, index > 2_990);
  assertEquals(counters.snapshot().peakPerMinute, 600);
  for (let index = 0; index < 601; index++) counters.sent("GET /a", 300_000 + index * 99, false);
  const stats = counters.snapshot();
  assert(stats.peakPerMinute > 600 && stats.peakPerMinute < 1_202);
  assertEquals([stats.total, stats.retried], [3_601, 9]);
});
