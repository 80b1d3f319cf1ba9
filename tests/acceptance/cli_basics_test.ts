import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { cli, spawnCli, tempFolder } from "./cli_process.ts";

Deno.test("help goes to stdout with exit 0, usage errors to stderr only with exit 2", async () => {
  const [help, flag, unknown, bare] = await Promise.all([
    cli(["help", "migrate"]),
    cli(["migrate", "--help"]),
    cli(["migrtae", "--json"]),
    cli([]),
  ]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertEquals(flag, help);
  assertEquals([unknown.code, unknown.stdout], [2, ""]);
  assertStringIncludes(unknown.stderr, '"migrate"');
  assertEquals([bare.code, bare.stdout], [2, ""]);
});

Deno.test("init writes a configuration that loads, and never overwrites without --force", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  const first = await cli(["init"], { cwd, env: { ZEPHYR_PROJECT_KEY: "ABC" } });
  assertEquals(first.code, 0, first.stderr);
  const names = (await Array.fromAsync(Deno.readDir(cwd))).map((entry) => entry.name).sort();
  assertEquals(names, [
    "ztoq.json",
    "ztoq.mapping.json",
    "ztoq.mapping.schema.json",
    "ztoq.schema.json",
  ]);
  assertStringIncludes(await Deno.readTextFile(`${cwd}/ztoq.json`), '"projectKey": "ABC"');
  const [second, forced, doctor] = await Promise.all([
    cli(["init"], { cwd }),
    cli(["init", "--force", "--json", "--config", "other/ztoq.json"], { cwd }),
    cli(["doctor"], { cwd }),
  ]);
  assertEquals([second.code, second.stdout], [2, ""]);
  assertStringIncludes(second.stderr, "--force");
  assertEquals(forced.code, 0);
  assertEquals(Object(JSON.parse(forced.stdout)).files.length, 4);
  const other = JSON.parse(await Deno.readTextFile(`${cwd}/other/ztoq.json`));
  assertEquals(other.mapping, "other/ztoq.mapping.json");
  assertEquals([doctor.code, doctor.stdout], [2, ""]);
  for (const name of ["ZEPHYR_API_TOKEN", "QTEST_BEARER_TOKEN"]) {
    assertStringIncludes(doctor.stderr, name);
  }
  assert(!doctor.stderr.includes("ZEPHYR_PROJECT_KEY"), "projectKey stands in the file");
});

Deno.test("a configuration that cannot be used ends with 2, names the keys, and hides the token", async () => {
  await using folder = await tempFolder();
  const file = `${folder.path}/ztoq.json`;
  const config = { sorce: {}, source: { token: "literal-secret-9", requestsPerMinute: "many" } };
  await Deno.writeTextFile(file, JSON.stringify(config));
  const [wrong, missing] = await Promise.all([
    cli(["migrate", "--config", file, "--json"]),
    cli(["migrate", "--config", `${folder.path}/nope.json`]),
  ]);
  assertEquals([wrong.code, wrong.stdout], [2, ""]);
  assertStringIncludes(wrong.stderr, '"sorce"; the nearest known key is "source"');
  assertStringIncludes(wrong.stderr, "source.requestsPerMinute");
  assert(!wrong.stderr.includes("literal-secret-9"));
  assertEquals(missing.code, 2);
  assertStringIncludes(missing.stderr, "nope.json");
});

Deno.test("commands that read the database need no credentials and never create one", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  const none = await cli(["status"], { cwd });
  assertEquals([none.code, none.stdout], [2, ""]);
  assertStringIncludes(none.stderr, "ztoq.db");
  const made = await cli(["db", "migrate", "--json"], { cwd });
  assertEquals(made.code, 0, made.stderr);
  const [status, runs, stats, check, records, report] = await Promise.all([
    cli(["status", "--json"], { cwd }),
    cli(["runs"], { cwd }),
    cli(["db", "stats", "--json"], { cwd }),
    cli(["db", "check"], { cwd }),
    cli(["records", "count", "--json"], { cwd }),
    cli(["report"], { cwd }),
  ]);
  assertEquals([status.code, JSON.parse(status.stdout)], [0, { runId: null, state: null }]);
  assertEquals(runs.code, 0);
  assertStringIncludes(runs.stdout, "No run yet");
  assertEquals(stats.code, 0, stats.stderr);
  assert(Object(JSON.parse(stats.stdout)).tables.length > 5);
  assertEquals(check.code, 0, check.stderr);

  assertEquals(records.code, 1);
  assertEquals(Object(JSON.parse(records.stdout)).error.exitCode, 1);
  assertEquals([report.code, report.stdout], [1, ""]);
  const backup = await cli(["db", "backup", "copy.db"], { cwd });
  assertEquals(backup.code, 0, backup.stderr);
  const again = await cli(["db", "backup", "copy.db"], { cwd });
  assert(again.code !== 0);
});

Deno.test("simulate prints address and token, serves, and ends with Ctrl-C", async () => {
  await using child = spawnCli([
    "simulate",
    "zephyr",
    "--cases",
    "5",
    "--executions",
    "5",
    "--json",
  ]);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let line = "";
  while (!line.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    line += value;
  }
  const { baseUrl, token, project } = Object(JSON.parse(line));
  const answer = await fetch(`${baseUrl}/testcases?projectKey=${project}&maxResults=10`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assertEquals(answer.status, 200);
  assertMatch(await answer.text(), /"values"/);
  child.kill("SIGINT");
  const { code } = await child.status;
  await reader.cancel();
  await child.stderr.cancel();
  assertEquals(code, 0);
});
