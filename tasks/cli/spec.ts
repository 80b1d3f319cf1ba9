/** What a command is: the one source for parsing, help, completions and the reference. @module */
import type { Settings, SettingType } from "../../core/config/mod.ts";
import type { Services } from "../../core/engine/types.ts";
import type { ExitCode } from "../../core/errors.ts";
import type { Io } from "./io.ts";
import type { ProgressView } from "./progress.ts";
import type { Redactor } from "./redact.ts";
import type { Painter } from "./style.ts";

/** An option of a command. */
export interface OptionSpec {
  name: string;
  type: SettingType;
  /** Stands for the value in help; none for flags. */
  word?: string;
  /** For help only; the command applies it. */
  default?: string;
  help: string;
}

export interface ArgSpec {
  name: string;
  required: boolean;
  /** Takes all further arguments. */
  many?: boolean;
  /** The only values allowed. */
  values?: readonly string[];
  help: string;
}

export interface SubcommandSpec {
  name: string;
  summary: string;
  args: readonly ArgSpec[];
}

export interface CommandSpec {
  name: string;
  summary: string;
  /** A paragraph for the help of the command. */
  details?: string;
  args: readonly ArgSpec[];
  subcommands?: readonly SubcommandSpec[];
  options: readonly OptionSpec[];
  /** Which settings it reads, and so which setting options it takes. */
  settings: "migration" | "store" | "none";
  examples: readonly string[];
  load: () => Promise<{ run: CommandRun }>;
}

export type CommandRun = (context: CommandContext) => Promise<ExitCode>;

/** A command line that was understood. */
export interface Invocation {
  command: CommandSpec;
  subcommand: string | null;
  args: string[];
  /** Options of the command by name, already read by their types. */
  options: Readonly<Record<string, unknown>>;
  /** Options that are settings, as text; `loadSettings` reads them. */
  settings: Readonly<Record<string, string | boolean>>;
  globals: Globals;
}

export interface Globals {
  config: string | null;
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  noColor: boolean;
  help: boolean;
}

export interface CommandContext extends Invocation {
  io: Io;
  redactor: Redactor;
  progress: ProgressView;
  paint: Painter;
  log: Services["log"];
  /** Reads and checks the settings; prints their warnings once. */
  loadSettings(need: "migration" | "store"): Settings;
  /** Prints the one JSON document of `--json`. */
  printJson(value: unknown): void;
  /** Prints to stdout for people; silent under `--json`. */
  say(text: string): void;
  /** Prints to stderr for people; silent under `--quiet`. */
  note(text: string): void;
}
