import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { helpText } from "../../tasks/cli/help.ts";
import { setUpLog } from "../../tasks/cli/log.ts";
import { parseCommandLine, UsageError } from "../../tasks/cli/parse.ts";
import { progressLine, ProgressView } from "../../tasks/cli/progress.ts";
import { Redactor } from "../../tasks/cli/redact.ts";
import { runCli } from "../../tasks/cli/run.ts";
import type { Invocation } from "../../tasks/cli/spec.ts";
import { table } from "../../tasks/cli/style.ts";
import { completionScript } from "../../tasks/commands/completions.ts";
import { COMMANDS } from "../../tasks/commands/mod.ts";
import { next } from "../../tasks/commands/status.ts";
import { generatedPages } from "../../tasks/docs.ts";
import type { Progress } from "../../core/ports/mod.ts";
import { ConfigError } from "../../core/errors.ts";
import { fakeIo } from "../helpers/fake_io.ts";

function parse(...argv: string[]): Invocation {
  const request = parseCommandLine(argv, COMMANDS);
  if (request.kind === "help") throw new Error("got help");
  return request.invocation;
}

function refusal(...argv: string[]): string {
  return assertThrows(() => parseCommandLine(argv, COMMANDS), UsageError).message;
}

Deno.test("parseCommandLine() reads options in every form and place", () => {
  const one = parse("demo", "--cases", "5", "--faults=mild", "--keep", "--json");
  assertEquals(one.options, { cases: 5, faults: "mild", keep: true });
  assert(one.globals.json);
  const two = parse("--quiet", "migrate", "--no-links", "--approve", "--source-rpm=7");
  assertEquals(two.settings, { links: false, approve: true, "source-rpm": "7" });
  assert(two.globals.quiet);
  const three = parse("migrate", "--accept", "name-cut", "--accept", "no-log");
  assertEquals(three.settings, { accept: "name-cut,no-log" });
  const early = parse("--store", "file:x.db", "status", "--json");
  assertEquals([early.command.name, early.settings], ["status", { store: "file:x.db" }]);
  const four = parse("records", "search", "--", "--odd text");
  assertEquals(four.args, ["--odd text"]);
});

Deno.test("parseCommandLine() names the nearest of unknown words", () => {
  assertStringIncludes(refusal("migrtae"), 'did you mean "migrate"');
  assertStringIncludes(refusal("errors", "lst"), 'did you mean "list"');
  assertStringIncludes(refusal("migrate", "--sorce-rpm", "5"), 'did you mean "--source-rpm"');
  assertStringIncludes(refusal("migrate", "--no-lnks"), 'did you mean "--no-links"');
  assertStringIncludes(refusal("status", "-x"), '"-x"');
  assertStringIncludes(refusal("status", "--cases", "5"), "--cases");
});

Deno.test("parseCommandLine() names lists, missing arguments and surplus ones", () => {
  assertStringIncludes(refusal("demo", "--faults", "wild"), "none, mild, harsh");
  assertStringIncludes(refusal("completions"), "one of bash, zsh, fish");
  assertStringIncludes(refusal("simulate", "qtset"), "one of zephyr, qtest");
  assertStringIncludes(refusal("records", "list"), "KIND");
  assertStringIncludes(refusal("explain"), "KEY");
  assertStringIncludes(refusal("errors"), "one of list, show");
  assertStringIncludes(refusal("status", "now"), '"now"');
  assertStringIncludes(refusal("demo", "--cases"), "Missing value of --cases");
  assertStringIncludes(refusal("demo", "--cases", "-3"), "whole number");
  assertStringIncludes(refusal("demo", "--keep=yes"), "takes no value");
  assertStringIncludes(refusal(), "Missing command");
});

Deno.test("parseCommandLine() refuses a value after --no-, which could mean either", () => {
  assertEquals(refusal("migrate", "--no-folders=false"), "--no-folders takes no value");
  assertEquals(parse("migrate", "--folders=false").settings, { folders: "false" });
});

Deno.test("help of every command is the same as --help, shows usage, options and an example", () => {
  for (const { name, options } of COMMANDS) {
    const request = parseCommandLine([name, "--help"], COMMANDS);
    const text = helpText([name], COMMANDS);
    assertEquals(helpText(request.kind === "help" ? request.topic : [], COMMANDS), text, name);
    assertMatch(text, /Usage:/);
    assertMatch(text, /Examples:/);
    for (const option of options) assertStringIncludes(text, `--${option.name}`);
    assertStringIncludes(helpText([], COMMANDS), `  ${name}`);
  }
});

