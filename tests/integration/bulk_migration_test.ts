import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import type { Outcome } from "../../core/engine/mod.ts";
import { RefusedError } from "../../core/errors.ts";
import type { Change, LogBatch, Target, TargetRow, Traffic } from "../../core/ports/mod.ts";
import {
  assertBalanced,
  assertExactlyOnce,
  contentOf,
  migrateThrough,
  startLife,
  undisturbed,
} from "../faults/exactly_once.ts";
import { Killing } from "../faults/killing.ts";
import type { KillPoint } from "../faults/killing.ts";
import { startWorld } from "../helpers/world.ts";
import type { World, WorldOptions } from "../helpers/world.ts";

const BULK = "POST /api/v3.1/projects/{projectId}/test-runs/{testRunId}/auto-test-logs";
const LOG = "POST /api/v3/projects/{projectId}/test-runs/{testRunId}/test-logs";

const SMALL: WorldOptions = {
  zephyr: { seed: 7, data: { cases: 12, executions: 60 } },
  qtest: { seed: 7 },
  target: { logs: "bulk", settleMs: 200, timeoutMs: 300, bulkSettleMs: 300 },
};

function withQtest(more: WorldOptions["qtest"], base = SMALL): WorldOptions {
  return { ...base, qtest: { ...base.qtest, ...more } };
}

async function migrate(world: World, target?: Target & Traffic): Promise<Outcome> {
  const life = startLife(world, new Killing(null), target === undefined ? {} : { target });
  return await life.advance();
}

function sent(outcome: Outcome, route: string): number {
  return outcome.summary.requests.target.byRoute[route] ?? 0;
}

/** The world's target with batches that arrive otherwise than they were sent. */
function tampered(
  world: World,
  change: (batch: LogBatch, nth: number) => LogBatch,
): Target & Traffic {
  const { target } = world.engine().services;
  let nth = 0;
  return {
    ...target,
    submitLogs: async (batch, options) =>
      await target.submitLogs?.(change(batch, ++nth), options) ?? { jobId: "" },
  };
}

async function rowsOf(world: World, kind: "testRun" | "testLog"): Promise<TargetRow[]> {
  return (await world.store.targets(1, kind, { after: null, limit: 5_000 })).rows;
}

for (const preset of ["generous", "strict"] as const) {
  Deno.test(`advance() leaves the same content in bulk as one by one, ${preset} servers`, async () => {
    const options: WorldOptions = {
      zephyr: { seed: 11, data: { cases: 30, executions: 200 }, preset },
      qtest: { seed: 11, preset },
    };
    const manual = await undisturbed(options);
    await using world = await startWorld({ ...options, target: { logs: "bulk" } });
    const outcome = await migrate(world);
    assertExactlyOnce(world, outcome, manual);
    const { total, minimum } = outcome.summary.requests.target;
    assert(total >= minimum, `${total} sent, ${minimum} needed`);
    assert(minimum < manual.summary.requests.target.minimum);
    assert(sent(outcome, BULK) > 0);
    assert(sent(outcome, LOG) * 2 < (manual.summary.artefacts.testLog ?? 0));
    const cases = world.qtest.dump()["test-cases"] ?? [];
    for (const item of cases) {
      const values = item.properties as { field_name: string; field_value?: string }[];
      const of = (name: string): unknown =>
        values.find((value) => value.field_name === name)?.field_value;
      assertEquals(of("Automation Content"), of("Zephyr Key"));
    }
  });
}

for (const marker of ["text", "none"] as const) {
  Deno.test(`advance() tells what jobs made by other means, marker ${marker}`, async () => {
    const target = { ...SMALL.target, marker };
    const manual = await undisturbed({ ...SMALL, target: { ...target, logs: "manual" } });
    await using world = await startWorld({ ...SMALL, target });
    const outcome = await migrate(world);
    // Without markers there are no words to compare contents by but the validation's.
    if (marker === "text") return assertExactlyOnce(world, outcome, manual);
    assertEquals(contentOf(world).counts, manual.content.counts);
    assertEquals(outcome.summary.counts, manual.summary.counts);
    assertEquals(outcome.summary.validation, manual.summary.validation);
  });
}

Deno.test("advance() sends only automated executions in bulk, when logs are auto", async () => {
  const options: WorldOptions = { ...SMALL, target: { ...SMALL.target, logs: "auto" } };
  const manual = await undisturbed({ ...SMALL, target: { ...SMALL.target, logs: "manual" } });
  await using world = await startWorld(options);
  const outcome = await migrate(world);
  assertExactlyOnce(world, outcome, manual);
  const logs = (await rowsOf(world, "testLog")).filter((row) => row.state === "loaded");
  const executions = await world.store.recordsByKey(1, "execution", logs.map((row) => row.key));
  const bulk = logs.filter((row) => row.detail.bulk === true);
  assert(bulk.length > 0 && bulk.length < logs.length);
  for (const row of bulk) assertEquals(executions.get(row.key)?.automated, true, row.key);
});

