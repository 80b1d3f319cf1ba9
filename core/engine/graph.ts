/** The stage graph of a run. @module */
import type { Settings } from "../config/types.ts";
import type { Phase } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";
import { extractStages } from "../extract/stages.ts";
import { loadStages } from "../load/stages.ts";
import { transformStages } from "../transform/stages/mod.ts";
import { validateStages } from "../validate/stages.ts";
import type { Stage } from "./stage.ts";

/** All stages of all phases, in the order of the phases. */
export function allStages(settings: Settings): Stage[] {
  const extract = extractStages(settings);
  const transform = transformStages(settings, namesOf(extract));
  const load = loadStages(settings, namesOf(transform));
  const loaded = load.map((stage) => stage.name);
  // What is compared must stand still: validation begins when the load is done.
  const validate = validateStages(settings).map((stage) => ({
    ...stage,
    after: [...stage.after, ...loaded],
  }));
  return [...extract, ...transform, ...load, ...validate];
}

function namesOf(stages: Stage[]): Set<string> {
  return new Set(stages.map((stage) => stage.name));
}

/** Stages of the phases asked for; with `gate` each phase waits for the whole one before it. */
export function selectStages(stages: Stage[], phases: readonly Phase[], gate: boolean): Stage[] {
  const chosen = stages.filter((stage) => phases.includes(stage.phase));
  if (!gate) return chosen;
  return chosen.map((stage) => {
    const earlier = PHASES.slice(0, PHASES.indexOf(stage.phase));
    const gates = stages.filter((other) => earlier.includes(other.phase)).map((other) =>
      other.name
    );
    return { ...stage, after: [...stage.after, ...gates] };
  });
}
