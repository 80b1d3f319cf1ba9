import { assertEquals } from "@std/assert";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { createMigrator } from "../../core/engine/mod.ts";
import type { Progress } from "../../core/ports/mod.ts";
import { startWorld } from "../helpers/world.ts";

Deno.test("progress says that the target is read only while it is", async () => {
  await using world = await startWorld({
    zephyr: { seed: 5, data: { cases: 4, executions: 4 } },
    target: { settleMs: 100 },
  });
  const first = world.engine();
  await first.migrator.advance({});
  first.close();
  // A new database knows nothing of what is there and sweeps the target for it.
  const told: Progress[] = [];
  const engine = world.engine();
  const store = createMemoryStore();
  const migrator = createMigrator({ ...engine.services, store });
  await migrator.advance({ onProgress: (progress) => told.push(progress) });
  engine.close();
  const adopted = told.filter(({ stage }) => stage === "load.adopt");
  assertEquals(adopted[0]?.waiting, "reading what is already in the target");
  const last = adopted.at(-1);
  assertEquals([last?.waiting, last?.done === last?.total], [null, true]);
});
