/**
 * The breaker: after several failures in a row a system counts as down; then one request at a time
 * probes, with growing pauses, and all others wait for its outcome instead of adding load.
 * @module
 */
import type { Clock } from "../../core/ports/mod.ts";
import { backoffMs } from "./retry.ts";

/** Failures in a row, of any requests, after which a system counts as down. */
export const FAILURES_TO_OPEN = 8;

/** Since when the system is down, what was seen last, and when the next probe is due (monotonic ms). */
export interface Outage {
  sinceMs: number;
  sinceWallMs: number;
  problem: string;
  probeAtMs: number;
}

/** Ends the turn of a request that passed the breaker; later calls do nothing. */
export type Leave = () => void;

/** Breaker of one system. */
export class Breaker {
  readonly #clock: Clock;
  #failures = 0;
  #outage: Outage | null = null;
  #probes = 0;
  #probing = false;
  #lastSuccessMs = -Infinity;
  readonly #waiters = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The outage, while there is one. */
  get outage(): Readonly<Outage> | null {
    return this.#outage;
  }

  /** When the system last answered as it should, monotonic ms. */
  get lastSuccessMs(): number {
    return this.#lastSuccessMs;
  }

  /** Requests held back. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Waits until the system is up or it is this request's turn to probe; returns how to leave, null
   * when `giveUpAtMs` (monotonic) passed first. Rejects with `signal.reason`.
   */
  async enter(
    signal: AbortSignal,
    giveUpAtMs: (outage: Outage) => number,
  ): Promise<{ probe: boolean; leave: Leave } | null> {
    while (this.#outage !== null) {
      signal.throwIfAborted();
      const nowMs = this.#clock.monotonic();
      const endMs = giveUpAtMs(this.#outage);
      if (nowMs >= endMs) return null;
      if (!this.#probing && nowMs >= this.#outage.probeAtMs) return this.#probe();
      const untilMs = this.#probing ? endMs : Math.min(endMs, this.#outage.probeAtMs);
      await this.#change(untilMs - nowMs, signal);
    }
    return { probe: false, leave: () => {} };
  }

  /** An answer that shows the system is up. */
  succeeded(): void {
    this.#failures = 0;
    this.#probes = 0;
    this.#outage = null;
    this.#lastSuccessMs = this.#clock.monotonic();
    this.#notify();
  }

  /** No answer, or a 5xx; `problem` completes "<system> …". Returns true when this opened the breaker. */
  failed(problem: string): boolean {
    this.#failures++;
    const nowMs = this.#clock.monotonic();
    if (this.#outage !== null) {
      this.#outage.problem = problem;
      if (this.#probing) this.#outage.probeAtMs = nowMs + this.#pauseMs();
      return false;
    }
    if (this.#failures < FAILURES_TO_OPEN) return false;
    this.#outage = {
      sinceMs: nowMs,
      sinceWallMs: this.#clock.now(),
      problem,
      probeAtMs: nowMs + this.#pauseMs(),
    };
    return true;
  }

  #probe(): { probe: boolean; leave: Leave } {
    this.#probing = true;
    let left = false;
    const leave = (): void => {
      if (left) return;
      left = true;
      this.#probing = false;
      this.#notify();
    };
    return { probe: true, leave };
  }

  /** Half of it is fixed: a probe that follows at once would be no pause. */
  #pauseMs(): number {
    return backoffMs(++this.#probes, () => 0.5 + Math.random() / 2);
  }

  #notify(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  async #change(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const abort = (): void => over.abort();
    signal.addEventListener("abort", abort, { once: true });
    this.#waiters.add(abort);
    try {
      await this.#clock.sleep(ms, over.signal);
    } catch {
      signal.throwIfAborted();
    } finally {
      this.#waiters.delete(abort);
      signal.removeEventListener("abort", abort);
    }
  }
}
