/** Guarded transitions of a run. @module */
import type { Phase, PhaseState, RunState } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";
import { StopError } from "../errors.ts";

const WORKING: RunState[] = ["extracting", "transforming", "loading", "validating"];

/** Which states may follow which. */
const NEXT: Record<RunState, readonly RunState[]> = {
  created: ["planned", ...WORKING, "paused", "failed", "cancelled", "rolling-back"],
  planned: [...WORKING, "paused", "failed", "cancelled", "rolling-back"],
  extracting: [...WORKING, "completed", "paused", "failed", "cancelled"],
  transforming: [...WORKING, "completed", "paused", "failed", "cancelled"],
  loading: [...WORKING, "completed", "paused", "failed", "cancelled"],
  validating: [...WORKING, "completed", "paused", "failed", "cancelled"],
  paused: [...WORKING, "planned", "failed", "cancelled", "rolling-back"],
  failed: [...WORKING, "paused", "cancelled", "rolling-back"],
  // A completed run works again only for `errors retry`, `validate` and rollback.
  completed: ["transforming", "loading", "validating", "extracting", "rolling-back", "completed"],
  cancelled: ["rolling-back"],
  "rolling-back": ["rolled-back", "failed", "paused", "rolling-back"],
  "rolled-back": [],
};

/** Throws (exit 2) when a run may not go from one state to the other. */
export function assertTransition(from: RunState, to: RunState): void {
  if (from === to || NEXT[from].includes(to)) return;
  throw new StopError(2, `Cannot change a run that is ${from} to ${to}`);
}

const STATE_OF: Record<Phase, RunState> = {
  extract: "extracting",
  transform: "transforming",
  load: "loading",
  validate: "validating",
};

/** A run's state is its earliest unfinished phase. */
export function stateOfPhases(phases: Record<Phase, PhaseState>): RunState {
  const open = PHASES.find((phase) => phases[phase] !== "done");
  return open === undefined ? "completed" : STATE_OF[open];
}
