/** What a simulated server saw, for tests and for people. @module */
import { hashText } from "./random.ts";

/** Snapshot of a log; plain JSON. */
export interface RequestStats {
  /** All requests, refused and failed ones included. */
  total: number;
  /** Requests per `METHOD /path/{param}`. */
  byRoute: Record<string, number>;
  byStatus: Record<string, number>;
  /** Answers with status 429. */
  rateLimited: number;
  /** Requests with a method other than GET and HEAD. */
  writes: number;
  /** Most requests that arrived within any 60 s. */
  peakPerMinute: number;
  /** Same, without those answered 429. */
  peakAcceptedPerMinute: number;
  /** Most requests in flight at once. */
  peakConcurrency: number;
  /** Requests for a method and URL that had been asked before. */
  duplicates: number;
}

export interface RequestLog {
  /** Notes an arrival; call the result once with the status that was answered. */
  begin(request: { method: string; route: string; url: string }): (status: number) => void;
  stats(): RequestStats;
  /** Forgets everything seen so far; requests in flight stay counted as in flight. */
  reset(): void;
  /** Latest requests, oldest first, at most 1,000. */
  recent(): { method: string; route: string; url: string; status: number; atMs: number }[];
}

const RECENT = 1_000;

/** Creates an empty log. `now` gives milliseconds of a clock that only goes forward. */
export function createRequestLog(now: () => number = () => performance.now()): RequestLog {
  return new Log(now);
}

class Log implements RequestLog {
  #now: () => number;
  #inFlight = 0;
  #stats = emptyStats();
  #seen = new Set<number>();
  #all = new RollingPeak();
  #accepted = new RollingPeak();
  #recent: ReturnType<RequestLog["recent"]> = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(request: { method: string; route: string; url: string }): (status: number) => void {
    const atMs = this.#now();
    const stats = this.#stats;
    stats.total++;
    const route = `${request.method} ${request.route}`;
    stats.byRoute[route] = (stats.byRoute[route] ?? 0) + 1;
    if (request.method !== "GET" && request.method !== "HEAD") stats.writes++;
    stats.peakPerMinute = Math.max(stats.peakPerMinute, this.#all.add(atMs));
    stats.peakConcurrency = Math.max(stats.peakConcurrency, ++this.#inFlight);
    // 52 bits of two hashes instead of the URL itself: half a million requests stay small.
    const text = `${request.method} ${request.url}`;
    const id = hashText(text) * 1_048_576 + (hashText(text, 7) & 0xfffff);
    if (this.#seen.has(id)) stats.duplicates++;
    else this.#seen.add(id);
    let open = true;
    return (status) => {
      if (!open) return;
      open = false;
      this.#inFlight--;
      this.#finish(request, status, atMs, stats);
    };
  }

  #finish(
    request: { method: string; route: string; url: string },
    status: number,
    atMs: number,
    stats: RequestStats,
  ): void {
    stats.byStatus[status] = (stats.byStatus[status] ?? 0) + 1;
    if (status === 429) stats.rateLimited++;
    else {
      stats.peakAcceptedPerMinute = Math.max(
        stats.peakAcceptedPerMinute,
        this.#accepted.add(atMs),
      );
    }
    this.#recent.push({ ...request, status, atMs });
    if (this.#recent.length >= 2 * RECENT) this.#recent.splice(0, RECENT);
  }

  stats(): RequestStats {
    return structuredClone(this.#stats);
  }

  reset(): void {
    this.#stats = emptyStats();
    this.#seen.clear();
    this.#all = new RollingPeak();
    this.#accepted = new RollingPeak();
    this.#recent = [];
  }

  recent(): ReturnType<RequestLog["recent"]> {
    return this.#recent.slice(-RECENT);
  }
}

/** Times of the last 60 s. */
class RollingPeak {
  #times: number[] = [];
  #head = 0;

  /** Adds a time and returns how many lie within the 60 s that end with it. */
  add(time: number): number {
    this.#times.push(time);
    while ((this.#times[this.#head] ?? time) <= time - 60_000) this.#head++;
    if (this.#head > 65_536) {
      this.#times.splice(0, this.#head);
      this.#head = 0;
    }
    return this.#times.length - this.#head;
  }
}

function emptyStats(): RequestStats {
  return {
    total: 0,
    byRoute: {},
    byStatus: {},
    rateLimited: 0,
    writes: 0,
    peakPerMinute: 0,
    peakAcceptedPerMinute: 0,
    peakConcurrency: 0,
    duplicates: 0,
  };
}
