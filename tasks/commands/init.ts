/** `ztoq init`: starter configuration, schemas and mapping file. @module */
import {
  configSchema,
  emptyMapping,
  formatMapping,
  mappingSchema,
  settingAt,
  starterConfig,
} from "../../core/config/mod.ts";
import { parseValue } from "../../core/config/values.ts";
import { ConfigError, EXIT, type ExitCode } from "../../core/errors.ts";
import { DEFAULT_CONFIG } from "../cli/context.ts";
import { exists, writeError } from "../cli/files.ts";
import type { CommandContext } from "../cli/spec.ts";
import { programName } from "../cli/style.ts";

/** Writes the files; refuses when one of them exists and `--force` was not given. */
export function run(context: CommandContext): Promise<ExitCode> {
  const config = context.globals.config ?? DEFAULT_CONFIG;
  const folder = config.replace(/[^/\\]*$/, "") || "./";
  const mapping = `${folder}ztoq.mapping.json`;
  const existing = [config, mapping].filter(exists);
  if (existing.length > 0 && context.options.force !== true) {
    throw new ConfigError(`Cannot write ${existing.join(" and ")}: already there`, {
      hint: "`ztoq init --force` overwrites",
    });
  }
  const files: [string, string][] = [
    // Editors look for a schema beside the file; ztoq reads paths from the working folder.
    [config, starterConfig({ ...answers(context), mapping })],
    [`${folder}ztoq.schema.json`, json(configSchema())],
    [mapping, formatMapping(emptyMapping())],
    [`${folder}ztoq.mapping.schema.json`, json(mappingSchema())],
  ];
  for (const [path, text] of files) write(folder, path, text);
  tell(
    context,
    files.map(([path]) => path),
    config === DEFAULT_CONFIG ? "" : ` --config ${config}`,
  );
  return Promise.resolve(EXIT.done);
}

function tell(context: CommandContext, files: string[], option: string): void {
  if (context.globals.json) return context.printJson({ files });
  context.say(
    `Wrote ${files.join(", ")}.\n\nNext:\n` +
      "  1. put the addresses and projects into the file, if they are not yet right\n" +
      "  2. set ZEPHYR_API_TOKEN and QTEST_BEARER_TOKEN\n" +
      `  3. ${programName()} doctor${option}\n` +
      `  4. ${programName()} plan${option}\n` +
      `  5. ${programName()} migrate${option}\n`,
  );
}

function answers(context: CommandContext): Parameters<typeof starterConfig>[0] {
  const ask = (path: string, question: string, usual: string): string => {
    const { env, type } = settingAt(path);
    const given = env === null ? undefined : context.io.env(env);
    const offered = given === undefined || given === "" ? usual : given;
    if (context.globals.json || !context.io.stdinTty) return offered;
    for (;;) {
      const answer = context.io.ask(`${question} [${offered}]:`);
      if (answer === null || answer === "") return offered;
      const parsed = parseValue(type, answer);
      if ("value" in parsed) return String(parsed.value);
      context.note(`  that is not ${parsed.wanted}\n`);
    }
  };
  return {
    sourceUrl: ask(
      "source.baseUrl",
      "Zephyr Scale API address",
      "https://api.zephyrscale.smartbear.com/v2",
    ),
    projectKey: ask("source.projectKey", "Key of the Jira project", "SA"),
    targetUrl: ask("target.baseUrl", "qTest address", "https://acme.qtestnet.com"),
    projectId: ask("target.projectId", "Id of the qTest project", "1001"),
  };
}

/** Whole or not at all: half a configuration would stop every later command. */
function write(folder: string, path: string, text: string): void {
  const partial = `${path}.part`;
  try {
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(partial, text);
    Deno.renameSync(partial, path);
  } catch (error) {
    if (exists(partial)) Deno.removeSync(partial);
    throw writeError(error, "the file", path);
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