for (const bulkAtomic of [true, false]) {
  Deno.test(`advance() sends logs of a refused result one by one, atomic jobs: ${bulkAtomic}`, async () => {
    const automationStatuses = { PASSED: "Passed", FAILED: "Failed", INCOMPLETE: "Incomplete" };
    const expected = await undisturbed(SMALL);
    await using world = await startWorld(
      withQtest({ switches: { automationStatuses, bulkAtomic } }),
    );
    const outcome = await migrate(world);
    assertEquals(outcome.exitCode, 0);
    assertEquals(contentOf(world), expected.content);
    const { checked, equal } = outcome.summary.validation;
    assertEquals(equal, checked);
    assertBalanced(outcome.summary);
    const { rows } = await world.store.issues(1, { after: null, limit: 50 }, { phase: "load" });
    assertEquals(rows.map((row) => row.key), ["result BLOCKED"]);
    assertStringIncludes(rows[0]?.message ?? "", 'automationStatuses["Blocked"]');
  });
}

Deno.test("advance() ends with 6 and names the mapping, when no result is known to the target", async () => {
  const automationStatuses = { OK: "Passed", NOK: "Failed", WIP: "Incomplete", STOP: "Blocked" };
  const options = withQtest({ switches: { automationStatuses } });
  await using world = await startWorld(options);
  const error = await migrate(world).then(() => null, (reason) => reason);
  assertEquals(error.exitCode, 6);
  assertStringIncludes(error.message, "PASSED");
  assertStringIncludes(error.hint, 'automationStatuses["Passed"]');
  assertEquals(world.qtest.oracle().counts["test-logs"], 0);
  world.mapping.automationStatuses = {
    passed: "OK",
    Failed: "NOK",
    incomplete: "WIP",
    Blocked: "STOP",
  };
  const outcome = await migrate(world);
  assertExactlyOnce(world, outcome, await undisturbed(SMALL));
});

Deno.test("advance() ends with 6, when cases have no field for automation content", async () => {
  await using world = await startWorld(SMALL);
  for (const field of world.qtest.state.fields.values()) {
    if (field.label === "Automation Content") field.isActive = false;
  }
  const error = await migrate(world).then(() => null, (reason) => reason);
  assertEquals(error.exitCode, 6);
  assertStringIncludes(error.message, "Automation Content");
  assertEquals(world.qtest.oracle().counts["test-cases"], 0);
});

Deno.test("advance() halves batches that are too large", async () => {
  await using world = await startWorld(withQtest({ switches: { bulkMaxLogs: 5 } }));
  const outcome = await migrate(world);
  assertExactlyOnce(world, outcome, await undisturbed(SMALL));
});

Deno.test("advance() adopts a batch whose answer was lost, and sends none twice", async () => {
  await using world = await startWorld(SMALL);
  world.qtest.injectFault({ kind: "after-reset", route: "/auto-test-logs", times: 2, skip: 1 });
  const outcome = await migrate(world);
  assertExactlyOnce(world, outcome, await undisturbed(SMALL));
  const { summary } = await undisturbed(SMALL);
  assertEquals(sent(outcome, BULK), summary.requests.target.byRoute[BULK]);
});

Deno.test("advance() sends a batch again, when its markers are absent after the settling time", async () => {
  await using world = await startWorld(SMALL);
  world.qtest.injectFault({ kind: "reset", route: "/auto-test-logs", times: 1 });
  const started = performance.now();
  const outcome = await migrate(world);
  assert(performance.now() - started > 600);
  assertExactlyOnce(world, outcome, await undisturbed(SMALL));
});

Deno.test("advance() looks for the logs of a job that the target forgot", async () => {
  await using world = await startWorld(withQtest({ switches: { bulkDelayMs: 0 } }));
  const { target } = world.engine().services;
  const outcome = await migrate(world, { ...target, bulkJob: () => Promise.resolve(null) });
  assertExactlyOnce(world, outcome, await undisturbed(SMALL));
});

for (const bulkAtomic of [true, false]) {
  Deno.test(`advance() sends logs that a job refused one by one, atomic jobs: ${bulkAtomic}`, async () => {
    await using world = await startWorld(withQtest({ switches: { bulkAtomic } }));
    const bad = new Set<string>();
    const outcome = await migrate(
      world,
      tampered(world, (batch, nth) => {
        const last = batch.logs.at(-1);
        if (nth === 2 && last !== undefined) bad.add(last.noteHtml);
        const logs = batch.logs.map((log) => bad.has(log.noteHtml) ? { ...log, result: "?" } : log);
        return { ...batch, logs };
      }),
    );
    assertEquals(bad.size, 1);
    assertEquals(contentOf(world).counts, (await undisturbed(SMALL)).content.counts);
    assertEquals(outcome.exitCode, 0);
    assertEquals(outcome.summary.validation.equal, outcome.summary.validation.checked);
    assertEquals(world.qtest.oracle().duplicates, []);
  });
}

