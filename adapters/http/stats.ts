/** Counters of the attempts of one system. @module */
import type { RequestStats } from "../../core/ports/mod.ts";

const WINDOW_MS = 60_000;

/** Times of attempts within the last 60 s, in a ring that grows as needed. */
class RollingWindow {
  #times = new Float64Array(1_024);
  #head = 0;
  #size = 0;
  peak = 0;

  add(nowMs: number): void {
    this.#forget(nowMs);
    if (this.#size === this.#times.length) this.#grow();
    this.#times[(this.#head + this.#size) % this.#times.length] = nowMs;
    this.#size++;
    this.peak = Math.max(this.peak, this.#size);
  }

  /** How many lie within the last `ms` (at most 60 s). */
  within(ms: number, nowMs: number): number {
    let count = 0;
    while (count < this.#size) {
      const at = this.#times[(this.#head + this.#size - 1 - count) % this.#times.length] ?? 0;
      if (at <= nowMs - ms) break;
      count++;
    }
    return count;
  }

  #forget(nowMs: number): void {
    while (this.#size > 0 && (this.#times[this.#head] ?? 0) <= nowMs - WINDOW_MS) {
      this.#head = (this.#head + 1) % this.#times.length;
      this.#size--;
    }
  }

  #grow(): void {
    const bigger = new Float64Array(this.#times.length * 2);
    for (let index = 0; index < this.#size; index++) {
      bigger[index] = this.#times[(this.#head + index) % this.#times.length] ?? 0;
    }
    this.#times = bigger;
    this.#head = 0;
  }
}

/** What was sent and answered since the client was made. */
export class Counters {
  readonly #window = new RollingWindow();
  readonly #byRoute: Record<string, number> = {};
  readonly #byStatus: Record<string, Record<string, number>> = {};
  #total = 0;
  #retried = 0;
  #rateLimited = 0;

  /** One attempt leaves at `nowMs` (monotonic). */
  sent(route: string, nowMs: number, again: boolean): void {
    this.#total++;
    if (again) this.#retried++;
    this.#byRoute[route] = (this.#byRoute[route] ?? 0) + 1;
    this.#window.add(nowMs);
  }

  /** Its answer; `error` when there was none. */
  ended(route: string, status: number | "error"): void {
    if (status === 429) this.#rateLimited++;
    const byStatus = this.#byStatus[route] ??= {};
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  }

  /** The rate of the last 10 s, requests a minute. */
  recentPerMinute(nowMs: number): number {
    return this.#window.within(10_000, nowMs) * 6;
  }

  /** A copy of all counters. */
  snapshot(): Omit<RequestStats, "queued" | "waiting" | "monthRemaining"> {
    const byStatus: Record<string, Record<string, number>> = {};
    for (const [route, counts] of Object.entries(this.#byStatus)) byStatus[route] = { ...counts };
    return {
      total: this.#total,
      byRoute: { ...this.#byRoute },
      byStatus,
      retried: this.#retried,
      rateLimited: this.#rateLimited,
      peakPerMinute: this.#window.peak,
    };
  }
}
