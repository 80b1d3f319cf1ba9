/** The end of a rollback: the map, the notes and the run say what the target holds now. @module */
import type { RunContext } from "../engine/stage.ts";
import { allStages } from "../engine/graph.ts";
import { stageNote } from "../engine/runner.ts";
import { assertTransition } from "../engine/state_machine.ts";
import { CENSUS_NOTE } from "../extract/census.ts";
import { ADOPTED_NOTE, DRAFT_KINDS } from "../load/adopt.ts";
import type { Change, DetailTask, Phase, Run, RunState } from "../ports/mod.ts";
import { PHASES, TARGET_KINDS } from "../ports/mod.ts";
import { FIELD_PLAN_NOTE, LEFT_ALONE } from "../transform/stages/context.ts";
import { tallyNote } from "../validate/tally.ts";
import { rowName, targetPages } from "./basis.ts";
import type { Left } from "./doomed.ts";
import type { KeptArtefact, RollbackWhat } from "./types.ts";

const DETAIL_TASKS: readonly DetailTask[] = [
  "script",
  "executionSteps",
  "attachments",
  "version",
  "tombstone",
];
const ACTIVE: readonly RunState[] = ["extracting", "transforming", "loading", "validating"];
/** Stages that a single record does not need again: they look at the whole target. */
const ONCE = new Set(["load.adopt", "load.field", "load.update"]);

/** The first phase that is undone; null = the run is over. */
export function reopenedAt(what: RollbackWhat): Phase | null {
  return what.record === null ? what.phase : "load";
}

/** Whether planned rows stay in the map, to be loaded again. */
export function plansAgain(what: RollbackWhat): boolean {
  const phase = reopenedAt(what);
  return phase === "load" || phase === "validate";
}

/** Brings a run to `rolling-back` from wherever its last owner left it. */
export async function beginRollback(ctx: RunContext, changes: Change[]): Promise<void> {
  const { run } = ctx;
  // Nobody works on it while we hold the lease: what looks active was interrupted.
  const from: RunState = ACTIVE.includes(run.state) ? "paused" : run.state;
  assertTransition(run.state, from);
  assertTransition(from, "rolling-back");
  run.state = "rolling-back";
  run.reason = null;
  await ctx.commit([
    ...changes,
    {
      op: "run",
      id: run.id,
      set: { state: run.state, reason: null, result: null, summary: null, updatedAt: ctx.nowIso() },
    },
    stateEvent(ctx),
  ]);
}

/** Settles the map and the notes; the run ends or can go on from the phase that was undone. */
export async function endRollback(
  ctx: RunContext,
  what: RollbackWhat,
  kept: { left: Left; cannot: KeptArtefact[] },
): Promise<void> {
  if (!plansAgain(what)) await forgetPlans(ctx, kept);
  const phase = reopenedAt(what);
  const changes: Change[] = phase === null ? [] : resetPhases(ctx, phase, what.record !== null);
  if (phase === null || phase === "extract") changes.push(...forgetDetails());
  await ctx.commit(changes);
}

/** The change that closes the run or opens it again. */
export function settledRun(ctx: RunContext, what: RollbackWhat, result: number): Change[] {
  const { run } = ctx;
  const phase = reopenedAt(what);
  const state: RunState = phase === null ? "rolled-back" : "paused";
  const set: Partial<Run> = {
    state,
    reason: phase === null ? null : `${what.record ?? `The phase ${phase}`} was rolled back`,
    result: phase === null ? result : null,
    phases: phase === null ? run.phases : openedPhases(run, phase),
    completedAt: phase === null ? run.completedAt : null,
    updatedAt: ctx.nowIso(),
  };
  assertTransition(run.state, state);
  Object.assign(run, set);
  return [{ op: "run", id: run.id, set }, stateEvent(ctx)];
}

function stateEvent({ run, nowIso }: RunContext): Change {
  const data = { state: run.state, reason: run.reason, result: run.result };
  return { op: "event", runId: run.id, type: "state", at: nowIso(), data };
}

function openedPhases(run: Run, from: Phase): Run["phases"] {
  const phases = { ...run.phases };
  for (const phase of PHASES.slice(PHASES.indexOf(from))) phases[phase] = "pending";
  return phases;
}

/** Removes every row that stands for nothing in the target any more. */
async function forgetPlans(
  ctx: RunContext,
  { left, cannot }: { left: Left; cannot: KeptArtefact[] },
): Promise<void> {
  const { run, scope, store } = ctx;
  const counts = await store.countTargets(scope.id);
  const isAlone = counts.every((row) => row.runId === null || row.runId === run.id);
  // Updated artefacts were there before: the next run finds them by their markers.
  const logs = new Set(cannot.filter((row) => row.kind === "testLog").map(rowName));
  for (const kind of TARGET_KINDS) {
    for await (const page of targetPages(ctx, kind)) {
      const rows = page.filter((row) => {
        if (left.has(row) || logs.has(rowName(row))) return false;
        return row.runId === run.id || (isAlone && row.targetId === null);
      });
      if (rows.length === 0) continue;
      await ctx.commit([{
        op: "removeTargets",
        rows: rows.map(({ kind, key }) => ({ kind, key })),
      }]);
    }
  }
  if (isAlone) {
    await forgetFindings(ctx);
    await ctx.commit([{ op: "checkpoint", name: LEFT_ALONE, value: null }]);
  }
}

/** Losses and issues tell of records as they were planned; the next run writes them anew. */
async function forgetFindings(ctx: RunContext): Promise<void> {
  const { scope, store } = ctx;
  for (;;) {
    const { rows } = await store.issues(scope.id, { after: null, limit: 500 });
    if (rows.length === 0) break;
    await ctx.commit(rows.map(({ phase, kind, key }) => ({ op: "clearIssues", phase, kind, key })));
  }
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof store.losses>> = await store.losses(
      scope.id,
      { after, limit: 500 },
    );
    const changes = page.rows.map(({ phase, kind, key }): Change => ({
      op: "losses",
      phase,
      kind,
      key,
      rows: [],
    }));
    if (changes.length > 0) await ctx.commit(changes);
    after = page.cursor;
  } while (after !== null);
}

/** Forgets that stages of these phases are done, and what they noted on the way. */
function resetPhases(ctx: RunContext, from: Phase, isOneRecord: boolean): Change[] {
  const phases = PHASES.slice(PHASES.indexOf(from));
  const stages = allStages(ctx.settings).filter((stage) => phases.includes(stage.phase));
  const names = stages.filter((stage) => !isOneRecord || !ONCE.has(stage.name))
    .map((stage) => stageNote(stage.name));
  const notes: Record<Phase, string[]> = {
    extract: [
      CENSUS_NOTE,
      ...stages.map((stage) => `list/${stage.name.slice(stage.phase.length + 1)}`),
    ],
    transform: ["plan/testCase", "plan/execution", FIELD_PLAN_NOTE],
    load: isOneRecord ? [] : [ADOPTED_NOTE],
    validate: [...DRAFT_KINDS, "attachment"].map(tallyNote),
  };
  return [...names, ...phases.flatMap((phase) => notes[phase])].map((name) =>
    ctx.noteChange(name, null)
  );
}

function forgetDetails(): Change[] {
  return DETAIL_TASKS.map((task) => ({ op: "removeDetails", task, keys: null }));
}
