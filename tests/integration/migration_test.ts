import { assert, assertEquals } from "@std/assert";
import type { Summary } from "../../core/report/model.ts";
import { startWorld } from "../helpers/world.ts";

/** Every extracted record ends somewhere, and nothing is counted twice. */
function assertBalanced(summary: Summary): void {
  for (const [kind, count] of Object.entries(summary.counts)) {
    const ended = count.created + count.updated + count.unchanged + count.withoutTarget +
      count.setAside;
    assertEquals(ended, count.extracted, `${kind}: ${JSON.stringify(count)}`);
  }
}

for (const preset of ["generous", "strict"] as const) {
  Deno.test(`advance() moves a project with every kind of content, ${preset} servers`, async () => {
    await using world = await startWorld({
      zephyr: { seed: 11, data: { cases: 60, executions: 200 }, preset },
      qtest: { seed: 11, preset },
    });
    const first = world.engine();
    const outcome = await first.migrator.advance({});
    first.close();
    assertEquals(outcome.exitCode, 0);
    assertEquals(outcome.run.state, "completed");
    assertBalanced(outcome.summary);
    assertEquals(outcome.summary.counts.testCase.extracted, 60);
    assertEquals(outcome.summary.counts.execution.extracted, 200);
    const { checked, equal } = outcome.summary.validation;
    assert(checked > 300);
    assertEquals(equal, checked);
    const { duplicates, orphans, runsOutOfOrder } = world.qtest.oracle();
    assertEquals({ duplicates, orphans, runsOutOfOrder }, {
      duplicates: [],
      orphans: [],
      runsOutOfOrder: [],
    });
    for (const system of ["source", "target"] as const) {
      const { total, minimum } = outcome.summary.requests[system];
      assert(total >= minimum, `${system}: ${total} sent, ${minimum} needed`);
    }
  });
}

Deno.test("advance() sends nothing, when the run is completed", async () => {
  await using world = await startWorld({
    zephyr: { seed: 3, data: { cases: 10, executions: 20 } },
  });
  const first = world.engine();
  const outcome = await first.migrator.advance({});
  first.close();
  const before = [world.zephyr.requestLog.stats().total, world.qtest.requestLog.stats().total];
  const second = world.engine();
  const again = await second.migrator.advance({});
  second.close();
  assertEquals(
    [world.zephyr.requestLog.stats().total, world.qtest.requestLog.stats().total],
    before,
  );
  assertEquals(again.exitCode, outcome.exitCode);
  assertEquals(again.summary.counts, outcome.summary.counts);
});

Deno.test("advance() continues where it stopped, after interruptions in every phase", async () => {
  await using world = await startWorld({
    zephyr: { seed: 5, data: { cases: 40, executions: 120 } },
    qtest: { seed: 5 },
  });
  let interruptions = 0;
  for (;;) {
    const engine = world.engine();
    const stop = new AbortController();
    let seen = 0;
    const outcome = await engine.migrator.advance({
      signal: stop.signal,
      onProgress: () => {
        if (++seen > 3 + interruptions * 2) stop.abort();
      },
    });
    engine.close();
    if (outcome.run.state === "completed") {
      assertEquals(outcome.exitCode, 0);
      assertBalanced(outcome.summary);
      assertEquals(outcome.summary.validation.equal, outcome.summary.validation.checked);
      break;
    }
    assertEquals(outcome.exitCode, 5);
    assert(++interruptions < 100, "never ends");
  }
  assert(interruptions > 2);
  assertEquals(world.qtest.oracle().duplicates, []);
  assertEquals(world.qtest.oracle().runsOutOfOrder, []);
});

Deno.test("advance() goes phase by phase, when asked to", async () => {
  await using world = await startWorld({
    zephyr: { seed: 6, data: { cases: 12, executions: 30 } },
  });
  const engine = world.engine();
  const states: string[] = [];
  for (const phase of ["extract", "transform", "load", "validate"] as const) {
    const outcome = await engine.migrator.advance({ phases: [phase] });
    assertEquals(outcome.exitCode, 0, phase);
    states.push(outcome.run.state);
    if (phase === "transform") {
      const writes = Object.entries(world.qtest.requestLog.stats().byRoute)
        .filter(([route]) => !route.startsWith("GET "));
      assertEquals(writes, []);
    }
  }
  engine.close();
  assertEquals(states, ["transforming", "loading", "validating", "completed"]);
});

Deno.test("advance() refuses to start, when a required field of the target has no value", async () => {
  await using world = await startWorld({
    zephyr: { seed: 6, data: { cases: 5, executions: 5 } },
    qtest: {
      data: {
        fields: [{ objectType: "test-cases", label: "Cost centre", dataType: 1, required: true }],
      },
    },
  });
  const engine = world.engine();
  const error = await engine.migrator.advance({}).then(() => null, (reason) => reason);
  engine.close();
  assertEquals(error.exitCode, 6);
  assert(error.message.includes("Cost centre"), error.message);
  assertEquals(world.qtest.oracle().counts.testCases ?? 0, 0);
});

Deno.test("advance() takes over what is there, when the database was lost", async () => {
  await using world = await startWorld({
    zephyr: { seed: 8, data: { cases: 30, executions: 60 } },
  });
  const first = world.engine();
  const { summary: before } = await first.migrator.advance({});
  first.close();
  const made = world.qtest.oracle().counts;
  const { createMemoryStore } = await import("../../adapters/memory/store.ts");
  world.store = createMemoryStore();
  const services = world.engine();
  const { createMigrator } = await import("../../core/engine/mod.ts");
  // What was adopted is known long before the scripts of its cases are.
  const { source } = services.services;
  const script = source.script.bind(source);
  source.script = async (testCase, signal) => {
    const waitMs = /[15]$/.test(testCase.key) ? 800 : 0;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    return await script(testCase, signal);
  };
  const migrator = createMigrator({ ...services.services, store: world.store });
  const outcome = await migrator.advance({});
  services.close();
  assertEquals(outcome.exitCode, 0);
  assertEquals(world.qtest.oracle().counts, made);
  assertEquals(outcome.summary.artefacts, {});
  assertBalanced(outcome.summary);
  // What the target already holds is told as it was when it was made.
  const { executionStep } = outcome.summary.counts;
  assertEquals(executionStep.withoutTarget, before.counts.executionStep.withoutTarget);
  assertEquals(outcome.summary.losses["steps-in-note"], before.losses["steps-in-note"]);
});
