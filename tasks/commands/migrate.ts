/** `ztoq migrate` and its phases `extract`, `transform`, `load`, `validate`. @module */
import type { Outcome } from "../../core/engine/types.ts";
import type { ExitCode } from "../../core/errors.ts";
import { type Phase, PHASES } from "../../core/ports/mod.ts";
import { whileRead } from "../cli/io.ts";
import { summaryText } from "../cli/summary_text.ts";
import { UsageError } from "../cli/parse.ts";
import type { CommandContext } from "../cli/spec.ts";
import { advance } from "../cli/working.ts";

/** Works on the current run until its end, an interruption, or a stop. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const settings = context.loadSettings("migration");
  const phases = phasesOf(context);
  const outcome = await advance(context, settings, {
    ...(phases === null ? {} : { phases }),
    gate: context.options.gate === true,
    dryRun: context.options["dry-run"] === true,
    spendQuota: context.options["spend-quota"] === true,
  });
  tell(context, outcome);
  return outcome.exitCode;
}

/** Prints the summary; why a run stopped stands on the terminal too when a program reads stdout. */
export function tell(context: CommandContext, { run, summary }: Outcome): void {
  if (run.state !== "completed" && run.reason !== null) context.note(`Stopped: ${run.reason}\n`);
  if (!context.globals.json) {
    return whileRead(() => context.say(summaryText(summary, context.paint)));
  }
  whileRead(() => context.printJson(summary));
  if (summary.next !== null) context.note(`${summary.next}\n`);
}

/** The phases asked for; null = all of them. A dry run ends before the first one that writes. */
function phasesOf({ command, options }: CommandContext): Phase[] | null {
  const word = command.name === "migrate" ? options.phase : command.name;
  const named = PHASES.filter((phase) => phase === word);
  if (options["dry-run"] !== true) return named.length === 0 ? null : named;
  const harmless: Phase[] = ["extract", "transform"];
  const kept = named.length === 0 ? harmless : named.filter((phase) => harmless.includes(phase));
  if (kept.length > 0) return kept;
  throw new UsageError(`Cannot use --dry-run with the phase ${word}: it works on the target`);
}
