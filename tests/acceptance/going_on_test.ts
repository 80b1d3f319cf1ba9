/** Interruptions, outages and full disks: the same command goes on, and nothing is made twice. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { cli, spawnCli, tempFolder } from "./cli_process.ts";
import { startSites } from "./sites.ts";

const SMALL = { cases: 12, executions: 30 };
/** The simulator answers within milliseconds: what has not landed by then never will. */
const PATIENCE = ["--target-timeout-ms", "1000", "--settle-ms", "300"];

async function outcome(
  child: Deno.ChildProcess,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr, { code }] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.status,
  ]);
  return { code, stdout, stderr };
}

Deno.test("a target that refuses, misleads or stays away half-way costs nothing but time", async () => {
  await using sites = await startSites(SMALL);
  await using folder = await tempFolder();
  const { env, qtest } = sites;
  const args = ["migrate", "--json", "--max-outage", "1s", ...PATIENCE];
  const start = (): ReturnType<typeof outcome> =>
    outcome(spawnCli(args, { cwd: folder.path, env }));
  const steps = [
    ["unauthorized", 40, [6], "401"],
    ["gone", 90, [5], "Stopped: "],
    ["html", 140, [1, 5, 6], ""],
  ] as const;
  let created = 0;
  for (const [way, after, codes, word] of steps) {
    sites.setWay("open");
    const running = start();
    await sites.passed(after);
    sites.setWay(way);
    const { code, stdout, stderr } = await running;
    assert(codes.some((wanted) => wanted === code), `${way}: ${code} ${stderr}`);
    assertStringIncludes(stderr, word);
    assert(!/\n\s+at |file:\/\/\//.test(stderr), stderr);
    const summary = Object(JSON.parse(stdout));
    assertEquals(summary.exitCode, code, stdout);
    assert(summary.next !== null, `${way} says how to go on`);
    const artefacts = Object.values<number>(summary.artefacts);
    const sum = artefacts.reduce((total, count) => total + count, 0);
    assert(sum >= created, `${way}: ${sum} after ${created}`);
    created = sum;
  }
  sites.setWay("open");
  const done = await start();
  assertEquals(done.code, 0, done.stderr);
  const summary = Object(JSON.parse(done.stdout));
  assertEquals([summary.state, summary.counts.testCase.created], ["completed", 12]);
  assertEquals(qtest.oracle().duplicates, []);

  const before = qtest.requestLog.stats().total;
  const again = await cli(args, { cwd: folder.path, env });
  assertEquals([again.code, Object(JSON.parse(again.stdout)).state], [0, "completed"]);
  assertEquals(qtest.requestLog.stats().total, before, "a completed run sends nothing");
});

Deno.test("Ctrl-C stops in good order, twice at once; a second process is told who works", async () => {
  await using sites = await startSites(SMALL, {}, 1_500);
  await using folder = await tempFolder();
  const cwd = folder.path;
  const { env } = sites;
  const first = spawnCli(["migrate", "--json"], { cwd, env });
  const ended = outcome(first);
  await sites.passed(30);
  const [held, heldJson] = await Promise.all([
    cli(["migrate"], { cwd, env }),
    cli(["migrate", "--json"], { cwd, env }),
  ]);
  assertEquals([held.code, held.stdout, heldJson.code], [7, "", 7]);
  assertStringIncludes(held.stderr, `process ${first.pid} on`);
  const document = Object(JSON.parse(heldJson.stdout));
  assertEquals([document.exitCode, document.error.exitCode], [7, 7]);
  assert(document.counts.testCase.extracted > 0);
  first.kill("SIGINT");
  const once = await ended;
  assertEquals(once.code, 5, once.stderr);
  const summary = Object(JSON.parse(once.stdout));
  assertEquals([summary.exitCode, summary.runId], [5, document.runId]);
  assertStringIncludes(summary.next, "same command");
  const status = await cli(["status", "--json"], { cwd, env });
  const { interrupted, runId } = Object(JSON.parse(status.stdout));
  assertEquals([interrupted, runId], [true, document.runId]);

  const second = spawnCli(["migrate", ...PATIENCE], { cwd, env });
  const left = outcome(second);
  await sites.passed(60);
  second.kill("SIGINT");
  second.kill("SIGTERM");
  const twice = await left;
  assertEquals(twice.code, 5, twice.stderr);
  const fast = ["--source-rpm", "60000", "--target-rpm", "60000", ...PATIENCE];
  const done = await cli(["migrate", ...fast], { cwd, env });
  assertEquals(done.code, 0, done.stderr);
  assertStringIncludes(done.stdout, `Run ${document.runId}: completed`);
  assertEquals(sites.qtest.oracle().duplicates, []);
});

/** A file system of 700 kB; null where this user may not make one. */
async function smallDisk(): Promise<({ path: string } & AsyncDisposable) | null> {
  const path = await Deno.makeTempDir({ prefix: "ztoq-small-" });
  const run = async (name: string, ...args: string[]): Promise<boolean> => {
    const command = new Deno.Command(name, { args, stdout: "null", stderr: "null" });
    return await command.output().then(({ success }) => success, () => false);
  };
  if (!await run("mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", path)) {
    await Deno.remove(path);
    return null;
  }
  return {
    path,
    async [Symbol.asyncDispose](): Promise<void> {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}

Deno.test("a full disk ends with 1 and says so, and keeps what was committed", async () => {
  await using disk = await smallDisk();
  if (disk === null) return;
  await using sites = await startSites({ cases: 60, executions: 300 });
  await using folder = await tempFolder();
  const cwd = folder.path;
  const full = await cli(["extract", "--json"], {
    cwd,
    env: { ...sites.env, ZTOQ_DB_URL: `file:${disk.path}/ztoq.db` },
  });
  assertEquals(full.code, 1, full.stderr);
  assertStringIncludes(full.stderr, "the disk is full");
  assertStringIncludes(full.stderr, "run the same command again");
  assert(!/\n\s+at |os error/.test(full.stderr), full.stderr);
});

Deno.test("a migration goes on when nobody reads what it says, and ends as it would have", async () => {
  await using sites = await startSites(SMALL);
  await using folder = await tempFolder();
  const cwd = folder.path;
  const { env } = sites;
  const child = spawnCli(["migrate", "--verbose", ...PATIENCE], { cwd, env });
  await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  const { code } = await child.status;
  const status = await cli(["status", "--json"], { cwd, env });
  assertEquals([code, Object(JSON.parse(status.stdout)).state], [0, "completed"], status.stdout);
});
