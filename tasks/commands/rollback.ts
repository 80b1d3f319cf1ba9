/** `ztoq rollback`: takes back what a run did to the target. @module */
import type { ExitCode } from "../../core/errors.ts";
import { type Phase, PHASES } from "../../core/ports/mod.ts";
import { formatDuration } from "../../core/report/format.ts";
import type { KeptArtefact, RollbackReport } from "../../core/rollback/mod.ts";
import { whileRead } from "../cli/io.ts";
import type { CommandContext } from "../cli/spec.ts";
import { flatten, type Painter, table } from "../cli/style.ts";
import { withConnection } from "../cli/working.ts";

/** Rows of a list that people see; `--json` has them all. */
const MAX_SHOWN = 50;

/** Works until everything is gone that may go, an interruption, or a stop. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const settings = context.loadSettings("migration");
  const { options } = context;
  const report = await withConnection(context, settings, async ({ migrator }, signal) => {
    const outcome = await migrator.rollback({
      dryRun: options["dry-run"] === true,
      ...(typeof options.run === "string" ? { runId: options.run } : {}),
      ...(typeof options.record === "string" ? { record: options.record } : {}),
      ...phaseOf(options.phase),
      signal,
      onProgress: (progress) => context.progress.show(progress),
    });
    return outcome.report;
  });
  whileRead(() => {
    if (context.globals.json) context.printJson(report);
    else context.say(rollbackText(report, context.paint));
  });
  return report.exitCode;
}

function phaseOf(word: unknown): { phase?: Phase } {
  const phase = PHASES.find((each) => each === word);
  return phase === undefined ? {} : { phase };
}

/** The document of a rollback for people. */
export function rollbackText(report: RollbackReport, paint: Painter): string {
  const { runId, state, dryRun, deleted, left, cannot, durationMs, next } = report;
  const rows = Object.entries(deleted);
  const what = dryRun ? "Would delete" : "Deleted";
  return [
    `${paint("bold", `Run ${runId}`)}: ${dryRun ? "dry run" : state} in ${
      formatDuration(durationMs)
    }\n`,
    rows.length === 0 ? `${what} nothing.\n` : table([what, "Count"], rows),
    keptText(dryRun ? "Would be left" : "Left", left),
    keptText("Cannot be taken back", cannot),
    next === null ? "" : `Next: ${next}\n`,
  ].filter((part) => part !== "").join("\n");
}

function keptText(title: string, rows: readonly KeptArtefact[]): string {
  if (rows.length === 0) return "";
  const shown = rows.slice(0, MAX_SHOWN).map(({ kind, key, targetId, reason }) => [
    kind,
    key,
    targetId ?? "",
    flatten(reason).slice(0, 160),
  ]);
  const more = rows.length > MAX_SHOWN
    ? `and ${rows.length - MAX_SHOWN} more; --json lists them all\n`
    : "";
  return `${table([title, "Key", "Id", "Why"], shown)}${more}`;
}
