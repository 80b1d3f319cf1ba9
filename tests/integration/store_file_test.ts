/** What a database file does when something is wrong with it. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createClient } from "@libsql/client";
import { openLibsqlStore } from "../../adapters/libsql/mod.ts";
import { StoreError } from "../../core/errors.ts";
import type { Change, Lease, Store } from "../../core/ports/mod.ts";
import { aCase, aTarget, isoAt, pageOf, SPEC } from "../contracts/store_samples.ts";
import { inFolder } from "../helpers/folder.ts";
import { ownScope } from "../helpers/owned_scope.ts";

async function prepared(url: string, busyTimeoutMs?: number): Promise<
  { store: Awaited<ReturnType<typeof openLibsqlStore>>; lease: Lease; scopeId: number }
> {
  const store = await openLibsqlStore({ url, busyTimeoutMs });
  await store.migrate();
  return { store, ...await ownScope(store) };
}

/** Runs SQL in the file from outside of the store. */
async function tamper(url: string, sql: string): Promise<void> {
  const client = createClient({ url, concurrency: 1 });
  await client.executeMultiple(sql);
  client.close();
}

/** A process of its own that holds the write lock until its input ends. */
async function holdLock(url: string): Promise<() => Promise<void>> {
  const script = `
    import { createClient } from "@libsql/client";
    const tx = await createClient({ url: ${
    JSON.stringify(url)
  }, concurrency: 1 }).transaction("write");
    console.log("held");
    for await (const _ of Deno.stdin.readable) { /* until it ends */ }
    await tx.rollback();
    Deno.exit(0);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", script],
    stdin: "piped",
    stdout: "piped",
    cwd: new URL("../..", import.meta.url),
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  return async () => {
    await child.stdin.close();
    await reader.cancel();
    await child.status;
  };
}

function planned(key: string): Change[] {
  return [{ op: "planTargets", rows: [aTarget("module", key)] }];
}
async function plannedKeys(store: Store, scopeId: number): Promise<string[]> {
  const { rows } = await store.targets(scopeId, "module", { after: null, limit: 9 });
  return rows.map((row) => row.key);
}

Deno.test("apply() says who is in the way and loses nothing, when another process holds the file", () =>
  inFolder(async (dir) => {
    const url = `file:${dir}/ztoq.db`;
    const { store, lease, scopeId } = await prepared(url, 150);
    const release = await holdLock(url);
    try {
      const error = await assertRejects(() => store.apply(lease, planned("1")), StoreError);
      assertEquals(error.state, "locked");
      assertStringIncludes(error.message, "another program holds the database");
      assertEquals(await plannedKeys(store, scopeId), []);
    } finally {
      await release();
    }
    await store.apply(lease, planned("2"));
    await store.close();
    const fresh = await prepared(url);
    assertEquals(await plannedKeys(fresh.store, scopeId), ["2"]);
    await fresh.store.close();
  }));

Deno.test("apply() waits, when the lock is released in time", () =>
  inFolder(async (dir) => {
    const url = `file:${dir}/ztoq.db`;
    const { store, lease, scopeId } = await prepared(url, 20_000);
    const release = await holdLock(url);
    const applied = store.apply(lease, planned("1"));
    await release();
    await applied;
    assertEquals(await plannedKeys(store, scopeId), ["1"]);
    await store.close();
  }));

Deno.test("two stores on one file see each other's writes", () =>
  inFolder(async (dir) => {
    const url = `file:${dir}/ztoq.db`;
    const { store, lease } = await prepared(url);
    const other = await openLibsqlStore({ url });
    await Promise.all([
      ...Array.from({ length: 20 }, (_, n) => other.requestControl("r", `c${n}`, n)),
      ...Array.from({ length: 20 }, (_, n) => store.apply(lease, planned(String(n)))),
    ]);
    assertEquals(Object.keys(await store.controls("r")).length, 20);
    assertEquals((await other.countTargets(lease.scopeId))[0]?.count, 20);
    await other.close();
    await store.close();
  }));

Deno.test("openLibsqlStore() reads but never writes, when read-only", () =>
  inFolder(async (dir) => {
    const url = `file:${dir}/ztoq.db`;
    const missing = await assertRejects(() => openLibsqlStore({ url, readOnly: true }), StoreError);
    assertStringIncludes(missing.message, "no such file");
    const { store } = await prepared(url);
    await store.close();
    const readOnly = await openLibsqlStore({ url, readOnly: true });
    assertEquals((await readOnly.scopes()).length, 1);
    const error = await assertRejects(
      () => readOnly.requestControl("r", "pause", true),
      StoreError,
    );
    assertEquals(error.state, "read-only");
    await readOnly.close();
  }));

Deno.test("openLibsqlStore() names path and folder, when the folder is missing", async () => {
  const url = "file:/no/such/folder/ztoq.db";
  const error = await assertRejects(() => openLibsqlStore({ url }), StoreError);
  assertStringIncludes(error.message, `"/no/such/folder/"`);
  assertEquals(error.hint?.includes("ZTOQ_DB_URL"), true);
});

Deno.test("openLibsqlStore() refuses a database of a newer version, untouched", () =>
  inFolder(async (dir) => {
    const url = `file:${dir}/ztoq.db`;
    const { store } = await prepared(url);
    await store.close();
    await tamper(url, `INSERT INTO "schema_version" VALUES (99, 'x', 'x')`);
    const error = await assertRejects(() => openLibsqlStore({ url }), StoreError);
    assertEquals(error.state, "newer");
    assertStringIncludes(error.message, "99");
  }));

Deno.test("openLibsqlStore() says so, when the file is no database", () =>
  inFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/ztoq.db`, "this is a letter, not a database\n".repeat(200));
    const error = await assertRejects(
      () => openLibsqlStore({ url: `file:${dir}/ztoq.db` }),
      StoreError,
    );
    assertEquals(error.state, "corrupt");
    assertStringIncludes(error.hint ?? "", "ztoq db check");
  }));

