/** Hands the persisted events of runs in this process to a listener (webhooks), each once. @module */
import { describeError } from "../core/errors.ts";
import type { EventRow } from "../core/ports/mod.ts";
import type { ControlPlaneServices } from "./services.ts";

const POLL_MS = 1_000;
const PAGE_ROWS = 500;

export class EventWatcher {
  readonly #services: ControlPlaneServices;
  readonly #ends = new Map<string, AbortController>();
  readonly #loops = new Set<Promise<void>>();
  readonly #told = new Set<Promise<void>>();
  readonly #closing = new AbortController();

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

  /** Tells what is left, and waits for the listener. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const runId of [...this.#ends.keys()]) this.end(runId);
    await Promise.all(this.#loops);
    await Promise.all(this.#told);
  }

  /** A listener may take minutes over one event; the next ones are told meanwhile. */
  #tell(event: EventRow): void {
    const { log, onEvent } = this.#services;
    const told = Promise.resolve(onEvent?.(event, this.#closing.signal)).catch((error) => {
      const { message } = describeError(error);
      log({
        level: "warning",
        event: "notification.failed",
        data: { runId: event.runId, message },
      });
    }).finally(() => this.#told.delete(told));
    this.#told.add(told);
  }

  async #follow(runId: string, since: string, stop: AbortSignal): Promise<void> {
    const { clock, log } = this.#services;
    let lastId = 0;
    for (let isLast = false; !isLast;) {
      isLast = stop.aborted;
      try {
        const store = await this.#services.store();
        const rows = await store.events(runId, lastId, PAGE_ROWS);
        for (const row of rows) {
          lastId = row.id;
          if (row.at >= since) this.#tell(row);
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
