import { assert, assertEquals } from "@std/assert";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { createSystemClock } from "../../adapters/system.ts";
import {
  datasetFromJson,
  generateDataset,
  snapshotDataset,
} from "../../adapters/zephyr/simulator/mod.ts";
import type { Change, Clock, Store, TargetKind, TargetState } from "../../core/ports/mod.ts";
import { TARGET_KINDS } from "../../core/ports/mod.ts";
import { startWorld, type World, type WorldOptions } from "../helpers/world.ts";
import { assertExactlyOnce, migrateThrough, startLife, undisturbed } from "./exactly_once.ts";
import { Killing, type KillPoint } from "./killing.ts";

const OPTIONS: WorldOptions = {
  zephyr: { seed: 7, data: { cases: 12, executions: 30 } },
  qtest: { seed: 7 },
  target: { settleMs: 200, timeoutMs: 300 },
};

/** Another project of the same source, which goes to the target of the first. */
async function startBeside(world: World, projectKey: string): Promise<World> {
  const { baseUrl, token, projectId } = world.settings.target;
  const dataset = generateDataset({ seed: 11, projectKey, cases: 10, executions: 20 });
  // Ids are unique within a source, so those of this project have to differ from the first's.
  const text = JSON.stringify(snapshotDataset(dataset)).replace(/\b22(\d{8})\b/g, "32$1");
  return await startWorld({
    zephyr: { seed: 11, dataset: datasetFromJson(JSON.parse(text)) },
    store: world.store,
    target: { ...OPTIONS.target, baseUrl, token, projectId },
  });
}

Deno.test("two projects in one database and one target project leave each other alone", async () => {
  await using world = await startWorld(OPTIONS);
  await using beside = await startBeside(world, "SB");
  const first = await startLife(world, new Killing(null)).advance();
  const second = await startLife(beside, new Killing(null)).advance();
  assertEquals([first.exitCode, second.exitCode], [0, 0]);
  assertEquals(world.qtest.oracle().duplicates, []);
});

Deno.test("a lost database takes over its own project only", async () => {
  await using world = await startWorld(OPTIONS);
  await using beside = await startBeside(world, "SB");
  await startLife(world, new Killing(null)).advance();
  await startLife(beside, new Killing(null)).advance();
  const before = JSON.stringify([...world.qtest.state.table("test-cases").values()]);
  const store = createMemoryStore();
  const again = await startLife(world, new Killing(null), { store }).advance();
  const after = JSON.stringify([...world.qtest.state.table("test-cases").values()]);
  assertEquals(after, before);
  assertEquals(again.exitCode, 0);
});

/** Asserts that a run that is over leaves no row whose outcome is unknown. */
async function assertSettled(store: Store): Promise<void> {
  for (const kind of TARGET_KINDS) {
    const states: TargetState[] = ["pending", "sending", "inDoubt"];
    const { rows } = await store.targets(1, kind, { after: null, limit: 50, states });
    assertEquals(rows.map(({ key, state }) => `${kind} ${key} ${state}`), []);
  }
}

