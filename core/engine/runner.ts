/** Runs the stages of a run side by side, each as soon as what it stands on is done. @module */
import type { Phase, PhaseState } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";
import type { RunContext, Stage } from "./stage.ts";
import { stateOfPhases } from "./state_machine.ts";

export interface RunnerHooks {
  /** Called when a stage fails: the runner stops starting units and returns the first error. */
  onFailure: (error: unknown) => void;
}

/** Note under which a stage's end is kept. */
export function stageNote(name: string): string {
  return `stage/${name}`;
}

/**
 * Runs all stages that are not done. Returns true when every one is; a stage that fails lets the
 * others finish their units in hand and its error is thrown at the end.
 */
export async function runStages(
  ctx: RunContext,
  stages: Stage[],
  done: Set<string>,
  hooks: RunnerHooks,
): Promise<boolean> {
  const running = new Map<string, Promise<void>>();
  const names = new Set(stages.map((stage) => stage.name));
  let failed = false;
  let failure: unknown = null;
  for (;;) {
    if (!failed && !ctx.stopping()) {
      for (const stage of stages) {
        if (done.has(stage.name) || running.has(stage.name)) continue;
        if (!stage.after.every((name) => done.has(name) || !names.has(name))) continue;
        running.set(
          stage.name,
          runOne(ctx, stage, stages, done).catch((error) => {
            // A read dropped because the run is to stop is the stop itself, not a failure.
            if (ctx.readSignal.aborted && error === ctx.readSignal.reason) return;
            if (!failed) failure = error;
            failed = true;
            hooks.onFailure(error);
          }).finally(() => {
            running.delete(stage.name);
          }),
        );
      }
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (failed) throw failure;
  return stages.every((stage) => done.has(stage.name));
}

async function runOne(
  ctx: RunContext,
  stage: Stage,
  stages: Stage[],
  done: Set<string>,
): Promise<void> {
  if (!await stage.run(ctx)) return;
  done.add(stage.name);
  const phases = phasesOf(ctx.run.phases, stages, done);
  // A run is completed when its summary is written, not before.
  const reached = stateOfPhases(phases);
  const state = reached === "completed" ? ctx.run.state : reached;
  const hasMoved = JSON.stringify(phases) !== JSON.stringify(ctx.run.phases);
  ctx.run.phases = phases;
  await ctx.commit([
    ctx.noteChange(stageNote(stage.name), { doneAt: ctx.nowIso() }),
    {
      op: "event",
      runId: ctx.run.id,
      type: "stage",
      at: ctx.nowIso(),
      data: { stage: stage.name, state: "done" },
    },
    ...(state === ctx.run.state ? [] : [{
      op: "event" as const,
      runId: ctx.run.id,
      type: "state",
      at: ctx.nowIso(),
      data: { state },
    }]),
    ...(hasMoved
      ? [{ op: "run" as const, id: ctx.run.id, set: { phases, state, updatedAt: ctx.nowIso() } }]
      : []),
  ]);
  ctx.run.state = state;
  ctx.topics.bump(stage.name);
}

/** A phase is done when all its stages are, active when one is. */
export function phasesOf(
  before: Record<Phase, PhaseState>,
  stages: Stage[],
  done: Set<string>,
): Record<Phase, PhaseState> {
  const phases = { ...before };
  for (const phase of PHASES) {
    const own = stages.filter((stage) => stage.phase === phase);
    if (own.length === 0) continue;
    const count = own.filter((stage) => done.has(stage.name)).length;
    phases[phase] = count === own.length ? "done" : count > 0 ? "active" : before[phase];
  }
  return phases;
}