Deno.test("migrate() leaves nothing behind, when it fails half-way", () =>
  inFolder(async (dir) => {
    const url = `file:${dir}/ztoq.db`;
    await tamper(url, `CREATE TABLE "target_map" (x)`);
    const store = await openLibsqlStore({ url });
    await assertRejects(() => store.migrate(), StoreError, "tables of another program");
    assertEquals(await store.schemaVersion(), 0);
    assertEquals((await store.stats()).tables.map((row) => row.table), ["target_map"]);
    await store.close();
  }));

Deno.test("apply() changes nothing, when a later statement breaks a rule of the schema", () =>
  inFolder(async (dir) => {
    const { store, lease, scopeId } = await prepared(`file:${dir}/ztoq.db`);
    const odd = { ...aTarget("module", "2"), state: "lost" as "loaded" };
    await assertRejects(
      () =>
        store.apply(lease, [
          { op: "checkpoint", name: "n", value: 1 },
          { op: "planTargets", rows: [aTarget("module", "1"), odd] },
        ]),
      StoreError,
      "CHECK",
    );
    assertEquals(await store.checkpoint(scopeId, "n"), null);
    assertEquals(await plannedKeys(store, scopeId), []);
    await store.apply(lease, planned("3"));
    assertEquals(await plannedKeys(store, scopeId), ["3"]);
    await store.close();
  }));

Deno.test("half characters become replacement characters, since the driver cannot read them", () =>
  inFolder(async (dir) => {
    const { store, lease, scopeId } = await prepared(`file:${dir}/ztoq.db`);
    const record = { ...aCase("A-T1"), name: "\ud800x", customFields: { "\udfff": ["a\ud801"] } };
    await store.apply(lease, pageOf("testCase", "0", [record]));
    const found = (await store.recordsByKey(scopeId, "testCase", ["A-T1"])).get("A-T1");
    assertEquals([found?.name, found?.customFields], ["\ufffdx", { "\ufffd": ["a\ufffd"] }]);
    const [stats] = await store.customFieldStats(scopeId, "testCase");
    assertEquals([stats?.name, stats?.values], ["\ufffd", [{ value: "a\ufffd", count: 1 }]]);
    await store.close();
  }));

