/** Bad input: each gets a sentence that names the thing, an exit code, and loses nothing. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createClient } from "@libsql/client";
import { cli, type CliResult, tempFolder } from "./cli_process.ts";
import { startSites } from "./sites.ts";

/** No stack, no secret, one sentence that starts with `error:`. */
function assertClean({ stdout, stderr }: CliResult, secrets: string[]): void {
  const text = stdout + stderr;
  assertStringIncludes(stderr, "error: Cannot ");
  assert(!/\n\s+at |file:\/\/\/|Uncaught|os error/.test(text), text);
  for (const secret of secrets) assert(!text.includes(secret), `shows ${secret}`);
}

Deno.test("a site that refuses, misleads or is away ends with 6 and names what to do", async () => {
  await using sites = await startSites({ cases: 3, executions: 3 });
  const { env } = sites;
  const html = sites.page("<!doctype html><title>Sign in</title>", 200);
  const forbidden = sites.page('{"message":"Forbidden"}', 403);
  const wrong = "eyJhbGciOiJIUzI1NiJ9.eyJ4IjoxfQ.wrong-signature-123";
  const cases: [string, Record<string, string>, string[]][] = [
    ["source token", { ZEPHYR_API_TOKEN: wrong }, ["Zephyr Scale answered 401", "eu.api"]],
    ["target token", { QTEST_BEARER_TOKEN: "wrong-token-123" }, ["qTest answered 401", "expired"]],
    ["login", {
      QTEST_BEARER_TOKEN: "",
      QTEST_USERNAME: "ann@example.com",
      QTEST_PASSWORD: "wrong-pass-123",
    }, ['log in as "ann@example.com"', "user name and password"]],
    ["source HTML", { ZEPHYR_BASE_URL: `${html}/v2` }, ["HTML instead of JSON", html]],
    ["target HTML", { QTEST_BASE_URL: html }, ["HTML instead of JSON", html]],
    ["source project", { ZEPHYR_PROJECT_KEY: "NOPE" }, ['project "NOPE": not found', "(404)"]],
    ["target project", { QTEST_PROJECT_ID: "777" }, ['qTest project "777": not found']],
    ["source permission", { ZEPHYR_BASE_URL: `${forbidden}/v2` }, ["not visible (403)", "eu.api"]],
    ["target permission", { QTEST_BASE_URL: forbidden }, ["qTest project", "(403)"]],
    ["target away", { QTEST_BASE_URL: sites.closed }, ["Cannot reach qTest", sites.closed]],
  ];
  for (let at = 0; at < cases.length; at += 3) {
    await Promise.all(
      cases.slice(at, at + 3).map(async ([name, change, words]) => {
        await using folder = await tempFolder();
        const run = await cli(["migrate", "--json"], {
          cwd: folder.path,
          env: { ...env, ...change },
        });
        assertEquals(run.code, 6, `${name}: ${run.stderr}`);
        const secrets = [wrong, "wrong-token-123", "wrong-pass-123", sites.zephyr.token];
        assertClean(run, secrets);
        for (const word of words) assertStringIncludes(run.stderr, word, name);
        const { runId, exitCode, counts, error } = Object(JSON.parse(run.stdout));
        assert(typeof runId === "string" && counts.testCase.extracted === 0, name);
        assertEquals([exitCode, error.exitCode], [6, 6], name);
      }),
    );
  }
  await using folder = await tempFolder();
  const both = { ...env, ZEPHYR_API_TOKEN: wrong, QTEST_BEARER_TOKEN: "wrong-token-123" };
  const [migrate, doctor] = await Promise.all([
    cli(["migrate"], { cwd: folder.path, env: both }),
    cli(["doctor"], { cwd: folder.path, env: { ...both, ZTOQ_DB_URL: "file:nope/x.db" } }),
  ]);
  for (const text of [migrate.stderr, doctor.stdout]) {
    assertStringIncludes(text, "Zephyr Scale answered 401");
    assertStringIncludes(text, "qTest answered 401");
  }
  assertEquals([doctor.code, doctor.stderr], [6, ""]);
  assertStringIncludes(doctor.stdout, '"nope/"');
});

