/** Command line → invocation. Strict: whatever is not in the tables is an error that names the nearest. @module */
import { nearestName, type Setting, SETTINGS } from "../../core/config/mod.ts";
import { parseValue } from "../../core/config/values.ts";
import { ConfigError } from "../../core/errors.ts";
import type { ArgSpec, CommandSpec, Globals, Invocation, OptionSpec } from "./spec.ts";

/** The command line cannot be used: printed to stderr only, exit 2. */
export class UsageError extends ConfigError {}

/** Options that every command takes. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "config",
    type: { name: "text" },
    word: "FILE",
    default: "./ztoq.json when it exists",
    help: "Configuration file",
  },
  { name: "json", type: { name: "boolean" }, help: "Print exactly one JSON document to stdout" },
  { name: "quiet", type: { name: "boolean" }, help: "Print results and errors only" },
  {
    name: "verbose",
    type: { name: "boolean" },
    help: "Print debug log lines, and stacks of unexpected errors",
  },
  { name: "no-color", type: { name: "boolean" }, help: "Print without colours" },
  { name: "help", type: { name: "boolean" }, help: "Print this help" },
];

const SHORT: Readonly<Record<string, string>> = {
  "-h": "--help",
  "-q": "--quiet",
  "-v": "--verbose",
};

/** Settings that the options of a command may set. */
export function settingOptions(command: CommandSpec): readonly Setting[] {
  const withOption = SETTINGS.filter((setting) => setting.option !== null);
  if (command.settings === "migration") return withOption;
  if (command.settings === "none") return [];
  return withOption.filter(({ path }) => ["store.url", "source.projectKey"].includes(path));
}

/** What was asked for: help on a topic, or a command to run. */
export type Request =
  | { kind: "help"; topic: string[]; json: boolean }
  | { kind: "run"; invocation: Invocation };

interface Token {
  name: string;
  value: string | null;
}

/**
 * Reads a command line.
 * @throws {UsageError} naming the nearest known word, the list of values, or the missing argument
 */
export function parseCommandLine(
  argv: readonly string[],
  commands: readonly CommandSpec[],
): Request {
  const { words, tokens } = split(argv, commands);
  const wantsHelp = tokens.some((token) => token.name === "help");
  const json = tokens.some((token) => token.name === "json");
  const [name, ...rest] = words;
  if (name === undefined) {
    if (wantsHelp) return { kind: "help", topic: [], json };
    if (tokens.some((token) => token.name === "version")) {
      return parseCommandLine(json ? ["version", "--json"] : ["version"], commands);
    }
    throw new UsageError("Missing command", { hint: "`ztoq help` lists the commands" });
  }
  const command = findCommand(name, commands);
  if (name === "help" && rest.length > 0) return { kind: "help", topic: rest, json };
  if (wantsHelp) return { kind: "help", topic: [name], json };
  if (name === "help") return { kind: "help", topic: [], json };
  return { kind: "run", invocation: invocationOf(command, rest, tokens) };
}

/** @throws {UsageError} naming the nearest command */
export function findCommand(name: string, commands: readonly CommandSpec[]): CommandSpec {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const nearest = nearestName(name, commands.map((candidate) => candidate.name));
  throw new UsageError(`Unknown command "${name}"; did you mean "${nearest}"?`, {
    hint: hintOf(name, "`ztoq help` lists the commands"),
  });
}

/** What other pages of this project speak of and this version does not do. */
const NOT_THERE_YET = ["sync", "incremental", "fix-duplicates"];

function hintOf(name: string, otherwise: string): string {
  return NOT_THERE_YET.includes(name)
    ? `${name} is not there yet: docs/limits.md says what is done without it`
    : otherwise;
}