Deno.test("check() takes equal ids in two targets for what they are, and in one for a contradiction", () =>
  inFolder(async (dir) => {
    const url = `file:${dir}/ztoq.db`;
    const { store } = await prepared(url);
    const log = (key: string): Change => ({
      op: "planTargets",
      rows: [{ ...aTarget("testLog", key), state: "loaded", targetId: "77" }],
    });
    const beside = await store.openScope({ ...SPEC, targetProject: "another" });
    for (const { id: scopeId } of await store.scopes()) {
      const times = { now: isoAt(0), expiresAt: isoAt(9) };
      const request = { scopeId, owner: "b", host: "h", pid: 1, ...times };
      const { lease } = await store.acquireLease(request, () => true);
      if (lease === null) throw new Error("held");
      await store.apply(lease, [log("1")]);
      assertEquals((await store.check()).problems, []);
      if (scopeId === beside.id) await store.apply(lease, [log("2")]);
    }
    assertEquals((await store.check()).problems.length, 1);
    await store.close();
  }));

Deno.test("check() finds contradictions, spoilt pages and damage", () =>
  inFolder(async (dir) => {
    const url = `file:${dir}/ztoq.db`;
    const { store, lease } = await prepared(url);
    await store.apply(lease, pageOf("testCase", "0", [aCase("A-T1")]));
    await store.apply(lease, planned("1"));
    assertEquals(await store.check(), { ok: true, problems: [] });
    await tamper(
      url,
      `UPDATE "target_map" SET "state" = 'loaded';
       UPDATE "page" SET "body" = CAST(substr("body", 1, length("body") - 1) || x'00' AS BLOB);`,
    );
    const { ok, problems } = await store.check();
    assertEquals([ok, problems.length], [false, 2]);
    assertStringIncludes(problems.join("\n"), "no target id");
    assertStringIncludes(problems.join("\n"), `page "testCase" at "0"`);
    await store.close();
    const bytes = await Deno.readFile(`${dir}/ztoq.db`);
    assertEquals(bytes.length > 4_096 * 20, true, "close() leaves everything in the one file");
    bytes.fill(0xff, 4_096 * 3, 4_096 * 12);
    await Deno.writeFile(`${dir}/ztoq.db`, bytes);
    const damaged = await openLibsqlStore({ url }).then(
      async (opened) => (await opened.check().finally(() => opened.close())).ok,
      (error) => error.state,
    );
    assertEquals([false, "corrupt"].includes(damaged), true);
  }));

Deno.test("backup() writes a copy that can be opened and overwrites nothing", () =>
  inFolder(async (dir) => {
    const { store, lease, scopeId } = await prepared(`file:${dir}/ztoq.db`);
    await store.apply(lease, planned("1"));
    await store.backup(`${dir}/copy.db`);
    await assertRejects(() => store.backup(`${dir}/copy.db`), StoreError, "exists");
    await store.close();
    const copy = await openLibsqlStore({ url: `file:${dir}/copy.db`, readOnly: true });
    assertEquals(await plannedKeys(copy, scopeId), ["1"]);
    assertEquals((await copy.check()).ok, true);
    await copy.close();
  }));

Deno.test("stats() counts rows and bytes of every table", () =>
  inFolder(async (dir) => {
    const { store, lease } = await prepared(`file:${dir}/ztoq.db`);
    await store.apply(lease, [...planned("1"), ...planned("2")]);
    const { tables, fileBytes, schemaVersion } = await store.stats();
    const map = tables.find((row) => row.table === "target_map");
    assertEquals([map?.rows, (map?.bytes ?? 0) > 0, (fileBytes ?? 0) > 50_000], [2, true, true]);
    assertEquals(schemaVersion, await store.schemaVersion());
    await store.close();
  }));

Deno.test("a closed store refuses work", async () => {
  const { store, lease } = await prepared(":memory:");
  await store.close();
  await assertRejects(() => store.apply(lease, []), StoreError, "closed");
});
