/** Commands that work on a run: connecting both systems, advancing, reporting. @module */
import { connect, type Connection, type ManagedStore } from "../../adapters/connect.ts";
import type { Settings } from "../../core/config/mod.ts";
import { nextStep } from "../../core/engine/summary.ts";
import type { AdvanceOptions, Outcome } from "../../core/engine/types.ts";
import { describeError, StopError, worstExit } from "../../core/errors.ts";
import { DocumentedError, exitCodeOf } from "./exit.ts";
import { assertWritableFolder } from "./files.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { mappingSaver, readMapping } from "./mapping_file.ts";
import { databasePath } from "./reading.ts";
import { writeReportFiles } from "./report_files.ts";
import type { CommandContext } from "./spec.ts";

/**
 * Connects for the time of `work`; the first Ctrl-C aborts its signal, the second ends the process.
 * A `store` that is given stays open.
 */
export async function withConnection<T>(
  context: CommandContext,
  settings: Settings,
  work: (connection: Connection, signal: AbortSignal) => Promise<T>,
  store?: ManagedStore,
): Promise<T> {
  using interrupt = listenForInterrupt(context.note);
  const connection = await connect({
    settings,
    mapping: readMapping(settings.mapping),
    saveMapping: mappingSaver(settings.mapping),
    log: context.log,
    ...(store === undefined ? {} : { store }),
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
  assertWritableFolder("the report folder", settings.report.dir);
  return await withConnection(context, settings, async (connection, signal) => {
    const outcome = await connection.migrator.advance({
      ...options,
      signal,
      onProgress: (progress) => context.progress.show(progress),
    }).catch(async (error) => {
      context.progress.end();
      throw context.globals.json ? await withSummary(error, connection, settings) : error;
    });
    context.progress.end();
    return await report(context, connection, settings, outcome);
  });
}

/** A run that stopped still has a summary, as far as its database can be read. */
async function withSummary(
  error: unknown,
  { migrator }: Connection,
  settings: Settings,
): Promise<unknown> {
  const { message, hint } = describeError(error);
  const exitCode = exitCodeOf(error);
  try {
    const run = await migrator.currentRun();
    if (run === null) return error;
    const summary = await migrator.summary(run.id);
    const database = databaseName(settings);
    return new DocumentedError(error, {
      ...summary,
      exitCode,
      files: { ...summary.files, database },
      next: hint ?? nextStep(exitCode),
      error: { exitCode, message, hint: hint ?? null },
    });
  } catch {
    return error;
  }
}

async function report(
  context: CommandContext,
  { store }: Connection,
  settings: Settings,
  outcome: Outcome,
): Promise<Outcome> {
  const { run, summary } = outcome;
  const scope = (await store.scopes()).find(({ id }) => id === run.scopeId);
  if (scope === undefined) return outcome;
  const subject = { store, scope, summary, accepted: settings.accept };
  const database = databaseName(settings);
  try {
    return {
      ...outcome,
      summary: await writeReportFiles(subject, settings.report.dir, database),
    };
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    // The run itself is in the database, whatever becomes of its report.
    const { message, hint } = describeError(error);
    context.note(`error: ${message}\nhint: ${hint ?? ""} \`ztoq report --out FILE\` writes it.\n`);
    const exitCode = worstExit(outcome.exitCode, error.exitCode);
    const files = { report: null, redirects: null, database };
    return { ...outcome, exitCode, summary: { ...summary, exitCode, files } };
  }
}

function databaseName({ store }: Settings): string {
  return databasePath(store.url) ?? store.url;
}
