/** `ztoq simulate`: one simulator on its own. @module */
import { type RunningSimulator, startSimulator } from "../../adapters/connect.ts";
import { ConfigError, EXIT, type ExitCode } from "../../core/errors.ts";
import { readError } from "../cli/files.ts";
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
  const simulator = await start(system, {
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

/** Starts the server; an address that is taken is a matter of the options. */
async function start(
  system: "zephyr" | "qtest",
  options: Parameters<typeof startSimulator>[1],
): Promise<RunningSimulator> {
  try {
    return await startSimulator(system, options);
  } catch (error) {
    const place = `127.0.0.1:${options.port}`;
    if (error instanceof Deno.errors.AddrInUse) {
      throw new ConfigError(`Cannot listen on ${place}: another program does`, {
        hint: "Choose another port with --port, or leave it out to take a free one.",
      });
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new ConfigError(`Cannot listen on ${place}: this user may not`, {
        hint: "Choose a port above 1023 with --port, or leave it out to take a free one.",
      });
    }
    throw error;
  }
}

/** Opens it once, so that a wrong path is told before a server starts. */
async function checkedFile(path: string): Promise<string> {
  try {
    JSON.parse(await Deno.readTextFile(path));
    return path;
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new ConfigError(`Cannot read the data set "${path}": it is not valid JSON`);
    }
    throw readError(error, "the data set", path);
  }
}
