/**
 * Takes back what a run did to the target: all of it, a phase, or one record. May be interrupted at
 * any point; running it again looks the target through anew and goes on.
 * @module
 */
import type { RunContext } from "../engine/stage.ts";
import { BudgetError, describeError, EXIT, InterruptedError, StopError } from "../errors.ts";
import type { ExitCode } from "../errors.ts";
import { OPTIONS_MARK } from "../load/fields.ts";
import { targetPages, withBasis } from "./basis.ts";
import { Doom, Left } from "./doomed.ts";
import { settleDoubts } from "./doubts.ts";
import { surveyFiles } from "./files.ts";
import { beginRollback, endRollback, plansAgain, reopenedAt, settledRun } from "./finish.ts";
import { RollbackLedger } from "./ledger.ts";
import { Remover } from "./remover.ts";
import { takeStock } from "./stock.ts";
import { surveyArtefacts } from "./survey.ts";
import { ROLLBACK_NOTE } from "./types.ts";
import type {
  KeptArtefact,
  RollbackNote,
  RollbackOptions,
  RollbackReport,
  RollbackWhat,
} from "./types.ts";
import { FieldUsage } from "./usage.ts";

export { MAPPING_NOTE } from "./basis.ts";
export { ROLLBACK_NOTE } from "./types.ts";
export type {
  KeptArtefact,
  RollbackNote,
  RollbackOptions,
  RollbackReport,
  RollbackWhat,
} from "./types.ts";

/** Everything one rollback works with. */
interface Work {
  ctx: RunContext;
  note: RollbackNote;
  doom: Doom;
  left: Left;
  usage: FieldUsage;
  ledger: RollbackLedger;
  cannot: KeptArtefact[];
  startedAt: number;
}

/**
 * Rolls a run back and returns the document that tells what became of it. An outage, a used-up quota
 * and an interruption end it in good order (exit 5 or 8). Throws {@linkcode StopError} (exit 2) where
 * the run's state does not allow it or another rollback of it is under way.
 */
export async function rollBack(
  given: RunContext,
  options: RollbackOptions,
): Promise<RollbackReport> {
  const ctx = await withBasis(given);
  const work = await setUp(ctx, options);
  const { note, left } = work;
  const isDry = options.dryRun === true;
  if (!isDry) await beginRollback(ctx, [work.ledger.noteChange()]);
  let interruption: StopError | null = null;
  try {
    if (!await advance(work, isDry)) interruption = new InterruptedError("Interrupted");
  } catch (error) {
    interruption = interruptionOf(ctx, error);
    if (interruption === null) {
      await keepReason(ctx, error, isDry);
      throw error;
    }
  }
  const stock = interruption === null ? await takeStock(ctx, work.doom, left) : null;
  const cannot = [...work.cannot, ...stock?.cannot ?? []];
  const stays = left.list().length + cannot.length > 0;
  const exitCode: ExitCode = interruption?.exitCode ?? (stays ? EXIT.setAside : EXIT.done);
  const report = (): RollbackReport => ({
    runId: ctx.run.id,
    state: ctx.run.state,
    dryRun: isDry,
    exitCode,
    what: note.what,
    deleted: isDry ? { ...stock?.open } : { ...note.deleted },
    left: left.list(),
    cannot,
    durationMs: Math.round(ctx.clock.monotonic() - work.startedAt),
    next: nextStep(exitCode, note.what, isDry),
  });
  if (isDry) return report();
  if (interruption !== null) {
    await keepReason(ctx, interruption, false);
    return report();
  }
  await endRollback(ctx, note.what, { left, cannot });
  const settled = settledRun(ctx, note.what, exitCode);
  const told = report();
  const isOver = reopenedAt(note.what) === null;
  const finished: RollbackNote = isOver
    ? { ...note, report: told }
    : { what: NOTHING, deleted: {}, report: null };
  await ctx.commit([...settled, ctx.noteChange(ROLLBACK_NOTE, finished)]);
  return told;
}

/** Outages, quotas and reads that were dropped because the rollback is to stop end it in good order. */
function interruptionOf(ctx: RunContext, error: unknown): StopError | null {
  if (error instanceof InterruptedError || error instanceof BudgetError) return error;
  const wasDropped = ctx.readSignal.aborted && !ctx.signal.aborted && !(error instanceof StopError);
  return wasDropped ? new InterruptedError("Interrupted") : null;
}

