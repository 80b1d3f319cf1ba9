/** Follows what people ask of a run while it works, from any process: pause, cancel, rates. @module */
import type { Run } from "../ports/mod.ts";
import { describeError } from "../errors.ts";
import { NO_CONTROL, readControl, writeControl } from "./control.ts";
import { parseRateWindows, ratesAt } from "./schedule.ts";
import type { RunControl, Services } from "./types.ts";

const CONTROL_MS = 1_000;
/** Control row: the rates that the schedule asked for last. */
const SCHEDULED = "schedule";

export class ControlWatch {
  readonly #services: Services;
  #control: RunControl = NO_CONTROL;
  /** Rates that the schedule last asked for; null before they were read. */
  #scheduledRates: string | null = null;

  constructor(services: Services) {
    this.#services = services;
  }

  /** What is asked of the run now. */
  get current(): RunControl {
    return this.#control;
  }

  /** Takes over what somebody asks of this run, here or in another process. */
  changed(control: RunControl): void {
    this.#control = control;
    const { source, target, settings } = this.#services;
    source.setRequestsPerMinute(control.limits.source ?? settings.source.requestsPerMinute);
    target.setRequestsPerMinute(control.limits.target ?? settings.target.requestsPerMinute);
  }

  /** Reads the control row every second; returns how to stop. */
  start(run: Run): () => Promise<void> {
    const stop = new AbortController();
    const running = this.#follow(run, stop.signal);
    return async () => {
      stop.abort();
      await running;
    };
  }

  async #follow(run: Run, signal: AbortSignal): Promise<void> {
    const { clock, store } = this.#services;
    while (!signal.aborted) {
      try {
        await this.#followSchedule(run);
        const control = await readControl(store, run.id);
        if (JSON.stringify(control) !== JSON.stringify(this.#control)) this.changed(control);
        await clock.sleep(CONTROL_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        // A store that is away for a moment: the next commit will tell.
        this.#services.log({
          level: "debug",
          event: "run.controlUnreadable",
          data: { message: describeError(error).message },
        });
        await clock.sleep(CONTROL_MS, signal).catch(() => undefined);
      }
    }
  }

  /** Asks for the rates of `limits.schedule` when a window begins or ends; a change by hand holds until then. */
  async #followSchedule(run: Run): Promise<void> {
    const { clock, settings, store } = this.#services;
    const windows = parseRateWindows(settings.limits.schedule);
    const { source, target } = ratesAt(windows, clock.now());
    const rates = `${source}/${target}`;
    // Kept with the run: a window may end, or rates be set by hand, while nothing works on it.
    this.#scheduledRates ??= String((await store.controls(run.id))[SCHEDULED] ?? "null/null");
    if (rates === this.#scheduledRates) return;
    await writeControl(store, run.id, { limits: { source, target } });
    await store.requestControl(run.id, SCHEDULED, rates);
    this.#scheduledRates = rates;
  }
}
