/** How long each phase was worked on. @module */
import type { Phase, Run } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";

/** Adds up how long each phase was worked on, over all processes. */
export class PhaseTimer {
  readonly #base: Record<string, number>;
  #last = 0;

  constructor(base: unknown) {
    this.#base = { ...(base as Record<string, number> | null ?? {}) };
  }

  /** `elapsedMs` of this process so far; the time since the last call goes to the open phases. */
  take(run: Run, elapsedMs: number): Record<string, number> {
    const delta = Math.max(0, elapsedMs - this.#last);
    this.#last = elapsedMs;
    for (const phase of PHASES) {
      const isOpen = run.phases[phase] === "active" || phaseOfState(run) === phase;
      if (isOpen) this.#base[phase] = (this.#base[phase] ?? 0) + delta;
    }
    return { ...this.#base };
  }
}

function phaseOfState(run: Run): Phase | undefined {
  return PHASES.find((phase) => run.phases[phase] !== "done");
}
