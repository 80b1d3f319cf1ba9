/** One process working on one run: lease, commits, stages, and how it ends. @module */
import type { Change, Phase, Progress, Run, Scope } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";
import { BudgetError, describeError, EXIT, InterruptedError, StopError } from "../errors.ts";
import type { ExitCode } from "../errors.ts";
import { Committer } from "./committer.ts";
import { ControlWatch } from "./control_watch.ts";
import { Counters } from "./counters.ts";
import { preflight } from "./doctor.ts";
import { allStages, selectStages } from "./graph.ts";
import { instant, LeaseKeeper } from "./lease_keeper.ts";
import { ProgressTracker } from "./progress.ts";
import { assertPhasesReady, preflightFailure } from "./refuse.ts";
import { openRetry, resetRows } from "./retry.ts";
import type { Retried, RetryParts } from "./retry.ts";
import { buildContext } from "./run_context.ts";
import { runStages, stageNote } from "./runner.ts";
import type { RunContext, Stage } from "./stage.ts";
import { assertTransition, stateOfPhases } from "./state_machine.ts";
import { buildSummary, nextStep, noteName } from "./summary.ts";
import { MAPPING_NOTE } from "../rollback/mod.ts";
import type { AdvanceOptions, Outcome, RunControl, Services } from "./types.ts";

/** One process working on one run. */
export class Session {
  readonly #services: Services;
  readonly #scope: Scope;
  readonly #abort: AbortController;
  #keeper: LeaseKeeper | null = null;
  #committer: Committer | null = null;
  #failure: unknown = null;
  readonly #watch: ControlWatch;
  #counters: Counters | null = null;
  #tracker: ProgressTracker | null = null;

  constructor(services: Services, scope: Scope, abort: AbortController) {
    this.#services = services;
    this.#scope = scope;
    this.#abort = abort;
    this.#watch = new ControlWatch(services);
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
      const ctx = this.#context(run, options, committer, checks);
      const stopWatching = this.#watch.start(run);
      try {
        return await work(ctx);
      } finally {
        await stopWatching();
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
    const counters = await Counters.open(run, this.#services);
    const committer = new Committer(this.#services.store, keeper.lease, () => counters.take());
    this.#counters = counters;
    this.#committer = committer;
    return committer;
  }

  /** The last counters; when the store refuses, the error that led here matters more. */
  async #flush(committer: Committer): Promise<void> {
    this.#counters?.flushNext();
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
    const ctx = this.#context(run, options, committer, checks);
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
    const stopWatching = this.#watch.start(run);
    try {
      for (;;) {
        if (await runStages(ctx, stages, done, hooks)) return true;
        if (
          this.#watch.current.desired !== "paused" || !await this.#waitWhilePaused(ctx, options)
        ) {
          return false;
        }
      }
    } finally {
      await stopWatching();
    }
  }

  /** Takes over what somebody asks of this run, here or in another process. */
  controlChanged(control: RunControl): void {
    this.#watch.changed(control);
  }

  progress(): Progress[] {
    return this.#tracker?.all() ?? [];
  }

  /** Holds the run still until somebody resumes it; false when the process is to end meanwhile. */
  async #waitWhilePaused(ctx: RunContext, options: AdvanceOptions): Promise<boolean> {
    const { run } = ctx;
    const reason = this.#watch.current.reason ?? "paused by request";
    await this.#setState(ctx, "paused", reason);
    while (this.#watch.current.desired === "paused") {
      const mayWait = options.signal?.aborted !== true && this.#failure === null &&
        options.budgetMs === undefined && !this.#abort.signal.aborted;
      if (!mayWait) return false;
      await this.#services.clock.sleep(200);
    }
    if (this.#watch.current.desired === "cancelled") return false;
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

  #context(
    run: Run,
    options: AdvanceOptions,
    committer: Committer,
    checks: Awaited<ReturnType<typeof preflight>>,
  ): RunContext {
    const keeper = this.#keeper;
    if (keeper === null) throw new TypeError("acquire() comes first");
    const services = this.#services;
    const onProgress = options.onProgress ?? (() => undefined);
    const tracker = new ProgressTracker(services.clock, services, onProgress);
    this.#tracker = tracker;
    return buildContext({
      services,
      scope: this.#scope,
      run,
      options,
      committer,
      checks,
      lease: keeper.lease,
      tracker,
      signal: this.#abort.signal,
      assertHeld: () => keeper.assertFresh(),
      isEnding: () => this.#failure !== null || this.#watch.current.desired !== "running",
    });
  }

  #event(run: Run, type: string, data: Record<string, unknown>): Change {
    return { op: "event", runId: run.id, type, at: instant(this.#services.clock.now()), data };
  }

  #interruption(options: AdvanceOptions): StopError | null {
    if (this.#watch.current.desired === "cancelled") {
      return new StopError(EXIT.failed, this.#watch.current.reason ?? "Cancelled by request");
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
    this.#counters?.flushNext();
    await committer?.commit([]);
    const isCancelled = this.#watch.current.desired === "cancelled";
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

async function doneStages(ctx: RunContext, stages: Stage[]): Promise<Set<string>> {
  const done = new Set<string>();
  for (const stage of stages) {
    if (await ctx.note(stageNote(stage.name)) !== null) done.add(stage.name);
  }
  return done;
}
