import { assert, assertEquals, assertRejects } from "@std/assert";
import { StopError } from "../../core/errors.ts";
import {
  addLog,
  contentOf,
  idsOf,
  migrate,
  people,
  rollBack,
  seedPeople,
} from "../helpers/rollback_world.ts";
import { startWorld } from "../helpers/world.ts";

const DATA = { seed: 11, data: { cases: 20, executions: 50 } };

for (const preset of ["generous", "strict"] as const) {
  Deno.test(`rollback() leaves the target as it was and migrate works again, ${preset}`, async () => {
    await using world = await startWorld({
      zephyr: { ...DATA, preset },
      qtest: { seed: 11, preset },
    });
    await seedPeople(world);
    const before = contentOf(world);
    assertEquals((await migrate(world)).exitCode, 0);
    const made = world.qtest.oracle().counts;
    const dry = await rollBack(world, { dryRun: true });
    assertEquals(world.qtest.oracle().counts, made);
    const report = await rollBack(world);
    assertEquals([report.left, report.cannot], [[], []]);
    assertEquals([report.exitCode, report.state], [0, "rolled-back"]);
    assertEquals(report.deleted, dry.deleted);
    assertEquals(contentOf(world), before);
    const again = await migrate(world);
    assertEquals(again.exitCode, 0);
    assertEquals(again.run.id === report.runId, false);
    assertEquals(world.qtest.oracle().counts, made);
  });

  Deno.test(`rollback() leaves and reports what people edited or added, ${preset}`, async () => {
    await using world = await startWorld({
      zephyr: { ...DATA, preset },
      qtest: { seed: 11, preset },
    });
    const mine = await seedPeople(world);
    await migrate(world);
    const cases = await idsOf(world, "testCase");
    const runs = [...await idsOf(world, "testRun")];
    const modules = [...await idsOf(world, "module")];
    const [edited, filed, ran] = [...cases].filter(([key]) =>
      !runs.some(([run]) => run.endsWith(`/${key}`))
    );
    assert(edited && filed && ran, "too few cases without runs");
    await people(world, "PUT", `/test-cases/${edited[1]}`, { name: "Renamed by hand" });
    const note = new TextEncoder().encode("mine");
    await people(world, "POST", `/test-cases/${filed[1]}/blob-handles`, note);
    // A run of ours in their suite goes with the case, so the case has to stay.
    await people(world, "POST", `/test-runs?parentId=${mine.suite.id}&parentType=test-suite`, {
      name: "Their run",
      test_case: { id: Number(ran[1]) },
    });
    const [logged] = runs;
    assert(logged);
    await addLog(world, Number(logged[1]));
    const [leaf] = modules.slice(-1);
    assert(leaf);
    const added = await people(world, "POST", `/modules?parentId=${leaf[1]}`, {
      name: "Added by hand",
      parent_id: Number(leaf[1]),
    });
    if (preset === "strict") await new Promise((resolve) => setTimeout(resolve, 250));

    const report = await rollBack(world);
    assertEquals([report.exitCode, report.state], [3, "rolled-back"]);
    const left = new Map(report.left.map((row) => [`${row.kind}/${row.key}`, row]));
    assertEquals(left.get(`testCase/${edited[0]}`)?.targetId, edited[1]);
    assert(left.get(`testCase/${edited[0]}`)?.reason.startsWith("edited: name"));
    assert(left.get(`testCase/${filed[0]}`)?.reason.includes("notes.txt"));
    assert(left.get(`testCase/${ran[0]}`)?.reason.includes("testRun"));
    assert(left.get(`testRun/${logged[0]}`)?.reason.includes("testLog"));
    assert(left.has(`module/${leaf[0]}`) && left.has("module/root"));
    const { state } = world.qtest;
    assertEquals(state.get("modules", added.id)?.name, "Added by hand");
    for (const { kind, targetId } of report.left) {
      const table = ({
        module: "modules",
        testCase: "test-cases",
        testCycle: "test-cycles",
        testSuite: "test-suites",
        testRun: "test-runs",
        testLog: "test-logs",
        release: "releases",
      } as const)[kind as "module"];
      if (table !== undefined) assert(state.get(table, Number(targetId)), `${kind} ${targetId}`);
    }
    const runsLeft = report.left.filter((row) => row.kind === "testRun").length;
    assertEquals(runsLeft, 1);
    assertEquals(state.table("test-runs").size, 1 + 1 + runsLeft);
    assertEquals(world.qtest.oracle().orphans, []);

    const again = await migrate(world);
    // Only what people changed differs from the source.
    assertEquals(again.exitCode, 4);
    assertEquals(world.qtest.oracle().duplicates, []);
  });
}

