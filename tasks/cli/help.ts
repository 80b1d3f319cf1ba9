/** Help texts, from the tables. @module */
import {
  describeType,
  LOG_ENV,
  LOSS_RULES,
  nearestName,
  type Setting,
  SETTINGS,
  valueWord,
} from "../../core/config/mod.ts";
import { findCommand, GLOBAL_OPTIONS, settingOptions, UsageError } from "./parse.ts";
import type { ArgSpec, CommandSpec, OptionSpec } from "./spec.ts";

/** Exit codes with their meanings, best first. */
export const EXIT_MEANINGS: readonly [number, string][] = [
  [0, "done"],
  [1, "failed"],
  [2, "usage or configuration error"],
  [3, "done, but records were set aside (see `ztoq errors list`)"],
  [4, "validation found differences"],
  [5, "interrupted; run the command again to continue"],
  [6, "pre-flight failed"],
  [7, "another process holds this run"],
  [8, "quota or budget reached; run the command again to continue"],
];

/** Topics of `help` that are not commands. */
export const HELP_TOPICS = ["settings"] as const;

/**
 * Returns the help on a topic: nothing, a command, a command with its subcommand, or `settings`.
 * @throws {UsageError} for an unknown topic
 */
export function helpText(topic: readonly string[], commands: readonly CommandSpec[]): string {
  const [name, subcommand] = topic;
  if (name === undefined) return overview(commands);
  if (name === "settings") return settingsHelp();
  const command = findCommand(name, commands);
  const subs = (command.subcommands ?? []).map((sub) => sub.name);
  if (subcommand !== undefined && subs.length > 0 && !subs.includes(subcommand)) {
    throw new UsageError(
      `Unknown subcommand "${subcommand}" of ${name}; did you mean "${
        nearestName(subcommand, subs)
      }"?`,
    );
  }
  return commandHelp(command);
}

function overview(commands: readonly CommandSpec[]): string {
  return [
    "ztoq: migrates test management data from Zephyr Scale (Cloud) to qTest Manager",
    "",
    "Usage: ztoq <command> [options]",
    "",
    "Commands:",
    columns(commands.map((command) => [usageWords(command), command.summary])),
    "Options of every command:",
    columns(GLOBAL_OPTIONS.map(optionRow)),
    "Start here:",
    "  ztoq demo               a whole migration between two built-in simulators",
    "  ztoq init               write a starter configuration",
    "  ztoq help <command>     options and examples of a command",
    "  ztoq help settings      every setting with its option, environment name and default",
    "",
  ].join("\n");
}

function usageWords(command: CommandSpec): string {
  if (command.subcommands !== undefined) {
    return `${command.name} ${command.subcommands.map((sub) => sub.name).join("|")}`;
  }
  return [command.name, ...command.args.map(argWord)].join(" ");
}

function argWord(arg: ArgSpec): string {
  const word = arg.values === undefined ? arg.name : arg.values.join("|");
  const many = arg.many === true ? `${word}…` : word;
  return arg.required ? many : `[${many}]`;
}

function commandHelp(command: CommandSpec): string {
  const parts = [`ztoq ${command.name}: ${command.summary}`];
  if (command.details !== undefined) parts.push(command.details);
  parts.push(usage(command));
  const args = command.args.map((arg): [string, string] => [arg.name, arg.help]);
  if (args.length > 0) parts.push(section("Arguments:", args));
  if (command.options.length > 0) {
    parts.push(section("Options:", command.options.map(optionRow)));
  }
  parts.push(...settingsPart(command));
  parts.push(section("Options of every command:", GLOBAL_OPTIONS.map(optionRow)));
  if (command.examples.length > 0) {
    parts.push(`Examples:\n${command.examples.map((example) => `  ${example}\n`).join("")}`);
  }
  return parts.map((part) => part.trimEnd()).join("\n\n") + "\n";
}

function usage(command: CommandSpec): string {
  if (command.subcommands === undefined) {
    const words = ["ztoq", command.name, ...command.args.map(argWord), "[options]"];
    return `Usage: ${words.join(" ")}`;
  }
  return section(
    "Usage:",
    command.subcommands.map((sub) => [
      ["ztoq", command.name, sub.name, ...sub.args.map(argWord), "[options]"].join(" "),
      sub.summary,
    ]),
  );
}

function settingsPart(command: CommandSpec): string[] {
  const all = settingOptions(command);
  if (all.length === 0) return [];
  const shown = command.settings === "migration" ? all.filter(({ common }) => common) : all;
  const parts = [
    section(
      "Settings (option, environment name, file, default; first one wins):",
      shown.map((setting) => settingRow(setting, command.settings === "migration")),
    ),
  ];
  if (command.settings === "migration") {
    const secrets = SETTINGS.filter(({ option, env }) => option === null && env !== null);
    parts.push(
      section(
        "Only from the environment or the file:",
        secrets.filter(({ path }) => !path.startsWith("controlPlane")).map((
          { env, help },
        ) => [env ?? "", help]),
      ),
      "`ztoq help settings` lists all settings.",
    );
  }
  return parts;
}

function settingsHelp(): string {
  return [
    "Settings. Precedence: option > environment > file (ztoq.json) > default.",
    "",
    ...SETTINGS.map(settingBlock),
    "Environment of the log:",
    columns(LOG_ENV.map(({ env, values, help }) => [env, `${help}: ${values.join("|")}`])),
    "Loss rules that `accept` may name:",
    columns(Object.entries(LOSS_RULES)),
  ].join("\n");
}

function settingBlock(setting: Setting): string {
  const names = [
    setting.path,
    setting.option === null ? null : `--${setting.option}`,
    setting.env,
  ].filter((name) => name !== null);
  return `${names.join(" · ")}\n    ${setting.help}. ${describeType(setting.type)}${
    defaultNote(setting)
  }\n`;
}

function settingRow(setting: Setting, needed: boolean): [string, string] {
  const flag = setting.type.name === "boolean";
  const left = flag ? `--[no-]${setting.option}` : `--${setting.option} ${valueWord(setting)}`;
  const env = setting.env === null ? "" : ` (${setting.env})`;
  const note = setting.default === undefined && !needed ? "" : defaultNote(setting);
  return [left, `${setting.help}${env}${note}`];
}

function defaultNote(setting: Setting): string {
  if (setting.default === undefined) return " [required]";
  if (setting.default === null) return "";
  return ` [default: ${
    typeof setting.default === "object" ? JSON.stringify(setting.default) : setting.default
  }]`;
}

function optionRow(option: OptionSpec): [string, string] {
  const word = option.type.name === "boolean" ? "" : ` ${option.word ?? "VALUE"}`;
  const note = option.default === undefined ? "" : ` [default: ${option.default}]`;
  return [`--${option.name}${word}`, `${option.help}${note}`];
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return `${title}\n${columns(rows)}`;
}

/** Two columns; the left one at most 34 wide, longer ones get a line of their own. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(34, Math.max(0, ...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) =>
    left.length > width
      ? `  ${left}\n  ${" ".repeat(width)}  ${right}\n`
      : `  ${left.padEnd(width)}  ${right}\n`
  ).join("");
}
