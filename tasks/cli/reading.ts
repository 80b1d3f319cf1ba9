/** Commands that read the database only: opening it, finding the run they are about. @module */
import { type ManagedStore, openStore } from "../../adapters/connect.ts";
import type { Settings } from "../../core/config/mod.ts";
import { buildSummary } from "../../core/engine/summary.ts";
import { ConfigError, EXIT, StopError } from "../../core/errors.ts";
import type { Run, Scope } from "../../core/ports/mod.ts";
import type { Summary } from "../../core/report/model.ts";
import { readMapping } from "./mapping_file.ts";
import type { CommandContext } from "./spec.ts";

/** An open database and the settings it was opened with. */
export interface Reading {
  store: ManagedStore;
  settings: Settings;
}

/** A run with the pair of projects it works on. */
export interface RunInScope {
  run: Run;
  scope: Scope;
}

/** Opens the database for the time of `work`. A database file that is not there is an error, not a new one. */
export async function withStore<T>(
  context: CommandContext,
  work: (reading: Reading) => Promise<T>,
): Promise<T> {
  const settings = context.loadSettings("store");
  assertDatabaseExists(settings.store.url);
  const store = await openStore(settings.store);
  try {
    await store.migrate();
    return await work({ store, settings });
  } finally {
    await store.close();
  }
}

/** Path of a database file; null for a remote one. */
export function databasePath(url: string): string | null {
  if (!url.startsWith("file:")) return null;
  const path = url.slice("file:".length).replace(/^\/\/(?=\/)/, "");
  return path === ":memory:" ? null : path;
}

function assertDatabaseExists(url: string): void {
  const path = databasePath(url);
  if (path === null) return;
  try {
    Deno.statSync(path);
  } catch {
    throw new ConfigError(`Cannot open the database "${path}": no such file`, {
      hint: "`ztoq migrate` creates it; --store file:PATH names another one",
    });
  }
}

/** The run of `--run`, else the newest one of the configured project, else the newest; null when there is none. */
export async function findRun(
  context: CommandContext,
  { store, settings }: Reading,
): Promise<RunInScope | null> {
  const scopes = new Map((await store.scopes()).map((scope) => [scope.id, scope]));
  const wanted = context.options.run;
  const runs = typeof wanted === "string"
    ? [await store.run(wanted)].filter((run) => run !== null)
    : await store.runs(null);
  if (typeof wanted === "string" && runs.length === 0) {
    throw new StopError(EXIT.usage, `Cannot find run "${wanted}" in this database`, {
      hint: "`ztoq runs` lists them",
    });
  }
  const found = runs.flatMap((run) => {
    const scope = scopes.get(run.scopeId);
    return scope === undefined ? [] : [{ run, scope }];
  });
  const project = settings.source.projectKey;
  const ofProject = found.find(({ scope }) => scope.sourceProject === project);
  if (ofProject !== undefined || typeof context.settings.project === "string") {
    return ofProject ?? null;
  }
  return found[0] ?? null;
}

/** Like {@linkcode findRun}; no run is an error. */
export async function needRun(context: CommandContext, reading: Reading): Promise<RunInScope> {
  const found = await findRun(context, reading);
  if (found !== null) return found;
  throw new StopError(EXIT.failed, "Cannot find a run in this database: none was started yet", {
    hint: "`ztoq migrate` starts one",
  });
}

/** The summary of a run: as stored when it completed, else as the database has it now. */
export async function readSummary({ store, settings }: Reading, run: Run): Promise<Summary> {
  if (run.state === "completed" && run.summary !== null) return run.summary as Summary;
  const asStarted = { ...settings, ...(run.config as Partial<Settings> | null) };
  const mapping = readMapping(asStarted.mapping);
  return await buildSummary({ store, run, settings: asStarted, mapping });
}

/** Both ends of a migration in words. */
export function ends(scope: Scope): { source: string; target: string } {
  const host = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);
  return {
    source: `${scope.sourceProject} (${host(scope.sourceUrl)})`,
    target: `${host(scope.targetUrl)} project ${scope.targetProject} "${scope.rootName}"`,
  };
}