/** Tells words from options. Whether an option takes a value depends on its table row. */
function split(
  argv: readonly string[],
  commands: readonly CommandSpec[],
): { words: string[]; tokens: Token[] } {
  const words: string[] = [];
  const tokens: Token[] = [];
  for (let index = 0; index < argv.length; index++) {
    const arg = SHORT[argv[index] ?? ""] ?? argv[index] ?? "";
    if (arg === "--") {
      words.push(...argv.slice(index + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-" || /^-\d+$/.test(arg)) {
      words.push(arg);
      continue;
    }
    const [name = "", inline] = splitOnce(arg.replace(/^--?/, ""));
    const command = commands.find((candidate) => candidate.name === words[0]);
    const next = argv[index + 1];
    if (
      inline !== null || next === undefined || next.startsWith("--") ||
      !(command === undefined ? commands : [command]).some((known) => takesValue(name, known))
    ) {
      tokens.push({ name, value: inline });
    } else {
      tokens.push({ name, value: next });
      index++;
    }
  }
  return { words, tokens };
}

function splitOnce(text: string): [string, string | null] {
  const at = text.indexOf("=");
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

function takesValue(name: string, command: CommandSpec): boolean {
  const option = [...GLOBAL_OPTIONS, ...command.options].find((known) => known.name === name);
  if (option !== undefined) return option.type.name !== "boolean";
  const setting = settingOptions(command).find((known) => known.option === name);
  return setting !== undefined && setting.type.name !== "boolean";
}

function invocationOf(command: CommandSpec, words: string[], tokens: Token[]): Invocation {
  const options: Record<string, unknown> = {};
  const settings: Record<string, string | boolean> = {};
  const globals: Globals = {
    config: null,
    json: false,
    quiet: false,
    verbose: false,
    noColor: false,
    help: false,
  };
  for (const token of tokens) readToken(token, command, options, settings, globals);
  if (globals.quiet && globals.verbose) {
    throw new UsageError("Cannot use --quiet and --verbose together");
  }
  const { subcommand, args } = readArguments(command, words);
  return { command, subcommand, args, options, settings, globals };
}

function readToken(
  token: Token,
  command: CommandSpec,
  options: Record<string, unknown>,
  settings: Record<string, string | boolean>,
  globals: Globals,
): void {
  const own = command.options.find((known) => known.name === token.name);
  if (own !== undefined) {
    options[token.name] = readOption(own, token);
    return;
  }
  const shared = GLOBAL_OPTIONS.find((known) => known.name === token.name);
  if (shared !== undefined) {
    const value = readOption(shared, token);
    if (token.name === "config") globals.config = String(value);
    else if (token.name === "no-color") globals.noColor = true;
    else globals[token.name as "json" | "quiet" | "verbose" | "help"] = value === true;
    return;
  }
  readSettingOption(token, command, settings);
}

function readSettingOption(
  token: Token,
  command: CommandSpec,
  settings: Record<string, string | boolean>,
): void {
  const known = settingOptions(command);
  const positive = token.name.replace(/^no-/, "");
  const setting = known.find(({ option }) => option === token.name) ??
    known.find(({ option, type }) => option === positive && type.name === "boolean");
  if (setting === undefined || setting.option === null) throw unknownOption(token.name, command);
  if (setting.type.name === "boolean") {
    const isPositive = token.name === setting.option;
    if (!isPositive && token.value !== null) {
      throw new UsageError(`--${token.name} takes no value`, {
        hint: `--${setting.option}=true and --${setting.option}=false do`,
      });
    }
    settings[setting.option] = token.value ?? isPositive;
    return;
  }
  const value = readOption({ name: token.name, type: setting.type, help: setting.help }, token);
  const before = settings[setting.option];
  settings[setting.option] = setting.type.name === "names" && before !== undefined
    ? `${before},${token.value}`
    : setting.type.name === "names"
    ? String(token.value)
    : String(value);
}

function readOption(option: OptionSpec, token: Token): unknown {
  if (option.type.name === "boolean") {
    if (token.value === null) return true;
    throw new UsageError(`--${option.name} takes no value`);
  }
  if (token.value === null) throw new UsageError(`Missing value of --${option.name}`);
  const parsed = parseValue(option.type, token.value);
  if ("value" in parsed) return parsed.value;
  const shown = option.type.name === "url" ? "" : ` "${token.value}"`;
  throw new UsageError(`Cannot use --${option.name}${shown}: wanted ${parsed.wanted}`);
}

function unknownOption(name: string, command: CommandSpec): UsageError {
  const known = [...command.options, ...GLOBAL_OPTIONS].map((option) => option.name);
  for (const { option, type } of settingOptions(command)) {
    if (option === null) continue;
    known.push(option);
    if (type.name === "boolean") known.push(`no-${option}`);
  }
  const dashes = name.length === 1 ? "-" : "--";
  return new UsageError(
    `Unknown option "${dashes}${name}" of ${command.name}; did you mean "--${
      nearestName(name, known)
    }"?`,
    { hint: hintOf(name, `\`ztoq help ${command.name}\` lists the options`) },
  );
}

function readArguments(
  command: CommandSpec,
  words: string[],
): { subcommand: string | null; args: string[] } {
  if (command.subcommands === undefined) {
    checkArguments(command.name, command.args, words);
    return { subcommand: null, args: words };
  }
  const names = command.subcommands.map((sub) => sub.name);
  const [name, ...args] = words;
  if (name === undefined) {
    throw new UsageError(`Missing subcommand of ${command.name}: one of ${names.join(", ")}`);
  }
  const sub = command.subcommands.find((candidate) => candidate.name === name);
  if (sub === undefined) {
    throw new UsageError(
      `Unknown subcommand "${name}" of ${command.name}; did you mean "${
        nearestName(name, names)
      }"?`,
      { hint: `the subcommands are ${names.join(", ")}` },
    );
  }
  checkArguments(`${command.name} ${sub.name}`, sub.args, args);
  return { subcommand: name, args };
}

function checkArguments(path: string, specs: readonly ArgSpec[], words: string[]): void {
  specs.forEach((spec, index) => {
    const word = words[index];
    if (word === undefined || word === "") {
      if (!spec.required) return;
      const list = spec.values === undefined ? "" : `: one of ${spec.values.join(", ")}`;
      throw new UsageError(`Missing argument ${spec.name} of ${path}${list}`, {
        hint: `\`ztoq help ${path.split(" ")[0]}\` shows the usage`,
      });
    }
    if (spec.values !== undefined && !spec.values.includes(word)) {
      throw new UsageError(
        `Cannot use "${word}" as ${spec.name} of ${path}: one of ${
          spec.values.join(", ")
        } (nearest: "${nearestName(word, spec.values)}")`,
      );
    }
  });
  const last = specs.at(-1);
  if (words.length > specs.length && last?.many !== true) {
    throw new UsageError(`Unexpected argument "${words[specs.length]}" of ${path}`, {
      hint: `\`ztoq help ${path.split(" ")[0]}\` shows the usage`,
    });
  }
}
