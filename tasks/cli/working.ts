/** Commands that work on a run: connecting both systems, advancing, reporting. @module */
import { connect, type Connection } from "../../adapters/connect.ts";
import type { Settings } from "../../core/config/mod.ts";
import type { AdvanceOptions, Outcome } from "../../core/engine/types.ts";
import type { Summary } from "../../core/report/mod.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { mappingSaver, readMapping } from "./mapping_file.ts";
import { databasePath } from "./reading.ts";
import { writeReportFiles } from "./report_files.ts";
import type { CommandContext } from "./spec.ts";

/** Connects for the time of `work`; the first Ctrl-C aborts its signal, the second ends the process. */
export async function withConnection<T>(
  context: CommandContext,
  settings: Settings,
  work: (connection: Connection, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using interrupt = listenForInterrupt(context.note);
  const connection = await connect({
    settings,
    mapping: readMapping(settings.mapping),
    saveMapping: mappingSaver(settings.mapping),
    log: context.log,
  });
  try {
    return await work(connection, interrupt.signal);
  } finally {
    context.progress.end();
    await connection.close();
  }
}

/** Advances the current run and, when it is over for now, writes the report files. */
export async function advance(
  context: CommandContext,
  settings: Settings,
  options: AdvanceOptions,
): Promise<Outcome> {
  return await withConnection(context, settings, async (connection, signal) => {
    const outcome = await connection.migrator.advance({
      ...options,
      signal,
      onProgress: (progress) => context.progress.show(progress),
    });
    context.progress.end();
    const summary = await report(connection, settings, outcome);
    return { ...outcome, summary };
  });
}

async function report(
  { store }: Connection,
  settings: Settings,
  { run, summary }: Outcome,
): Promise<Summary> {
  const scope = (await store.scopes()).find(({ id }) => id === run.scopeId);
  if (scope === undefined) return summary;
  const subject = { store, scope, summary, accepted: settings.accept };
  const database = databasePath(settings.store.url) ?? settings.store.url;
  return await writeReportFiles(subject, settings.report.dir, database);
}
