/** What rides along with the commits of a run: request counts, working time, time per phase. @module */
import type { Change, Run, Store } from "../ports/mod.ts";
import { PhaseTimer } from "./phase_timer.ts";
import { noteName, PHASE_TIMES_NOTE } from "./summary.ts";
import type { TrafficNote } from "./traffic_log.ts";
import { TRAFFIC_NOTE, TrafficLog } from "./traffic_log.ts";
import type { Services } from "./types.ts";

const FLUSH_MS = 1_000;
/** Requests are kept sooner: what a killed process sent since is not counted. */
const TRAFFIC_MS = 100;

export class Counters {
  readonly #run: Run;
  readonly #clock: Services["clock"];
  readonly #traffic: TrafficLog;
  readonly #timer: PhaseTimer;
  readonly #startedAt: number;
  readonly #workedBefore: number;
  #flushedAt = -Infinity;
  #trafficAt = -Infinity;

  private constructor(run: Run, services: Services, traffic: TrafficLog, timer: PhaseTimer) {
    this.#run = run;
    this.#clock = services.clock;
    this.#traffic = traffic;
    this.#timer = timer;
    this.#startedAt = services.clock.monotonic();
    this.#workedBefore = run.workedMs;
  }

  /** Goes on from the counts that earlier processes kept. */
  static async open(run: Run, services: Services): Promise<Counters> {
    const read = async (store: Store, note: string): Promise<unknown> =>
      await store.checkpoint(run.scopeId, noteName(run.id, note));
    const base = await read(services.store, TRAFFIC_NOTE) as TrafficNote | null;
    const traffic = new TrafficLog(run.id, services, noteName(run.id, TRAFFIC_NOTE), base);
    const timer = new PhaseTimer(await read(services.store, PHASE_TIMES_NOTE), run);
    return new Counters(run, services, traffic, timer);
  }

  /** Makes the next commit carry the counters whatever the time. */
  flushNext(): void {
    this.#flushedAt = -Infinity;
    this.#trafficAt = -Infinity;
  }

  /** Changes for the commit about to be made; none when the last ones are young. */
  take(): Change[] {
    const now = this.#clock.monotonic();
    return [...this.#takeTraffic(now), ...this.#takeTimes(now)];
  }

  #takeTraffic(now: number): Change[] {
    if (now - this.#trafficAt < TRAFFIC_MS) return [];
    this.#trafficAt = now;
    return this.#traffic.take();
  }

  #takeTimes(now: number): Change[] {
    const run = this.#run;
    if (now - this.#flushedAt < FLUSH_MS && !this.#timer.hasMoved(run)) return [];
    this.#flushedAt = now;
    const sinceMs = now - this.#startedAt;
    run.workedMs = this.#workedBefore + sinceMs;
    return [
      { op: "run", id: run.id, set: { workedMs: Math.round(run.workedMs) } },
      {
        op: "checkpoint",
        name: noteName(run.id, PHASE_TIMES_NOTE),
        value: this.#timer.take(run, sinceMs),
      },
    ];
  }
}
