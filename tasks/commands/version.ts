/** `ztoq version` @module */
import denoConfig from "../../deno.json" with { type: "json" };
import { EXIT, type ExitCode } from "../../core/errors.ts";
import type { CommandContext } from "../cli/spec.ts";

/** Version of ztoq, as in deno.json. */
export const VERSION: string = denoConfig.version;

/** Prints the versions of ztoq and of what runs it. */
export function run(context: CommandContext): Promise<ExitCode> {
  const { deno, v8, typescript } = Deno.version;
  if (context.globals.json) {
    context.printJson({ ztoq: VERSION, deno, v8, typescript, target: Deno.build.target });
  } else {
    context.say(`ztoq ${VERSION} (deno ${deno}, v8 ${v8}, ${Deno.build.target})\n`);
  }
  return Promise.resolve(EXIT.done);
}
