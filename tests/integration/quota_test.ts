import { assert, assertEquals } from "@std/assert";
import { startWorld } from "../helpers/world.ts";

Deno.test("advance() ends with 8 and the numbers before the first write, when the month is too short", async () => {
  await using world = await startWorld({
    zephyr: { seed: 4, data: { cases: 20, executions: 60 } },
    qtest: { monthLimit: 200 },
  });
  const engine = world.engine();
  const outcome = await engine.migrator.advance({});
  engine.close();
  assertEquals(outcome.exitCode, 8);
  assert(/needs about \d+ requests/.test(outcome.run.reason ?? ""), outcome.run.reason ?? "");
  const writes = Object.keys(world.qtest.requestLog.stats().byRoute)
    .filter((route) => !route.startsWith("GET "));
  assertEquals(writes, []);
});

Deno.test("advance() stops cleanly at the reserve, when it may spend the quota", async () => {
  await using world = await startWorld({
    zephyr: { seed: 4, data: { cases: 20, executions: 60 } },
    qtest: { monthLimit: 200 },
  });
  const engine = world.engine();
  const outcome = await engine.migrator.advance({ spendQuota: true });
  engine.close();
  assertEquals(outcome.exitCode, 8);
  const { total } = world.qtest.requestLog.stats();
  assert(total >= 80 && total <= 110, `${total} requests of 200 with 100 in reserve`);
  assertEquals(world.qtest.oracle().duplicates, []);
});
