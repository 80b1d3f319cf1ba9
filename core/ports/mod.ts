/**
 * The ports of the core, and the words used in them.
 *
 * - **source / target**: the system read from / written to.
 * - **record**: one domain item of the source; its **kind** says which.
 * - **artefact**: one thing in the target.
 * - **page**: the vendor's unit of answer. **batch**: our unit of work and of commit.
 * - **cursor**: opaque place in the source; only the adapter that made it reads it.
 * - **checkpoint**: durable note of what is already applied, saved with its batch.
 * - **target map**: pairs source key → target id with the state of each.
 * - **set aside**: a record kept with its reason, retryable. **loss**: a value without a place.
 * - **in doubt**: a write whose outcome is unknown. **slot**: permission to send one request.
 * @module
 */
export * from "./source.ts";
export * from "./target.ts";
export * from "./store.ts";

/** Time, as a parameter. `now` is wall time (may jump), `monotonic` never goes back. Both in ms. */
export interface Clock {
  now(): number;
  monotonic(): number;
  /** Resolves after `ms`; rejects with `signal.reason` when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Bytes of attachments, addressed by SHA-256 (hex). Writing the same bytes twice is one blob. */
export interface Blobs {
  /** Streams to durable storage; returns after fsync. Rejects and leaves nothing behind on failure or above `maxBytes`. */
  put(
    body: ReadableStream<Uint8Array>,
    options?: { maxBytes?: number },
  ): Promise<{ sha256: string; size: number }>;
  open(sha256: string): Promise<ReadableStream<Uint8Array>>;
  has(sha256: string): Promise<boolean>;
  /** Copies a blob to a readable place for people (report folder) and returns where. */
  export(sha256: string, relativePath: string): Promise<string>;
}

/** One line of progress, for any listener. */
export interface Progress {
  at: number;
  phase: Phase;
  /** Stage name, `extract.testCase`, `load.testRun` … */
  stage: string;
  done: number;
  total: number | null;
  /** Records per second over the last 30 s. */
  rate: number;
  etaMs: number | null;
  /** Why nothing moves right now, when that is so. */
  waiting: string | null;
}
import type { Phase } from "./store.ts";

/** Counters of requests of one system in this process. */
export interface RequestStats {
  total: number;
  /** `METHOD /path/{param}` → count of attempts sent. */
  byRoute: Record<string, number>;
  /** route → HTTP status or `error` → count. */
  byStatus: Record<string, Record<string, number>>;
  retried: number;
  rateLimited: number;
  /** Most attempts sent in any 60 s. */
  peakPerMinute: number;
  /** Attempts waiting for a slot. */
  queued: number;
  /** Why requests wait, when they do. */
  waiting: string | null;
  /** Requests left this month as the vendor last said. */
  monthRemaining: number | null;
}

/** Rate and statistics of one system; effective on the next request. */
export interface Traffic {
  stats(): RequestStats;
  setRequestsPerMinute(value: number): void;
}