Deno.test("files that cannot be used end with 2 before anything is sent", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  const write = (name: string, text: string): void =>
    Deno.writeTextFileSync(`${cwd}/${name}`, text);
  const env = {
    ZEPHYR_API_TOKEN: "source-token-1",
    ZEPHYR_PROJECT_KEY: "SA",
    QTEST_BASE_URL: "http://127.0.0.1:9",
    QTEST_BEARER_TOKEN: "target-token-1",
    QTEST_PROJECT_ID: "1",
  };
  Deno.mkdirSync(`${cwd}/folder`);
  write("bad.json", '{\n "source": {\n  "projectKey": "SA",\n }\n}');
  write("list.json", "[]");
  write("key.json", '{"target": {"projctId": 5}}');
  write("map_bad.json", '{"statuses": {\n"execution": }}');
  write("map_key.json", '{"statuses": {"execution": {"Pass": 3}}, "priorites": {}}');
  write("blocker", "");
  const cases: [string[], string[]][] = [
    [["--config", "bad.json"], ["bad.json", "not valid JSON (line 4, column 2)"]],
    [["--config", "list.json"], ["list.json", "not a JSON object"]],
    [["--config", "key.json"], ['"target.projctId"', '"target.projectId"']],
    [["--config", "folder"], ['"folder": it is a folder']],
    [["--mapping", "folder"], ['mapping file "folder": it is a folder']],
    [["--mapping", "map_bad.json"], ["map_bad.json", "not valid JSON (line 2"]],
    [["--mapping", "map_key.json"], ['"priorities"', '"statuses.execution.Pass"']],
    [["--report-dir", "blocker"], ['report folder "blocker"']],
    [["--report-dir", "blocker/below"], ['report folder "blocker/below"', "no folder"]],
    [["--project", "lower case"], ["source.projectKey", "SA"]],
    [["--source-rpm", "0"], ["--source-rpm", "1 to 1000000"]],
  ];
  for (let at = 0; at < cases.length; at += 4) {
    await Promise.all(
      cases.slice(at, at + 4).map(async ([args, words]) => {
        const run = await cli(["migrate", "--json", ...args], { cwd, env });
        assertEquals([run.code, run.stdout], [2, ""], run.stderr);
        assertClean(run, ["source-token-1", "target-token-1"]);
        for (const word of words) assertStringIncludes(run.stderr, word);
      }),
    );
  }
  const taken = Deno.serve({ port: 0, onListen: () => {} }, () => new Response());
  const simulate = await cli(["simulate", "qtest", "--port", String(taken.addr.port)], { cwd });
  await taken.shutdown();
  assertEquals([simulate.code, simulate.stdout], [2, ""]);
  assertStringIncludes(simulate.stderr, `127.0.0.1:${taken.addr.port}: another program does`);
  const names = Array.from(Deno.readDirSync(cwd), ({ name }) => name);
  assert(!names.includes("ztoq.db"), "no database is made for input that cannot be used");
});

