/**
 * What a system's answers teach about its limit: a pace that falls by a quarter when it answers 429
 * and recovers the faster the longer all is well, and how long to wait after a 429.
 * @module
 */

/** Servers with sliding windows count jitter, so the aim is a little under the limit. */
const AIM = 0.99;
const DROP = 0.75;
/** Never learn less than this, requests a minute. */
const FLOOR_PER_MINUTE = 6;
/** Above this a learned limit of an unlimited system is forgotten. */
const UNLIMITED_PER_MINUTE = 60_000;
/** An unlimited system that was hardly used says nothing with its rate: the usual limit of the vendors. */
const USUAL_PER_MINUTE = 400;
/** Good answers in a row after which the recovery is twice as fast as at first. */
const CONFIDENCE = 20;
/** How much longer each wait is than the one before, while one 429 follows another … */
const GROWTH = 1.5;
/** … after so many of one second: most refusals are bursts that are over at once. */
const EVEN_WAITS = 6;
/** Longest wait after a 429 that says nothing of when to come back, ms. */
const MAX_BLIND_WAIT_MS = 16_000;

/** The rate to send at: the set one, or the learned one when that is lower. */
export class Pace {
  #setPerMinute: number;
  #learnedPerMinute: number | null = null;
  #droppedAtMs = -Infinity;
  /** Good answers since the last drop. */
  #fine = Infinity;

  constructor(requestsPerMinute: number) {
    this.#setPerMinute = requestsPerMinute;
  }

  /** Time between two slots, ms; 0 = none. */
  get intervalMs(): number {
    const perMinute = this.perMinute;
    return Number.isFinite(perMinute) ? 60_000 / perMinute : 0;
  }

  /** Requests a minute aimed at; Infinity = unlimited. */
  get perMinute(): number {
    return Math.min(this.#fullPerMinute, this.#learnedPerMinute ?? Infinity);
  }

  /** Sets the limit, requests a minute (0 = unlimited); a lower learned limit stays. */
  set(requestsPerMinute: number): void {
    this.#setPerMinute = requestsPerMinute;
    this.#forgetWhenFull();
  }

  /**
   * Learns from a 429. Requests that were on their way when the pace fell teach nothing new, and
   * neither do those that only asked whether the wait is over.
   * `recentPerMinute`: what was really sent of late, the base when no limit is set.
   */
  limited(nowMs: number, sentAtMs: number, recentPerMinute: number): void {
    if (sentAtMs <= this.#droppedAtMs || this.#fine === 0) return;
    this.#droppedAtMs = nowMs;
    this.#fine = 0;
    const base = Number.isFinite(this.perMinute)
      ? this.perMinute
      : Math.max(recentPerMinute, USUAL_PER_MINUTE);
    const floor = Math.min(FLOOR_PER_MINUTE, this.#fullPerMinute);
    this.#learnedPerMinute = Math.max(floor, base * DROP);
  }

  /** Learns from any other answer: half a percent of the set rate back, 2 % when none is set, then more. */
  answered(): void {
    this.#fine++;
    if (this.#learnedPerMinute === null) return;
    const full = this.#fullPerMinute;
    const step = Number.isFinite(full) ? full * 0.005 : this.#learnedPerMinute * 0.02;
    this.#learnedPerMinute += step * (1 + this.#fine / CONFIDENCE);
    this.#forgetWhenFull();
  }

  get #fullPerMinute(): number {
    return this.#setPerMinute > 0 ? this.#setPerMinute * AIM : Infinity;
  }

  #forgetWhenFull(): void {
    if (this.#learnedPerMinute === null) return;
    if (this.#learnedPerMinute >= Math.min(this.#fullPerMinute, UNLIMITED_PER_MINUTE)) {
      this.#learnedPerMinute = null;
    }
  }
}

/** Grows the wait while one 429 follows another; requests in flight together count as one. */
export class LimitBackoff {
  #level = 0;
  #raisedAtMs = -Infinity;

  /** Any other answer: the limit is over. An answer to a request from before the 429 says nothing. */
  answered(sentAtMs: number): void {
    if (sentAtMs > this.#raisedAtMs) this.#level = 0;
  }

  /**
   * Returns how long to wait after a 429, ms: at least `retryAfterMs`, at least 1 s, growing with
   * jitter while one follows another. Without `retryAfterMs` no longer than to the next minute, where
   * fixed windows reopen.
   */
  limited(options: {
    nowMs: number;
    sentAtMs: number;
    wallMs: number;
    retryAfterMs: number | null;
    random?: () => number;
  }): number {
    const random = options.random ?? Math.random;
    if (options.sentAtMs > this.#raisedAtMs) {
      this.#level++;
      this.#raisedAtMs = options.nowMs;
    }
    const floorMs = Math.min(60_000, 1_000 * GROWTH ** Math.max(0, this.#level - EVEN_WAITS));
    const backoffMs = floorMs * (1 + random() / 4);
    if (options.retryAfterMs !== null) return Math.max(options.retryAfterMs, backoffMs);
    const toMinuteMs = 60_000 - (options.wallMs % 60_000) + random() * 500;
    return Math.max(1_000, Math.min(backoffMs, toMinuteMs, MAX_BLIND_WAIT_MS));
  }
}

/** Reads `Retry-After` (seconds or a date) or `RateLimit-Reset` (seconds), ms; null when absent or unreadable. */
export function retryAfterMs(headers: Headers, wallMs: number): number | null {
  const value = headers.get("retry-after")?.trim() || headers.get("ratelimit-reset")?.trim();
  if (!value) return null;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  if (Number.isNaN(at)) return null;
  // The server's own clock, when told, beats ours.
  const serverNow = Date.parse(headers.get("date") ?? "");
  return Math.max(0, at - (Number.isNaN(serverNow) ? wallMs : serverNow));
}
