/** Rate limits as servers enforce them. @module */

export interface RateLimitOptions {
  /** Requests per 60 s; 0 = unlimited. */
  requestsPerMinute: number;
  /**
   * `fixed`: calendar minutes of the clock. `sliding`: never more than the limit
   * in any 60 s. `bucket`: refilled evenly, holds `burst`. @default {"bucket"}
   */
  window?: "fixed" | "sliding" | "bucket";
  /** Capacity of the bucket. @default {two seconds' worth, at least 5} */
  burst?: number;
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number;
}

/** What the limiter says about one request. */
export interface RateVerdict {
  allowed: boolean;
  /** Requests per minute; 0 = unlimited. */
  limit: number;
  /** Requests left right now, after this one. */
  remaining: number;
  /** Until the next request would be allowed; 0 when `remaining` is above 0. */
  retryAfterMs: number;
  /** Until the whole limit is available again. */
  resetMs: number;
}

/** Counts requests against a limit. Refused requests do not count against it. */
export interface RateLimit {
  take(): RateVerdict;
  /** Changes the limit; what was already taken stays taken. */
  setRequestsPerMinute(value: number): void;
}

const WINDOW_MS = 60_000;

/** Creates a limiter of the wanted kind. */
export function createRateLimit(options: RateLimitOptions): RateLimit {
  const now = options.now ?? (() => performance.now());
  let limit = options.requestsPerMinute;
  const kind = options.window ?? "bucket";
  const take = kind === "bucket"
    ? bucketTake(now, () => options.burst ?? Math.max(5, Math.ceil(limit / 30)))
    : kind === "fixed"
    ? fixedTake(now)
    : slidingTake(now);
  return {
    take: () =>
      limit <= 0
        ? { allowed: true, limit: 0, remaining: Infinity, retryAfterMs: 0, resetMs: 0 }
        : take(limit),
    setRequestsPerMinute: (value) => {
      limit = value;
    },
  };
}

function bucketTake(now: () => number, burst: () => number): (limit: number) => RateVerdict {
  let level = burst();
  let at = now();
  return (limit) => {
    const perMs = limit / WINDOW_MS;
    const time = now();
    level = Math.min(burst(), level + (time - at) * perMs);
    at = time;
    const allowed = level >= 1;
    if (allowed) level -= 1;
    return {
      allowed,
      limit,
      remaining: Math.floor(level),
      retryAfterMs: level >= 1 ? 0 : Math.ceil((1 - level) / perMs),
      resetMs: Math.ceil((burst() - level) / perMs),
    };
  };
}

function fixedTake(now: () => number): (limit: number) => RateVerdict {
  let start = NaN;
  let used = 0;
  return (limit) => {
    const time = now();
    const minute = Math.floor(time / WINDOW_MS) * WINDOW_MS;
    if (minute !== start) {
      start = minute;
      used = 0;
    }
    const allowed = used < limit;
    if (allowed) used++;
    const resetMs = Math.ceil(start + WINDOW_MS - time);
    return {
      allowed,
      limit,
      remaining: limit - used,
      retryAfterMs: used < limit ? 0 : resetMs,
      resetMs,
    };
  };
}

function slidingTake(now: () => number): (limit: number) => RateVerdict {
  const times: number[] = [];
  let head = 0;
  return (limit) => {
    const time = now();
    while (head < times.length && (times[head] ?? 0) <= time - WINDOW_MS) head++;
    if (head > 4096) {
      times.splice(0, head);
      head = 0;
    }
    const allowed = times.length - head < limit;
    if (allowed) times.push(time);
    const used = times.length - head;
    const freeAt = (times[times.length - limit] ?? time) + WINDOW_MS;
    return {
      allowed,
      limit,
      remaining: Math.max(0, limit - used),
      retryAfterMs: used < limit ? 0 : Math.ceil(freeAt - time),
      resetMs: used === 0 ? 0 : Math.ceil((times[times.length - 1] ?? time) + WINDOW_MS - time),
    };
  };
}
