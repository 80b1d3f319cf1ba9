import { assert, assertEquals, assertRejects } from "@std/assert";
import { createSystemClock } from "../../adapters/system.ts";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { LEASE_MS, LeaseKeeper } from "../../core/engine/lease_keeper.ts";
import { LeaseHeldError, LeaseLostError } from "../../core/errors.ts";
import type { Change, Clock, Store } from "../../core/ports/mod.ts";
import { createFakeClock } from "../helpers/fake_clock.ts";
import { startWorld, type World, type WorldOptions } from "../helpers/world.ts";
import { assertExactlyOnce, startLife, undisturbed } from "./exactly_once.ts";
import { Killing } from "./killing.ts";
import { SPEC } from "../contracts/store_samples.ts";

const OPTIONS: WorldOptions = {
  zephyr: { seed: 7, data: { cases: 12, executions: 30 } },
  qtest: { seed: 7 },
  target: { settleMs: 200, timeoutMs: 300 },
};

const isIntent = (changes: Change[]): boolean =>
  changes.some((change) =>
    change.op === "targets" && change.rows.some((row) => row.state === "sending")
  );

/** The system's clock, some time ahead. */
function ahead(by: { wallMs?: number; monotonicMs?: number }): Clock {
  const clock = createSystemClock();
  return {
    now: () => clock.now() + (by.wallMs ?? 0),
    monotonic: () => clock.monotonic() + (by.monotonicMs ?? 0),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  };
}

/** The world's store with its own way to apply changes and to beat. */
function storeWith(world: World, own: Partial<Pick<Store, "apply" | "heartbeat">>): Store {
  return new Proxy(world.store, {
    get: (store, name) => {
      const value = own[name as keyof typeof own] ?? Reflect.get(store, name);
      return typeof value === "function" ? value.bind(store) : value;
    },
  });
}

function writesOf(world: World): number {
  return world.qtest.requestLog.stats().writes;
}

Deno.test("advance() refuses at once with exit 7, when a living process holds the run", async () => {
  const expected = await undisturbed(OPTIONS);
  await using world = await startWorld(OPTIONS);
  const { promise: held, resolve } = Promise.withResolvers<void>();
  let commits = 0;
  const store = storeWith(world, {
    apply: async (lease, changes) => {
      if (++commits === 5) resolve();
      await world.store.apply(lease, changes);
    },
  });
  const first = startLife(world, new Killing(null), { store }).advance();
  await held;
  const startedAt = performance.now();
  const error = await assertRejects(
    () => startLife(world, new Killing(null)).advance(),
    LeaseHeldError,
    "on test holds it",
  );
  assertEquals(error.exitCode, 7);
  assert(performance.now() - startedAt < 500);
  assertExactlyOnce(world, await first, expected);
});

