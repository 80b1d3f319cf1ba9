import { assert, assertEquals } from "@std/assert";
import { assertExactlyOnce } from "../faults/exactly_once.ts";
import { startWorld } from "../helpers/world.ts";
import type { WorldOptions } from "../helpers/world.ts";
import type { Outcome } from "../../core/engine/mod.ts";
import type { World } from "../helpers/world.ts";

async function migrate(world: World): Promise<Outcome> {
  const engine = world.engine();
  try {
    return await engine.migrator.advance({});
  } finally {
    engine.close();
  }
}

for (const preset of ["generous", "strict"] as const) {
  Deno.test(`advance() writes the same content in bulk, ${preset} servers`, async () => {
    const options: WorldOptions = {
      zephyr: { seed: 11, data: { cases: 60, executions: 400 }, preset },
      qtest: { seed: 11, preset },
    };
    await using manual = await startWorld(options);
    await using bulk = await startWorld({ ...options, target: { logs: "bulk" } });
    const first = await migrate(manual);
    const second = await migrate(bulk);
    const byRoute = Object.entries(second.summary.requests.target.byRoute).filter(([r])=>/log|run|queue|search/.test(r));
    console.log(first.summary.requests.target.total, first.summary.requests.target.minimum, second.summary.requests.target.total, second.summary.requests.target.minimum, byRoute, second.summary.losses);
    console.log(second.summary.validation, first.summary.validation);
    const d = await bulk.store.differences(second.run.id, {after:null, limit: 10});
    console.log(d.rows);
    console.log(bulk.qtest.oracle().counts, manual.qtest.oracle().counts);
  });
}
