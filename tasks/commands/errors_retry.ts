/** `ztoq errors retry`: tries records again that were set aside. @module */
import type { ExitCode } from "../../core/errors.ts";
import type { CommandContext } from "../cli/spec.ts";
import { advance, withConnection } from "../cli/working.ts";
import { tell } from "./migrate.ts";

/** Retries the records named, or all, and prints the summary of the run. */
export async function retry(context: CommandContext): Promise<ExitCode> {
  const settings = context.loadSettings("migration");
  const outcome = await withConnection(
    context,
    settings,
    ({ migrator }, signal) =>
      migrator.retry(context.args, {
        signal,
        onProgress: (progress) => context.progress.show(progress),
      }),
  );
  // A completed run sends nothing more: this writes its report anew.
  const final = outcome.run.state === "completed" ? await advance(context, settings, {}) : outcome;
  tell(context, final);
  return final.exitCode;
}
