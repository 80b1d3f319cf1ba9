/**
 * Holds a scope for this process. The lease row carries an epoch that every store write is
 * conditional on; before each write to the target the owner also checks how old its last heartbeat
 * is on the monotonic clock, so that a process that was stopped for long sends nothing more.
 * @module
 */
import type { Clock, Lease, LeaseRow, Store } from "../ports/mod.ts";
import type { Host } from "./types.ts";
import { LeaseHeldError, LeaseLostError } from "../errors.ts";

/** A dead owner on another host is taken over after this. */
export const LEASE_MS = 28_000;
const HEARTBEAT_MS = 5_000;

export class LeaseKeeper {
  readonly lease: Lease;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onLost: (error: unknown) => void;
  #lastBeat: number;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;

  private constructor(
    store: Store,
    clock: Clock,
    lease: Lease,
    startedAt: number,
    onLost: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.lease = lease;
    this.#lastBeat = startedAt;
    this.#onLost = onLost;
    this.#loop = this.#beat();
  }

  /** Takes the lease or throws {@linkcode LeaseHeldError} that names the holder. */
  static async acquire(
    store: Store,
    clock: Clock,
    host: Host,
    scopeId: number,
    onLost: (error: unknown) => void,
  ): Promise<LeaseKeeper> {
    const startedAt = clock.monotonic();
    const owner = `${host.hostname}:${host.pid}:${crypto.randomUUID()}`;
    const isDead = (row: LeaseRow): boolean =>
      row.host === host.hostname && row.pid !== host.pid && !host.isAlive(row.pid);
    const taken = await store.acquireLease({
      scopeId,
      owner,
      host: host.hostname,
      pid: host.pid,
      now: instant(clock.now()),
      expiresAt: instant(clock.now() + LEASE_MS),
    }, isDead);
    if (taken.lease === null) {
      throw new LeaseHeldError(
        `Cannot work on this migration: process ${taken.holder.pid} on ${taken.holder.host} holds it`,
        {
          hint:
            "Wait for it to end, or stop it; a dead owner is taken over within 30 seconds. `ztoq status` shows the run.",
        },
      );
    }
    return new LeaseKeeper(store, clock, taken.lease, startedAt, onLost);
  }

  /** Throws when the last heartbeat is older than half the lease: another owner may exist by now. */
  assertFresh(): void {
    const age = this.#clock.monotonic() - this.#lastBeat;
    if (age <= LEASE_MS / 2) return;
    const error = new LeaseLostError(
      `Cannot write to the target: this process has not renewed its lease for ${
        Math.round(age / 1000)
      } s`,
      { hint: "The process was stopped or starved. Run the command again to continue." },
    );
    this.#onLost(error);
    throw error;
  }

  async release(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.#store.releaseLease(this.lease);
  }

  async #beat(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#clock.sleep(HEARTBEAT_MS, signal);
      } catch {
        return; // released
      }
      const startedAt = this.#clock.monotonic();
      try {
        const now = this.#clock.now();
        if (!await this.#store.heartbeat(this.lease, instant(now), instant(now + LEASE_MS))) {
          throw new LeaseLostError("Cannot go on: another process has taken over this migration");
        }
        this.#lastBeat = startedAt;
      } catch (error) {
        if (error instanceof LeaseLostError) {
          this.#onLost(error);
          return;
        }
        // A store that is briefly away: `assertFresh` stops the writes if it stays away.
      }
    }
  }
}

/** ISO with milliseconds. */
export function instant(ms: number): string {
  return new Date(ms).toISOString();
}