/** The system's clock with a wall clock that may jump. */
function jumping(jump: { ms: number }): Clock {
  const clock = createSystemClock();
  return {
    now: () => clock.now() + jump.ms,
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over within ${ms} ms`)), ms);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const HOUR_MS = 3_600_000;

for (const kind of ["upload", "field", "testCase", "testLog"] as const) {
  Deno.test(`a ${kind} in doubt is settled soon, when the wall clock has jumped back since`, async () => {
    const expected = await undisturbed(OPTIONS);
    await using world = await startWorld(OPTIONS);
    const killing = new Killing({ at: "beforeSend", kind });
    await startLife(world, killing).advance().catch(() => {});
    assert(killing.dead);
    const life = startLife(world, new Killing(null), { clock: jumping({ ms: -HOUR_MS }) });
    assertExactlyOnce(world, await within(20_000, life.advance()), expected);
    await assertSettled(world.store);
  });
}

for (
  const [kind, route] of [["testCase", "/test-cases"], ["upload", "/blob-handles"], [
    "field",
    "/fields",
  ]]
) {
  Deno.test(`a ${kind} whose commit comes late is made once, when the wall clock jumps ahead`, async () => {
    const options: WorldOptions = { ...OPTIONS, target: { settleMs: 900, timeoutMs: 300 } };
    const expected = await undisturbed(options);
    await using world = await startWorld(options);
    const jump = { ms: 0 };
    world.qtest.injectFault({ kind: "slow", delayMs: 900, commitFirst: false, route, skip: 1 });
    const store: Store = new Proxy(world.store, {
      get: (inner, name) => {
        const value: unknown = Reflect.get(inner, name);
        if (name !== "apply") return typeof value === "function" ? value.bind(inner) : value;
        return async (...args: Parameters<Store["apply"]>): Promise<void> => {
          await inner.apply(...args);
          if ((world.qtest.faultCounts().slow ?? 0) > 0) jump.ms = HOUR_MS;
        };
      },
    });
    const life = startLife(world, new Killing(null), { store, clock: jumping(jump) });
    assertExactlyOnce(world, await life.advance(), expected);
    assertEquals(jump.ms, HOUR_MS);
    await assertSettled(world.store);
  });
}

const state = (kind: TargetKind, state: TargetState) => (change: Change): boolean =>
  change.op === "targets" && change.rows.some((row) => row.kind === kind && row.state === state);

const APPROVING: WorldOptions = {
  ...OPTIONS,
  target: { ...OPTIONS.target, approve: true },
};
const SETTLED: { name: string; options: WorldOptions; points: KillPoint[] }[] = [
  {
    name: "at every boundary of an approval",
    options: APPROVING,
    points: [
      { at: "beforeSend", kind: "approve" },
      { at: "afterSend", kind: "approve" },
      { at: "afterSend", kind: "approve", nth: 3 },
    ],
  },
  {
    name: "with a field made and its id lost",
    options: OPTIONS,
    points: [{ at: "afterSend", kind: "field" }, {
      at: "beforeCommit",
      when: state("field", "loaded"),
    }],
  },
  {
    name: "over and over in the middle of an upload",
    options: OPTIONS,
    points: [
      { at: "midUpload" },
      { at: "afterSend", kind: "upload" },
      { at: "beforeCommit", when: state("attachment", "sending") },
      { at: "afterCommit", when: state("attachment", "sending") },
    ],
  },
];

for (const { name, options, points } of SETTLED) {
  Deno.test(`no row stays open and artefacts are counted alike, killed ${name}`, async () => {
    const expected = await undisturbed(options);
    await using world = await startWorld(options);
    const outcome = await migrateThrough(world, points);
    assertExactlyOnce(world, outcome, expected);
    await assertSettled(world.store);
    assertEquals(outcome.summary.artefacts, expected.summary.artefacts);
  });
}

Deno.test("options of a field are added once, when their commit comes after a kill", async () => {
  await using world = await startWorld({ ...OPTIONS, target: { timeoutMs: 300, settleMs: 2_000 } });
  const { services, close } = world.engine();
  const options = ["of another"];
  const draft = { object: "testCase", label: "A/B group", type: "multiSelect", options } as const;
  const signal = new AbortController().signal;
  await services.target.createField({ ...draft, options }, {
    signal,
    intent: () => Promise.resolve(),
  });
  const late = { kind: "slow", delayMs: 1_500, commitFirst: false } as const;
  world.qtest.injectFault({ ...late, route: "/allowed-values" });
  const killing = new Killing(null);
  const life = startLife(world, killing).advance().catch(() => {});
  for (let turn = 0; turn < 1_000 && (world.qtest.faultCounts().slow ?? 0) === 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const landed = new Promise((resolve) => setTimeout(resolve, late.delayMs + 300));
  killing.kill();
  await life;
  const outcome = await startLife(world, new Killing(null)).advance();
  assertEquals(outcome.exitCode, 0);
  await landed;
  const { fields } = await services.target.profile(signal);
  const field = fields.find(({ object, label }) => object === "testCase" && label === draft.label);
  const labels = field?.options.map((option) => option.label) ?? [];
  assert(labels.length > 1);
  assertEquals(labels, [...new Set(labels)]);
  // The second of two equal requests would have been refused.
  assertEquals(world.qtest.requestLog.stats().byStatus[400] ?? 0, 0);
  close();
});

Deno.test("a batch of logs whose job is still waiting is not sent one by one, when the settings change", async () => {
  const options: WorldOptions = {
    ...OPTIONS,
    qtest: { seed: 7, switches: { bulkDelayMs: 2_500 } },
    target: { ...OPTIONS.target, logs: "bulk", bulkSettleMs: 4_000 },
  };
  await using world = await startWorld(options);
  const killing = new Killing(null);
  const { submitLogs, ...target } = world.engine().services.target;
  const life = startLife(world, killing, {
    target: {
      ...target,
      submitLogs: async (batch, hooks) => {
        const job = await submitLogs?.(batch, hooks) ?? { jobId: "" };
        killing.kill();
        return job;
      },
    },
  });
  await life.advance().catch(() => {});
  assert(killing.dead);
  world.settings.target.logs = "manual";
  const outcome = await startLife(world, new Killing(null)).advance();
  assertEquals(world.qtest.oracle().duplicates, []);
  assertEquals(outcome.exitCode, 0);
  await assertSettled(world.store);
});

Deno.test("a second copy of a file is reported, when the first upload lands after all waiting", async () => {
  await using world = await startWorld(OPTIONS);
  const late = { kind: "slow", delayMs: 1_000, commitFirst: false } as const;
  world.qtest.injectFault({ ...late, route: "/blob-handles", skip: 1 });
  await startLife(world, new Killing(null)).advance();
  for (let turn = 0; turn < 100 && world.qtest.oracle().duplicateAttachments.length === 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(world.qtest.oracle().duplicateAttachments.length, 1);
  const { migrator, close } = world.engine();
  const { exitCode, summary } = await migrator.advance({ phases: ["validate"] });
  assertEquals([exitCode, summary.validation.duplicate], [4, 1]);
  close();
});
