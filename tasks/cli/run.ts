/** argv → one command → exit code; the one place where errors become messages. @module */
import { describeError, EXIT, type ExitCode, StopError } from "../../core/errors.ts";
import { COMMANDS } from "../commands/mod.ts";
import { createContext } from "./context.ts";
import { DocumentedError, exitCodeOf } from "./exit.ts";
import { helpText } from "./help.ts";
import { type Io, PipeClosed } from "./io.ts";
import { parseCommandLine, type Request } from "./parse.ts";
import { Redactor } from "./redact.ts";
import { createPainter, takesColour } from "./style.ts";

/** Runs one command line and returns the exit code. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  const redactor = new Redactor();
  let request: Request | null = null;
  try {
    request = parseCommandLine(argv, COMMANDS);
    if (request.kind === "help") {
      const text = helpText(request.topic, COMMANDS);
      io.out(request.json ? `${JSON.stringify({ help: text }, null, 2)}\n` : text);
      return EXIT.done;
    }
    const { run } = await request.invocation.command.load();
    return await run(createContext(request.invocation, io, redactor));
  } catch (error) {
    if (error instanceof PipeClosed) return EXIT.done;
    return error instanceof DocumentedError
      ? report(error.reason, { request, argv }, io, redactor, error.document)
      : report(error, { request, argv }, io, redactor);
  }
}

/** Tells people (and, with `--json`, programs) what went wrong. */
function report(
  error: unknown,
  { request, argv }: { request: Request | null; argv: readonly string[] },
  io: Io,
  redactor: Redactor,
  known?: Record<string, unknown>,
): ExitCode {
  const globals = request?.kind === "run" ? request.invocation.globals : null;
  const exitCode = exitCodeOf(error);
  const { message, hint } = describeError(error);
  // Read from the words themselves: a command line that makes no sense has no options yet.
  const paint = createPainter(io.stderrTty && !argv.includes("--no-color") && takesColour(io));
  const lines = [`${paint("red", "error:")} ${message}`];
  if (hint !== undefined) lines.push(`${paint("cyan", "hint:")} ${hint}`);
  const expected = error instanceof StopError || (error instanceof Error && "recovery" in error);
  if (!expected) {
    if (globals?.verbose === true && error instanceof Error) lines.push(error.stack ?? "");
    else lines.push(`${paint("cyan", "hint:")} --verbose shows where this happened`);
  }
  try {
    io.err(redactor.redact(`${lines.join("\n")}\n`));
    if (globals?.json === true && exitCode !== EXIT.usage) {
      const document = known ?? { error: { exitCode, message, hint: hint ?? null } };
      io.out(`${redactor.redact(JSON.stringify(document, null, 2))}\n`);
    }
  } catch (failure) {
    if (!(failure instanceof PipeClosed)) throw failure;
  }
  return exitCode;
}
