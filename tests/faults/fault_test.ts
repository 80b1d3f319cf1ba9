import { assert, assertEquals } from "@std/assert";
import { createHttpClient } from "../../adapters/http/mod.ts";
import { createQtestHttp, createQtestTarget } from "../../adapters/qtest/mod.ts";
import type { FaultKind, FaultPlan } from "../../adapters/simulator_kit/mod.ts";
import { createSystemClock } from "../../adapters/system.ts";
import type { Services } from "../../core/engine/mod.ts";
import { startWorld, type World, type WorldOptions } from "../helpers/world.ts";
import { assertExactlyOnce, startLife, undisturbed } from "./exactly_once.ts";
import { Killing } from "./killing.ts";

const OPTIONS: WorldOptions = {
  zephyr: { seed: 8, data: { cases: 14, executions: 40 } },
  qtest: { seed: 8 },
  target: { settleMs: 300, timeoutMs: 400 },
};
const WRITES = [
  "/modules",
  "/test-cases",
  "/test-cycles",
  "/releases",
  "/test-suites",
  "/test-runs",
  "/test-logs",
  "/blob-handles",
  "/fields",
];
const READS = ["/test-cases", "/test-runs", "/test-cycles", "/modules", "/attachments"];

async function migrate(world: World, services: Partial<Services> = {}): Promise<void> {
  const expected = await undisturbed(OPTIONS);
  const outcome = await startLife(world, new Killing(null), services).advance();
  assertExactlyOnce(world, outcome, expected);
}

const KINDS: { kind: FaultKind; delayMs?: number; commitFirst?: boolean; name: string }[] = [
  { kind: "500", name: "500 before the commit" },
  { kind: "after-500", name: "500 after the commit" },
  { kind: "502-html", name: "a page of HTML with 502" },
  { kind: "504-html", commitFirst: true, name: "504 after the commit" },
  { kind: "504-html", commitFirst: false, name: "504 without a commit" },
  { kind: "reset", name: "a connection closed before the commit" },
  { kind: "after-reset", name: "a connection closed after the commit" },
  { kind: "after-empty", name: "an empty 200 after the commit" },
  { kind: "truncated", name: "half of the answer" },
  { kind: "slow", delayMs: 600, commitFirst: true, name: "a commit whose answer is too late" },
  { kind: "slow", delayMs: 550, commitFirst: false, name: "a commit after the timeout" },
  { kind: "429", name: "bursts of 429" },
];

for (const { name, ...fault } of KINDS) {
  Deno.test(`advance() leaves everything once, with ${name} for every kind of request`, async () => {
    await using world = await startWorld({
      ...OPTIONS,
      qtest: { ...OPTIONS.qtest, realResets: fault.kind.includes("reset") },
    });
    for (const route of WRITES) world.qtest.injectFault({ ...fault, route, skip: 1 });
    for (const route of READS) world.qtest.injectFault({ ...fault, route, method: "GET", skip: 1 });
    await migrate(world);
    assert((world.qtest.faultCounts()[fault.kind] ?? 0) >= WRITES.length);
  });
}

Deno.test("advance() leaves everything once, when answers get lost again and again", async () => {
  await using world = await startWorld(OPTIONS);
  const route = "/test-cases";
  world.qtest.injectFault({ kind: "after-500", route, times: 4 });
  world.qtest.injectFault({ kind: "reset", route, times: 2, skip: 4 });
  world.qtest.injectFault({ kind: "after-empty", route: "/test-logs", times: 5, skip: 3 });
  await migrate(world);
});

for (const retryAfter of ["seconds", "zero", "absent"] as const) {
  for (const rateWindow of ["bucket", "sliding"] as const) {
    const name = `a limit that only 429 tells (${rateWindow}, Retry-After ${retryAfter})`;
    Deno.test(`advance() leaves everything once, with ${name}`, async () => {
      await using world = await startWorld({
        ...OPTIONS,
        // 250 requests: the bucket holds 60, the window more than that.
        qtest: {
          ...OPTIONS.qtest,
          requestsPerMinute: rateWindow === "bucket" ? 1_800 : 4_000,
          switches: { retryAfter, rateWindow, count429: true },
        },
      });
      await migrate(world);
    });
  }
}

Deno.test("advance() leaves everything once, when logins expire in mid-run", async () => {
  await using world = await startWorld(OPTIONS);
  const http = createQtestHttp({
    baseUrl: world.qtest.url,
    username: world.qtest.username,
    password: world.qtest.password,
    requestsPerMinute: 0,
    concurrency: 8,
    timeoutMs: 400,
    clock: createSystemClock(),
  });
  const client = http.bind(createHttpClient(http));
  const target = createQtestTarget({ http: client, projectId: String(world.qtest.projectId) });
  const create: Services["target"]["create"] = (draft, options) => {
    if (++sent % 7 === 0) world.qtest.expireTokens();
    return target.create(draft, options);
  };
  let sent = 0;
  await migrate(world, { target: { ...target, create } });
  client.close();
  assert((world.qtest.requestLog.stats().byStatus[401] ?? 0) > 3);
});

Deno.test("advance() leaves everything once, when searches lag behind", async () => {
  await using world = await startWorld({
    ...OPTIONS,
    qtest: { ...OPTIONS.qtest, switches: { searchLagMs: 2_000 } },
  });
  world.qtest.injectFault({ kind: "after-reset", route: "/test-runs", times: 3 });
  await migrate(world);
});

Deno.test("advance() leaves everything once, when pages drift and properties are missing", async () => {
  const quirks: FaultPlan = { rate: 0.3, kinds: { slow: 1 }, slowMs: [0, 0] };
  await using world = await startWorld({
    ...OPTIONS,
    qtest: { ...OPTIONS.qtest, faults: quirks, switches: { maxListSize: 5 } },
  });
  world.qtest.injectFault({ kind: "after-500", route: "/test-cases", times: 2 });
  await migrate(world);
});

for (const faults of ["mild", "harsh"] as const) {
  Deno.test(`advance() leaves everything once, with ${faults} faults on both sides`, async () => {
    const options: WorldOptions = {
      ...OPTIONS,
      zephyr: { ...OPTIONS.zephyr, preset: "strict" },
      qtest: { ...OPTIONS.qtest, preset: "strict" },
    };
    const expected = await undisturbed(options);
    await using world = await startWorld({
      ...options,
      zephyr: { ...options.zephyr, faults },
      qtest: { ...options.qtest, faults },
    });
    const outcome = await startLife(world, new Killing(null)).advance();
    assertExactlyOnce(world, outcome, expected);
    assertEquals(outcome.summary.counts.testCase.setAside, 0);
  });
}
