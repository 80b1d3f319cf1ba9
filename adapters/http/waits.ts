/** Says why nothing moves. @module */
import type { Breaker } from "./breaker.ts";
import type { Limits } from "./limits.ts";
import type { HttpOptions } from "./types.ts";

/** Waits for the set rate shorter than this are the normal course of things. */
const WORTH_SAYING_MS = 5_000;

/** Reasons for the waits of one system. */
export class Waits {
  readonly #options: HttpOptions;
  readonly #breaker: Breaker;
  readonly #limits: Limits;
  readonly #pauses = new Set<{ untilMs: number; reason: string }>();

  constructor(options: HttpOptions, parts: { breaker: Breaker; limits: Limits }) {
    this.#options = options;
    this.#breaker = parts.breaker;
    this.#limits = parts.limits;
  }

  /** Waits before a retry, with a reason that completes "…: next try in 4 s". */
  async sleep(ms: number, reason: string, signal: AbortSignal): Promise<void> {
    const pause = { untilMs: this.#options.clock.monotonic() + ms, reason };
    this.#pauses.add(pause);
    try {
      await this.#options.clock.sleep(ms, signal);
    } finally {
      this.#pauses.delete(pause);
    }
  }

  /** One line for people; null when requests flow. */
  describe(): string | null {
    return this.#down() ?? this.#slot() ?? this.#pause();
  }

  #down(): string | null {
    const { outage } = this.#breaker;
    const { slots } = this.#limits;
    const someone = this.#breaker.waiting + slots.queued + slots.inFlight > 0;
    if (outage === null || !someone) return null;
    const since = new Date(outage.sinceWallMs).toISOString().slice(11, 16);
    const next = this.#in(outage.probeAtMs);
    const when = next === null ? "trying now" : `next try in ${next}`;
    return `${this.#options.name} ${outage.problem} since ${since} UTC: ${when}`;
  }

  #slot(): string | null {
    const wait = this.#limits.slots.waiting();
    if (wait === null) return null;
    const next = this.#in(wait.untilMs);
    if (wait.reason !== null) return `${wait.reason}: next request in ${next}`;
    if (wait.untilMs - this.#options.clock.monotonic() < WORTH_SAYING_MS) return null;
    return `${this.#options.name} is paced: next request in ${next}`;
  }

  #pause(): string | null {
    if (this.#limits.slots.inFlight > 0) return null;
    const [first] = [...this.#pauses].sort((a, b) => a.untilMs - b.untilMs);
    if (first === undefined) return null;
    return `${first.reason}: next try in ${this.#in(first.untilMs) ?? "0 s"}`;
  }

  #in(untilMs: number): string | null {
    const leftMs = untilMs - this.#options.clock.monotonic();
    return leftMs <= 0 ? null : `${Math.ceil(leftMs / 1_000)} s`;
  }
}
