/**
 * Spans and durations of units of work. Spans leave the process only where the runtime exports them
 * (`OTEL_DENO=true`); requests have spans of their own, as children of the unit they belong to.
 * @module
 */
import { SpanStatusCode, trace } from "@opentelemetry/api";
import type { Services } from "../core/engine/types.ts";

/** Upper bounds of the histogram, seconds. */
export const UNIT_BOUNDS_S = [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120] as const;

/** Durations of one unit name; `buckets` count values up to each bound. */
export interface UnitDurations {
  count: number;
  sumS: number;
  buckets: number[];
}

const durations = new Map<string, UnitDurations>();

/** Durations of all units of this process, by unit name. */
export function unitDurations(): ReadonlyMap<string, UnitDurations> {
  return durations;
}

/** Runs a unit inside a span and counts how long it took. */
export const span: NonNullable<Services["span"]> = async (unit, attributes, work) => {
  const startedAt = performance.now();
  return await trace.getTracer("ztoq").startActiveSpan(unit, { attributes }, async (active) => {
    try {
      return await work();
    } catch (error) {
      // The name only: messages may quote what a vendor said.
      active.setStatus({
        code: SpanStatusCode.ERROR,
        message: error instanceof Error ? error.name : "error",
      });
      throw error;
    } finally {
      active.end();
      observe(unit, (performance.now() - startedAt) / 1000);
    }
  });
};

function observe(unit: string, seconds: number): void {
  const entry = durations.get(unit) ??
    { count: 0, sumS: 0, buckets: UNIT_BOUNDS_S.map(() => 0) };
  durations.set(unit, entry);
  entry.count++;
  entry.sumS += seconds;
  UNIT_BOUNDS_S.forEach((bound, index) => {
    if (seconds <= bound) entry.buckets[index] = (entry.buckets[index] ?? 0) + 1;
  });
}
