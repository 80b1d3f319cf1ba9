/** `ztoq demo`: a whole migration that needs nothing but this program. @module */
import { type RunningSimulator, startSimulator } from "../../adapters/connect.ts";
import { loadSettings, type Settings } from "../../core/config/mod.ts";
import { ConfigError, EXIT, type ExitCode } from "../../core/errors.ts";
import { assertWritableFolder, writeError } from "../cli/files.ts";
import { whileRead } from "../cli/io.ts";
import { listenForInterrupt } from "../cli/interrupt.ts";
import { summaryText } from "../cli/summary_text.ts";
import type { CommandContext } from "../cli/spec.ts";
import { programName } from "../cli/style.ts";
import { advance } from "../cli/working.ts";

/** Marks a folder whose database and report the demo may replace. */
const OWNED = ".ztoq-demo";

interface DemoOptions {
  out: string;
  cases: number;
  executions: number;
  seed: number;
  requestsPerMinute: number;
  faults: "none" | "mild" | "harsh";
}

/** Starts both simulators, migrates between them, and says where everything is. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const options = readOptions(context);
  assertWritableFolder("the folder", options.out);
  await prepareFolder(options.out);
  const simulators = await startBoth(context, options);
  try {
    const settings = settingsFor(simulators, options);
    context.redactor.add([simulators.zephyr.token, simulators.qtest.token]);
    context.note(
      `Migrating ${options.cases} test cases and ${options.executions} executions of seed ${options.seed}.\n`,
    );
    const outcome = await advance(context, settings, {});
    const { summary } = outcome;
    if (outcome.exitCode === EXIT.interrupted) {
      summary.next = "The simulators are gone; `ztoq demo` starts anew.";
    }
    whileRead(() => {
      if (context.globals.json) context.printJson(summary);
      else context.say(summaryText(summary, context.paint) + pointers(options));
    });
    if (context.options.keep === true) await keepRunning(context, simulators);
    return outcome.exitCode;
  } finally {
    await Promise.all([simulators.zephyr.close(), simulators.qtest.close()]);
  }
}

function readOptions({ options }: CommandContext): DemoOptions {
  const number = (name: string, usual: number): number => {
    const value = options[name];
    return typeof value === "number" ? value : usual;
  };
  const { out, faults } = options;
  return {
    out: typeof out === "string" ? out.replace(/(.)\/+$/, "$1") : "./ztoq-demo",
    cases: number("cases", 200),
    executions: number("executions", 1_000),
    seed: number("seed", 1),
    requestsPerMinute: number("rpm", 6_000),
    faults: faults === "mild" || faults === "harsh" ? faults : "none",
  };
}

/** The folder ready for use, or an error about it. */
async function prepareFolder(out: string): Promise<void> {
  try {
    await clearFolder(out);
  } catch (error) {
    throw writeError(error, "the folder", out);
  }
}

/** Makes the folder, or clears what an earlier demo left there; a database of someone else stays. */
async function clearFolder(out: string): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  const names = new Set<string>();
  for await (const entry of Deno.readDir(out)) names.add(entry.name);
  const mine = [...names].filter((name) =>
    name.startsWith("ztoq.db") || name === "report" || name === "ztoq.mapping.json"
  );
  if (mine.length > 0 && !names.has(OWNED)) {
    throw new ConfigError(`Cannot use the folder "${out}": ${mine.join(", ")} is not from a demo`, {
      hint: "choose another folder with --out DIR",
    });
  }
  await Deno.writeTextFile(
    `${out}/${OWNED}`,
    "Files of `ztoq demo`; the next demo replaces them.\n",
  );
  for (const name of mine) await Deno.remove(`${out}/${name}`, { recursive: true });
}

interface Simulators {
  zephyr: RunningSimulator;
  qtest: RunningSimulator;
}

async function startBoth(context: CommandContext, options: DemoOptions): Promise<Simulators> {
  const { seed, requestsPerMinute, faults, cases, executions } = options;
  const common = { port: 0, seed, requestsPerMinute, faults };
  context.note("Starting both simulators on loopback.\n");
  const zephyr = await startSimulator("zephyr", { ...common, cases, executions });
  const qtest = await startSimulator("qtest", common);
  return { zephyr, qtest };
}

function settingsFor({ zephyr, qtest }: Simulators, options: DemoOptions): Settings {
  const env: Record<string, string> = {
    ZEPHYR_BASE_URL: zephyr.baseUrl,
    ZEPHYR_API_TOKEN: zephyr.token,
    ZEPHYR_PROJECT_KEY: zephyr.project,
    ZEPHYR_RPM: String(options.requestsPerMinute),
    QTEST_BASE_URL: qtest.baseUrl,
    QTEST_BEARER_TOKEN: qtest.token,
    QTEST_PROJECT_ID: qtest.project,
    QTEST_RPM: String(options.requestsPerMinute),
    ZTOQ_DB_URL: `file:${options.out}/ztoq.db`,
  };
  return loadSettings({
    options: {
      mapping: `${options.out}/ztoq.mapping.json`,
      "report-dir": `${options.out}/report`,
      // The simulators answer within seconds and in order: what has not landed by then never will.
      "target-timeout-ms": "5000",
      "settle-ms": "1000",
    },
    env: (name) => env[name],
    file: null,
    readSecretFile: (path) => Deno.readTextFileSync(path),
  }).settings;
}

function pointers({ out }: DemoOptions): string {
  return `\nLook around:\n` +
    `  ${programName()} records count --store file:${out}/ztoq.db\n` +
    `  ${programName()} explain SA-T1 --store file:${out}/ztoq.db\n`;
}

async function keepRunning(context: CommandContext, simulators: Simulators): Promise<void> {
  const { zephyr, qtest } = simulators;
  context.io.err(
    `Zephyr simulator: ${zephyr.baseUrl}  token ${zephyr.token}  project ${zephyr.project}\n` +
      `qTest simulator:  ${qtest.baseUrl}  token ${qtest.token}  project ${qtest.project}\n` +
      "Running until Ctrl-C.\n",
  );
  await untilInterrupted();
}

/** Resolves at the first Ctrl-C or SIGTERM. */
export async function untilInterrupted(): Promise<void> {
  using interrupt = listenForInterrupt(() => {});
  const { signal } = interrupt;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
