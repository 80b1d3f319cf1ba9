/** One process working on one run: lease, commits, stages, and how it ends. @module */
import type { Change, Phase, Progress, Run, Scope } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";
import {
  BudgetError,
  ConfigError,
  describeError,
  EXIT,
  InterruptedError,
  type MigrationError,
  PreflightError,
  StopError,
} from "../errors.ts";
import type { ExitCode } from "../errors.ts";
import { Committer } from "./committer.ts";
import { NO_CONTROL, readControl, writeControl } from "./control.ts";
import { parseRateWindows, ratesAt } from "./schedule.ts";
import { preflight } from "./doctor.ts";
import { allStages, selectStages } from "./graph.ts";
import { instant, LeaseKeeper } from "./lease_keeper.ts";
import { ProgressTracker } from "./progress.ts";
import { runStages, stageNote } from "./runner.ts";
import type { RunContext, Stage } from "./stage.ts";
import { assertTransition, stateOfPhases } from "./state_machine.ts";
import { buildSummary, nextStep, noteName, PHASE_TIMES_NOTE } from "./summary.ts";
import { Topics } from "./topics.ts";
import { TRAFFIC_NOTE, TrafficLog } from "./traffic_log.ts";
import type { TrafficNote } from "./traffic_log.ts";
import { openRetry, resetRows } from "./retry.ts";
import type { Retried, RetryParts } from "./retry.ts";
import { MAPPING_NOTE } from "../rollback/mod.ts";
import { NoteCache } from "./note_cache.ts";
import { PhaseTimer } from "./phase_timer.ts";
import type { AdvanceOptions, Finding, Outcome, RunControl, Services } from "./types.ts";

/** No create starts in the last part of a budget: its answer would come after the end. */
const NO_CREATE_MS = 3_000;
const FLUSH_MS = 1_000;
const CONTROL_MS = 1_000;

/** One process working on one run. */
export class Session {
  readonly #services: Services;
  readonly #scope: Scope;
  readonly #abort: AbortController;
  #keeper: LeaseKeeper | null = null;
  #committer: Committer | null = null;
  #failure: unknown = null;
  #control: RunControl = NO_CONTROL;
  /** Rates that the schedule last asked for. */
  #scheduledRates = "null/null";
  #tracker: ProgressTracker | null = null;
  /** Makes the next commit carry the counters whatever the time. */
  #flushNext: () => void = () => undefined;

  constructor(services: Services, scope: Scope, abort: AbortController) {
    this.#services = services;
    this.#scope = scope;
    this.#abort = abort;
  }

