import { assert, assertEquals } from "@std/assert";
import { StoreError } from "../../core/errors.ts";
import type { Change, Store, TargetKind, TargetState } from "../../core/ports/mod.ts";
import { startWorld, type World, type WorldOptions } from "../helpers/world.ts";
import { assertBalanced, assertExactlyOnce, startLife, undisturbed } from "./exactly_once.ts";
import { Killing, type KillPoint } from "./killing.ts";

const OPTIONS: WorldOptions = {
  zephyr: { seed: 7, data: { cases: 12, executions: 30 } },
  qtest: { seed: 7 },
  target: { settleMs: 200, timeoutMs: 400 },
};

/** The world's store with some methods of its own. */
function storeWith(world: World, own: Partial<Store>): Store {
  return new Proxy(world.store, {
    get: (store, name) => {
      const value = own[name as keyof Store] ?? Reflect.get(store, name);
      return typeof value === "function" ? value.bind(store) : value;
    },
  });
}

function holds(changes: Change[], kind: TargetKind, state: TargetState): boolean {
  return changes.some((change) =>
    change.op === "targets" && change.rows.some((row) => row.kind === kind && row.state === state)
  );
}

for (const kind of ["testCase", "testLog", "attachment"] as const) {
  Deno.test(`a ${kind} is not sent again, when the store refuses the answer and works afterwards`, async () => {
    const expected = await undisturbed(OPTIONS);
    await using world = await startWorld(OPTIONS);
    let refusals = 0;
    const store = storeWith(world, {
      apply: async (lease, changes) => {
        // Refused twice: as part of its group and on its own.
        if (holds(changes, kind, "loaded") && ++refusals <= 2) {
          throw new StoreError("other", "Cannot save to the database: it coughed");
        }
        await world.store.apply(lease, changes);
      },
    });
    const life = startLife(world, new Killing(null), { store });
    const failure = await life.advance().then(() => null, (error) => error);
    assert(failure instanceof StoreError, String(failure));
    const outcome = await startLife(world, new Killing(null)).advance();
    assertExactlyOnce(world, outcome, expected);
  });
}

Deno.test("nothing is sent twice, when the store answers reads late", async () => {
  const expected = await undisturbed(OPTIONS);
  await using world = await startWorld(OPTIONS);
  const store = storeWith(world, {
    // What is handed over was true when it was read, and is old by the time it arrives.
    targets: async (...args) => {
      const rows = await world.store.targets(...args);
      await new Promise((resolve) => setTimeout(resolve, 40));
      return rows;
    },
  });
  const outcome = await startLife(world, new Killing(null), { store }).advance();
  assertExactlyOnce(world, outcome, expected);
  const rows = await world.store.targets(1, "testLog", { after: null, limit: 100 });
  assertEquals(rows.rows.filter((row) => row.attempt > 1).map((row) => row.key), []);
});

Deno.test("cases that call a case far behind them are all loaded", async () => {
  const options: WorldOptions = {
    ...OPTIONS,
    zephyr: { seed: 3, data: { cases: 200, executions: 5 } },
  };
  await using world = await startWorld(options);
  // Everything waits for the last case, which is a window away.
  const last = "SA-T150";
  const store = storeWith(world, {
    apply: async (lease, changes) => {
      for (const change of changes) {
        if (change.op !== "planTargets") continue;
        for (const row of change.rows) {
          const number = Number(row.key.slice(4));
          if (row.kind === "testCase" && number < 149) {
            row.detail = { ...row.detail, calls: [last] };
          }
        }
      }
      await world.store.apply(lease, changes);
    },
  });
  const outcome = await startLife(world, new Killing(null), { store }).advance();
  assertEquals(outcome.summary.counts.testCase.setAside, 0);
  assertEquals(outcome.summary.counts.testCase.created, outcome.summary.counts.testCase.extracted);
});

Deno.test("files too large to ride inside a create are tried alone and kept beside, once", async () => {
  const options: WorldOptions = {
    ...OPTIONS,
    qtest: { seed: 7, switches: { maxAttachmentBytes: 300 } },
  };
  await using world = await startWorld(options);
  const outcome = await startLife(world, new Killing(null)).advance();
  assertBalanced(outcome.summary);
  const { created, setAside, withoutTarget } = outcome.summary.counts.attachment;
  assert(withoutTarget > 0, JSON.stringify({ created, setAside, withoutTarget }));
  assertEquals([setAside, world.qtest.oracle().duplicates.length], [0, 0]);
  assertEquals(outcome.summary.counts.testCase.setAside, 0);
});

Deno.test("a difference is listed once, when the comparison was killed and begins anew", async () => {
  await using world = await startWorld(OPTIONS);
  const live = async (point: KillPoint | null): Promise<number | null> => {
    const killing = new Killing(point);
    return await startLife(world, killing).advance().then((end) => end.exitCode, () => null);
  };
  const isTally = (change: Change): boolean =>
    change.op === "checkpoint" && change.value !== null && /validate\/testRun$/.test(change.name);
  await live({ at: "afterSweep", kind: "testRun" });
  const [edited] = world.qtest.state.table("test-runs").values();
  if (edited !== undefined) edited.name = "renamed by somebody";
  assertEquals(await live({ at: "beforeCommit", when: isTally }), null);
  assertEquals(await live(null), 4);
  const [run] = await world.store.runs(1);
  const { rows } = await world.store.differences(run?.id ?? "", { after: null, limit: 10 });
  assertEquals(rows.map((row) => [row.kind, row.field]), [["testRun", "name"]]);
});

/** How calls end when refusals of empty texts arrive while other cases are being prepared. */
async function callsOf(seed: number): Promise<[number, number]> {
  await using world = await startWorld({
    zephyr: { seed, data: { cases: 40, executions: 10 } },
    qtest: { seed: 7, switches: { emptyExpected: "refuse" } },
    target: OPTIONS.target ?? {},
    include: { attachments: "none" },
  });
  const store = storeWith(world, {
    scripts: async (...args) => {
      const scripts = await world.store.scripts(...args);
      await new Promise((resolve) => setTimeout(resolve, 40));
      return scripts;
    },
  });
  const outcome = await startLife(world, new Killing(null), { store }).advance();
  return [outcome.summary.validation.different, outcome.exitCode];
}

Deno.test("calls between cases are kept, when the transform is built anew in mid-load", async () => {
  const results = await Promise.all([1_000, 1_002, 1_003, 1_004].map(callsOf));
  assertEquals(results, results.map(() => [0, 0]));
});
