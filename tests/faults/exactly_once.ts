/** Runs migrations through kills and says whether every record arrived exactly once. */
import { assert, assertEquals } from "@std/assert";
import { createMigrator } from "../../core/engine/mod.ts";
import type { Outcome, Services } from "../../core/engine/mod.ts";
import type { Summary } from "../../core/report/model.ts";
import { startWorld } from "../helpers/world.ts";
import type { World, WorldOptions } from "../helpers/world.ts";
import { Killing } from "./killing.ts";
import type { KillPoint } from "./killing.ts";

/** What a target holds, in words that do not depend on ids. */
export interface Content {
  counts: Record<string, number>;
  keys: Record<string, number>;
  logs: string[];
}

export function contentOf(world: World): Content {
  const { counts, keys, logsPerRun } = world.qtest.oracle();
  return { counts, keys, logs: Object.values(logsPerRun).map((logs) => logs.join(" ")).sort() };
}

let lives = 0;
const living = new Set<number>();

/** An engine of a process of its own; `killing` ends it. */
export function startLife(world: World, killing: Killing, services: Partial<Services> = {}): {
  advance: () => Promise<Outcome>;
} {
  const engine = world.engine();
  const pid = ++lives;
  living.add(pid);
  const host = { hostname: "test", pid, isAlive: (other: number): boolean => living.has(other) };
  const migrator = createMigrator(killing.wrap({ ...engine.services, host, ...services }));
  return {
    advance: async () => {
      try {
        return await migrator.advance({ force: killing.force });
      } finally {
        living.delete(pid);
        engine.close();
      }
    },
  };
}

/** Lives until each point has killed an engine, then until the end. */
export async function migrateThrough(world: World, points: KillPoint[]): Promise<Outcome> {
  for (const point of points) {
    const killing = new Killing(point);
    const life = startLife(world, killing);
    const outcome = await life.advance().catch((error) => {
      if (!killing.dead) throw error;
      return null;
    });
    assert(killing.dead, `never reached: ${JSON.stringify(point)} (${outcome?.run.state})`);
  }
  return await startLife(world, new Killing(null)).advance();
}

/** Every extracted record ends somewhere, and nothing is counted twice. */
export function assertBalanced(summary: Summary): void {
  for (const [kind, count] of Object.entries(summary.counts)) {
    const { created, updated, unchanged, withoutTarget, setAside } = count;
    const ended = created + updated + unchanged + withoutTarget + setAside;
    assertEquals(ended, count.extracted, `${kind}: ${JSON.stringify(count)}`);
  }
}

/** Asserts that the target holds what an undisturbed migration leaves, each thing once. */
export function assertExactlyOnce(world: World, outcome: Outcome, expected: Expected): void {
  const { duplicates, orphans, runsOutOfOrder, duplicateAttachments } = world.qtest.oracle();
  assertEquals({ duplicates, orphans, runsOutOfOrder, duplicateAttachments }, {
    duplicates: [],
    orphans: [],
    runsOutOfOrder: [],
    duplicateAttachments: [],
  });
  assertEquals(contentOf(world), expected.content);
  assertBalanced(outcome.summary);
  assertEquals(outcome.summary.counts, expected.summary.counts);
  assertEquals(outcome.summary.validation, expected.summary.validation);
  assertEquals(outcome.run.state, "completed");
  assertEquals(outcome.exitCode, 0);
}

export interface Expected {
  content: Content;
  summary: Summary;
}

const known = new Map<string, Promise<Expected>>();

/** What a migration of this content ends with when nothing goes wrong; worked out once. */
export function undisturbed(options: WorldOptions): Promise<Expected> {
  const { seed, data, preset } = options.zephyr ?? {};
  const { faults: _, ...qtest } = options.qtest ?? {};
  const calm: WorldOptions = {
    ...options,
    zephyr: {
      ...(seed === undefined ? {} : { seed }),
      data: data ?? {},
      preset: preset ?? "generous",
    },
    qtest,
  };
  const key = JSON.stringify(calm);
  const found = known.get(key) ?? migrateCalmly(calm);
  known.set(key, found);
  return found;
}

async function migrateCalmly(options: WorldOptions): Promise<Expected> {
  await using world = await startWorld(options);
  const outcome = await startLife(world, new Killing(null)).advance();
  assertEquals(outcome.exitCode, 0);
  assertEquals(outcome.summary.validation.equal, outcome.summary.validation.checked);
  return { content: contentOf(world), summary: outcome.summary };
}