  async acquire(): Promise<void> {
    const { store, clock, host } = this.#services;
    this.#keeper = await LeaseKeeper.acquire(store, clock, host, this.#scope.id, (error) => {
      this.#failure ??= error;
      this.#abort.abort(error);
    });
  }

  async release(): Promise<void> {
    await this.#keeper?.release();
  }

  async work(
    run: Run,
    options: AdvanceOptions & { phases: readonly Phase[] },
  ): Promise<Outcome> {
    const committer = await this.#open(run);
    try {
      const finished = await this.#advance(run, options, committer);
      // What ended the work may have looked like an interruption to the stages.
      if (!finished && this.#failure !== null) throw this.#failure;
      return await this.#finish(run, finished ? null : this.#interruption(options));
    } catch (error) {
      return await this.#fail(run, error);
    } finally {
      await this.#flush(committer);
    }
  }

  /** Works on the target outside the phases, with the same counters, lease and controls. */
  async undertake<T>(
    run: Run,
    options: AdvanceOptions,
    work: (ctx: RunContext) => Promise<T>,
  ): Promise<T> {
    const committer = await this.#open(run);
    try {
      const checks = await preflight(
        this.#services,
        { source: false, target: true },
        this.#abort.signal,
      );
      if (checks.target === null) {
        const problems = checks.findings.filter((finding) => finding.level === "error");
        throw preflightFailure(checks.failure, problems);
      }
      const ctx = await this.#context(run, options, committer, checks);
      const stopPolling = this.#pollControl(run);
      try {
        return await work(ctx);
      } finally {
        await stopPolling();
      }
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      await this.#flush(committer);
    }
  }

  /** Opens a run again for records that were set aside. */
  async retry(run: Run, keys: readonly string[]): Promise<Retried> {
    return await openRetry(this.#retryParts(run), keys);
  }

  /** Makes rows ready for the load, once what they are made from was read and planned again. */
  async resetRetried(run: Run, retried: Retried): Promise<void> {
    await resetRows(this.#retryParts(run), retried);
  }

  #retryParts(run: Run): RetryParts {
    const { clock, settings, store } = this.#services;
    const keeper = this.#keeper;
    if (keeper === null) throw new TypeError("acquire() comes first");
    return {
      store,
      run,
      settings,
      nowIso: () => instant(clock.now()),
      apply: (changes) => store.apply(keeper.lease, changes),
    };
  }

  /** Opens the commits of a run; its counters ride along. */
  async #open(run: Run): Promise<Committer> {
    const keeper = this.#keeper;
    if (keeper === null) throw new TypeError("acquire() comes first");
    const { store, clock } = this.#services;
    const startedAt = clock.monotonic();
    const workedBefore = run.workedMs;
    const base = await store.checkpoint(run.scopeId, noteName(run.id, TRAFFIC_NOTE));
    const traffic = new TrafficLog(
      run.id,
      this.#services,
      noteName(run.id, TRAFFIC_NOTE),
      base as TrafficNote | null,
    );
    const timer = new PhaseTimer(
      await store.checkpoint(run.scopeId, noteName(run.id, PHASE_TIMES_NOTE)),
    );
    let flushedAt = -Infinity;
    const riders = (): Change[] => {
      const now = clock.monotonic();
      if (now - flushedAt < FLUSH_MS) return [];
      flushedAt = now;
      run.workedMs = workedBefore + now - startedAt;
      return [
        ...traffic.take(),
        { op: "run", id: run.id, set: { workedMs: Math.round(run.workedMs) } },
        {
          op: "checkpoint",
          name: noteName(run.id, PHASE_TIMES_NOTE),
          value: timer.take(run, now - startedAt),
        },
      ];
    };
    this.#flushNext = () => flushedAt = -Infinity;
    const committer = new Committer(store, keeper.lease, riders);
    this.#committer = committer;
    return committer;
  }

  /** The last counters; when the store refuses, the error that led here matters more. */
  async #flush(committer: Committer): Promise<void> {
    this.#flushNext();
    await committer.commit([]).catch((error) => {
      this.#services.log({
        level: "warning",
        event: "run.flushFailed",
        data: { message: describeError(error).message },
      });
    });
  }

  async #advance(
    run: Run,
    options: AdvanceOptions & { phases: readonly Phase[] },
    committer: Committer,
  ): Promise<boolean> {
    const { phases } = options;
    assertPhasesReady(run, phases);
    if (phases.length === 1 && phases[0] === "validate" && run.phases.validate === "done") {
      await this.#resetValidation(run, committer);
    }
    const needsTarget = phases.some((phase) => phase !== "extract");
    const checks = await preflight(
      this.#services,
      { source: true, target: needsTarget },
      this.#abort.signal,
    );
    const problems = checks.findings.filter((finding) => finding.level === "error");
    if (problems.length > 0) throw preflightFailure(checks.failure, problems);
    const ctx = await this.#context(run, options, committer, checks);
    const stages = selectStages(allStages(this.#services.settings), phases, options.gate === true);
    const done = await doneStages(ctx, allStages(this.#services.settings));
    ctx.isDone = (name) => done.has(name);
    await committer.commit([
      ctx.noteChange("sourceProfile", checks.source),
      // A rollback compares with what was sent, whatever people change in the file since.
      ctx.noteChange(MAPPING_NOTE, this.#services.mapping),
      {
        op: "run",
        id: run.id,
        set: { state: stateOfPhases(run.phases), reason: null, updatedAt: ctx.nowIso() },
      },
      this.#event(run, "state", { state: stateOfPhases(run.phases) }),
    ]);
    run.state = stateOfPhases(run.phases);
    run.reason = null;
    const hooks = {
      onFailure: (error: unknown): void => {
        this.#failure ??= error;
      },
    };
    const stopPolling = this.#pollControl(run);
    try {
      for (;;) {
        if (await runStages(ctx, stages, done, hooks)) return true;
        if (this.#control.desired !== "paused" || !await this.#waitWhilePaused(ctx, options)) {
          return false;
        }
      }
    } finally {
      await stopPolling();
    }
  }

  /** Takes over what somebody asks of this run, here or in another process. */
  controlChanged(control: RunControl): void {
    this.#control = control;
    const { source, target, settings } = this.#services;
    source.setRequestsPerMinute(control.limits.source ?? settings.source.requestsPerMinute);
    target.setRequestsPerMinute(control.limits.target ?? settings.target.requestsPerMinute);
  }

  progress(): Progress[] {
    return this.#tracker?.all() ?? [];
  }

  /** Reads the control row every second; returns how to stop. */
  #pollControl(run: Run): () => Promise<void> {
    const { clock, store } = this.#services;
    const stop = new AbortController();
    const loop = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        try {
          await this.#followSchedule(run);
          const control = await readControl(store, run.id);
          if (JSON.stringify(control) !== JSON.stringify(this.#control)) {
            this.controlChanged(control);
          }
          await clock.sleep(CONTROL_MS, stop.signal);
        } catch (error) {
          if (stop.signal.aborted) return;
          // A store that is away for a moment: the next commit will tell.
          this.#services.log({
            level: "debug",
            event: "run.controlUnreadable",
            data: { message: describeError(error).message },
          });
          await clock.sleep(CONTROL_MS, stop.signal).catch(() => undefined);
        }
      }
    };
    const running = loop();
    return async () => {
      stop.abort();
      await running;
    };
  }

  /** Asks for the rates of `limits.schedule` when a window begins or ends; a change by hand holds until then. */
  async #followSchedule(run: Run): Promise<void> {
    const { clock, settings, store } = this.#services;
    const windows = parseRateWindows(settings.limits.schedule);
    const { source, target } = ratesAt(windows, clock.now());
    const rates = `${source}/${target}`;
    if (rates === this.#scheduledRates) return;
    this.#scheduledRates = rates;
    await writeControl(store, run.id, { limits: { source, target } });
  }

  /** Holds the run still until somebody resumes it; false when the process is to end meanwhile. */
  async #waitWhilePaused(ctx: RunContext, options: AdvanceOptions): Promise<boolean> {
    const { run } = ctx;
    const reason = this.#control.reason ?? "paused by request";
    await this.#setState(ctx, "paused", reason);
    while (this.#control.desired === "paused") {
      const mayWait = options.signal?.aborted !== true && this.#failure === null &&
        options.budgetMs === undefined && !this.#abort.signal.aborted;
      if (!mayWait) return false;
      await this.#services.clock.sleep(200);
    }
    if (this.#control.desired === "cancelled") return false;
    await this.#setState(ctx, stateOfPhases(run.phases), null);
    return true;
  }

  async #setState(ctx: RunContext, state: Run["state"], reason: string | null): Promise<void> {
    const { run } = ctx;
    assertTransition(run.state, state);
    run.state = state;
    run.reason = reason;
    await ctx.commit([
      { op: "run", id: run.id, set: { state, reason, updatedAt: ctx.nowIso() } },
      this.#event(run, "state", { state, reason }),
    ]);
  }

  async #context(
    run: Run,
    options: AdvanceOptions,
    committer: Committer,
    checks: Awaited<ReturnType<typeof preflight>>,
  ): Promise<RunContext> {
    const { clock, store } = this.#services;
    const keeper = this.#keeper;
    const deadline = options.budgetMs === undefined
      ? Infinity
      : clock.monotonic() + options.budgetMs;
    // A budget shorter than twice that would never create anything.
    const noCreateMs = Math.min(NO_CREATE_MS, (options.budgetMs ?? Infinity) / 2);
    const tracker = new ProgressTracker(
      clock,
      this.#services,
      options.onProgress ?? (() => undefined),
    );
    this.#tracker = tracker;
    const nowIso = (): string => instant(clock.now());
    const notes = new NoteCache();
    const readSignal = options.signal === undefined
      ? this.#abort.signal
      : AbortSignal.any([this.#abort.signal, options.signal]);
    return await Promise.resolve({
      ...this.#services,
      run,
      scope: this.#scope,
      lease: keeper?.lease ?? { scopeId: this.#scope.id, owner: "", epoch: 0 },
      sourceProfile: checks.source ??
        { project: { id: "", key: "", enabled: true }, generation: "A", attachments: false },
      targetProfile: checks.target ?? EMPTY_PROFILE,
      spendQuota: options.spendQuota === true,
      topics: new Topics(),
      commit: async (changes) => {
        await committer.commit(changes);
        notes.learn(changes);
      },
      assertMayWrite: () => {
        // A create that still waits for its slot is not sent any more once the run is to stop.
        if (options.signal?.aborted) throw readSignal.reason;
        keeper?.assertFresh();
      },
      assertStillHeld: () => keeper?.assertFresh(),
      stopping: () =>
        this.#failure !== null || options.signal?.aborted === true ||
        this.#control.desired !== "running" ||
        this.#abort.signal.aborted || clock.monotonic() >= deadline,
      noMoreCreates: () => clock.monotonic() >= deadline - noCreateMs,
      signal: this.#abort.signal,
      readSignal,
      isDone: () => false,
      progress: (stage, update) => tracker.update(stage, update),
      note: async <T>(name: string): Promise<T | null> => {
        const key = noteName(run.id, name);
        if (!notes.has(key)) notes.set(key, await store.checkpoint(run.scopeId, key));
        return notes.get(key) as T | null;
      },
      noteChange: (name, value) => ({
        op: "checkpoint",
        name: noteName(run.id, name),
        value,
      }),
      nowIso,
    });
  }

  #event(run: Run, type: string, data: Record<string, unknown>): Change {
    return { op: "event", runId: run.id, type, at: instant(this.#services.clock.now()), data };
  }

  #interruption(options: AdvanceOptions): StopError | null {
    if (this.#control.desired === "cancelled") {
      return new StopError(EXIT.failed, this.#control.reason ?? "Cancelled by request");
    }
    if (options.signal?.aborted || options.force?.aborted) {
      return new InterruptedError("Interrupted; everything done is kept");
    }
    if (options.budgetMs !== undefined) return new InterruptedError("The time given is used up");
    return null;
  }

  /** All asked-for phases are done, or the run stops in good order. */
  async #finish(run: Run, interruption: StopError | null): Promise<Outcome> {
    const { store, settings, mapping } = this.#services;
    const committer = this.#committer;
    const isComplete = PHASES.every((phase) => run.phases[phase] === "done");
    // Counters first: the summary is built from what the store holds.
    this.#flushNext();
    await committer?.commit([]);
    const isCancelled = this.#control.desired === "cancelled";
    if (isCancelled) run.state = "cancelled";
    if (isComplete) {
      run.state = "completed";
      run.completedAt = instant(this.#services.clock.now());
    }
    const summary = await buildSummary({ store, run, settings, mapping });
    const exitCode = interruption?.exitCode ??
      (isComplete ? summary.exitCode as ExitCode : EXIT.done);
    summary.exitCode = exitCode;
    summary.next = nextStep(exitCode);
    run.result = isComplete ? exitCode : null;
    run.reason = interruption?.message ?? null;
    run.summary = isComplete ? summary : null;
    await committer?.commit([
      {
        op: "run",
        id: run.id,
        set: {
          state: run.state,
          phases: run.phases,
          completedAt: run.completedAt,
          result: run.result,
          reason: run.reason,
          summary: run.summary,
          updatedAt: instant(this.#services.clock.now()),
        },
      },
      this.#event(run, "state", { state: run.state, result: run.result, reason: run.reason }),
    ]);
    return { exitCode, run, summary };
  }

  /** Interruptions and used-up quotas are outcomes with a summary; everything else is thrown. */
  async #fail(run: Run, error: unknown): Promise<Outcome> {
    const failure = this.#failure ?? error;
    if (failure instanceof InterruptedError || failure instanceof BudgetError) {
      return await this.#finish(run, failure);
    }
    const isFailed = !(failure instanceof StopError) || failure.exitCode === EXIT.failed;
    const reason = describeError(failure).message.slice(0, 2_000);
    if (isFailed) run.state = "failed";
    await this.#committer?.commit([
      {
        op: "run",
        id: run.id,
        set: { state: run.state, reason, updatedAt: instant(this.#services.clock.now()) },
      },
      this.#event(run, "state", { state: run.state, reason }),
    ]).catch(() => {
      // The store itself may be what failed; its error is on its way to the caller.
    });
    throw failure;
  }

  async #resetValidation(run: Run, committer: Committer): Promise<void> {
    const own = allStages(this.#services.settings).filter((stage) => stage.phase === "validate");
    run.phases.validate = "pending";
    await committer.commit(own.map((stage) => ({
      op: "checkpoint",
      name: noteName(run.id, stageNote(stage.name)),
      value: null,
    })));
  }
}

const EMPTY_PROFILE: RunContext["targetProfile"] = {
  version: null,
  site: null,
  project: { id: "", name: "", automation: false },
  user: { id: "", username: "" },
  fields: [],
  fieldsHidden: [],
  statuses: [],
  users: [],
  permissions: { manageFields: false, missing: [] },
  maxAttachmentBytes: 50 * 1024 * 1024,
  monthRemaining: null,
};

/** A refusal keeps its own words and exit code; a system that cannot be reached is one of the findings. */
function preflightFailure(failure: MigrationError | null, problems: Finding[]): StopError {
  if (!(failure instanceof StopError)) return preflightError(problems);
  const saysAll = problems.length <= 1 || failure.exitCode !== EXIT.preflight;
  return saysAll ? failure : preflightError(problems);
}

function preflightError(problems: Finding[]): PreflightError {
  const lines = problems.map((problem) => problem.message);
  return new PreflightError(lines.join("\n"), {
    hint: problems.map((problem) => problem.fix).filter((fix) => fix !== null).join("\n"),
  });
}

/** Phases before the first one asked for must be done. */
function assertPhasesReady(run: Run, phases: readonly Phase[]): void {
  const first = PHASES.findIndex((phase) => phases.includes(phase));
  const open = PHASES.slice(0, first).find((phase) => run.phases[phase] !== "done");
  if (open === undefined) return;
  throw new ConfigError(
    `Cannot ${phases[0]}: the phase ${open} of run ${run.id} is not done`,
    { hint: `Run \`ztoq ${open}\` first, or \`ztoq migrate\` for all phases.` },
  );
}

async function doneStages(ctx: RunContext, stages: Stage[]): Promise<Set<string>> {
  const done = new Set<string>();
  for (const stage of stages) {
    if (await ctx.note(stageNote(stage.name)) !== null) done.add(stage.name);
  }
  return done;
}