Deno.test("an owner that was stopped for long sends nothing more, and another one finishes", async () => {
  const expected = await undisturbed(OPTIONS);
  await using world = await startWorld(OPTIONS);
  const late = { monotonicMs: 0 };
  let intents = 0;
  const store = storeWith(world, {
    apply: async (lease, changes) => {
      await world.store.apply(lease, changes);
      // Stopped between the commit of an intent and the request.
      if (isIntent(changes) && ++intents === 12) late.monotonicMs = LEASE_MS / 2 + 1_000;
    },
    heartbeat: () => new Promise(() => {}),
  });
  const life = startLife(world, new Killing(null), { store, clock: ahead(late) });
  const stopped = life.advance();
  stopped.catch(() => {});
  while (late.monotonicMs === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const writes = writesOf(world);
  const error = await Promise.race([
    assertRejects(() => stopped, LeaseLostError, "has not renewed its lease"),
    new Promise<null>((resolve) => setTimeout(resolve, 3_000, null)),
  ]);
  assertEquals(error?.exitCode, 7);
  // What was on the wire already may still arrive.
  assert(writesOf(world) - writes <= 1, `${writesOf(world) - writes} more writes`);
  const next = startLife(world, new Killing(null), { clock: ahead({ wallMs: 30_000 }) });
  assertExactlyOnce(world, await next.advance(), expected);
});

Deno.test("an owner that comes back after it was replaced changes no row and sends nothing", async () => {
  const expected = await undisturbed(OPTIONS);
  await using world = await startWorld(OPTIONS);
  const { promise: isFrozen, resolve: freeze } = Promise.withResolvers<void>();
  const { promise: thaw, resolve: unfreeze } = Promise.withResolvers<void>();
  let intents = 0;
  let frozen = false;
  const store = storeWith(world, {
    apply: async (lease, changes) => {
      if (isIntent(changes) && ++intents === 9) {
        frozen = true;
        freeze();
      }
      if (frozen) await thaw;
      await world.store.apply(lease, changes);
    },
    heartbeat: async (lease, now, expiresAt) => {
      if (frozen) await thaw;
      return await world.store.heartbeat(lease, now, expiresAt);
    },
  });
  const stopped = startLife(world, new Killing(null), { store }).advance();
  stopped.catch(() => {});
  await isFrozen;
  const next = startLife(world, new Killing(null), { clock: ahead({ wallMs: LEASE_MS + 1_000 }) });
  assertExactlyOnce(world, await next.advance(), expected);
  const before = [writesOf(world), await world.store.countTargets(1), await world.store.runs(1)];
  unfreeze();
  await assertRejects(() => stopped, LeaseLostError);
  const after = [writesOf(world), await world.store.countTargets(1), await world.store.runs(1)];
  assertEquals(after, before);
});

Deno.test("LeaseKeeper.acquire() takes over a dead owner at once on its host, within 30 s elsewhere", async () => {
  const store = createMemoryStore();
  const scope = await store.openScope(SPEC);
  const clock = createFakeClock();
  const acquire = (hostname: string, pid: number, alive: number[]): Promise<LeaseKeeper> => {
    const host = { hostname, pid, isAlive: (other: number): boolean => alive.includes(other) };
    return LeaseKeeper.acquire(store, clock, host, scope.id, () => {});
  };
  await acquire("a", 1, [1]);
  await assertRejects(() => acquire("a", 2, [1, 2]), LeaseHeldError);
  await assertRejects(() => acquire("b", 1, []), LeaseHeldError);
  const second = await acquire("a", 2, [2]);
  assertEquals((await store.leaseOf(scope.id))?.pid, 2);
  // Its heartbeats stop with it; the wall clock is all that another host can go by.
  await second.release();
  await store.acquireLease({
    scopeId: scope.id,
    owner: "gone",
    host: "a",
    pid: 3,
    now: new Date(clock.now()).toISOString(),
    expiresAt: new Date(clock.now() + LEASE_MS).toISOString(),
  }, () => false);
  clock.jump(LEASE_MS - 1_000);
  await assertRejects(() => acquire("b", 9, []), LeaseHeldError);
  clock.jump(2_000);
  assert(LEASE_MS <= 30_000);
  await (await acquire("b", 9, [])).release();
});

Deno.test("LeaseKeeper beats for as long as it is held, and notices that it was replaced", async () => {
  const store = createMemoryStore();
  const scope = await store.openScope(SPEC);
  const clock = createFakeClock();
  const host = { hostname: "a", pid: 1, isAlive: (): boolean => false };
  const lost: unknown[] = [];
  const keeper = await LeaseKeeper.acquire(store, clock, host, scope.id, (error) => {
    lost.push(error);
  });
  for (let minute = 0; minute < 5; minute++) {
    await clock.tick(60_000);
    keeper.assertFresh();
  }
  await LeaseKeeper.acquire(store, clock, { ...host, pid: 2 }, scope.id, () => {});
  await clock.tick(6_000);
  assert(lost[0] instanceof LeaseLostError);
});
