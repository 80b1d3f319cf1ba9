/**
 * The tenant's request budgets: per minute and per month.
 * @module
 */
import { createRateLimit, type RateLimit } from "../../simulator_kit/mod.ts";
import type { QtestSwitches } from "./switches.ts";

/** Says of each request whether it fits, and what its answer's headers are. */
export class Budget {
  readonly #limit: RateLimit | null;
  readonly #counted: CountedWindow | null;
  readonly #switches: QtestSwitches;
  readonly #monthLimit: number;
  #monthUsed = 0;

  constructor(
    options: {
      requestsPerMinute: number;
      monthLimit: number;
      switches: QtestSwitches;
      now: () => number;
    },
  ) {
    const { requestsPerMinute, switches, now } = options;
    this.#switches = switches;
    this.#monthLimit = options.monthLimit;
    const countsRefused = switches.count429 && switches.rateWindow === "sliding";
    this.#counted = countsRefused && requestsPerMinute > 0
      ? new CountedWindow(requestsPerMinute, now)
      : null;
    this.#limit = this.#counted === null && requestsPerMinute > 0
      ? createRateLimit({ requestsPerMinute, window: switches.rateWindow, now })
      : null;
  }

  /** Takes one request from both budgets. */
  take(): { isAllowed: boolean; headers: Record<string, string> } {
    const monthLeft = this.#monthLimit - this.#monthUsed;
    const verdict = this.#counted?.take() ?? this.#limit?.take();
    const isAllowed = monthLeft > 0 && verdict?.allowed !== false;
    if (isAllowed || this.#switches.count429) this.#monthUsed++;
    const headers: Record<string, string> = {
      "x-ratelimit-remaining-month": String(Math.max(0, this.#monthLimit - this.#monthUsed)),
    };
    if (verdict !== undefined) {
      headers["x-ratelimit-remaining-minute"] = String(Math.max(0, verdict.remaining));
    }
    if (!isAllowed) this.#addRetryAfter(headers, verdict?.retryAfterMs ?? 60_000);
    return { isAllowed, headers };
  }

  #addRetryAfter(headers: Record<string, string>, waitMs: number): void {
    if (this.#switches.retryAfter === "seconds") {
      headers["retry-after"] = String(Math.max(1, Math.ceil(waitMs / 1000)));
    }
    if (this.#switches.retryAfter === "zero") headers["retry-after"] = "0";
  }
}

/** A sliding minute in which refused requests count as well: hammering never gets through. */
class CountedWindow {
  readonly #perMinute: number;
  readonly #now: () => number;
  #times: number[] = [];
  #head = 0;

  constructor(perMinute: number, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  take(): { allowed: boolean; remaining: number; retryAfterMs: number } {
    const time = this.#now();
    while ((this.#times[this.#head] ?? Infinity) <= time - 60_000) this.#head++;
    if (this.#head > 4096) {
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
    this.#times.push(time);
    const used = this.#times.length - this.#head;
    const freeing = this.#times[this.#times.length - this.#perMinute] ?? time;
    return {
      allowed: used <= this.#perMinute,
      remaining: this.#perMinute - used,
      retryAfterMs: used < this.#perMinute ? 0 : freeing + 60_000 - time,
    };
  }
}
