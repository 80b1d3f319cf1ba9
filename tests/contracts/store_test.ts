import { createClient } from "@libsql/client/http";
import { openLibsqlStore } from "../../adapters/libsql/mod.ts";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { type Opened, storeContract } from "./store_contract.ts";
import { type Sqld, startSqld, whySqldIsMissing } from "../helpers/sqld.ts";

storeContract("memory store", () => {
  const store = createMemoryStore();
  return Promise.resolve({ store, close: () => store.close() });
});

storeContract("libSQL file", async () => {
  const dir = await Deno.makeTempDir({ prefix: "ztoq-store-" });
  return await openEmpty(`file:${dir}/ztoq.db`, () => Deno.remove(dir, { recursive: true }));
});

storeContract("libSQL in memory", () => openEmpty(":memory:", () => Promise.resolve()));

const missing = await whySqldIsMissing();
if (missing !== null) console.log(`store contract on sqld skipped: ${missing}`);

let server: Sqld | undefined;
storeContract("libSQL server", async () => {
  server ??= await startSqld();
  await dropTables(server.url);
  return await openEmpty(server.url, () => Promise.resolve());
}, { ignore: missing !== null });
Deno.test.afterAll(async () => await server?.stop());

/** One server for all tests: each begins by emptying it. */
async function dropTables(url: string): Promise<void> {
  const client = createClient({ url });
  const found = await client.execute(
    `SELECT type, name FROM sqlite_master WHERE type IN ('view', 'table')
      AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'libsql%' ORDER BY type DESC`,
  );
  await client.batch(found.rows.map((row) => `DROP ${row.type} "${row.name}"`), "write");
  client.close();
}

async function openEmpty(url: string, clean: () => Promise<void>): Promise<Opened> {
  try {
    const store = await openLibsqlStore({ url });
    await store.migrate();
    return { store, close: () => store.close().finally(clean) };
  } catch (error) {
    await clean();
    throw error;
  }
}
