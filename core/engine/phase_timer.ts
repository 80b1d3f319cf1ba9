/** How long each phase was worked on. @module */
import type { Phase, Run } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";

/** Adds up how long each phase was worked on, over all processes. */
export class PhaseTimer {
  readonly #base: Record<string, number>;
  #last = 0;
  #open: string[];

  constructor(base: unknown, run: Run) {
    this.#base = { ...(base as Record<string, number> | null ?? {}) };
    this.#open = openPhases(run);
  }

  /** Whether a phase began or ended since the last call: then the time until now is due. */
  hasMoved(run: Run): boolean {
    return openPhases(run).join() !== this.#open.join();
  }

  /** `elapsedMs` of this process so far; the time since the last call goes to the phases open at it. */
  take(run: Run, elapsedMs: number): Record<string, number> {
    const delta = Math.max(0, elapsedMs - this.#last);
    this.#last = elapsedMs;
    for (const phase of this.#open) this.#base[phase] = (this.#base[phase] ?? 0) + delta;
    this.#open = openPhases(run);
    return { ...this.#base };
  }
}

function openPhases(run: Run): string[] {
  const first = phaseOfState(run);
  return PHASES.filter((phase) => run.phases[phase] === "active" || phase === first);
}

function phaseOfState(run: Run): Phase | undefined {
  return PHASES.find((phase) => run.phases[phase] !== "done");
}
