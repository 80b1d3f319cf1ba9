import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LOSS_RULES } from "../../core/config/mod.ts";
import { cli, spawnCli, tempFolder } from "./cli_process.ts";

const SMALL = ["--cases", "12", "--executions", "30", "--rpm", "60000"];

Deno.test("demo migrates everything once, and the reading commands tell about it", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  const demo = await cli(["demo", ...SMALL, "--out", "out", "--json"], { cwd });
  assertEquals(demo.code, 0, demo.stderr);
  const summary = Object(JSON.parse(demo.stdout));
  assertEquals(summary.state, "completed");
  for (const [kind, row] of Object.entries(summary.counts)) {
    const { extracted, created, updated, unchanged, withoutTarget, setAside } = Object(row);
    assertEquals(extracted, created + updated + unchanged + withoutTarget + setAside, kind);
    assert(extracted > 0, kind);
  }
  assertEquals(summary.counts.testCase.created, 12);
  const { checked, equal, duplicate } = summary.validation;
  assert(checked > 50 && equal === checked && duplicate === 0);
  for (const system of ["source", "target"]) {
    const { total, minimum } = summary.requests[system];
    assert(minimum > 0 && total >= minimum, `${system}: ${total} sent, ${minimum} needed`);
  }
  for (const rule of Object.keys(summary.losses)) assert(rule in LOSS_RULES, rule);
  for (const path of Object.values(summary.files)) await Deno.stat(`${cwd}/${path}`);

  const env = { ZTOQ_DB_URL: "file:out/ztoq.db" };
  const run = (...args: string[]): ReturnType<typeof cli> => cli(args, { cwd, env });
  const [status, cycle, errors, report, csv] = await Promise.all([
    run("status", "--json"),
    run("explain", "SA-R1", "--json"),
    run("errors", "list"),
    run("report", "--out", "r.html"),
    run("report", "--format", "csv"),
  ]);
  const { state, interrupted, result } = Object(JSON.parse(status.stdout));
  assertEquals({ state, interrupted, result }, {
    state: "completed",
    interrupted: false,
    result: 0,
  });
  const story = Object(JSON.parse(cycle.stdout));
  assertEquals(story.source.key, "SA-R1");
  assertEquals([story.kind, story.targets[0].kind], ["testCycle", "testSuite"]);
  assertStringIncludes(errors.stdout, "Nothing was set aside");
  assertEquals(report.code, 0, report.stderr);
  assertStringIncludes(await Deno.readTextFile(`${cwd}/r.html`), "</html>");
  assertMatch(csv.stdout, /^type,phase,level/);
  const redirects = await Deno.readTextFile(`${cwd}/out/report/redirects.csv`);
  assertMatch(redirects, /\r\ntestCase,SA-T1,\d+,testCase,\d+,TC-\d+,http/);
  assertMatch(redirects, /\r\ntestCycle,SA-R1,\d+,testSuite,/);
});

Deno.test("demo stops at Ctrl-C with exit 5, and starts anew over its own files only", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  const args = ["demo", "--cases", "12", "--executions", "30", "--out", "out"];
  const child = spawnCli([...args, "--rpm", "400", "--json"], { cwd });
  const errors = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (!seen.includes("extract")) {
    const { value, done } = await errors.read();
    if (done) break;
    seen += value;
  }
  child.kill("SIGINT");
  const [stdout, { code }] = await Promise.all([new Response(child.stdout).text(), child.status]);
  await errors.cancel();
  assertEquals(code, 5, seen);
  assertEquals(Object(JSON.parse(stdout)).exitCode, 5);

  await Deno.mkdir(`${cwd}/mine`);
  await Deno.writeTextFile(`${cwd}/mine/ztoq.db`, "precious");
  const [again, refused] = await Promise.all([
    cli([...args, "--rpm", "60000", "--quiet"], { cwd }),
    cli(["demo", ...SMALL, "--out", "mine"], { cwd }),
  ]);
  assertEquals(again.code, 0, again.stderr);
  assertEquals([refused.code, refused.stdout], [2, ""]);
  assertEquals(await Deno.readTextFile(`${cwd}/mine/ztoq.db`), "precious");
});
