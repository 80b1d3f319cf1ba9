/**
 * Group commit: every unit of work hands in its changes and waits; all that came in while the last
 * transaction was running go into the next one. Intents of creates in flight thus share one fsync.
 * @module
 */
import type { Change, Lease, Store } from "../ports/mod.ts";
import { LeaseLostError, StoreError } from "../errors.ts";

interface Waiting {
  changes: Change[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Most changes in one transaction: keeps a commit short enough not to block the event loop. */
const MAX_CHANGES = 400;

export class Committer {
  readonly #store: Store;
  readonly #lease: Lease;
  /** Asked before each transaction for changes that should ride along (request counters). */
  readonly #riders: () => Change[];
  #queue: Waiting[] = [];
  #draining: Promise<void> | null = null;
  #broken: unknown = null;

  constructor(store: Store, lease: Lease, riders: () => Change[] = () => []) {
    this.#store = store;
    this.#lease = lease;
    this.#riders = riders;
  }

  /** Resolves when the changes are durable; rejects when they are certainly not applied. */
  commit(changes: Change[]): Promise<void> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#queue.push({ changes, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing is waiting. */
  async settled(): Promise<void> {
    while (this.#draining !== null) await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // A turn of the event loop lets units that finish together share a transaction.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const group = this.#take();
      try {
        await this.#apply(group.flatMap((waiting) => waiting.changes));
        for (const waiting of group) waiting.resolve();
      } catch (error) {
        await this.#separate(group, error);
      }
    }
    // In the same turn as the last look at the queue: what comes later starts a new drain.
    this.#draining = null;
  }

  #take(): Waiting[] {
    let changes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      if (count > 0 && changes + waiting.changes.length > MAX_CHANGES) break;
      changes += waiting.changes.length;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #apply(changes: Change[]): Promise<void> {
    if (this.#broken !== null) throw this.#broken;
    await this.#store.apply(this.#lease, [...changes, ...this.#riders()]);
  }

  /** A group failed: find the unit at fault, so that one bad record does not take others along. */
  async #separate(group: Waiting[], error: unknown): Promise<void> {
    const isFatal = error instanceof LeaseLostError ||
      (error instanceof StoreError && error.state !== "other");
    if (isFatal) this.#broken = error;
    if (isFatal || group.length === 1) {
      for (const waiting of group) waiting.reject(error);
      return;
    }
    for (const waiting of group) {
      try {
        await this.#apply(waiting.changes);
        waiting.resolve();
      } catch (cause) {
        if (cause instanceof LeaseLostError) this.#broken = cause;
        waiting.reject(cause);
      }
    }
  }
}
