/** Ties the slots of a system to what its answers say about its limits. @module */
import { LimitBackoff, Pace, retryAfterMs } from "./pace.ts";
import { Quota } from "./quota.ts";
import { Slots } from "./slots.ts";
import type { Counters } from "./stats.ts";
import type { HttpOptions } from "./types.ts";

/** The pace of one system, shared by all its requests. */
export class Limits {
  readonly slots: Slots;
  readonly #options: HttpOptions;
  readonly #counters: Counters;
  readonly #pace: Pace;
  readonly #quota = new Quota();
  readonly #backoff = new LimitBackoff();

  constructor(options: HttpOptions, counters: Counters) {
    this.#options = options;
    this.#counters = counters;
    this.#pace = new Pace(options.requestsPerMinute);
    this.slots = new Slots(options.clock, {
      concurrency: options.concurrency ?? 8,
      intervalMs: this.#pace.intervalMs,
    });
  }

  /** The rate aimed at now, requests a minute; Infinity = unlimited. */
  get perMinute(): number {
    return this.#pace.perMinute;
  }

  /** Requests left this month as last told. */
  get monthRemaining(): number | null {
    return this.#quota.monthRemaining(this.#options.clock.now());
  }

  /** Changes the limit, requests a minute, 0 = unlimited; the next slot follows it. */
  setRequestsPerMinute(value: number): void {
    checkRate(value);
    this.#pace.set(value);
    this.slots.setInterval(this.#pace.intervalMs);
  }

  /** Learns from the status and headers of an answer. */
  answered(
    answer: { status: number; headers: Headers },
    sent: { sentMs: number; sentWallMs: number },
  ): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const advice = this.#quota.answered(answer, sent.sentWallMs, clock.now());
    if (advice.cap) this.slots.cap(advice.cap.intervalMs, nowMs + advice.cap.forMs);
    const toldMs = answer.status === 429 ? retryAfterMs(answer.headers, clock.now()) : null;
    if (answer.status === 429) this.#limited(sent.sentMs, toldMs);
    else {
      this.#pace.answered();
      this.#backoff.answered(sent.sentMs);
    }
    // A Retry-After is more exact than a guess at the vendor's window, and a refusal may be no more
    // than a burst: it is asked again soon, and at the minute's end at the latest.
    const trusts = answer.status !== 429 || (advice.sure && !toldMs);
    if (advice.waitMs !== null && trusts) {
      this.slots.block(
        nowMs + advice.waitMs,
        `${this.#options.name} has no requests left this minute`,
      );
    }
    this.slots.setInterval(this.#pace.intervalMs);
  }

  #limited(sentAtMs: number, toldMs: number | null): void {
    const { clock, name, system, log } = this.#options;
    const nowMs = clock.monotonic();
    const wallMs = clock.now();
    const waitMs = this.#backoff.limited({ nowMs, sentAtMs, wallMs, retryAfterMs: toldMs });
    this.#pace.limited(nowMs, sentAtMs, this.#counters.recentPerMinute(nowMs));
    this.slots.block(nowMs + waitMs, `${name} answered 429`);
    log?.({ level: "info", event: "http.limited", data: { system, waitMs: Math.round(waitMs) } });
  }
}

/** Refuses rates that make no sense; a programmer's or a caller's mistake, not a vendor's. */
export function checkRate(value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw new RangeError(`Requests per minute must be 0 (unlimited) or more, not ${value}`);
}
