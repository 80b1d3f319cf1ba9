import { assert, assertEquals, assertRejects } from "@std/assert";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { StopError } from "../../core/errors.ts";
import { contentOf, idsOf, migrate, people, rollBack } from "../helpers/rollback_world.ts";
import { startWorld, type World } from "../helpers/world.ts";

const DATA = { seed: 11, data: { cases: 20, executions: 50 } };

Deno.test("rollback() keeps fields and options that something else uses by then", async () => {
  await using world = await startWorld({
    zephyr: DATA,
    qtest: {
      seed: 11,
      data: {
        fields: [{ objectType: "test-cases", label: "Browser", dataType: 3, options: ["Lynx"] }],
      },
    },
  });
  const { state } = world.qtest;
  const optionsOf = (): string[] =>
    [...state.fields.values()].find((field) => field.label === "Browser")?.options
      .map((option) => option.label) ?? [];
  await migrate(world);
  assert(optionsOf().length > 2, optionsOf().join());
  const key = [...state.fields.values()].find((field) =>
    field.label === "Zephyr Key" && field.objectType === "test-cases"
  );
  const browser = [...state.fields.values()].find((field) => field.label === "Browser");
  const used = browser?.options[1];
  assert(key && browser && used);
  const module = await people(world, "POST", "/modules", { name: "By hand" });
  await people(world, "POST", "/test-cases", {
    name: "Theirs",
    parent_id: module.id,
    properties: [
      { field_id: key.id, field_value: "mine" },
      { field_id: browser.id, field_value: String(used.value) },
    ],
  });
  const report = await rollBack(world);
  assertEquals(report.exitCode, 3);
  assertEquals(report.left.map((row) => row.key).sort(), [
    `testCase/Browser#${used.label}`,
    "testCase/Zephyr Key",
  ]);
  assertEquals(optionsOf(), ["Lynx", used.label]);
  const custom = [...state.fields.values()].filter((field) => !field.isSystem);
  assertEquals(custom.map((field) => field.label).sort(), ["Browser", "Zephyr Key"]);
});

Deno.test("rollback() takes back what a run added to what was there, and lists its updates", async () => {
  await using world = await startWorld({
    zephyr: DATA,
    qtest: { seed: 11 },
    target: { approve: true },
  });
  await migrate(world);
  const cases = [...await idsOf(world, "testCase")];
  const files = [...world.qtest.state.attachments.values()];
  const file = files.find(({ objectType }) => objectType === "test-cases");
  assert(file && cases[0]);
  await people(world, "PUT", `/test-cases/${cases[0][1]}`, { name: "Renamed" });
  world.qtest.state.attachments.delete(file.id);
  const before = world.qtest.oracle().counts;
  world.store = createMemoryStore();
  await migrate(world);
  const report = await rollBack(world);
  assertEquals(report.exitCode, 3);
  assertEquals(report.left, []);
  const updated = report.cannot.filter((row) => row.reason.startsWith("was updated"));
  assertEquals(updated.map((row) => row.key), [cases[0][0]]);
  // One file was missing and uploaded again; everything else was there before this run.
  assertEquals(report.deleted, { attachment: 1 });
  assertEquals(world.qtest.oracle().counts, before);
});

/** Every issue link of a case leads to one requirement. */
async function nameIssues(world: World): Promise<void> {
  await migrate(world, { phases: ["extract"] });
  const [scope] = await world.store.scopes();
  const { rows } = await world.store.records(scope?.id ?? 0, "testCase", {
    after: null,
    limit: 99,
  });
  for (const link of rows.flatMap((row) => row.links)) {
    if (link.issueId !== null) world.mapping.issues[link.issueId] = "SA-101";
  }
}

Deno.test("advance() links no requirement twice, when the database was lost", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  await nameIssues(world);
  await migrate(world);
  const links = (): number =>
    Object.entries(world.qtest.requestLog.stats().byRoute)
      .filter(([route]) => route.startsWith("POST") && route.endsWith("/link"))
      .reduce((sum, [, count]) => sum + count, 0);
  const sent = links();
  assert(sent > 0);
  const before = contentOf(world);
  world.store = createMemoryStore();
  const again = await migrate(world);
  assertEquals([again.exitCode, links()], [0, sent]);
  assertEquals(contentOf(world), before);
  // Nothing of it was made now: not counted as created, and not for a rollback to take away.
  assertEquals(again.summary.artefacts, {});
  const { deleted, cannot } = await rollBack(world);
  assertEquals([deleted, cannot, contentOf(world)], [{}, [], before]);
});

Deno.test("rollback() unlinks requirements, which stay", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  await nameIssues(world);
  const before = contentOf(world);
  await migrate(world);
  assert((world.qtest.oracle().counts.links ?? 0) > 0);
  const report = await rollBack(world);
  assert((report.deleted.requirementLink ?? 0) > 0);
  assertEquals([report.left, report.cannot], [[], []]);
  assertEquals(contentOf(world), before);
});

Deno.test("rollback() of the load lets the run go on from there", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  const before = contentOf(world);
  const first = await migrate(world);
  const made = world.qtest.oracle().counts;
  const report = await rollBack(world, { phase: "load" });
  assertEquals([report.exitCode, report.state], [0, "paused"]);
  assertEquals(contentOf(world), before);
  const read = world.zephyr.requestLog.stats().total;
  const again = await migrate(world);
  assertEquals([again.exitCode, again.run.id], [0, first.run.id]);
  assertEquals(world.qtest.oracle().counts, made);
  assert(world.zephyr.requestLog.stats().total - read < 5);
  for (const phase of ["transform", "extract", "validate"] as const) {
    await rollBack(world, { phase });
    const outcome = await migrate(world);
    assertEquals([outcome.exitCode, outcome.run.id], [0, first.run.id], phase);
    assertEquals(world.qtest.oracle().counts, made, phase);
  }
});

Deno.test("rollback() of a record takes its descendants along, and migrate makes them again", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  await migrate(world);
  const made = world.qtest.oracle().counts;
  const runs = await idsOf(world, "testRun");
  const called = new Set<string>();
  const [scope] = await world.store.scopes();
  const all = await world.store.targets(scope?.id ?? 0, "testCase", { after: null, limit: 1000 });
  for (const row of all.rows) for (const key of row.detail.calls as string[] ?? []) called.add(key);
  const key = [...runs.keys()].map((run) => run.split("/")[1] ?? "").find((each) =>
    !called.has(each)
  );
  assert(key);
  const own = [...runs.keys()].filter((run) => run.endsWith(`/${key}`)).length;
  const report = await rollBack(world, { record: key });
  assertEquals([report.exitCode, report.left], [0, []]);
  assertEquals([report.deleted.testCase, report.deleted.testRun], [1, own]);
  assertEquals(world.qtest.oracle().counts["test-cases"], (made["test-cases"] ?? 0) - 1);
  assertEquals((await migrate(world)).exitCode, 0);
  assertEquals(world.qtest.oracle().counts, made);
  assertEquals(world.qtest.oracle().duplicates, []);
  const error = await assertRejects(() => rollBack(world, { record: "SA-T999" }), StopError);
  assertEquals(error.exitCode, 1);
});
