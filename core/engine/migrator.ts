/**
 * The engine: advances a run in units of work that each commit their effect and their checkpoint
 * together. Resuming is not a feature beside this; it is the only way a run works.
 * @module
 */
import type { Phase, Progress, Run, Scope } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";
import { ConfigError, EXIT, StopError } from "../errors.ts";
import type { ExitCode } from "../errors.ts";
import type { Summary } from "../report/model.ts";
import { readControl, writeControl } from "./control.ts";
import { preflight } from "./doctor.ts";
import { instant } from "./lease_keeper.ts";
import { buildSummary, noteName } from "./summary.ts";
import { rollBack, ROLLBACK_NOTE } from "../rollback/mod.ts";
import type { RollbackNote, RollbackOptions } from "../rollback/mod.ts";
import { Session } from "./session.ts";
import type {
  AdvanceOptions,
  Finding,
  Migrator,
  Outcome,
  RollbackOutcome,
  RunControl,
  Services,
} from "./types.ts";

/** What a dry run works on: everything that only reads. */
const DRY_PHASES: readonly Phase[] = ["extract", "transform"];

export function createMigrator(services: Services): Migrator {
  return new Engine(services);
}

class Engine implements Migrator {
  readonly #services: Services;
  #scope: Promise<Scope> | null = null;
  #session: Session | null = null;

  constructor(services: Services) {
    this.#services = services;
  }

