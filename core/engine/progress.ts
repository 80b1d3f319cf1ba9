/** Counts, rates and estimates of every stage, for any listener. @module */
import type { Clock, Phase, Progress, Traffic } from "../ports/mod.ts";

const WINDOW_MS = 30_000;

interface Track {
  phase: Phase;
  done: number;
  total: number | null;
  waiting: string | null;
  samples: { at: number; done: number }[];
}

export class ProgressTracker {
  readonly #clock: Clock;
  readonly #listener: (progress: Progress) => void;
  readonly #traffic: { source: Traffic; target: Traffic };
  readonly #tracks = new Map<string, Track>();
  /** Listeners need no more than this per stage. */
  readonly #minIntervalMs = 200;
  readonly #lastSent = new Map<string, number>();

  constructor(
    clock: Clock,
    traffic: { source: Traffic; target: Traffic },
    listener: (progress: Progress) => void,
  ) {
    this.#clock = clock;
    this.#traffic = traffic;
    this.#listener = listener;
  }

  update(stage: string, update: Partial<Pick<Progress, "done" | "total" | "waiting">>): void {
    const phase = stage.slice(0, stage.indexOf(".")) as Phase;
    const track = this.#tracks.get(stage) ??
      { phase, done: 0, total: null, waiting: null, samples: [] };
    // People look for the reason of a wait: it never falls into the gap between two reports.
    const isNews = update.waiting !== undefined && update.waiting !== track.waiting;
    Object.assign(track, update);
    this.#tracks.set(stage, track);
    const now = this.#clock.monotonic();
    const isEnd = track.total !== null && track.done >= track.total;
    if (!isEnd && !isNews && now - (this.#lastSent.get(stage) ?? -Infinity) < this.#minIntervalMs) {
      return;
    }
    this.#lastSent.set(stage, now);
    track.samples.push({ at: now, done: track.done });
    while (track.samples.length > 2 && now - (track.samples[0]?.at ?? now) > WINDOW_MS) {
      track.samples.shift();
    }
    this.#listener(this.#snapshot(stage, track));
  }

  all(): Progress[] {
    return [...this.#tracks].map(([stage, track]) => this.#snapshot(stage, track));
  }

  #snapshot(stage: string, track: Track): Progress {
    const first = track.samples[0];
    const last = track.samples.at(-1);
    const span = first === undefined || last === undefined ? 0 : last.at - first.at;
    const rate = span > 0 && first && last ? (last.done - first.done) / (span / 1000) : 0;
    const left = track.total === null ? null : track.total - track.done;
    const system = track.phase === "extract" ? this.#traffic.source : this.#traffic.target;
    return {
      at: this.#clock.now(),
      phase: track.phase,
      stage,
      done: track.done,
      total: track.total,
      rate,
      etaMs: left !== null && rate > 0 ? (left / rate) * 1000 : null,
      waiting: track.waiting ?? (track.phase === "transform" ? null : system.stats().waiting),
    };
  }
}
