import { assert, assertEquals, assertRejects } from "@std/assert";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { StopError } from "../../core/errors.ts";
import type { Outcome } from "../../core/engine/types.ts";
import { contentOf, idsOf, migrate, people, rollBack } from "../helpers/rollback_world.ts";
import { startWorld, type World } from "../helpers/world.ts";

const DATA = { seed: 11, data: { cases: 20, executions: 50 } };

interface Again {
  world: World;
  edited: { key: string; id: number };
}

/** A migrated world in which somebody renamed a case and the database was lost. */
async function migratedOnce(preset: "generous" | "strict"): Promise<Again> {
  const world = await startWorld({
    zephyr: { ...DATA, preset },
    qtest: { seed: 11, preset },
  });
  assertEquals((await migrate(world)).exitCode, 0);
  const [first] = await idsOf(world, "testCase");
  assert(first);
  await people(world, "PUT", `/test-cases/${first[1]}`, { name: "Renamed by hand" });
  world.store = createMemoryStore();
  return { world, edited: { key: first[0], id: Number(first[1]) } };
}

async function migrateAs(
  world: World,
  onExisting: "update" | "skip" | "rename" | "fail",
): Promise<Outcome> {
  world.settings.target.onExisting = onExisting;
  return await migrate(world);
}

function nameOf({ world, edited }: Again): string | undefined {
  return world.qtest.dump()["test-cases"]?.find((row) => row.id === edited.id)?.name as string;
}

for (const preset of ["generous", "strict"] as const) {
  Deno.test(`onExisting update brings what is there to what the source says, ${preset}`, async () => {
    const again = await migratedOnce(preset);
    await using world = again.world;
    const made = world.qtest.oracle().counts;
    const outcome = await migrateAs(world, "update");
    assertEquals([outcome.exitCode, outcome.summary.artefacts], [0, {}]);
    assertEquals(outcome.summary.counts.testCase.updated, 1);
    assertEquals(nameOf(again) === "Renamed by hand", false);
    assertEquals(world.qtest.oracle().counts, made);
  });

  Deno.test(`onExisting skip leaves what is there as it is, ${preset}`, async () => {
    const again = await migratedOnce(preset);
    await using world = again.world;
    const before = contentOf(world);
    const outcome = await migrateAs(world, "skip");
    assertEquals(outcome.summary.counts.testCase.updated, 0);
    assertEquals(contentOf(world), before);
    // The case differs, and validation says so.
    assertEquals([outcome.exitCode, outcome.summary.validation.different], [4, 1]);
  });

  Deno.test(`onExisting fail stops before the first write, ${preset}`, async () => {
    const again = await migratedOnce(preset);
    await using world = again.world;
    const before = contentOf(world);
    const error = await assertRejects(() => migrateAs(world, "fail"), StopError);
    assertEquals(error.exitCode, 1);
    assert(error.message.includes("Zephyr SA"), error.message);
    assertEquals(contentOf(world), before);
  });

  Deno.test(`onExisting rename makes everything anew beside it, ${preset}`, async () => {
    const again = await migratedOnce(preset);
    await using world = again.world;
    const made = world.qtest.oracle().counts;
    const before = contentOf(world);
    world.qtest.injectFault({ kind: "after-reset", method: "POST", route: "/modules" });
    world.qtest.injectFault({ kind: "after-reset", method: "POST", route: "/releases" });
    const outcome = await migrateAs(world, "rename");
    assertEquals([outcome.exitCode, outcome.summary.validation.different], [0, 0]);
    assertEquals(nameOf(again), "Renamed by hand");
    const counts = world.qtest.oracle().counts;
    for (const kind of ["modules", "test-cases", "test-runs", "test-logs", "test-cycles"]) {
      assertEquals(counts[kind], 2 * (made[kind] ?? 0), kind);
    }
    const roots = world.qtest.dump().modules?.filter((row) => row.parent_id === undefined) ?? [];
    const names = (roots.length > 0 ? roots : world.qtest.dump().modules ?? [])
      .map((row) => row.name);
    assert(names.includes("Zephyr SA") && names.includes("Zephyr SA (2)"), names.join());
    const releases = world.qtest.dump().releases?.map((row) => String(row.name)) ?? [];
    assertEquals(new Set(releases).size, releases.length);
    // Taking it back leaves the first one whole.
    const report = await rollBack(world);
    assertEquals([report.exitCode, report.left, report.cannot], [0, [], []]);
    assertEquals(contentOf(world), before);
  });
}
