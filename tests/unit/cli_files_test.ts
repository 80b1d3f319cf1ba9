import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { emptyMapping, loadSettings, type Settings } from "../../core/config/mod.ts";
import { EXIT, StopError, StoreError } from "../../core/errors.ts";
import type { Io } from "../../tasks/cli/io.ts";
import { mappingSaver } from "../../tasks/cli/mapping_file.ts";
import { writeText } from "../../tasks/cli/report_files.ts";
import { serverProblems } from "../../tasks/cli/server_settings.ts";
import type { CommandContext } from "../../tasks/cli/spec.ts";
import { run as init } from "../../tasks/commands/init.ts";
import { tempFolder } from "../helpers/folder.ts";

/** A device that takes nothing; only Linux has it. */
const FULL = "/dev/full";
const ignore = Deno.build.os !== "linux";

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

async function* chunks(count: number): AsyncIterable<string> {
  for (let index = 0; index < count; index++) yield await Promise.resolve(`line ${index}\n`);
}

Deno.test("writeText() writes every chunk and leaves no other file", async () => {
  await using folder = await tempFolder();
  const path = `${folder.path}/deep/list.txt`;
  await writeText(path, chunks(20_000));
  const lines = (await Deno.readTextFile(path)).split("\n");
  assertEquals([lines.length, lines[0], lines[19_999]], [20_001, "line 0", "line 19999"]);
  assertEquals(names(`${folder.path}/deep`), ["list.txt"]);
});

Deno.test({
  name: "writeText() says when the disk refuses the only chunk, and leaves nothing",
  ignore,
  fn: async () => {
    await using folder = await tempFolder();
    const path = `${folder.path}/list.txt`;
    for (const count of [1, 50_000]) {
      await Deno.symlink(FULL, `${path}.part`);
      const error = await assertRejects(() => writeText(path, chunks(count)), StoreError);
      assertEquals(error.state, "disk-full");
      assertEquals(names(folder.path), []);
    }
  },
});

Deno.test({
  name: "writeText() writes to a device and does not replace it",
  ignore,
  fn: async () => {
    await using folder = await tempFolder();
    const path = `${folder.path}/nowhere`;
    await Deno.symlink("/dev/null", path);
    await writeText(path, chunks(3));
    assertEquals((await Deno.lstat(path)).isSymlink, true);
    await Deno.remove(path);
    await Deno.symlink(FULL, path);
    await assertRejects(() => writeText(path, chunks(3)), StoreError);
  },
});

Deno.test({
  name: "init leaves no half configuration on a full disk",
  ignore,
  fn: async () => {
    await using folder = await tempFolder();
    const config = `${folder.path}/ztoq.json`;
    await Deno.symlink(FULL, `${config}.part`);
    const io = { env: () => undefined, stdinTty: false } as unknown as Io;
    const context = {
      io,
      globals: { config, json: true },
      options: {},
    } as unknown as CommandContext;
    const error = assertThrows(() => void init(context), StopError);
    assertEquals(error.exitCode, EXIT.failed);
    assertStringIncludes(error.message, "the disk is full");
    assertEquals(names(folder.path), []);
  },
});

function settingsOf(file: unknown): Settings {
  const env: Record<string, string> = {
    ZEPHYR_API_TOKEN: "zephyr-secret-1",
    ZEPHYR_PROJECT_KEY: "SA",
    QTEST_BASE_URL: "https://acme.qtestnet.com",
    QTEST_BEARER_TOKEN: "qtest-secret-2",
    QTEST_PROJECT_ID: "1001",
  };
  return loadSettings({
    options: {},
    env: (name) => env[name],
    file: { path: "ztoq.json", text: JSON.stringify(file) },
    readSecretFile: () => "",
  }).settings;
}

Deno.test("serverProblems() names what serve would refuse, and never a secret", async () => {
  const context = {
    io: { env: (name: string) => (name === "HOOK" ? "hook-secret-9" : undefined) },
  } as unknown as CommandContext;
  assertEquals(await serverProblems(context, settingsOf({})), []);
  const hook = { url: "https://example.com/hook", secret: "env:HOOK" };
  assertEquals(await serverProblems(context, settingsOf({ webhooks: [hook] })), []);
  const problems = await serverProblems(
    context,
    settingsOf({
      schedules: [{ cron: "every day" }],
      controlPlane: { tokens: [{ name: "board", token: "env:UNSET" }] },
      webhooks: [{ ...hook, url: "mailto:me" }],
    }),
  );
  assertEquals(problems.map((problem) => problem.split(";")[0]), [
    "schedules[0].cron",
    "controlPlane.tokens[0].token",
    "webhooks[0].url",
  ]);
});

Deno.test("mappingSaver() keeps what people wrote meanwhile", async () => {
  await using folder = await tempFolder();
  const path = `${folder.path}/map.json`;
  const save = mappingSaver(path);
  await save({ priorities: { High: "High" } });
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"High": "High"', '"High": "Urgent"'));
  await save({ ...emptyMapping(), priorities: { High: "High", Low: "Low" } });
  assertEquals(JSON.parse(await Deno.readTextFile(path)).priorities, {
    High: "Urgent",
    Low: "Low",
  });
});