Deno.test("advance() sends a log again, when its job succeeded without it", async () => {
  await using world = await startWorld(SMALL);
  let dropped = 0;
  const target = tampered(world, (batch, nth) => {
    if (nth < 2 || dropped > 0 || batch.logs.length < 2) return batch;
    dropped++;
    return { ...batch, logs: batch.logs.slice(0, -1) };
  });
  const outcome = await migrate(world, target);
  assertEquals(dropped, 1);
  assertEquals(contentOf(world).counts, (await undisturbed(SMALL)).content.counts);
  assertEquals(outcome.summary.validation.equal, outcome.summary.validation.checked);
});

Deno.test("advance() leaves cases alone that carry no automation content of ours", async () => {
  const options: WorldOptions = { ...SMALL, target: { ...SMALL.target, logs: "manual" } };
  await using world = await startWorld(options);
  const first = startLife(
    world,
    new Killing({ at: "afterCommit", when: stageDone("load.testCase") }),
  );
  await first.advance().catch(() => null);
  world.settings.target.logs = "bulk";
  const outcome = await migrate(world);
  assertEquals(outcome.summary.counts.execution.setAside, 0);
  assertEquals(
    contentOf(world).counts["test-cases"],
    (await undisturbed(SMALL)).content.counts["test-cases"],
  );
  assertEquals(world.qtest.oracle().duplicates, []);
});

function stageDone(name: string): (change: Change) => boolean {
  return (change) => change.op === "checkpoint" && change.name.endsWith(`stage/${name}`);
}
const rows = (state: string) => (change: Change): boolean =>
  change.op === "targets" &&
  change.rows.some((row) => row.kind === "testLog" && row.state === state);
const note =
  (fits: (value: { jobId: string | null; done: boolean }) => boolean) =>
  (change: Change): boolean =>
    change.op === "checkpoint" && change.name.startsWith("bulk/") && change.value !== null &&
    fits(change.value as { jobId: string | null; done: boolean });

const KILLS: { name: string; points: KillPoint[] }[] = [
  { name: "before a batch's intent", points: [{ at: "beforeCommit", when: rows("sending") }] },
  {
    name: "between a batch's intent and its request",
    points: [{ at: "afterCommit", when: rows("sending"), nth: 2 }],
  },
  {
    name: "before a batch's job is noted",
    points: [
      { at: "beforeCommit", when: note((value) => value.jobId !== null) },
      { at: "beforeCommit", when: note((value) => value.jobId !== null), nth: 2 },
    ],
  },
  {
    name: "while a job is polled",
    points: [{ at: "afterCommit", when: note((value) => value.jobId !== null) }, {
      at: "beforeCommit",
      when: note((value) => value.done),
    }],
  },
  { name: "after a job's end", points: [{ at: "afterCommit", when: note((value) => value.done) }] },
  {
    name: "while runs and ids are read back",
    points: [
      { at: "afterLook", kind: "testRun" },
      { at: "afterSweep", kind: "testLog" },
      { at: "beforeCommit", when: rows("loaded") },
      { at: "afterCommit", when: rows("loaded") },
    ],
  },
];

for (const { name, points } of KILLS) {
  Deno.test(`advance() leaves bulk logs once, killed ${name}`, async () => {
    const expected = await undisturbed(SMALL);
    await using world = await startWorld(SMALL);
    const outcome = await migrateThrough(world, points);
    assertExactlyOnce(world, outcome, expected);
  });
}

Deno.test("advance() sends no log in bulk beside an earlier copy of the cases", async () => {
  await using world = await startWorld(SMALL);
  await migrate(world);
  const before = contentOf(world).counts;
  world.settings.target.onExisting = "rename";
  const life = startLife(world, new Killing(null), { store: createMemoryStore() });
  const outcome = await life.advance();
  assertEquals(outcome.exitCode, 0);
  assertEquals([sent(outcome, BULK), outcome.summary.validation.different], [0, 0]);
  const { testLog } = outcome.summary.artefacts;
  assertEquals(contentOf(world).counts["test-logs"], (before["test-logs"] ?? 0) + (testLog ?? 0));
  assertEquals(sent(outcome, LOG), testLog);
});

Deno.test("advance() ends with differences, when a run of a job cannot be put right", async () => {
  await using world = await startWorld(SMALL);
  const target = tampered(world, (batch) => ({
    ...batch,
    logs: batch.logs.map((log) => ({ ...log, runName: `${log.runName} x` })),
  }));
  const { update } = target;
  let refused = 0;
  target.update = async (id, draft, write) => {
    if (draft.kind !== "testRun" || refused > 0) return await update.call(target, id, draft, write);
    refused++;
    const answer = "Test run was locked";
    throw new RefusedError(answer, { status: 400, answer });
  };
  const outcome = await migrate(world, target);
  assertEquals([refused, outcome.exitCode, outcome.run.state], [1, 4, "completed"]);
  assertEquals(outcome.summary.validation.different, 1);
  assertEquals(contentOf(world).counts, (await undisturbed(SMALL)).content.counts);
});