Deno.test("every command and option stands in the completion scripts", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = completionScript(shell, COMMANDS);
    for (const { name, options } of COMMANDS) {
      assertStringIncludes(script, name);
      for (const option of options) {
        assertStringIncludes(script, shell === "fish" ? `-l ${option.name}` : `--${option.name}`);
      }
    }
  }
});

Deno.test("every command can be loaded and stands in README.md", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  for (const { name, load } of COMMANDS) {
    assertStringIncludes(readme, `\`${name}`);
    assertEquals(typeof (await load()).run, "function", name);
  }
});

Deno.test("generated pages are up to date; `deno task docs` writes them", async () => {
  const root = new URL("../../", import.meta.url);
  for (const [path, text] of Object.entries(generatedPages())) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--ext=md", "-"],
      cwd: root,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    const { stdout } = await child.output();
    assertEquals(
      await Deno.readTextFile(new URL(path, root)),
      new TextDecoder().decode(stdout),
      path,
    );
  }
});

Deno.test("runCli() keeps stdout empty on usage errors, even with --json", async () => {
  for (const argv of [["nope"], ["demo", "--faults", "x", "--json"], ["migrate", "--json"]]) {
    const io = fakeIo();
    assertEquals(await runCli([...argv, "--config", "/nonexistent/ztoq.json"], io), 2);
    assertEquals(io.stdout, "");
    assertMatch(io.stderr, /^error: /);
  }
});

Deno.test("runCli() prints help to stdout and one JSON document with --json", async () => {
  const help = fakeIo();
  assertEquals(await runCli(["help", "migrate"], help), 0);
  assertEquals(help.stdout, helpText(["migrate"], COMMANDS));
  assertEquals(help.stderr, "");
  for (const argv of [["help", "migrate"], ["migrate", "--help"], ["completions", "zsh"]]) {
    const io = fakeIo();
    assertEquals(await runCli([...argv, "--json"], io), 0);
    const { help, script } = JSON.parse(io.stdout);
    assertEquals(
      help ?? script,
      argv[0] === "completions"
        ? completionScript("zsh", COMMANDS)
        : helpText(["migrate"], COMMANDS),
    );
  }
  const version = fakeIo();
  assertEquals(await runCli(["version", "--json"], version), 0);
  assertEquals(JSON.parse(version.stdout).deno, Deno.version.deno);
});

Deno.test("runCli() colours errors on a terminal only, and not for NO_COLOR, CI or --no-color", async () => {
  const stderr = async (argv: string[], env: Record<string, string>): Promise<string> => {
    const io = { ...fakeIo(env), stderrTty: true };
    await runCli(argv, { ...io, err: (text) => void (io.stderr += text) });
    return io.stderr;
  };
  assertStringIncludes(await stderr(["nope"], {}), "\u001b[31merror:");
  for (const [name, value] of [["NO_COLOR", "1"], ["CI", "true"], ["TERM", "dumb"]] as const) {
    assertMatch(await stderr(["nope"], { [name]: value }), /^error: /);
  }
  assertMatch(await stderr(["nope", "--no-color"], {}), /^error: /);
});

Deno.test("completionScript() completes kinds of records, and paths where options take them", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = completionScript(shell, COMMANDS);
    assertMatch(script, /list.*testPlan testCycle testCase execution/);
  }
  assertStringIncludes(completionScript("fish", COMMANDS), "-l out -r -F");
  assertStringIncludes(completionScript("fish", COMMANDS), "-l store -x");
});

Deno.test("Redactor leaves JSON whole, when a port is followed by a mail address further on", () => {
  const value = { url: "http://jira:8080", owner: "me@corp.test", note: "https://u:pw@host/x" };
  const text = new Redactor().redact(JSON.stringify(value));
  assertEquals(JSON.parse(text), { ...value, note: "https://[redacted]@host/x" });
});

Deno.test("Redactor masks known secrets in every form, and what looks like one", () => {
  const redactor = new Redactor();
  redactor.add(['hun"ter 22', "ab"]);
  const text = redactor.redact(
    `a hun"ter 22 b ${encodeURIComponent('hun"ter 22')} c ${JSON.stringify('hun"ter 22')} ` +
      "Authorization: Bearer abc.def-123 eyJhbGciOiJI.eyJzdWIi.sig https://u:p@host/ ab",
  );
  for (const secret of ["ter 22", "ter%2022", "abc.def", "eyJ", "u:p"]) {
    assert(!text.includes(secret), text);
  }
  assertMatch(text, /ab$/);
});

