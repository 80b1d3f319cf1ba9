/** Carries the request counters of this process into the store, with the commits that happen anyway. @module */
import type { Change, RequestStats, Traffic } from "../ports/mod.ts";

/** Totals over all processes of a run; the counts per route are rows of their own. */
export interface TrafficTotals {
  retried: number;
  peakPerMinute: number;
}
export type TrafficNote = Record<"source" | "target", TrafficTotals>;

export const TRAFFIC_NOTE = "traffic";

type System = "source" | "target";

export class TrafficLog {
  readonly #runId: string;
  readonly #systems: Record<System, Traffic>;
  readonly #noteName: string;
  readonly #base: TrafficNote;
  /** Counts that are in the store, or that this work has no part in. */
  readonly #sent: Record<System, RequestStats["byStatus"]>;
  readonly #retriedBefore: Record<System, number>;

  /** `base` = the totals that earlier work on the run left. What this process sent before does not count. */
  constructor(
    runId: string,
    systems: Record<System, Traffic>,
    noteName: string,
    base: TrafficNote | null,
  ) {
    this.#runId = runId;
    this.#systems = systems;
    this.#noteName = noteName;
    this.#base = base ?? {
      source: { retried: 0, peakPerMinute: 0 },
      target: { retried: 0, peakPerMinute: 0 },
    };
    const source = systems.source.stats();
    const target = systems.target.stats();
    this.#retriedBefore = { source: source.retried, target: target.retried };
    this.#sent = {
      source: structuredClone(source.byStatus),
      target: structuredClone(target.byStatus),
    };
  }

  /** What was sent since the last call, as changes; empty when nothing was. */
  take(): Change[] {
    const rows: { system: System; route: string; status: string; count: number }[] = [];
    for (const system of ["source", "target"] as const) {
      const { byStatus } = this.#systems[system].stats();
      for (const [route, statuses] of Object.entries(byStatus)) {
        for (const [status, count] of Object.entries(statuses)) {
          const before = this.#sent[system][route]?.[status] ?? 0;
          if (count > before) rows.push({ system, route, status, count: count - before });
        }
      }
      this.#sent[system] = structuredClone(byStatus);
    }
    if (rows.length === 0) return [];
    return [
      { op: "requests", runId: this.#runId, rows },
      { op: "checkpoint", name: this.#noteName, value: this.#totals() },
    ];
  }

  #totals(): TrafficNote {
    const totals = (system: System): TrafficTotals => {
      const stats: RequestStats = this.#systems[system].stats();
      return {
        retried: this.#base[system].retried + stats.retried - this.#retriedBefore[system],
        peakPerMinute: Math.max(this.#base[system].peakPerMinute, stats.peakPerMinute),
      };
    };
    return { source: totals("source"), target: totals("target") };
  }
}
