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
  const existing = [config, `${folder}ztoq.mapping.json`].filter(exists);
  if (existing.length > 0 && context.options.force !== true) {
    throw new ConfigError(`Cannot write ${existing.join(" and ")}: already there`, {
      hint: "`ztoq init --force` overwrites",
    });
  }
  const files: [string, string][] = [
    [config, starterConfig(answers(context))],
    [`${folder}ztoq.schema.json`, json(configSchema())],
    [`${folder}ztoq.mapping.json`, formatMapping(emptyMapping())],
    [`${folder}ztoq.mapping.schema.json`, json(mappingSchema())],
  ];
  for (const [path, text] of files) write(folder, path, text);
  tell(context, files.map(([path]) => path));
  return Promise.resolve(EXIT.done);
}

function tell(context: CommandContext, files: string[]): void {
  if (context.globals.json) return context.printJson({ files });
  context.say(
    `Wrote ${files.join(", ")}.\n\nNext:\n` +
      "  1. put the addresses and projects into the file, if they are not yet right\n" +
      "  2. set ZEPHYR_API_TOKEN and QTEST_BEARER_TOKEN\n" +
      `  3. ${programName()} doctor\n` +
      `  4. ${programName()} plan\n` +
      `  5. ${programName()} migrate\n`,
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

function write(folder: string, path: string, text: string): void {
  try {
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(path, text);
  } catch (error) {
    throw writeError(error, "the file", path);
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
