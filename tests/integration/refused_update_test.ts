import { assertEquals } from "@std/assert";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { RefusedError } from "../../core/errors.ts";
import { createMigrator } from "../../core/engine/mod.ts";
import { migrate, people } from "../helpers/rollback_world.ts";
import { startWorld } from "../helpers/world.ts";

Deno.test("an update that the target refuses counts as set aside, and a retry brings it up", async () => {
  await using world = await startWorld({
    zephyr: { seed: 11, data: { cases: 20, executions: 20 } },
    qtest: { seed: 11 },
  });
  await migrate(world);
  const cases = [...world.qtest.state.table("test-cases").values()].slice(0, 2);
  for (const { id } of cases) await people(world, "PUT", `/test-cases/${id}`, { name: "Renamed" });
  world.store = createMemoryStore();
  const engine = world.engine();
  const { target } = engine.services;
  const { update } = target;
  target.update = async (id, draft, write) => {
    if (draft.kind === "testCase") throw new RefusedError("no", { status: 400, answer: "no" });
    return await update.call(target, id, draft, write);
  };
  const { exitCode, summary } = await createMigrator({ ...engine.services, store: world.store })
    .advance({});
  assertEquals([exitCode, summary.counts.testCase.setAside], [3, 2]);
  engine.close();
  const again = world.engine();
  const retried = await createMigrator({ ...again.services, store: world.store }).retry([], {});
  again.close();
  assertEquals([retried.exitCode, retried.summary.counts.testCase.setAside], [0, 0]);
  assertEquals(retried.summary.counts.testCase.updated, 2);
});
