/** The schema: drizzle's tables, the migrations and the canonical list are the same; hot statements use indexes. */
import { assert, assertEquals } from "@std/assert";
import { type Client, createClient } from "@libsql/client";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { changeStatements } from "../../adapters/libsql/apply.ts";
import type { Connection, Row, Statement } from "../../adapters/libsql/connection.ts";
import * as analysis from "../../adapters/libsql/analysis.ts";
import * as ledger from "../../adapters/libsql/ledger_reads.ts";
import { MIGRATIONS } from "../../adapters/libsql/migrate.ts";
import { openLibsqlStore } from "../../adapters/libsql/mod.ts";
import * as schema from "../../adapters/libsql/schema.ts";
import * as source from "../../adapters/libsql/source_reads.ts";
import type { Change } from "../../core/ports/mod.ts";
import { LIST_KINDS } from "../../core/records/mod.ts";
import {
  aCase,
  aCycle,
  aFile,
  aFolder,
  aLookup,
  anExecution,
  anIssue,
  aPlan,
  aTarget,
  isoAt,
  pageOf,
} from "../contracts/store_samples.ts";

/** What `requirements.md` and the design name. */
const CANONICAL = [
  ...["project", "folder", "test_case", "test_step", "test_cycle", "test_execution"],
  ...["custom_field", "attachment", "test_plan", "execution_step", "link", "lookup", "page"],
  ...["target_map", "run", "checkpoint", "issue", "loss", "event", "lease", "request_count"],
  ...["control", "difference", "scope", "detail"],
];