Deno.test("setUpLog() writes redacted JSON lines at the level of the environment", () => {
  const lines: string[] = [];
  const redactor = new Redactor();
  redactor.add(["secret-token"]);
  const env: Record<string, string> = { ZTOQ_LOG_FORMAT: "json", ZTOQ_LOG_LEVEL: "warning" };
  const options = { verbose: false, quiet: false, interactive: false, redactor };
  const write = (line: string): void => void lines.push(line);
  const log = setUpLog({ ...options, write, env: (name) => env[name] });
  log({ level: "info", event: "quiet", data: {} });
  const error = new Error("token secret-token refused");
  log({ level: "warning", event: "http.retry", data: { error, route: "GET /{id}" } });
  assertEquals(lines.length, 1);
  const [line = "{}"] = lines;
  const { at: _, ...rest } = Object(JSON.parse(line));
  assertEquals(rest, {
    level: "warning",
    event: "http.retry",
    error: "Error: token [redacted] refused",
    route: "GET /{id}",
  });
  assertThrows(
    () => setUpLog({ ...options, write, env: () => "loud" }),
    ConfigError,
    "wanted one of",
  );
});

function progress(over: Partial<Progress> = {}): Progress {
  return {
    at: 0,
    phase: "extract",
    stage: "extract.testCase",
    done: 50,
    total: 200,
    rate: 12.34,
    etaMs: 90_000,
    waiting: null,
    ...over,
  };
}

Deno.test("progressLine() shows counts, rate, time left and the reason for waiting", () => {
  assertEquals(
    progressLine(progress({ waiting: "target answered 429" })),
    "extract   testCase       50 of 200 (25 %) · 12/s · 1 min 30 s left · waiting: target answered 429",
  );
  assertStringIncludes(progressLine(progress({ total: null, rate: 0, etaMs: null })), " 50");
});

Deno.test("ProgressView prints a plain line every 5 s without a terminal, and none when quiet", () => {
  const io = fakeIo();
  const view = new ProgressView(io, { enabled: true, rewrite: false });
  for (let at = 0; at <= 10_000; at += 1_000) view.show(progress({ at, done: at }));
  view.end();
  const lines = io.stderr.trim().split("\n");
  assertEquals(lines.length, 3);
  const silent = fakeIo();
  const quiet = new ProgressView(silent, { enabled: false, rewrite: true });
  quiet.show(progress());
  quiet.end();
  assertEquals(silent.stderr, "");
});

Deno.test("ProgressView rewrites one line per phase on a terminal, with other output above", () => {
  const io = fakeIo();
  const view = new ProgressView(io, { enabled: true, rewrite: true });
  view.show(progress({ at: 1_000 }));
  view.above("warning: x\n");
  view.show(progress({ at: 2_000, phase: "load", stage: "load.testRun" }));
  view.show(progress({ at: 3_000, done: 60 }));
  view.end();
  const clear = "\r\u001b[2K";
  const [first = "", extract = ""] = [50, 60].map((done) => progressLine(progress({ done })));
  const load = progressLine(progress({ phase: "load", stage: "load.testRun" }));
  const both = `${clear}\u001b[1A${clear}${extract}\n${load}`;
  assertEquals(
    io.stderr,
    `${first}${clear}warning: x\n${first}${clear}${first}\n${load}${both}${both}\n`,
  );
});

Deno.test("status names the command that goes on with a run", () => {
  const holder = { host: "here", pid: 1 } as NonNullable<Parameters<typeof next>[0]["holder"]>;
  const run = { interrupted: false, holder, setAside: 0 };
  assertMatch(next({ ...run, state: "paused" }), /ztoq resume/);
  assertMatch(next({ ...run, state: "paused", holder: null }), /ztoq migrate/);
  assertMatch(next({ ...run, state: "loading", holder: null, interrupted: true }), /ztoq migrate/);
  assertMatch(next({ ...run, state: "completed", setAside: 2 }), /ztoq errors list/);
  assertEquals(next({ ...run, state: "completed" }), "");
});

Deno.test("table() aligns numbers right and keeps control characters off the terminal", () => {
  assertEquals(
    table(["Name", "Count"], [["a\u001b[31m\nb", 1], ["c", 1234]]),
    "Name     Count\na[31m b      1\nc        1,234\n",
  );
});
