/** `ztoq export`: records as NDJSON or CSV, and the redirects old key → new id. @module */
import { EXIT, type ExitCode } from "../../core/errors.ts";
import type { Store } from "../../core/ports/mod.ts";
import { LIST_KINDS, type ListKind, recordKey } from "../../core/records/mod.ts";
import { allRows, csvLine, redirects, renderRedirectsCsv } from "../../core/report/mod.ts";
import { UsageError } from "../cli/parse.ts";
import { databasePath, needRun, type Reading, withStore } from "../cli/reading.ts";
import { writeText } from "../cli/report_files.ts";
import type { CommandContext } from "../cli/spec.ts";

/** Writes what was asked for to stdout, to `--out`, or beside the database. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { options, args } = context;
  const wantsRedirects = args[0] === "redirects";
  if (wantsRedirects === (options.to !== undefined)) {
    throw new UsageError(
      wantsRedirects
        ? "Cannot use --to with redirects: they are CSV"
        : "Missing argument of export: redirects, or --to ndjson or --to csv",
    );
  }
  return await withStore(context, async (reading) => {
    const { scope } = await needRun(context, reading);
    const { store } = reading;
    if (wantsRedirects) {
      await deliver(context, reading, renderRedirectsCsv(redirects(store, scope.id)), "csv");
    } else if (options.to === "csv") await writeTables(context, reading, scope.id);
    else await deliver(context, reading, ndjson(store, scope.id), "ndjson");
    return EXIT.done;
  });
}

/** One text: to `--out`, else to stdout; with `--json` stdout is taken, so beside the database. */
async function deliver(
  context: CommandContext,
  reading: Reading,
  chunks: AsyncIterable<string>,
  extension: string,
): Promise<void> {
  const { out } = context.options;
  const given = typeof out === "string" ? out : null;
  const name = context.args[0] ?? "records";
  const file = given ??
    (context.globals.json ? `${besideDatabase(reading)}-${name}.${extension}` : null);
  if (file === null) {
    for await (const chunk of chunks) context.io.out(context.redactor.redact(chunk));
    return;
  }
  await writeText(file, chunks);
  tell(context, [file]);
}

function besideDatabase({ settings }: Reading): string {
  return databasePath(settings.store.url) ?? "./ztoq.db";
}

function tell(context: CommandContext, files: string[]): void {
  if (context.globals.json) context.printJson({ files });
  else context.note(`Wrote ${files.join(", ")}.\n`);
}

/** One file per kind, in `--out` or in a folder beside the database. */
async function writeTables(
  context: CommandContext,
  reading: Reading,
  scopeId: number,
): Promise<void> {
  const { out } = context.options;
  const folder = typeof out === "string"
    ? out.replace(/(.)\/+$/, "$1")
    : `${besideDatabase(reading)}-export`;
  const files: string[] = [];
  for (const kind of LIST_KINDS) {
    const path = `${folder}/${kind}.csv`;
    await writeText(path, csvTable(reading.store, scopeId, kind));
    files.push(path);
  }
  tell(context, files);
}

/** Every record, one JSON object a line; cases with their script, executions with their steps. */
async function* ndjson(store: Store, scopeId: number): AsyncIterable<string> {
  for (const kind of LIST_KINDS) {
    for await (const row of rowsOf(store, scopeId, kind)) yield `${JSON.stringify(row)}\n`;
  }
}

async function* csvTable(store: Store, scopeId: number, kind: ListKind): AsyncIterable<string> {
  let columns: string[] | null = null;
  for await (const row of rowsOf(store, scopeId, kind)) {
    if (columns === null) {
      columns = Object.keys(row);
      yield csvLine(columns);
    }
    yield csvLine(columns.map((column) => cell(row[column])));
  }
}

/** Lists and objects keep their JSON. */
function cell(value: unknown): string | number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number") return value;
  return typeof value === "boolean" ? String(value) : JSON.stringify(value);
}

const BATCH = 500;

async function* rowsOf(
  store: Store,
  scopeId: number,
  kind: ListKind,
): AsyncIterable<Record<string, unknown>> {
  let batch: { key: string; row: Record<string, unknown> }[] = [];
  for await (const record of allRows((page) => store.records(scopeId, kind, page))) {
    batch.push({ key: recordKey(record), row: { ...record } });
    if (batch.length < BATCH) continue;
    yield* await withDetails(store, scopeId, kind, batch);
    batch = [];
  }
  yield* await withDetails(store, scopeId, kind, batch);
}

async function withDetails(
  store: Store,
  scopeId: number,
  kind: ListKind,
  batch: { key: string; row: Record<string, unknown> }[],
): Promise<Record<string, unknown>[]> {
  const keys = batch.map(({ key }) => key);
  if (kind === "testCase") {
    const scripts = await store.scripts(scopeId, keys);
    return batch.map(({ key, row }) => ({ ...row, script: scripts.get(key) ?? null }));
  }
  if (kind === "execution") {
    const steps = await store.executionSteps(scopeId, keys);
    return batch.map(({ key, row }) => ({ ...row, steps: steps.get(key) ?? null }));
  }
  return batch.map(({ row }) => row);
}