Deno.test("a database that cannot be used ends with 1, says its state, and stays as it is", async () => {
  await using sites = await startSites({ cases: 3, executions: 3 });
  await using folder = await tempFolder();
  const cwd = folder.path;
  const made = await cli(["extract", "--json"], { cwd, env: sites.env });
  assertEquals(made.code, 0, made.stderr);
  const bytes = Deno.readFileSync(`${cwd}/ztoq.db`);
  const damaged = bytes.slice();
  damaged.fill(7, 4096, Math.min(bytes.length, 200_000));
  Deno.writeFileSync(`${cwd}/damaged.db`, damaged);
  for (const name of ["newer", "locked"]) Deno.writeFileSync(`${cwd}/${name}.db`, bytes);
  Deno.mkdirSync(`${cwd}/folder.db`);
  Deno.writeTextFileSync(`${cwd}/text.db`, "this is no database at all, but a text of some length");
  const newer = createClient({ url: `file:${cwd}/newer.db` });
  await newer.execute("INSERT INTO schema_version VALUES (99, 'later', '2030-01-01')");
  newer.close();
  const foreign = createClient({ url: `file:${cwd}/foreign.db` });
  await foreign.execute("CREATE TABLE run (a)");
  foreign.close();
  const holder = createClient({ url: `file:${cwd}/locked.db` });
  const lock = await holder.transaction("write");
  await lock.execute("CREATE TABLE mine (a)");
  const page = sites.page("<html>Sign in</html>", 200);
  const cases: [string, string[]][] = [
    ["file:locked.db", ["locked.db", "another program holds the database"]],
    ["file:newer.db", ["newer.db", "version 99"]],
    ["file:damaged.db", ["damaged.db", "damaged"]],
    ["file:text.db", ["text.db", "no database"]],
    ["file:folder.db", ["folder.db", "it is a folder"]],
    ["file:foreign.db", ["foreign.db", "tables of another program"]],
    ["file:nope/ztoq.db", ['the folder "nope/" does not exist']],
    [page, [page, "no libSQL server"]],
  ];
  await Promise.all(cases.map(async ([url, words]) => {
    const run = await cli(["migrate"], { cwd, env: { ...sites.env, ZTOQ_DB_URL: url } });
    assertEquals([run.code, run.stdout], [1, ""], `${url}: ${run.stderr}`);
    assertClean(run, [sites.zephyr.token, sites.qtest.token]);
    for (const word of words) assertStringIncludes(run.stderr, word);
    assertStringIncludes(run.stderr, "hint: ");
  }));
  await lock.rollback();
  holder.close();
  assertEquals(Deno.readFileSync(`${cwd}/damaged.db`), damaged);
  assertEquals(sites.qtest.oracle().counts["test-cases"], 0);
  const freed = { ...sites.env, ZTOQ_DB_URL: "file:locked.db" };
  const records = await cli(["records", "count", "--json"], { cwd, env: freed });
  assertEquals(Object(JSON.parse(records.stdout)).testCase, 3, records.stderr);
});

Deno.test("values without a place end with 6 before the first write, and migrate once mapped", async () => {
  await using sites = await startSites(
    { cases: 20, executions: 40, preset: "hostile" },
    { requiredField: "Cost centre" },
  );
  await using folder = await tempFolder();
  const cwd = folder.path;
  const { env } = sites;
  const early = await cli(["doctor"], { cwd, env });
  assertEquals(early.code, 6);
  assertStringIncludes(early.stdout, "required.testCase.Cost centre");
  const names = Array.from(Deno.readDirSync(cwd), ({ name }) => name);
  assertEquals(names, [], "doctor changes nothing");
  const refused = await cli(["migrate", "--json"], { cwd, env });
  assertEquals(refused.code, 6, refused.stderr);
  assertClean(refused, [sites.zephyr.token]);
  for (const word of ['"Parked"', '"P1"', '"Cost centre"', "./ztoq.mapping.json"]) {
    assertStringIncludes(refused.stderr, word);
  }
  const { counts } = Object(JSON.parse(refused.stdout));
  assertEquals([counts.testCase.extracted, counts.testCase.created], [20, 0]);
  assertEquals(sites.qtest.oracle().counts.modules, 0);
  const doctor = await cli(["doctor", "--json"], { cwd, env });
  assertEquals(doctor.code, 6);
  const { ok, findings } = Object(JSON.parse(doctor.stdout));
  assert(!ok);
  assertStringIncludes(JSON.stringify(findings), "Parked");

  const file = `${cwd}/ztoq.mapping.json`;
  const mapping = Object(JSON.parse(await Deno.readTextFile(file)));
  mapping.statuses.execution.Parked = "Nowhere";
  mapping.defaults = { status: "Incomplete", priority: "Medium" };
  mapping.required = { testCase: { "Cost centre": "A" } };
  await Deno.writeTextFile(file, JSON.stringify(mapping));
  const nowhere = await cli(["doctor"], { cwd, env });
  assertEquals(nowhere.code, 6);
  assertStringIncludes(nowhere.stdout, '"Nowhere"');
  mapping.statuses.execution.Parked = null;
  await Deno.writeTextFile(file, JSON.stringify(mapping));
  const done = await cli(["migrate", "--json"], { cwd, env });
  const summary = Object(JSON.parse(done.stdout));
  assert([0, 3].includes(done.code), done.stderr);
  assertEquals(summary.state, "completed");
  assertEquals(summary.counts.testCase.created + summary.counts.testCase.setAside, 20);
});
