/** What a command gets to work with. @module */
import { loadSettings, type Settings } from "../../core/config/mod.ts";
import type { Services } from "../../core/engine/types.ts";
import { ConfigError } from "../../core/errors.ts";
import { readError } from "./files.ts";
import type { Io } from "./io.ts";
import { setUpLog } from "./log.ts";
import { ProgressView } from "./progress.ts";
import type { Redactor } from "./redact.ts";
import type { CommandContext, Invocation } from "./spec.ts";
import { createPainter, takesColour } from "./style.ts";

/** Default configuration file, used when it exists. */
export const DEFAULT_CONFIG = "./ztoq.json";

/** Builds the context of one command. */
export function createContext(
  invocation: Invocation,
  io: Io,
  redactor: Redactor,
): CommandContext {
  const { globals } = invocation;
  const isCi = Boolean(io.env("CI"));
  const colour = !globals.noColor && takesColour(io);
  const progress = new ProgressView(io, {
    enabled: !globals.quiet,
    rewrite: io.stderrTty && !isCi && io.env("TERM") !== "dumb",
  });
  let sink: Services["log"] | null = null;
  const logSink = (): Services["log"] =>
    sink ??= setUpLog({
      env: io.env,
      verbose: globals.verbose,
      quiet: globals.quiet,
      interactive: io.stderrTty && !isCi,
      redactor,
      write: (line) => progress.above(line),
    });
  const warned = new Set<string>();
  const note = (text: string): void => {
    if (!globals.quiet) progress.above(redactor.redact(text));
  };
  return {
    ...invocation,
    io,
    redactor,
    progress,
    paint: createPainter(colour && io.stdoutTty),
    log: (entry) => logSink()(entry),
    loadSettings(need): Settings {
      const loaded = loadSettings({
        options: invocation.settings,
        env: io.env,
        file: readConfigFile(globals.config),
        readSecretFile: (path) => Deno.readTextFileSync(path),
        need,
      });
      redactor.add(loaded.secrets);
      // Early, so that a wrong level or format is told before any work.
      logSink();
      for (const warning of loaded.warnings) {
        if (!warned.has(warning)) note(`warning: ${warning}\n`);
        warned.add(warning);
      }
      return loaded.settings;
    },
    printJson(value): void {
      io.out(`${redactor.redact(JSON.stringify(value, null, 2))}\n`);
    },
    say(text): void {
      if (!globals.json) io.out(redactor.redact(text));
    },
    note,
  };
}

/** Reads the configuration file; null when none was named and the usual one is not there. */
export function readConfigFile(path: string | null): { path: string; text: string } | null {
  try {
    const wanted = path ?? DEFAULT_CONFIG;
    return { path: wanted, text: Deno.readTextFileSync(wanted) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && path === null) return null;
    const wanted = path ?? DEFAULT_CONFIG;
    if (error instanceof Deno.errors.NotFound) {
      throw new ConfigError(`Cannot read the configuration file "${wanted}": no such file`, {
        hint: "`ztoq init` writes a starter configuration",
      });
    }
    throw readError(error, "the configuration file", wanted);
  }
}
