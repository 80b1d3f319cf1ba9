import { assert, assertEquals, assertRejects } from "@std/assert";
import { openLibsqlStore } from "../../adapters/libsql/mod.ts";
import { StoreError } from "../../core/errors.ts";
import type { Change, Store } from "../../core/ports/mod.ts";
import { startSqld, whySqldIsMissing } from "../helpers/sqld.ts";
import { startWorld, type World, type WorldOptions } from "../helpers/world.ts";
import { assertExactlyOnce, startLife, undisturbed } from "./exactly_once.ts";
import { Killing } from "./killing.ts";
import { inFolder } from "../helpers/folder.ts";

const OPTIONS: WorldOptions = {
  zephyr: { seed: 7, data: { cases: 12, executions: 30 } },
  qtest: { seed: 7 },
  target: { settleMs: 200, timeoutMs: 400 },
};

/** Advances to the end; at the commit of the `nth` create something happens to the store. */
async function advance(
  world: World,
  store: Store,
  nth: number,
  happen: () => Promise<void>,
): ReturnType<ReturnType<typeof startLife>["advance"]> {
  let seen = 0;
  const isLoaded = (change: Change): boolean =>
    change.op === "targets" && change.rows.some((row) => row.state === "loaded");
  const disturbed = new Proxy(store, {
    get: (inner, name) => {
      if (name === "apply") {
        return async (...[lease, changes]: Parameters<Store["apply"]>): Promise<void> => {
          if (changes.some(isLoaded) && ++seen === nth) await happen();
          await inner.apply(lease, changes);
        };
      }
      const value = Reflect.get(inner, name);
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
  return await startLife(world, new Killing(null), { store: disturbed }).advance();
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(command, { args, stdout: "null", stderr: "null" })
    .output().catch(() => ({ success: false }));
  return success;
}

/** Another program writes to the file for a while. */
async function hold(file: string, ms: number): Promise<void> {
  const script = `import { DatabaseSync } from "node:sqlite";
    const db = new DatabaseSync(${JSON.stringify(file)}, { timeout: 5000 });
    db.exec("BEGIN IMMEDIATE");
    console.log("held");
    setTimeout(() => db.exec("ROLLBACK"), ${ms});`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  for await (const _ of child.stdout) break;
  child.status.catch(() => {});
}

Deno.test("advance() leaves everything once, when another program holds the database for a while", () =>
  inFolder(async (folder) => {
    const expected = await undisturbed(OPTIONS);
    const store = await openLibsqlStore({ url: `file:${folder}/ztoq.db` });
    await using world = await startWorld({ ...OPTIONS, store });
    const outcome = await advance(world, store, 5, () => hold(`${folder}/ztoq.db`, 1_500));
    assertExactlyOnce(world, outcome, expected);
    assertEquals((await store.check()).problems, []);
    await store.close();
  }));

Deno.test("advance() stops and goes on later, when another program does not let go", () =>
  inFolder(async (folder) => {
    const expected = await undisturbed(OPTIONS);
    const store = await openLibsqlStore({ url: `file:${folder}/ztoq.db`, busyTimeoutMs: 500 });
    await using world = await startWorld({ ...OPTIONS, store });
    const error = await assertRejects(
      () => advance(world, store, 5, () => hold(`${folder}/ztoq.db`, 3_000)),
      StoreError,
    );
    assertEquals([error.state, error.exitCode], ["locked", 1]);
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    const outcome = await startLife(world, new Killing(null)).advance();
    assertExactlyOnce(world, outcome, expected);
    await store.close();
  }));

/** Why there can be no small file system here; null when there can. */
async function whyNoMount(): Promise<string | null> {
  const folder = await Deno.makeTempDir();
  const isMounted = await run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
  if (isMounted) await run("umount", folder);
  await Deno.remove(folder);
  return isMounted ? null : "mounting a small file system is not permitted";
}

const noMount = await whyNoMount();

/** A test on a small file system of its own. */
function testOnSmallDisk(name: string, work: (folder: string) => Promise<void>): void {
  Deno.test({
    name: `advance() stops and goes on later, when ${name}${noMount ? ` (${noMount})` : ""}`,
    ignore: noMount !== null,
    fn: () =>
      inFolder(async (folder) => {
        await run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder);
        try {
          await work(folder);
        } finally {
          await run("umount", "-l", folder);
        }
      }),
  });
}

/** Goes on as a new process would. */
async function goOn(world: World, folder: string): Promise<void> {
  const store = await openLibsqlStore({ url: `file:${folder}/ztoq.db` });
  try {
    const outcome = await startLife(world, new Killing(null), { store }).advance();
    assertExactlyOnce(world, outcome, await undisturbed(OPTIONS));
    assertEquals((await store.check()).problems, []);
  } finally {
    await store.close();
  }
}

testOnSmallDisk("the disk is full", async (folder) => {
  const store = await openLibsqlStore({ url: `file:${folder}/ztoq.db` });
  await using world = await startWorld({ ...OPTIONS, store });
  const error = await assertRejects(
    () => advance(world, store, 5, () => fill(folder)),
    StoreError,
  );
  assertEquals([error.state, error.exitCode], ["disk-full", 1]);
  await store.close();
  await Deno.remove(`${folder}/filler`);
  await goOn(world, folder);
});

testOnSmallDisk("the disk is read-only", (folder) =>
  inFolder(async (before) => {
    const store = await openLibsqlStore({ url: `file:${before}/ztoq.db` });
    await using world = await startWorld({ ...OPTIONS, store });
    const killing = new Killing({ at: "afterSend", kind: "testRun", nth: 3 });
    await startLife(world, killing).advance().catch(() => {});
    assert(killing.dead);
    await store.close();
    // The driver keeps its file open until it is collected, and then no disk becomes read-only.
    await Deno.copyFile(`${before}/ztoq.db`, `${folder}/ztoq.db`);
    assert(await run("mount", "-o", "remount,ro", folder));
    const writes = world.qtest.requestLog.stats().writes;
    const error = await assertRejects(() => goOn(world, folder), StoreError);
    // A write-ahead log cannot even be opened there.
    assert(["read-only", "other"].includes(error.state) && error.exitCode === 1, error.message);
    assertEquals(world.qtest.requestLog.stats().writes, writes);
    assert(await run("mount", "-o", "remount,rw", folder));
    await goOn(world, folder);
  }));

async function fill(folder: string): Promise<void> {
  const file = await Deno.open(`${folder}/filler`, { write: true, create: true });
  const block = new Uint8Array(64 * 1024);
  try {
    for (;;) await file.write(block);
  } catch {
    // It is full.
  } finally {
    file.close();
  }
}

Deno.test("advance() names a damaged database and touches nothing in the target", () =>
  inFolder(async (folder) => {
    const url = `file:${folder}/ztoq.db`;
    const store = await openLibsqlStore({ url });
    await using world = await startWorld({ ...OPTIONS, store });
    const killing = new Killing({
      at: "afterCommit",
      when: (change) =>
        change.op === "targets" && change.rows.some((row) => row.kind === "testRun"),
    });
    await startLife(world, killing).advance().catch(() => {});
    assert(killing.dead);
    await store.close();
    const file = await Deno.open(`${folder}/ztoq.db`, { write: true });
    const { size } = await file.stat();
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    for (let at = 8_192; at + noise.length < size; at += 120_000) {
      await file.seek(at, Deno.SeekMode.Start);
      await file.write(noise);
    }
    file.close();
    const writes = world.qtest.requestLog.stats().writes;
    const error = await assertRejects(() => goOn(world, folder), StoreError);
    assertEquals(error.state, "corrupt");
    assert(error.hint?.includes("db check"));
    assertEquals(world.qtest.requestLog.stats().writes, writes);
  }));

const noSqld = await whySqldIsMissing();
Deno.test({
  name: `advance() leaves everything once, when the database server crashes and comes back${
    noSqld ? ` (${noSqld})` : ""
  }`,
  ignore: noSqld !== null,
  fn: async () => {
    const sqld = await startSqld();
    try {
      const expected = await undisturbed(OPTIONS);
      const store = await openLibsqlStore({ url: sqld.url });
      await using world = await startWorld({ ...OPTIONS, store });
      const outcome = await advance(world, store, 4, () => sqld.restart());
      assertExactlyOnce(world, outcome, expected);
      await store.close();
    } finally {
      await sqld.stop();
    }
  },
});
