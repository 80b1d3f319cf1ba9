/**
 * Creates artefacts of one kind, each exactly once: pulls open rows, sends those whose parents are
 * there, as many at once as allowed, and settles unknown outcomes by looking them up.
 * @module
 */
import type { DraftKind } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { unit } from "../engine/stage.ts";
import type { Ready } from "./creator.ts";
import { Creator, sendAgain } from "./creator.ts";
import { prepare } from "./prepare.ts";
import type { Settled } from "./reconcile.ts";
import { Reconciler } from "./reconcile.ts";
import { setAsideRow } from "./set_aside.ts";
import type { Entry } from "./window.ts";
import { RowWindow } from "./window.ts";

export interface LoaderOptions {
  stage: string;
  kind: DraftKind;
  /** Children of one parent one after another, in order: siblings keep their order, logs their time. */
  serial: boolean;
  /** Stages that plan rows of this kind; when they are done and no row is open, the loader is done. */
  planners: string[];
  /** Stages whose progress can make a waiting row ready. */
  wakeOn: string[];
}

export class Loader {
  readonly #ctx: RunContext;
  readonly #options: LoaderOptions;
  readonly #window: RowWindow;
  readonly #creator: Creator;
  readonly #reconciler: Reconciler;
  #busy = 0;
  #done = 0;
  #total = 0;
  #failure: unknown = null;
  #wake: (() => void) | null = null;
  #woken = false;

