/** The engine as its three doors (command line, HTTP, cron) see it. @module */
import type { Mapping, Settings } from "../config/types.ts";
import type {
  Blobs,
  Clock,
  Phase,
  Progress,
  Run,
  Source,
  Store,
  Target,
  Traffic,
} from "../ports/mod.ts";
import type { ExitCode } from "../errors.ts";
import type { Summary } from "../report/model.ts";
import type { RollbackOptions, RollbackReport } from "../rollback/types.ts";

/** Who this process is, to tell a dead lease owner from a living one. */
export interface Host {
  hostname: string;
  pid: number;
  /** Whether a process of this host is alive; only asked for `hostname`. */
  isAlive(pid: number): boolean;
}

/** Everything the engine works with; wired by `main.ts` or by tests. */
export interface Services {
  settings: Settings;
  mapping: Mapping;
  /** Writes proposals into the mapping file (adds keys only); no-op where there is no file. */
  saveMapping: (additions: Partial<Mapping>) => Promise<void>;
  store: Store;
  source: Source & Traffic;
  target: Target & Traffic;
  blobs: Blobs;
  clock: Clock;
  host: Host;
  /** Runs a unit of work inside a span of that name; absent = just runs it. */
  span?: <T>(
    unit: string,
    attributes: Record<string, string>,
    work: () => Promise<T>,
  ) => Promise<T>;
  log: (
    entry: {
      level: "debug" | "info" | "warning" | "error";
      event: string;
      data: Record<string, unknown>;
    },
  ) => void;
}

export interface AdvanceOptions {
  /** Phases to work on; default all. Phases before the first named one must be done. */
  phases?: readonly Phase[];
  /** Stop cleanly after this long; the run stays resumable. */
  budgetMs?: number;
  /** Aborting finishes the units in hand, commits, and returns with exit 5. */
  signal?: AbortSignal;
  /** Aborting drops units in hand; what was committed stays. */
  force?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Stop at each phase edge instead of overlapping. */
  gate?: boolean;
  /** Start the load although the target's monthly quota is smaller than the plan. */
  spendQuota?: boolean;
  dryRun?: boolean;
}

export interface RollbackOutcome {
  exitCode: ExitCode;
  run: Run;
  report: RollbackReport;
}

export interface Outcome {
  exitCode: ExitCode;
  run: Run;
  summary: Summary;
}

/** One finding of the pre-flight. */
export interface Finding {
  group: "configuration" | "source" | "target" | "store" | "mapping";
  level: "ok" | "info" | "warning" | "error";
  /** Under 400 characters together with `fix`. */
  message: string;
  /** What to do about it. */
  fix: string | null;
}

/** What another terminal, a browser or a schedule may ask of a run. */
export interface RunControl {
  /** `paused` keeps the owner waiting; `cancelled` ends the run for good. */
  desired: "running" | "paused" | "cancelled";
  reason: string | null;
  /** Requests per minute in force until changed again; null = as configured. */
  limits: { source: number | null; target: number | null };
}

export interface Migrator {
  /** Pre-flight: reads both systems, changes nothing. */
  doctor(signal: AbortSignal): Promise<Finding[]>;
  /** Starts a run or continues the unfinished one of this scope; a completed run is only summarised. */
  advance(options: AdvanceOptions): Promise<Outcome>;
  /**
   * Takes back what a run did to the target, or with `dryRun` says what it would; on a rolled-back
   * run it sends nothing and says again what it said. Throws {@linkcode StopError} (exit 2) where the
   * state of the run does not allow it.
   */
  rollback(options: RollbackOptions): Promise<RollbackOutcome>;
  /**
   * Tries records again that were set aside, all or those with these keys, together with what was
   * set aside because of them, and works on to the end of the run, whose result is updated. Throws
   * {@linkcode StopError} (exit 1) for a key that was not set aside.
   */
  retry(keys: readonly string[], options: AdvanceOptions): Promise<Outcome>;
  /** The newest run of this scope. */
  currentRun(): Promise<Run | null>;
  /**
   * Asks the owner of a run, in whatever process, to pause, go on, or end. Safe to repeat. Throws
   * {@linkcode StopError} (exit 2) where the state does not allow it: a run that is over.
   */
  control(runId: string, change: Partial<RunControl>): Promise<RunControl>;
  /** What is asked of a run at present. */
  controlOf(runId: string): Promise<RunControl>;
  /** Live progress of the run that this process works on; empty for others. */
  progress(): Progress[];
  summary(runId: string): Promise<Summary>;
  close(): Promise<void>;
}
