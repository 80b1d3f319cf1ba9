/**
 * Slots: permission to send one request. One queue in order of arrival; a slot is granted when the
 * clock allows it and fewer than `concurrency` requests are in flight.
 *
 * Paced by an absolute clock on the injected {@linkcode Clock} (p-throttle has timers of its own
 * and fixed intervals): the next slot is due one interval after the one before, no burst follows
 * idle time, and a new interval counts from the last slot.
 * @module
 */
import type { Clock } from "../../core/ports/mod.ts";

/** How much a late timer may be made good on the next slot, ms: keeps the mean rate, adds no burst. */
const MAX_CARRY_MS = 50;

/** Gives a slot back when the request has its answer. Later calls do nothing. */
export type Release = () => void;

interface Waiter {
  grant: (release: Release) => void;
  fail: (reason: unknown) => void;
}

/** Why the head of the queue waits, and until when (monotonic ms). */
export interface SlotWait {
  untilMs: number;
  /** Null when it is only the set rate. */
  reason: string | null;
}

/** Queue of requests of one system. */
export class Slots {
  readonly #clock: Clock;
  readonly #concurrency: number;
  readonly #queue: Waiter[] = [];
  #intervalMs: number;
  #capIntervalMs = 0;
  #capUntilMs = -Infinity;
  #lastMs = -Infinity;
  #blockedUntilMs = -Infinity;
  #blockReason: string | null = null;
  #inFlight = 0;
  #timer: { dueMs: number; cancel: AbortController } | null = null;

  constructor(clock: Clock, options: { concurrency: number; intervalMs: number }) {
    this.#clock = clock;
    this.#concurrency = options.concurrency;
    this.#intervalMs = options.intervalMs;
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Requests between grant and release. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Waits for a slot, in order of arrival; rejects with `signal.reason` and leaves the queue. */
  acquire(signal: AbortSignal): Promise<Release> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const free = this.#queue.length === 0 && this.#inFlight < this.#concurrency;
    if (free && this.#dueMs() <= this.#clock.monotonic()) {
      this.#lastMs = this.#clock.monotonic();
      return Promise.resolve(this.#take());
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        reject(signal.reason);
        this.#pump();
      };
      const waiter: Waiter = {
        grant: (release) => {
          signal.removeEventListener("abort", abort);
          resolve(release);
        },
        fail: (reason) => {
          signal.removeEventListener("abort", abort);
          reject(reason);
        },
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#queue.push(waiter);
      this.#pump();
    });
  }

  /** Sets the time between slots in ms (0 = none); the next slot is due that long after the last. */
  setInterval(intervalMs: number): void {
    if (intervalMs === this.#intervalMs) return;
    this.#intervalMs = intervalMs;
    this.#pump();
  }

  /** Widens the interval until a moment (monotonic ms); never narrows the one that is set. */
  cap(intervalMs: number, untilMs: number): void {
    this.#capIntervalMs = intervalMs;
    this.#capUntilMs = untilMs;
    this.#pump();
  }

  /** Grants nothing before a moment (monotonic ms). Of two blocks the longer counts. */
  block(untilMs: number, reason: string): void {
    if (untilMs <= this.#blockedUntilMs) return;
    this.#blockedUntilMs = untilMs;
    this.#blockReason = reason;
    this.#pump();
  }

  /** Returns what the head of the queue waits for; null when nobody waits for time. */
  waiting(): SlotWait | null {
    if (this.#queue.length === 0 || this.#inFlight >= this.#concurrency) return null;
    const untilMs = this.#dueMs();
    const nowMs = this.#clock.monotonic();
    if (untilMs <= nowMs) return null;
    return { untilMs, reason: this.#blockedUntilMs > nowMs ? this.#blockReason : null };
  }

  /** Rejects all that wait. */
  close(reason: unknown): void {
    this.#disarm();
    for (const waiter of this.#queue.splice(0)) waiter.fail(reason);
  }

  #dueMs(): number {
    const plain = this.#lastMs + this.#intervalMs;
    const capped = Math.min(this.#lastMs + this.#capIntervalMs, this.#capUntilMs);
    return Math.max(plain, capped, this.#blockedUntilMs);
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#inFlight < this.#concurrency) {
      const dueMs = this.#dueMs();
      const nowMs = this.#clock.monotonic();
      if (dueMs > nowMs) return this.#arm(dueMs, nowMs);
      this.#lastMs = this.#timer?.dueMs === dueMs ? this.#carried(dueMs, nowMs) : nowMs;
      this.#disarm();
      this.#grant();
    }
    this.#disarm();
  }

  /** Only a timer that fired late is made good, never idle time. */
  #carried(dueMs: number, nowMs: number): number {
    const carryMs = Math.min(MAX_CARRY_MS, Math.max(this.#intervalMs / 2, 20));
    return Math.max(dueMs, nowMs - carryMs);
  }

  #grant(): void {
    this.#queue.shift()?.grant(this.#take());
  }

  #take(): Release {
    this.#inFlight++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#inFlight--;
      this.#pump();
    };
  }

  #arm(dueMs: number, nowMs: number): void {
    if (this.#timer?.dueMs === dueMs) return;
    this.#disarm();
    const cancel = new AbortController();
    const timer = { dueMs, cancel };
    this.#timer = timer;
    this.#clock.sleep(dueMs - nowMs, cancel.signal).then(
      () => this.#fired(timer),
      () => {},
    );
  }

  #fired(timer: { dueMs: number }): void {
    if (this.#timer !== timer) return;
    // A timer may fire a fraction of a millisecond early; arming needs a fresh one then.
    if (this.#clock.monotonic() < timer.dueMs) this.#timer = null;
    this.#pump();
  }

  #disarm(): void {
    this.#timer?.cancel.abort("rearmed");
    this.#timer = null;
  }
}
