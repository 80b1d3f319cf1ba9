/** Runs that this process works on, in the background, one per pair of projects. @module */
import type { Settings } from "../core/config/mod.ts";
import { parseRateWindows, ratesAt, type ScheduledRates } from "../core/engine/schedule.ts";
import { isHeld } from "../core/engine/steer.ts";
import type { Migrator } from "../core/engine/types.ts";
import { describeError, LeaseHeldError, MigrationError } from "../core/errors.ts";
import type { Progress, Run, Scope, Store } from "../core/ports/mod.ts";
import { Problem } from "./problem.ts";
import type { ControlPlaneServices, EngineConnection, WorkOutcome } from "./services.ts";

/** Time windows begin on the minute. */
const FIRST_LOOK_MS = 10;

/** How a run is worked on; the engine is handed in so that every verb shares the rest. */
export type Work = (
  migrator: Migrator,
  options: { signal: AbortSignal; onProgress: (progress: Progress) => void },
) => Promise<WorkOutcome>;

interface Entry {
  scope: Scope;
  /** What it was asked to do, so that the same request again is known. */
  task: string;
  settings: Settings;
  connection: EngineConnection;
  abort: AbortController;
  run: Run | null;
  outcome: Promise<WorkOutcome>;
  done: Promise<void>;
}

export interface PoolHooks {
  onProgress: (runId: string, progress: Progress) => void;
  /** A warning or error that the engine logged. */
  onWarning: (runId: string, event: string, data: Record<string, unknown>) => void;
  onStart: (runId: string) => void;
  onEnd: (runId: string) => void;
}

/** What a run is to be worked on for. */
export interface Task {
  /** @default {ADVANCE} */
  work?: Work;
  /** A run that is worked on whatever its state; without it, the newest unfinished one or a new one. */
  runId?: string;
  /** Tells requests apart. @default {"advance"} */
  name?: string;
}

/** What became of a request to work. */
export interface Started {
  run: Run;
  /** False for a completed run, which sends nothing. */
  started: boolean;
  /** Settles when the work stops for now; rejects like `Migrator.advance`. */
  outcome: Promise<WorkOutcome> | null;
}

/** Starts or continues a run; a completed one is only summarised. */
export const ADVANCE: Work = (migrator, options) => migrator.advance(options);

export class RunPool {
  readonly #services: ControlPlaneServices;
  readonly #hooks: PoolHooks;
  readonly #entries = new Map<number, Entry>();
  readonly #reserved = new Map<number, string>();
  readonly #stop = new AbortController();

  constructor(services: ControlPlaneServices, hooks: PoolHooks) {
    this.#services = services;
    this.#hooks = hooks;
  }

  /** Whether this process works on the run. */
  has(runId: string): boolean {
    return this.#find(runId) !== undefined;
  }

  /** What this process does with a pair of projects, or is about to; null for nothing. */
  taskOf(scopeId: number): string | null {
    return this.#entries.get(scopeId)?.task ?? this.#reserved.get(scopeId) ?? null;
  }

  migratorOf(runId: string): Migrator | null {
    return this.#find(runId)?.connection.migrator ?? null;
  }

  /** Requests left this month, as the vendors last said; null where they say nothing. */
  quotaOf(runId: string): { source: number | null; target: number | null } {
    const traffic = this.#find(runId)?.connection.traffic;
    return {
      source: traffic?.source.stats().monthRemaining ?? null,
      target: traffic?.target.stats().monthRemaining ?? null,
    };
  }

