/**
 * What `x-ratelimit-remaining-minute` and `-month` say, and what follows from it.
 *
 * The vendor's window is either a calendar minute (Kong's) or a sliding one. In the first the
 * remainder divided by the time left is the rate that fits; in the second a small remainder is
 * normal and says nothing. Which one it is shows when a minute ends: only the calendar refills.
 * @module
 */

/** Samples this near the edge of a minute may belong to either side, ms. */
const EDGE_MS = 1_000;
/** A clock difference below this is the resolution of the Date header, not an offset, ms. */
const DATE_RESOLUTION_MS = 2_000;

/** What to do before the next request; null where nothing. Times are from now, ms. */
export interface QuotaAdvice {
  /** Nothing may be sent for so long. */
  waitMs: number | null;
  /** Not faster than this interval for `forMs`. */
  cap: { intervalMs: number; forMs: number } | null;
}

const NOTHING: QuotaAdvice = { waitMs: null, cap: null };

/** Follows the rate headers of one system. */
export class Quota {
  #month: { remaining: number; of: number } | null = null;
  #last: { minute: number; remaining: number } | null = null;
  #highest = 0;
  #sliding = false;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Requests left this month as last told; null when never told or the month is over. */
  monthRemaining(wallMs: number): number | null {
    return this.#month !== null && this.#month.of === monthOf(wallMs)
      ? this.#month.remaining
      : null;
  }

  /** Takes in the headers of an answer that was asked for at `sentWallMs`. */
  answered(headers: Headers, sentWallMs: number, wallMs: number): QuotaAdvice {
    const month = readCount(headers, "x-ratelimit-remaining-month");
    if (month !== null) this.#month = { remaining: month, of: monthOf(wallMs) };
    const remaining = readCount(headers, "x-ratelimit-remaining-minute");
    if (remaining === null) return NOTHING;
    const offsetMs = clockOffset(headers, wallMs);
    return this.#minute(remaining, sentWallMs + offsetMs, wallMs + offsetMs);
  }

  #minute(remaining: number, sentMs: number, nowMs: number): QuotaAdvice {
    const leftMs = 60_000 - (nowMs % 60_000);
    const minute = minuteOf(nowMs);
    const certain = minuteOf(sentMs - EDGE_MS) === minute && minuteOf(nowMs + EDGE_MS) === minute;
    if (certain) this.#learn(minute, remaining);
    if (remaining <= 0 && minuteOf(sentMs) === minute) {
      return { waitMs: leftMs + 50 + this.#random() * 450, cap: null };
    }
    if (this.#sliding) return { waitMs: null, cap: { intervalMs: 0, forMs: 0 } };
    if (!certain || remaining <= 0) return NOTHING;
    return { waitMs: null, cap: { intervalMs: leftMs / remaining, forMs: leftMs + 50 } };
  }

  #learn(minute: number, remaining: number): void {
    const before = this.#last;
    this.#highest = Math.max(this.#highest, remaining);
    if (before !== null && minute === before.minute + 1 && before.remaining < this.#highest * 0.9) {
      this.#sliding = remaining <= before.remaining + this.#highest * 0.05;
    }
    // Answers overtake each other: within a minute the lowest is the newest.
    const lowest = before !== null && before.minute === minute && !this.#sliding
      ? Math.min(before.remaining, remaining)
      : remaining;
    this.#last = { minute, remaining: lowest };
  }
}

function readCount(headers: Headers, name: string): number | null {
  const value = headers.get(name)?.trim();
  return value && /^-?\d+$/.test(value) ? Number(value) : null;
}

function clockOffset(headers: Headers, wallMs: number): number {
  const server = Date.parse(headers.get("date") ?? "");
  const offsetMs = Number.isNaN(server) ? 0 : server - wallMs;
  return Math.abs(offsetMs) < DATE_RESOLUTION_MS ? 0 : offsetMs;
}

function minuteOf(ms: number): number {
  return Math.floor(ms / 60_000);
}

function monthOf(ms: number): number {
  const date = new Date(ms);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}
