/** `ztoq simulate`: one simulator on its own. @module */
import { startSimulator } from "../../adapters/connect.ts";
import { ConfigError, EXIT, type ExitCode } from "../../core/errors.ts";
import type { CommandContext } from "../cli/spec.ts";
import { untilInterrupted } from "./demo.ts";

/** Starts it, prints address and token, and runs until Ctrl-C. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { options, io } = context;
  const number = (name: string, usual: number): number => {
    const value = options[name];
    return typeof value === "number" ? value : usual;
  };
  const system = context.args[0] === "qtest" ? "qtest" : "zephyr";
  if (system === "qtest" && typeof options.data === "string") {
    throw new ConfigError(
      "Cannot use --data with qtest: only the zephyr simulator serves data sets",
    );
  }
  const { faults } = options;
  const simulator = await startSimulator(system, {
    port: number("port", 0),
    seed: number("seed", 1),
    requestsPerMinute: number("rpm", 400),
    faults: faults === "mild" || faults === "harsh" ? faults : "none",
    cases: number("cases", 200),
    executions: number("executions", 1_000),
    ...(typeof options.data === "string" ? { dataFile: await checkedFile(options.data) } : {}),
  });
  const { baseUrl, token, project } = simulator;
  // Printed past the redactor: whoever starts a simulator needs its token.
  if (context.globals.json) io.out(`${JSON.stringify({ system, baseUrl, token, project })}\n`);
  else {
    const [prefix, secret, id] = system === "zephyr"
      ? ["ZEPHYR", "ZEPHYR_API_TOKEN", "ZEPHYR_PROJECT_KEY"]
      : ["QTEST", "QTEST_BEARER_TOKEN", "QTEST_PROJECT_ID"];
    io.out(
      `export ${prefix}_BASE_URL=${baseUrl}\nexport ${secret}=${token}\nexport ${id}=${project}\n`,
    );
    context.note(`The ${system} simulator runs until Ctrl-C.\n`);
  }
  await untilInterrupted();
  await simulator.close();
  return EXIT.done;
}

/** Opens it once, so that a wrong path is told before a server starts. */
async function checkedFile(path: string): Promise<string> {
  try {
    JSON.parse(await Deno.readTextFile(path));
    return path;
  } catch (error) {
    const state = error instanceof SyntaxError ? "it is not valid JSON" : "it cannot be opened";
    throw new ConfigError(`Cannot read the data set "${path}": ${state}`);
  }
}
