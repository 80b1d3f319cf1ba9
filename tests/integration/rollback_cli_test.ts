import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fakeIo } from "../helpers/fake_io.ts";
import { idsOf, people } from "../helpers/rollback_world.ts";
import { startWorld, type World } from "../helpers/world.ts";
import { openStore } from "../../adapters/connect.ts";
import { runCli } from "../../tasks/cli/run.ts";

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

function environment(world: World, folder: string): Record<string, string> {
  return {
    ZEPHYR_BASE_URL: world.zephyr.url,
    ZEPHYR_API_TOKEN: world.zephyr.token,
    ZEPHYR_PROJECT_KEY: world.zephyr.projectKey,
    ZEPHYR_RPM: "60000",
    QTEST_BASE_URL: world.qtest.url,
    QTEST_BEARER_TOKEN: world.qtest.token,
    QTEST_PROJECT_ID: String(world.qtest.projectId),
    QTEST_RPM: "60000",
    ZTOQ_DB_URL: `file:${folder}/ztoq.db`,
    ZTOQ_LOG_LEVEL: "error",
  };
}

async function cli(env: Record<string, string>, folder: string, ...argv: string[]): Promise<Ran> {
  const io = fakeIo(env);
  const shared = [
    "--mapping",
    `${folder}/ztoq.mapping.json`,
    ...(argv[0] === "explain" ? [] : ["--report-dir", `${folder}/report`]),
  ];
  const code = await runCli([...argv, ...shared], io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}

Deno.test("ztoq rollback takes a run back, and errors retry repeats a clean result", async () => {
  await using world = await startWorld({
    zephyr: { seed: 11, data: { cases: 12, executions: 30 } },
    qtest: { seed: 11 },
  });
  const folder = await Deno.makeTempDir();
  try {
    const env = environment(world, folder);
    const made = await cli(env, folder, "migrate", "--json", "--settle-ms", "200");
    assertEquals(made.code, 0, made.stderr);
    const counts = world.qtest.oracle().counts;
    const retried = await cli(env, folder, "errors", "retry", "--json");
    assertEquals(retried.code, 0, retried.stderr);
    assertEquals((await cli(env, folder, "errors", "retry", "SA-T1")).code, 1);

    const dry = await cli(env, folder, "rollback", "--dry-run", "--settle-ms", "200");
    assertEquals(dry.code, 0, dry.stderr);
    assertStringIncludes(dry.stdout, "Would delete");
    assertEquals(world.qtest.oracle().counts, counts);

    const store = await openStore({ url: env.ZTOQ_DB_URL ?? "", authToken: null });
    await store.migrate();
    const [first] = await idsOf({ ...world, store }, "testCase");
    await store.close();
    assert(first);
    await people(world, "PUT", `/test-cases/${first[1]}`, { name: "Renamed by hand" });
    const done = await cli(env, folder, "rollback", "--json", "--settle-ms", "200");
    assertEquals(done.code, 3, done.stderr);
    const report = JSON.parse(done.stdout);
    assertEquals([report.state, report.exitCode, report.cannot], ["rolled-back", 3, []]);
    assert(report.left.some((row: { key: string }) => row.key === first[0]));
    assertEquals(world.qtest.oracle().counts["test-cases"], 1);
    const usage = await cli(env, folder, "rollback", "--phase", "lod");
    assertEquals([usage.code, usage.stdout], [2, ""]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