async function migrated(body: (client: Client) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "ztoq-schema-" });
  try {
    const store = await openLibsqlStore({ url: `file:${dir}/ztoq.db` });
    await store.migrate();
    await store.close();
    const client = createClient({ url: `file:${dir}/ztoq.db`, concurrency: 1 });
    await body(client);
    client.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function names(client: Client, sql: string): Promise<string[]> {
  return (await client.execute(sql)).rows.map((row) => String(row.name)).sort();
}

Deno.test("the migrations make exactly the tables and columns of schema.ts", () =>
  migrated(async (client) => {
    const tables = Object.values(schema).filter((value) => is(value, SQLiteTable));
    const made = await names(
      client,
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'
        AND name NOT LIKE 'libsql%' AND name <> 'schema_version'`,
    );
    assertEquals(made, tables.map((table) => getTableName(table)).sort());
    for (const table of tables) {
      const name = getTableName(table);
      const columns = await names(client, `SELECT name FROM pragma_table_xinfo('${name}')`);
      const drawn = Object.values(getTableColumns(table)).map((column) => column.name).sort();
      assertEquals([name, columns], [name, drawn]);
    }
  }));

Deno.test("every canonical name is a table or a view that can be read", () =>
  migrated(async (client) => {
    for (const name of CANONICAL) await client.execute(`SELECT * FROM "${name}" LIMIT 1`);
  }));

Deno.test("the list of migrations is the folder", async () => {
  const folder = new URL("../../adapters/libsql/migrations/", import.meta.url);
  const files: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".sql")) files.push(name);
  assertEquals(MIGRATIONS.map(({ name }) => `${name}.sql`), files.sort());
  for (const { name, sql } of MIGRATIONS) {
    assertEquals(sql, await Deno.readTextFile(new URL(`${name}.sql`, folder)));
  }
});

Deno.test("the views custom_field and link show what records carry", () =>
  migrated(async (client) => {
    await client.batch([
      ...changeStatements(1, pageOf("testCase", "0", [aCase("A-T1")])),
      ...changeStatements(1, pageOf("execution", "0", [anExecution("5", "A-T1", null)])),
    ], "write");
    const fields = await client.execute(`SELECT name, value FROM custom_field ORDER BY name`);
    assertEquals(fields.rows.map((row) => [row.name, row.value]), [
      ["Browser", "Chrome"],
      ["Count", 3],
      ["None", null],
      ["Tags", `["x"]`],
    ]);
    const links = await client.execute(
      `SELECT kind, record_key, type, url, issue_id FROM link WHERE kind = 'execution' ORDER BY ordinal`,
    );
    assertEquals(links.rows.map((row) => [row.record_key, row.type, row.url, row.issue_id]), [
      ["5", "web", "https://x/?a=1", null],
      ["5", "issue", null, "305177"],
    ]);
  }));

/** What may be read whole: tables of few rows, arguments, and results of other parts of the query. */
const SMALL =
  /^SCAN (run|scope|lookup|sqlite_master|event|json_each|wanted|r|f|e|j|v|filled|counted|ranked|item)\b|subquery|CONSTANT/i;

async function assertIndexed(client: Client, { sql, args }: Statement): Promise<void> {
  const plan = await client.execute({ sql: `EXPLAIN QUERY PLAN ${sql}`, args });
  for (const { detail } of plan.rows) {
    const text = String(detail);
    const isScan = /^SCAN /.test(text) && !SMALL.test(text);
    assert(!isScan, `${text}\n${sql}`);
  }
}

Deno.test("no write reads a whole table", () =>
  migrated(async (client) => {
    const script = { type: "steps" as const, text: null, steps: [] };
    const loss = { kind: "x", key: "1", field: "f", rule: "r", before: null, after: null };
    const changes: Change[] = [
      ...pageOf("testCase", "0", [aCase("A-T1")]),
      ...pageOf("folder", "0", [aFolder("1")]),
      ...pageOf("testCycle", "0", [aCycle("1", "A-R1")]),
      ...pageOf("testPlan", "0", [aPlan("1", "A-P1")]),
      ...pageOf("status", "0", [aLookup("status", "1")]),
      ...pageOf("execution", "0", [anExecution("1", "A-T1", null)]),
      { op: "page", list: "script", at: "A-T1#0", body: new Uint8Array(), rows: 0 },
      { op: "script", caseKey: "A-T1", script },
      { op: "executionSteps", executionId: "1", steps: [] },
      {
        op: "attachments",
        ownerKey: "execution/1",
        attachments: [aFile("1", "execution", "1", 0)],
      },
      { op: "attachmentStored", ownerKey: "execution/1", id: "1", size: 1, sha256: "a" },
      { op: "detail", rows: [{ task: "script", key: "A-T1", state: "done", count: 1 }] },
      { op: "checkpoint", name: "n", value: 1 },
      { op: "checkpoint", name: "m", value: null },
      { op: "planTargets", rows: [aTarget("module", "1")] },
      { op: "targets", rows: [{ kind: "module", key: "1", state: "loaded", detail: { a: 1 } }] },
      { op: "removeTargets", rows: [{ kind: "module", key: "1" }] },
      { op: "seen", kind: "module", keys: ["1"], pass: 1 },
      { op: "losses", phase: "load", kind: "x", key: "1", rows: [loss] },
      { op: "issue", runId: "r", row: anIssue("1") },
      { op: "clearIssues", phase: "load", kind: "x", key: "1" },
      { op: "run", id: "r", set: { reason: "x" } },
      { op: "event", runId: "r", type: "t", at: isoAt(0), data: {} },
      {
        op: "requests",
        runId: "r",
        rows: [{ system: "source", route: "x", status: "200", count: 1 }],
      },
      { op: "clearDifferences", runId: "r" },
    ];
    for (const statement of changeStatements(1, changes)) await assertIndexed(client, statement);
  }));

Deno.test("no read of pages, keys or counts reads a whole table", () =>
  migrated(async (client) => {
    const spy = {
      query: async (sql: string, ...args: Statement["args"]): Promise<Row[]> => {
        await assertIndexed(client, { sql, args });
        return [["1", 1, "1", "1", 1]];
      },
      queryAll: async (statements: Statement[]): Promise<Row[][]> => {
        for (const statement of statements) await assertIndexed(client, statement);
        return statements.map(() => []);
      },
    } as unknown as Connection;
    // The rows above fit no reader: only the plans matter here.
    const ask = (read: () => Promise<unknown>): Promise<unknown> =>
      read().catch((error) => {
        if (error instanceof Error && error.name === "AssertionError") throw error;
      });
    const afters: Record<string, string> = {
      testCase: `[1,"1"]`,
      execution: `[1,"1","1",1,"1"]`,
      testCycle: `[1,1,"1"]`,
      testPlan: `[1,1,"1"]`,
    };
    for (const kind of LIST_KINDS) {
      const after = afters[kind] ?? `[1,"1"]`;
      await ask(() => source.records(spy, 1, kind, { after, limit: 5 }));
      await ask(() => source.recordsByKey(spy, 1, kind, ["1"]));
      await ask(() => source.raw(spy, 1, kind, "1"));
    }
    const page = { after: `[1,"1"]`, limit: 5 };
    const reads: (() => Promise<unknown>)[] = [
      () => source.inventory(spy, 1),
      () => source.countRecords(spy, 1),
      () => source.scripts(spy, 1, ["1"]),
      () => source.executionSteps(spy, 1, ["1"]),
      () => source.attachments(spy, 1, ["1"]),
      () => source.allAttachments(spy, 1, { after: `["1",1,1,"1"]`, limit: 5 }, false),
      () => source.details(spy, 1, "script", ["1"]),
      () => source.unknownCaseKeys(spy, 1),
      () => source.executedVersions(spy, 1, { after: `[1,"1",1,"1"]`, limit: 5 }),
      () => source.raw(spy, 1, "script", "1"),
      () => ledger.targets(spy, 1, "module", page),
      () => ledger.targets(spy, 1, "module", { ...page, states: ["pending", "loaded"] }),
      () => ledger.targets(spy, 1, "module", { ...page, everInDoubt: true }),
      () => ledger.targetsByKey(spy, 1, "module", ["1"]),
      () => ledger.targetsById(spy, 1, "module", ["1"]),
      () => ledger.targetChildren(spy, 1, "module", "module", ["1"]),
      () => ledger.unseen(spy, 1, "module", 1, page),
      () => ledger.countTargets(spy, 1),
      () => ledger.countTargets(spy, 1, "module"),
      () => ledger.losses(spy, 1, { after: `["1","load","x",1]`, limit: 5 }, { key: "1" }),
      () => ledger.losses(spy, 1, { after: null, limit: 5 }, { rule: "1" }),
      () => ledger.countLosses(spy, 1),
      () => ledger.issues(spy, 1, { after: "[1]", limit: 5 }, { setAside: true }),
      () => ledger.countIssues(spy, 1),
      () => ledger.differences(spy, "r", { after: "[1]", limit: 5 }),
      () => ledger.requestCounts(spy, "r"),
      () => analysis.customFieldStats(spy, 1, "testCase"),
    ];
    for (const read of reads) await ask(read);
  }));