  /** What `limits.schedule` asks of a run now; null when this process does not work on it. */
  scheduledRatesOf(runId: string): ScheduledRates | null {
    const entry = this.#find(runId);
    if (entry === undefined) return null;
    const windows = parseRateWindows(entry.settings.limits.schedule);
    return ratesAt(windows, this.#services.clock.now());
  }

  /** Engines at work, for metrics. */
  connections(): EngineConnection[] {
    return [...this.#entries.values()].map(({ connection }) => connection);
  }

  /**
   * Starts a run, or continues the unfinished one of the same pair, and returns at once when it has
   * an id. A completed run comes back as it is, with `started: false`, unless the task is for it
   * (`runId`).
   * @throws {Problem} 409 when the pair is being worked on, here or elsewhere
   */
  async start(settings: Settings, task: Task = {}): Promise<Started> {
    const { work = ADVANCE, runId, name = "advance" } = task;
    if (this.#stop.signal.aborted) throw new Problem(503, "The server is shutting down");
    const store = await this.#services.store();
    const scope = await this.#openScope(store, settings);
    await this.#reserve(store, scope, name);
    try {
      const latest = (await store.runs(scope.id))[0] ?? null;
      if (latest?.state === "completed" && work === ADVANCE) {
        return { run: latest, started: false, outcome: null };
      }
      const run = known(latest, runId);
      const entry = await this.#launch(store, { scope, settings, task: name, run }, work);
      const started = await this.#identify(store, entry, latest);
      this.#hooks.onStart(started.id);
      return { run: started, started: true, outcome: entry.outcome };
    } finally {
      this.#reserved.delete(scope.id);
    }
  }

  /** Asks all runs to finish the work in hand, and waits. They can be resumed. */
  async close(): Promise<void> {
    this.#stop.abort();
    const entries = [...this.#entries.values()];
    for (const { abort } of entries) {
      abort.abort(new DOMException("the server is shutting down", "AbortError"));
    }
    await Promise.all(entries.map(({ done }) => done));
  }

  #find(runId: string): Entry | undefined {
    return [...this.#entries.values()].find(({ run }) => run?.id === runId);
  }

  async #openScope(store: Store, { source, target }: Settings): Promise<Scope> {
    return await store.openScope({
      sourceUrl: source.baseUrl,
      sourceProject: source.projectKey,
      targetUrl: target.baseUrl,
      targetProject: target.projectId,
      rootName: target.rootName,
    });
  }

  /** Keeps the pair for one caller while it looks around. */
  async #reserve(store: Store, scope: Scope, task: string): Promise<void> {
    const active = this.#entries.get(scope.id);
    if (active !== undefined || this.#reserved.has(scope.id)) {
      throw alreadyActive(active?.run ?? null);
    }
    this.#reserved.set(scope.id, task);
    try {
      const lease = await store.leaseOf(scope.id);
      if (!isHeld(lease, this.#services)) return;
      throw alreadyActive((await store.runs(scope.id))[0] ?? null);
    } catch (error) {
      this.#reserved.delete(scope.id);
      throw error;
    }
  }

  async #launch(
    store: Store,
    about: Pick<Entry, "scope" | "settings" | "task" | "run">,
    work: Work,
  ): Promise<Entry> {
    const entry = { ...about, abort: new AbortController() };
    const connection = await this.#services.connect(about.settings, store, (line) => {
      this.#services.log(line);
      if (entry.run === null || (line.level !== "warning" && line.level !== "error")) return;
      this.#hooks.onWarning(entry.run.id, line.event, line.data);
    });
    let outcome: Promise<WorkOutcome>;
    try {
      outcome = work(connection.migrator, {
        signal: entry.abort.signal,
        onProgress: (progress) => {
          if (entry.run !== null) this.#hooks.onProgress(entry.run.id, progress);
        },
      });
    } catch (error) {
      await connection.close();
      throw error;
    }
    const full: Entry = Object.assign(entry, { connection, outcome, done: Promise.resolve() });
    this.#entries.set(about.scope.id, full);
    full.done = this.#follow(full, outcome);
    return full;
  }

  /** Waits until the run can be named; a failure that comes before is the caller's. */
  async #identify(store: Store, entry: Entry, latest: Run | null): Promise<Run> {
    const settled = entry.outcome.then(({ run }) => run);
    settled.catch(() => undefined);
    while (entry.run === null) {
      const newest = (await store.runs(entry.scope.id))[0] ?? null;
      if (newest !== null && newest.id !== latest?.id) entry.run = newest;
      else {
        const pause = this.#services.clock.sleep(FIRST_LOOK_MS).then(() => null);
        entry.run = await Promise.race([settled, pause]);
      }
    }
    return entry.run;
  }

  /** Waits for the end of a run's work, and cleans up whatever happens. */
  async #follow(entry: Entry, work: Promise<WorkOutcome>): Promise<void> {
    const { log, onOutcome } = this.#services;
    try {
      const outcome = await work;
      entry.run ??= outcome.run;
      await onOutcome?.(outcome, entry.settings);
    } catch (error) {
      const level = error instanceof LeaseHeldError ? "warning" : "error";
      const known = error instanceof MigrationError;
      const event = known ? "run.stopped" : "run.failed";
      const { message } = describeError(error);
      log({ level, event, data: { runId: entry.run?.id ?? null, message } });
      // Who asked got 202 long ago: the events of the run are where they look.
      if (entry.run !== null) this.#hooks.onWarning(entry.run.id, event, { message });
    } finally {
      this.#entries.delete(entry.scope.id);
      await entry.connection.close().catch((error: unknown) => {
        const { message } = describeError(error);
        log({ level: "warning", event: "connection.closeFailed", data: { message } });
      });
      if (entry.run !== null) this.#hooks.onEnd(entry.run.id);
    }
  }
}

/** The run that the engine will work on; null for a new one, which gets its id from the engine. */
function known(latest: Run | null, runId: string | undefined): Run | null {
  if (latest === null || latest.id === runId) return latest;
  return ["completed", "cancelled", "rolled-back"].includes(latest.state) ? null : latest;
}

function alreadyActive(run: Run | null): Problem {
  const name = run === null ? "A run" : `Run ${run.id}`;
  return new Problem(409, `${name} of the same source and target is active`, {
    hint: "Wait for it, or cancel it first.",
    ...(run === null ? {} : { headers: { location: `/v1/migrations/${run.id}` } }),
  });
}