  async doctor(signal: AbortSignal): Promise<Finding[]> {
    const systems = { source: true, target: true, forecast: true };
    return (await preflight(this.#services, systems, signal)).findings;
  }

  async currentRun(): Promise<Run | null> {
    const scope = await this.#openScope();
    return (await this.#services.store.runs(scope.id))[0] ?? null;
  }

  async summary(runId: string): Promise<Summary> {
    const run = await this.#services.store.run(runId);
    if (run === null) throw new ConfigError(`There is no run "${runId}" in this database`);
    return await this.#summarise(run);
  }

  async control(runId: string, change: Partial<RunControl>): Promise<RunControl> {
    const { store } = this.#services;
    const run = await store.run(runId);
    if (run === null) throw new ConfigError(`There is no run "${runId}" in this database`);
    const isFinal = ["completed", "cancelled", "rolled-back"].includes(run.state);
    const repeats = change.desired === "cancelled" && run.state === "cancelled";
    if (isFinal && !repeats) {
      throw new StopError(EXIT.usage, `Cannot control run ${runId}: it is ${run.state}`);
    }
    const control = await writeControl(store, runId, change);
    this.#session?.controlChanged(control);
    return control;
  }

  async controlOf(runId: string): Promise<RunControl> {
    return await readControl(this.#services.store, runId);
  }

  progress(): Progress[] {
    return this.#session?.progress() ?? [];
  }

  async close(): Promise<void> {
    await this.#services.store.close();
  }

  async advance(options: AdvanceOptions): Promise<Outcome> {
    const phases = options.phases ?? (options.dryRun ? DRY_PHASES : PHASES);
    const scope = await this.#openScope();
    const latest = await this.currentRun();
    if (latest?.state === "completed" && options.phases === undefined) {
      return await this.#repeatResult(latest);
    }
    return await this.#hold(scope, options.force, async (session) => {
      // Read again under the lease: the run may have moved while we waited for it.
      const current = (await this.#services.store.runs(scope.id))[0] ?? null;
      if (current !== null) assertNotRollingBack(current);
      const run = current === null || isOver(current)
        ? await this.#createRun(scope, phases)
        : current;
      // Whoever starts the work by hand wants it to go on.
      if (options.budgetMs === undefined) {
        await writeControl(this.#services.store, run.id, { desired: "running", reason: null });
      }
      return await session.work(run, { ...options, phases });
    });
  }

  async rollback(options: RollbackOptions): Promise<RollbackOutcome> {
    const scope = await this.#openScope();
    const { store } = this.#services;
    const known = await this.#runToRollBack(scope, options.runId);
    const note = await store.checkpoint(scope.id, noteName(known.id, ROLLBACK_NOTE));
    const told = (note as RollbackNote | null)?.report;
    if (known.state === "rolled-back" && told) {
      return { exitCode: told.exitCode, run: known, report: told };
    }
    return await this.#hold(scope, options.force, async (session) => {
      const run = await this.#runToRollBack(scope, options.runId);
      if (!options.dryRun) await writeControl(store, run.id, { desired: "running", reason: null });
      const report = await session.undertake(run, options, (ctx) => rollBack(ctx, options));
      return { exitCode: report.exitCode, run, report };
    });
  }

  async retry(keys: readonly string[], options: AdvanceOptions): Promise<Outcome> {
    const scope = await this.#openScope();
    const retried = await this.#hold(scope, options.force, async (session) => {
      const run = await this.currentRun();
      if (run === null) throw new ConfigError("There is nothing to try again: there is no run yet");
      assertNotRollingBack(run);
      if (isOver(run)) {
        throw new StopError(
          EXIT.usage,
          `Cannot retry records of run ${run.id}: it is ${run.state}`,
        );
      }
      return await session.retry(run, keys);
    });
    for (const phase of retried.first) {
      const outcome = await this.advance({ ...options, phases: [phase] });
      if (outcome.exitCode !== EXIT.done) return outcome;
    }
    if (retried.first.length > 0) {
      await this.#hold(scope, options.force, async (session) => {
        const run = await this.currentRun();
        if (run !== null) await session.resetRetried(run, retried);
      });
    }
    const { phases: _, ...rest } = options;
    return await this.advance(rest);
  }

  async #runToRollBack(scope: Scope, runId: string | undefined): Promise<Run> {
    const runs = await this.#services.store.runs(scope.id);
    const run = runId === undefined ? runs[0] : runs.find((each) => each.id === runId);
    if (run !== undefined) return run;
    throw new ConfigError(
      runId === undefined
        ? "There is nothing to roll back: there is no run yet"
        : `There is no run "${runId}" of this project in this database`,
      { hint: "`ztoq runs` lists the runs" },
    );
  }

  /** Holds the scope for the time of `work`. */
  async #hold<T>(
    scope: Scope,
    force: AbortSignal | undefined,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    const abort = new AbortController();
    const session = new Session(this.#services, scope, abort);
    force?.addEventListener("abort", () => abort.abort(force.reason));
    await session.acquire();
    this.#session = session;
    try {
      return await work(session);
    } finally {
      this.#session = null;
      await session.release();
    }
  }

  #openScope(): Promise<Scope> {
    const { settings, store } = this.#services;
    this.#scope ??= store.migrate().then(() =>
      store.openScope({
        sourceUrl: settings.source.baseUrl,
        sourceProject: settings.source.projectKey,
        targetUrl: settings.target.baseUrl,
        targetProject: settings.target.projectId,
        rootName: settings.target.rootName,
      })
    );
    this.#scope.catch(() => this.#scope = null);
    return this.#scope;
  }

  /** A completed run sends nothing: it says again what it said. */
  async #repeatResult(run: Run): Promise<Outcome> {
    const summary = await this.#summarise(run);
    const exitCode = (run.result ?? summary.exitCode) as ExitCode;
    return { exitCode, run, summary: { ...summary, exitCode } };
  }

  async #summarise(run: Run): Promise<Summary> {
    const { store, settings, mapping } = this.#services;
    if (run.state === "completed" && run.summary !== null) return run.summary as Summary;
    return await buildSummary({ store, run, settings, mapping });
  }

  async #createRun(scope: Scope, phases: readonly Phase[]): Promise<Run> {
    if (!phases.includes("extract")) {
      throw new ConfigError(
        `Cannot ${phases[0]}: there is no run yet for project ${scope.sourceProject}`,
        { hint: "Run `ztoq migrate` or `ztoq extract` first." },
      );
    }
    const { clock, settings, store } = this.#services;
    const now = instant(clock.now());
    const run: Run = {
      id: newRunId(clock.now()),
      scopeId: scope.id,
      state: "created",
      phases: { extract: "pending", transform: "pending", load: "pending", validate: "pending" },
      createdAt: now,
      updatedAt: now,
      completedAt: null,
      result: null,
      reason: null,
      workedMs: 0,
      config: withoutSecrets(settings),
      summary: null,
    };
    await store.createRun(run);
    return run;
  }
}

/** A run that no command continues. */
function isOver(run: Run): boolean {
  return run.state === "cancelled" || run.state === "rolled-back";
}

/** What is half gone must not be loaded on: the rollback has to end first. */
function assertNotRollingBack(run: Run): void {
  if (run.state !== "rolling-back") return;
  throw new StopError(EXIT.usage, `Cannot go on: run ${run.id} is being rolled back`, {
    hint: "`ztoq rollback` finishes it; `ztoq migrate` starts anew afterwards.",
  });
}

/** Sortable by time, short enough to type: `20261121-231455-k3f9`. */
function newRunId(now: number): string {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `${stamp}-${crypto.randomUUID().slice(0, 4)}`;
}

function withoutSecrets(settings: Services["settings"]): unknown {
  const { source, target, store, ...rest } = settings;
  return {
    ...rest,
    source: { ...source, token: null },
    target: { ...target, token: null, password: null },
    store: { url: store.url },
    controlPlane: null,
    webhooks: [],
  };
}
