import { assert, assertEquals } from "@std/assert";
import { createHttpClient } from "../../adapters/http/mod.ts";
import { createQtestHttp, createQtestTarget } from "../../adapters/qtest/mod.ts";
import type { FaultKind, FaultPlan } from "../../adapters/simulator_kit/mod.ts";
import { createSystemClock } from "../../adapters/system.ts";
import type { Services } from "../../core/engine/mod.ts";
import { startWorld, type World, type WorldOptions } from "../helpers/world.ts";
import { assertExactlyOnce, startLife, undisturbed } from "./exactly_once.ts";
import { Killing } from "./killing.ts";
import { testTogether } from "./together.ts";

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

interface FaultCase {
  name: string;
  run: () => Promise<void>;
}

function kindCase({ name, ...fault }: typeof KINDS[number]): FaultCase {
  const run = async (): Promise<void> => {
    await using world = await startWorld({
      ...OPTIONS,
      qtest: { ...OPTIONS.qtest, realResets: fault.kind.includes("reset") },
    });
    const reads = fault.kind === "429" ? [] : READS;
    for (const route of WRITES) world.qtest.injectFault({ ...fault, route, skip: 1 });
    for (const route of reads) world.qtest.injectFault({ ...fault, route, method: "GET", skip: 1 });
    await migrate(world);
    assert((world.qtest.faultCounts()[fault.kind] ?? 0) >= WRITES.length);
  };
  return { name: `with ${name} for every kind of request`, run };
}

type RetryAfter = "seconds" | "zero" | "absent";

function limitCase(retryAfter: RetryAfter, rateWindow: "bucket" | "sliding"): FaultCase {
  const run = async (): Promise<void> => {
    // About 250 requests: the bucket holds 60, the window nearly all.
    const requestsPerMinute = rateWindow === "bucket" ? 1_800 : 230;
    const switches = { retryAfter, rateWindow, count429: rateWindow === "bucket" };
    await using world = await startWorld({
      ...OPTIONS,
      qtest: { ...OPTIONS.qtest, requestsPerMinute, switches },
    });
    await migrate(world);
  };
  const name = `with a limit that is not set (${rateWindow}, Retry-After ${retryAfter})`;
  return { name, run };
}

async function loseAgainAndAgain(): Promise<void> {
  await using world = await startWorld(OPTIONS);
  const route = "/test-cases";
  world.qtest.injectFault({ kind: "after-500", route, times: 4 });
  world.qtest.injectFault({ kind: "reset", route, times: 2, skip: 4 });
  world.qtest.injectFault({ kind: "after-empty", route: "/test-logs", times: 5, skip: 3 });
  await migrate(world);
}

async function expireLogins(): Promise<void> {
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
  let sent = 0;
  const create: Services["target"]["create"] = (draft, options) => {
    if (++sent % 7 === 0) world.qtest.expireTokens();
    return target.create(draft, options);
  };
  await migrate(world, { target: { ...target, create } });
  client.close();
  assert((world.qtest.requestLog.stats().byStatus[401] ?? 0) > 3);
}

async function lagBehind(): Promise<void> {
  await using world = await startWorld({
    ...OPTIONS,
    qtest: { ...OPTIONS.qtest, switches: { searchLagMs: 2_000 } },
  });
  world.qtest.injectFault({ kind: "after-reset", route: "/test-runs", times: 3 });
  await migrate(world);
}

/** Later than the request timeout and the settling time together: the limit of the guarantee. */
async function commitTooLate(): Promise<void> {
  await using world = await startWorld(OPTIONS);
  const late = { kind: "slow", delayMs: 850, commitFirst: false } as const;
  world.qtest.injectFault({ ...late, route: "/test-cases", skip: 3 });
  // The load must not be over before the late one lands.
  world.qtest.injectFault({ kind: "reset", route: "/test-runs", times: 8 });
  world.qtest.injectFault({ kind: "reset", route: "/test-logs", times: 8 });
  world.qtest.injectFault({ kind: "reset", route: "/test-logs", times: 4, skip: 8 });
  const outcome = await startLife(world, new Killing(null)).advance();
  assertEquals(world.qtest.oracle().duplicates.length, 1);
  assertEquals([outcome.exitCode, outcome.summary.validation.duplicate], [4, 1]);
  const { rows } = await world.store.issues(1, { after: null, limit: 100 });
  assertEquals(rows.filter((row) => row.reason === "duplicate").length, 1);
}

async function drift(): Promise<void> {
  const quirks: FaultPlan = { rate: 0.3, kinds: { slow: 1 }, slowMs: [0, 0] };
  await using world = await startWorld({
    ...OPTIONS,
    qtest: { ...OPTIONS.qtest, faults: quirks, switches: { maxListSize: 5 } },
  });
  world.qtest.injectFault({ kind: "after-500", route: "/test-cases", times: 2 });
  await migrate(world);
}

function planCase(faults: "mild" | "harsh", seed: number): FaultCase {
  const run = async (): Promise<void> => {
    const options: WorldOptions = {
      ...OPTIONS,
      zephyr: { ...OPTIONS.zephyr, preset: "strict" },
      qtest: { seed, preset: "strict" },
      // Slow answers of these plans take up to 1.5 s: what lands later than all waiting is a limit.
      target: { settleMs: 1_300, timeoutMs: 400 },
    };
    const expected = await undisturbed(options);
    await using world = await startWorld({
      ...options,
      zephyr: { ...options.zephyr, faults },
      qtest: { ...options.qtest, faults },
    });
    const outcome = await startLife(world, new Killing(null)).advance();
    assertExactlyOnce(world, outcome, expected);
  };
  return { name: `with ${faults} faults on both sides (seed ${seed})`, run };
}

const CASES: FaultCase[] = [
  planCase("harsh", 8),
  ...KINDS.map(kindCase),
  { name: "when answers get lost again and again", run: loseAgainAndAgain },
  ...(["seconds", "zero", "absent"] as const).map((style) => limitCase(style, "bucket")),
  limitCase("absent", "sliding"),
  { name: "when logins expire in mid-run", run: expireLogins },
  { name: "when searches lag behind", run: lagBehind },
  { name: "when pages drift and properties are missing", run: drift },
  planCase("mild", 9),
];

Deno.test("advance() reports a second copy with exit 4, when a commit lands after all waiting", () =>
  commitTooLate());

testTogether(
  CASES.map((item) => ({ ...item, name: `advance() leaves everything once, ${item.name}` })),
  (item) => item.run(),
);