const NOTHING: RollbackWhat = { phase: null, record: null };

async function setUp(ctx: RunContext, options: RollbackOptions): Promise<Work> {
  const stored = await ctx.note<RollbackNote>(ROLLBACK_NOTE);
  const isResumed = ctx.run.state === "rolling-back" && stored !== null;
  const asked: RollbackWhat = { phase: options.phase ?? null, record: options.record ?? null };
  if (asked.phase !== null && asked.record !== null) {
    throw new StopError(EXIT.usage, "Cannot roll back a phase and a record at once");
  }
  const isOther = JSON.stringify(asked) !== JSON.stringify(NOTHING) &&
    JSON.stringify(asked) !== JSON.stringify(stored?.what);
  if (isResumed && isOther) {
    throw new StopError(
      EXIT.usage,
      `Cannot roll back: another rollback of run ${ctx.run.id} is under way`,
      {
        hint: "`ztoq rollback` without options finishes it",
      },
    );
  }
  const note: RollbackNote = isResumed
    ? structuredClone(stored)
    : { what: asked, deleted: {}, report: null };
  const doom = await Doom.of(ctx, note.what.record);
  return {
    ctx,
    note,
    doom,
    left: new Left(ctx, doom),
    usage: new FieldUsage(),
    ledger: new RollbackLedger(ctx, note, plansAgain(note.what)),
    cannot: [],
    startedAt: ctx.clock.monotonic(),
  };
}

/** Looks the target through and, unless dry, deletes; false when stopped before the end. */
async function advance(work: Work, isDry: boolean): Promise<boolean> {
  const { ctx, doom, left, usage, ledger, note } = work;
  if (note.what.phase === "validate") return true;
  if (!await settleDoubts(ctx)) return false;
  if (doom.isWhole && !await madeAnything(ctx)) return true;
  await watchFields(work);
  if (!await surveyArtefacts({ ctx, doom, left, usage })) return false;
  if (!await surveyFiles(ctx, doom, left)) return false;
  if (isDry) return true;
  const cannot = (artefact: KeptArtefact): void => void work.cannot.push(artefact);
  return await new Remover({ ctx, doom, left, usage, ledger, cannot }).run();
}

async function madeAnything({ store, run }: RunContext): Promise<boolean> {
  return (await store.countTargets(run.scopeId)).some((row) => row.runId === run.id);
}

/** Fields and options of the run, whose users the survey takes note of. */
async function watchFields({ ctx, doom, usage }: Work): Promise<void> {
  if (!doom.isWhole) return;
  for await (const rows of targetPages(ctx, "field")) {
    for (const row of rows) {
      if (row.targetId === null || !doom.mayTouch(row)) continue;
      if (!row.key.includes(OPTIONS_MARK)) usage.watchField(row.targetId);
      else if (Array.isArray(row.detail.options)) {
        for (const label of row.detail.options) usage.watchOption(row.targetId, String(label));
      }
    }
  }
}

/** The run stays `rolling-back`: nothing but the rollback may go on from here. */
async function keepReason(ctx: RunContext, error: unknown, isDry: boolean): Promise<void> {
  if (isDry) return;
  const reason = describeError(error).message.slice(0, 2_000);
  ctx.run.reason = reason;
  await ctx.commit([{ op: "run", id: ctx.run.id, set: { reason, updatedAt: ctx.nowIso() } }])
    .catch(() => {
      // The store itself may be what failed; its error is on its way to the caller.
    });
}

function nextStep(exitCode: ExitCode, what: RollbackWhat, isDry: boolean): string | null {
  if (exitCode === EXIT.interrupted) {
    return "Run `ztoq rollback` again: it continues where it stopped.";
  }
  if (exitCode === EXIT.budget) return "Run `ztoq rollback` again when there is quota left.";
  if (isDry) return "Nothing was changed; run the same command without --dry-run to roll back.";
  const isOver = what.phase === null && what.record === null;
  const again = isOver ? "`ztoq migrate` starts anew." : "`ztoq migrate` continues the run.";
  return exitCode === EXIT.setAside
    ? `What is listed as left or as not to be taken back is still in the target. ${again}`
    : again;
}
