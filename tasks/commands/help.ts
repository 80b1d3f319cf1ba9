/** `ztoq help`, for callers that hold an invocation instead of a command line. @module */
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { helpText } from "../cli/help.ts";
import type { CommandContext } from "../cli/spec.ts";
import { COMMANDS } from "./mod.ts";

/** Prints the help on a topic. */
export function run(context: CommandContext): Promise<ExitCode> {
  context.io.out(helpText(context.args, COMMANDS));
  return Promise.resolve(EXIT.done);
}
