/** Hands the persisted events of runs in this process to a listener (webhooks), each once. @module */
import { describeError } from "../core/errors.ts";
import type { ControlPlaneServices } from "./services.ts";

const POLL_MS = 1_000;
const PAGE_ROWS = 500;

export class EventWatcher {
  readonly #services: ControlPlaneServices;
  readonly #ends = new Map<string, AbortController>();
  readonly #loops = new Set<Promise<void>>();

  constructor(services: ControlPlaneServices) {
    this.#services = services;
  }

  /** Follows a run until {@linkcode end}; events from before are not told. */
  start(runId: string, since: string): void {
    if (this.#services.onEvent === undefined || this.#ends.has(runId)) return;
    const stop = new AbortController();
    this.#ends.set(runId, stop);
    const loop = this.#follow(runId, since, stop.signal).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  /** The run stopped for now: tells what is left. */
  end(runId: string): void {
    this.#ends.get(runId)?.abort();
    this.#ends.delete(runId);
  }

  async close(): Promise<void> {
    for (const runId of [...this.#ends.keys()]) this.end(runId);
    await Promise.all(this.#loops);
  }

  async #follow(runId: string, since: string, stop: AbortSignal): Promise<void> {
    const { clock, log, onEvent } = this.#services;
    let lastId = 0;
    for (let isLast = false; !isLast;) {
      isLast = stop.aborted;
      try {
        const store = await this.#services.store();
        const rows = await store.events(runId, lastId, PAGE_ROWS);
        for (const row of rows) {
          lastId = row.id;
          if (row.at >= since) await onEvent?.(row);
        }
        if (rows.length === PAGE_ROWS) isLast = false;
      } catch (error) {
        const { message } = describeError(error);
        log({ level: "warning", event: "notification.failed", data: { runId, message } });
      }
      if (!isLast) await clock.sleep(POLL_MS, stop).catch(() => undefined);
    }
  }
}