Deno.test("rollback() continues, when it was killed or stopped between deletes", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  await migrate(world);
  const [module] = [...await idsOf(world, "module")].slice(-1);
  const [cycle] = [...await idsOf(world, "testCycle")].slice(-1);
  assert(module && cycle);
  // Without whole trees everything goes one by one.
  await people(world, "PUT", `/modules/${module[1]}`, { name: "Renamed" });
  await people(world, "PUT", `/test-cycles/${cycle[1]}`, { name: "Renamed" });
  let kills = 0;
  const total: Record<string, number> = {};
  for (;;) {
    const engine = world.engine();
    const kill = new AbortController();
    const { remove } = engine.services.target;
    let count = 0;
    engine.services.target.remove = async (kind, id, options) => {
      const isGone = await remove.call(engine.services.target, kind, id, options);
      if (++count === 7) kill.abort(new Error("killed"));
      return isGone;
    };
    // Every other time it is asked to stop instead.
    const how = kills % 2 === 0 ? { force: kill.signal } : { signal: kill.signal };
    const outcome = await engine.migrator.rollback(how).catch(() => null);
    engine.close();
    if (outcome !== null && outcome.exitCode !== 5) {
      Object.assign(total, outcome.report.deleted);
      assertEquals(outcome.report.state, "rolled-back");
      break;
    }
    const [run] = await world.store.runs(null);
    assertEquals(run?.state, "rolling-back");
    if (kills++ === 0) {
      const error = await assertRejects(() => migrate(world), StopError);
      assertEquals(error.exitCode, 2);
      assert(error.message.includes("rolled back"));
    }
    assert(kills < 40, "never ends");
  }
  assert(kills > 3, `killed ${kills} times`);
  const { state } = world.qtest;
  assertEquals(state.table("test-cases").size + state.table("test-runs").size, 0);
  assertEquals(world.qtest.oracle().orphans, []);
});

Deno.test("rollback() waits for a tree to be gone, when the answer of the forced delete is lost", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  const before = contentOf(world);
  await migrate(world);
  for (const route of ["/test-cycles/{testCycleId}", "/modules/{moduleId}"]) {
    world.qtest.injectFault({ kind: "504-html", method: "DELETE", route });
  }
  world.qtest.injectFault({ kind: "502-html", method: "DELETE", route: "/modules/{moduleId}" });
  const report = await rollBack(world);
  assertEquals(report.exitCode, 0);
  assertEquals(contentOf(world), before);
});

Deno.test("rollback() says again what it said, when the run is rolled back", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  await migrate(world);
  const report = await rollBack(world);
  const sent = world.qtest.requestLog.stats().total;
  assertEquals(await rollBack(world), report);
  assertEquals(world.qtest.requestLog.stats().total, sent);
});

Deno.test("rollback() takes back an interrupted run, writes in doubt included", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  const before = contentOf(world);
  for (const [index, route] of ["/test-cases", "/modules", "/test-runs"].entries()) {
    world.qtest.injectFault({ kind: "after-reset", method: "POST", route, skip: index + 2 });
  }
  const engine = world.engine();
  const kill = new AbortController();
  const { create } = engine.services.target;
  let created = 0;
  engine.services.target.create = async (draft, options) => {
    if (++created > 45) kill.abort(new Error("killed"));
    return await create.call(engine.services.target, draft, options);
  };
  await engine.migrator.advance({ force: kill.signal }).catch(() => undefined);
  engine.close();
  const report = await rollBack(world);
  assertEquals([report.exitCode, report.left], [0, []]);
  assertEquals(contentOf(world), before);
});

Deno.test("rollback() compares with what was sent, when people changed the mapping since", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  const before = contentOf(world);
  await migrate(world);
  Object.assign(world.mapping.statuses.execution, { Pass: "Failed", Fail: "Passed" });
  world.mapping.priorities.High = "Low";
  const report = await rollBack(world);
  assertEquals([report.exitCode, report.left], [0, []]);
  assertEquals(contentOf(world), before);
});
