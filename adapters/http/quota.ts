/**
 * What `x-ratelimit-remaining-minute` and `-month` say, and what follows from it.
 *
 * The vendor's window is either a calendar minute (Kong's) or one that flows: a sliding window or a
 * bucket. In the first the remainder divided by the time left is the rate that fits; in the second a
 * small remainder is normal and says nothing. Which one it is shows when a minute ends, for only the
 * calendar refills at once, or when a remainder grows in the middle of a minute. Until then it is
 * taken for a calendar, but asked again soon.
 * @module
 */

/** Samples this near the edge of a minute may belong to either side, ms. */
const EDGE_MS = 1_000;
/** A clock difference below this is the resolution of the Date header, not an offset, ms. */
const DATE_RESOLUTION_MS = 2_000;

/** Longest wait for a new minute while it is not certain that the vendor counts in minutes, ms. */
const UNSURE_MS = 3_000;

/** What to do before the next request; null where nothing. Times are from now, ms. */
export interface QuotaAdvice {
  /** Nothing may be sent for so long. */
  waitMs: number | null;
  /** Whether that is certain enough to outweigh asking again soon after a 429. */
  sure: boolean;
  /** Not faster than this interval for `forMs`. */
  cap: { intervalMs: number; forMs: number } | null;
}

const NOTHING: QuotaAdvice = { waitMs: null, sure: false, cap: null };

/** Follows the rate headers of one system. */
export class Quota {
  #month: { remaining: number; of: number } | null = null;
  #last: { minute: number; remaining: number; wallMs: number } | null = null;
  #highest = 0;
  #window: "unknown" | "calendar" | "flowing" = "unknown";
  /** Minute in which a wait was cut short to ask again. */
  #askedIn: number | null = null;
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
  answered(
    answer: { status: number; headers: Headers },
    sentWallMs: number,
    wallMs: number,
  ): QuotaAdvice {
    const { status, headers } = answer;
    const month = readCount(headers, "x-ratelimit-remaining-month");
    if (month !== null) this.#month = { remaining: month, of: monthOf(wallMs) };
    const remaining = readCount(headers, "x-ratelimit-remaining-minute");
    if (remaining === null) return NOTHING;
    const offsetMs = clockOffset(headers, wallMs);
    const [sentMs, nowMs] = [sentWallMs + offsetMs, wallMs + offsetMs];
    const minute = minuteOf(nowMs);
    const certain = minuteOf(sentMs - EDGE_MS) === minute && minuteOf(nowMs + EDGE_MS) === minute;
    // What a refusal says of the remainder may be about the burst, not about the minute.
    if (certain && status !== 429) this.#learn(minute, remaining, sentMs, nowMs);
    if (remaining <= 0 && minuteOf(sentMs) === minute) return this.#usedUp(status, nowMs);
    if (this.#window === "flowing") {
      return { ...NOTHING, cap: { intervalMs: 0, forMs: 0 } };
    }
    if (!certain || remaining <= 0) return NOTHING;
    const leftMs = 60_000 - (nowMs % 60_000);
    const intervalMs = this.#bounded(leftMs / remaining);
    return { ...NOTHING, cap: { intervalMs, forMs: leftMs + 50 } };
  }

  /** Nothing is left: until the minute's end, or until it is worth asking whether that is so. */
  #usedUp(status: number, nowMs: number): QuotaAdvice {
    const minute = minuteOf(nowMs);
    const leftMs = 60_000 - (nowMs % 60_000) + 50 + this.#random() * 450;
    if (this.#window === "flowing") return NOTHING;
    const sure = this.#window === "calendar" || (status === 429 && this.#askedIn === minute);
    if (!sure && status !== 429) this.#askedIn = minute;
    return { waitMs: sure ? leftMs : this.#bounded(leftMs), sure, cap: null };
  }

  #bounded(ms: number): number {
    return this.#window === "calendar" ? ms : Math.min(ms, UNSURE_MS);
  }

  #learn(minute: number, remaining: number, sentMs: number, nowMs: number): void {
    const before = this.#last;
    this.#highest = Math.max(this.#highest, remaining);
    const next = before !== null && minute === before.minute + 1;
    if (next && before.remaining < this.#highest * 0.9) {
      const refilled = remaining > before.remaining + this.#highest * 0.05;
      this.#window = refilled ? "calendar" : "flowing";
    }
    // Asked after the other was answered, and more is left: it flows back by and by.
    const grew = before !== null && minute === before.minute && sentMs > before.wallMs &&
      remaining > before.remaining;
    if (grew) this.#window = "flowing";
    // Answers overtake each other: within a minute the lowest is the newest.
    const lowest = before !== null && before.minute === minute && this.#window !== "flowing"
      ? Math.min(before.remaining, remaining)
      : remaining;
    const isNewest = before === null || before.minute !== minute || lowest < before.remaining ||
      this.#window === "flowing";
    if (isNewest) this.#last = { minute, remaining: lowest, wallMs: nowMs };
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