  constructor(ctx: RunContext, options: LoaderOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#window = new RowWindow(ctx, options);
    this.#creator = new Creator(ctx, options.kind, {
      ended: (entry) => this.#finish(entry),
      doubted: (row) => this.#reconciler.add(row),
    });
    this.#reconciler = new Reconciler(ctx, options.kind, {
      settled: (key, outcome) => this.#settled(key, outcome),
      failed: (error) => this.#fail(error),
      looked: () => this.#signal(),
    });
  }

  /** Works until every planned row is loaded, set aside, or the run is stopping. */
  async run(): Promise<boolean> {
    const { topics } = this.#ctx;
    await this.#countTotal();
    for (;;) {
      const since = topics.version;
      if (this.#failure !== null || this.#ctx.stopping()) {
        await this.#drain();
        if (this.#failure !== null) throw this.#failure;
        return false;
      }
      for (const row of await this.#window.refill()) this.#reconciler.add(row);
      await this.#startReady(since);
      this.#reconciler.lookDue();
      if (this.#isFinished()) return true;
      if (await this.#giveUpOnDeadlock(since)) continue;
      await this.#pause(since);
    }
  }

  #isFinished(): boolean {
    return this.#window.isExhausted && this.#busy === 0 && this.#reconciler.looking === 0;
  }

  async #countTotal(): Promise<void> {
    const own = await this.#ctx.store.countTargets(this.#ctx.scope.id, this.#options.kind);
    const ended = own.filter((row) => ["loaded", "setAside", "withoutTarget"].includes(row.state));
    this.#total = own.reduce((sum, row) => sum + row.count, 0);
    this.#done = ended.reduce((sum, row) => sum + row.count, 0);
    this.#report();
  }

  #report(): void {
    const total = Math.max(this.#total, this.#done);
    this.#ctx.progress(this.#options.stage, { done: this.#done, total });
  }

  /** Starts what is ready, as far as the concurrency allows. */
  async #startReady(since: number): Promise<void> {
    const { ctx, limit } = { ctx: this.#ctx, limit: this.#concurrency() };
    // Starting a few at a time lets them share reads and commits.
    if (this.#busy > limit / 2 || ctx.noMoreCreates()) return;
    const candidates = this.#window.candidates(since).slice(0, limit);
    if (candidates.length === 0) return;
    const prepared = await prepare(ctx, this.#options.kind, candidates.map((entry) => entry.row));
    for (const entry of candidates) {
      // Something failed meanwhile: nothing new is begun.
      if (this.#failure !== null) return;
      const result = prepared.get(entry.row.key);
      if (result === undefined) await this.#setAsideOrphan(entry);
      else if (result.state === "wait") {
        Object.assign(entry, { state: "waiting", checkedAt: since });
      } else if (result.state === "setAside") await this.#setAsideChild(entry, result.parent);
      else if (this.#busy < limit) this.#start(entry, result);
    }
  }

  #concurrency(): number {
    return this.#ctx.settings.target.concurrency * 2;
  }

  async #setAsideChild(entry: Entry, parent: string): Promise<void> {
    await setAsideRow(
      this.#ctx,
      entry.row,
      "parent-set-aside",
      `${this.#options.kind} "${entry.row.key}" waits for ${parent}, which is set aside`,
      null,
    );
    this.#finish(entry);
  }

  async #setAsideOrphan(entry: Entry): Promise<void> {
    const { row } = entry;
    const why = `${row.kind} "${row.key}" is planned but its source record is no longer stored`;
    await setAsideRow(this.#ctx, row, "record-missing", why, null);
    this.#finish(entry);
  }

  /** Rows that wait for something that will never come are set aside: a run always ends. */
  async #giveUpOnDeadlock(since: number): Promise<boolean> {
    const { isDone, noMoreCreates, topics } = this.#ctx;
    const mayMove = this.#busy > 0 || this.#reconciler.size > 0 || topics.version !== since ||
      !this.#window.isPlanned() || !this.#options.wakeOn.every((stage) => isDone(stage)) ||
      noMoreCreates() || this.#window.candidates(since).length > 0;
    if (mayMove) return false;
    const waiting = this.#window.waiting();
    // What they wait for may be a row of this kind further on.
    if (waiting.length > 0 && this.#window.widen()) return true;
    for (const entry of waiting) {
      const why = `${entry.row.kind} "${entry.row.key}" waits for something that is not there`;
      await setAsideRow(this.#ctx, entry.row, "dependency-missing", why, null);
      this.#finish(entry);
    }
    return waiting.length > 0;
  }

  #start(entry: Entry, ready: Ready): void {
    entry.state = "busy";
    this.#busy++;
    unit(this.#ctx, this.#options.stage, entry.row.key, () => this.#creator.send(entry, ready))
      // The entry stays busy: its request may have left, so only another process may look at it.
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#busy--;
        this.#signal();
      });
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#signal();
  }

  #finish(entry: Entry): void {
    this.#window.end(entry.row.key);
    this.#done++;
    this.#report();
    this.#ctx.topics.bump(this.#options.stage);
    this.#signal();
  }

  async #settled(key: string, outcome: Settled): Promise<void> {
    const entry = this.#window.get(key);
    if (entry === undefined) return;
    if (outcome === "absent") {
      sendAgain(entry);
      return;
    }
    this.#finish(entry);
    const isDashed = entry.dashed || entry.row.detail.dashed === true;
    if (outcome === "adopted" && isDashed) await this.#creator.keepDashes(entry.row);
  }

  #signal(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Waits for an outcome, for another stage, or for the next look-up. */
  async #pause(since: number): Promise<void> {
    const isUnchecked = this.#busy === 0 && !this.#ctx.noMoreCreates() &&
      this.#window.candidates(since).length > 0;
    if (this.#woken || isUnchecked) {
      this.#woken = false;
      // Let outcomes that are due in this turn arrive together.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#woken = false;
      return;
    }
    const own = new Promise<void>((resolve) => this.#wake = resolve);
    const hasWaiting = this.#busy < this.#concurrency();
    const others = this.#ctx.topics.wait(
      hasWaiting ? [...this.#options.wakeOn, ...this.#options.planners, this.#options.stage] : [],
      since,
      this.#reconciler.nextLookMs(1_000),
    );
    await Promise.race([own, others]);
    this.#wake = null;
    this.#woken = false;
  }

  /** Waits for the creates and look-ups in flight. */
  async #drain(): Promise<void> {
    while (this.#busy > 0 || this.#reconciler.looking > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 100);
      });
    }
  }
}
