import { assert, assertEquals, assertMatch } from "@std/assert";
import { cli, tempFolder } from "./cli_process.ts";
import { startSites } from "./sites.ts";

Deno.test("plan tells what migrate then does, writes nothing to the target, and costs no second reading", async () => {
  await using sites = await startSites({ cases: 12, executions: 30 });
  await using folder = await tempFolder();
  const cwd = folder.path;
  const run = (...args: string[]): ReturnType<typeof cli> => cli(args, { cwd, env: sites.env });
  const first = await run("plan", "--json");
  assertEquals(first.code, 0, first.stderr);
  const plan = Object(JSON.parse(first.stdout));
  assertEquals(sites.qtest.oracle().counts["test-cases"], 0);
  assertEquals([plan.complete, plan.problems, plan.inventory.testCase], [true, [], 12]);
  const pass = plan.statuses.find((row: { name: string }) => row.name === "Pass");
  assertEquals([pass.becomes, pass.mapped], ["Passed", true]);
  const mapping = Object(JSON.parse(await Deno.readTextFile(`${cwd}/ztoq.mapping.json`)));
  assertEquals(mapping.statuses.execution.Pass, "Passed");
  const steps = plan.options.executionSteps.map((row: { value: string }) => row.value);
  assertEquals(steps, ["none", "failed", "executed", "all"]);
  assert(plan.durationMs.total >= plan.durationMs.source);

  const done = await run("migrate", "--json");
  assertEquals(done.code, 0, done.stderr);
  const summary = Object(JSON.parse(done.stdout));
  for (const [kind, made] of Object.entries(summary.artefacts)) {
    assertEquals(plan.operations[kind].create, made, kind);
  }
  assertEquals(plan.losses, summary.losses);
  const { source, target } = summary.requests;
  assertEquals(plan.requests.source.total, source.minimum);
  assert(source.total < source.minimum * 1.1 + 15, `read twice: ${source.total}`);
  const off = Math.abs(plan.requests.target.total - target.minimum);
  assert(off <= target.minimum * 0.05, `${plan.requests.target.total}, ${target.minimum}`);

  const [redirects, records, tables, none] = await Promise.all([
    run("export", "redirects"),
    run("export", "--to", "ndjson"),
    run("export", "--to", "csv", "--out", "tables", "--json"),
    run("export"),
  ]);
  assertMatch(redirects.stdout, /\r\ntestCase,SA-T1,\d+,testCase,\d+,TC-\d+,http/);
  const rows = records.stdout.trim().split("\n").map((line) => Object(JSON.parse(line)));
  assertEquals(rows.filter(({ kind }) => kind === "testCase").length, 12);
  assert(rows.some(({ kind, script }) => kind === "testCase" && script !== null));
  const { files } = Object(JSON.parse(tables.stdout));
  assert(files.includes("tables/execution.csv"));
  assertMatch(await Deno.readTextFile(`${cwd}/tables/testCase.csv`), /^kind,id,key,/);
  assertEquals([none.code, none.stdout], [2, ""]);
});
