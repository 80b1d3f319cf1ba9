/** Makes the fields and options that values need, before the first record is written. @module */
import type { FieldObject, TargetField, TargetRow } from "../ports/mod.ts";
import { InDoubtError, PreflightError, RefusedError } from "../errors.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { firstLookMs } from "./reconcile.ts";
import { noteSent, untilSettled } from "./settling.ts";
import type { FieldPlan, PlannedField } from "../transform/types.ts";
import { FIELD_PLAN_NOTE, forgetTransform } from "../transform/stages/context.ts";
import { targetRow } from "../transform/stages/rows.ts";

export function fieldsStage(after: string[]): Stage {
  return { name: "load.field", phase: "load", after, run: makeFields };
}

async function makeFields(ctx: RunContext): Promise<boolean> {
  const plan = await ctx.note<FieldPlan>(FIELD_PLAN_NOTE);
  for (const planned of plan?.fields ?? []) {
    if (ctx.stopping()) return false;
    const present = findField(ctx, planned);
    if (present === null) await makeField(ctx, planned);
    else await takePresent(ctx, planned, present);
  }
  forgetTransform(ctx);
  return true;
}

function findField(ctx: RunContext, planned: PlannedField): TargetField | null {
  return ctx.targetProfile.fields.find((field) =>
    field.object === planned.object &&
    (planned.existing === null
      ? !field.isSystem && field.label.toLowerCase() === planned.label.toLowerCase()
      : field.id === planned.existing.id)
  ) ?? null;
}

/** Key of a field's row: `testCase/Zephyr Key`. */
function fieldKey(planned: { object: FieldObject; label: string }): string {
  return `${planned.object}/${planned.label}`;
}

/** Key of the options that a run added to a field: `testCase/Browser#options/RUN`. */
function optionsKey(planned: PlannedField, runId: string): string {
  return `${fieldKey(planned)}${OPTIONS_MARK}${runId}`;
}

/** Tells rows of added options from rows of fields. */
export const OPTIONS_MARK = "#options/";

/** One that a process was making when it ended is ours; it may be the first time that it is seen. */
async function takePresent(
  ctx: RunContext,
  planned: PlannedField,
  present: TargetField,
): Promise<void> {
  const key = fieldKey(planned);
  const row = (await ctx.store.targetsByKey(ctx.scope.id, "field", [key])).get(key);
  if (row?.state === "sending") await keepField(ctx, key, present);
  await addMissing(ctx, planned, present);
}

async function makeField(ctx: RunContext, planned: PlannedField): Promise<void> {
  const key = fieldKey(planned);
  const row = targetRow({ kind: "field", key, ord: 0 });
  if (await foundFromBefore(ctx, planned, key)) return;
  for (let attempt = 1;; attempt++) {
    try {
      const { object, label, type, options } = planned;
      const field = await ctx.target.createField({ object, label, type, options }, {
        signal: ctx.signal,
        intent: async () => {
          ctx.assertMayWrite();
          noteSent(ctx, row);
          const sending = { state: "sending" as const, attempt, sentAt: row.sentAt };
          await ctx.commit([
            { op: "planTargets", rows: [{ ...row, ...sending }] },
            { op: "targets", rows: [{ kind: "field", key, ...sending }] },
          ]);
          ctx.assertStillHeld();
        },
      });
      return await keepField(ctx, key, field);
    } catch (error) {
      if (error instanceof RefusedError) throw refusedField(planned, error);
      if (!(error instanceof InDoubtError) || attempt >= 5) throw error;
      if (await takeField(ctx, planned, row)) return;
    }
  }
}

/** A field that a process was making when it ended: it may show up yet. */
async function foundFromBefore(
  ctx: RunContext,
  planned: PlannedField,
  key: string,
): Promise<boolean> {
  const rows: Map<string, TargetRow> = await ctx.store.targetsByKey(ctx.scope.id, "field", [key]);
  const row = rows.get(key);
  return row?.state === "sending" && await takeField(ctx, planned, row);
}

async function takeField(
  ctx: RunContext,
  planned: PlannedField,
  row: TargetRow,
): Promise<boolean> {
  const found = await lookForField(ctx, planned, row);
  if (found === null) return false;
  await keepField(ctx, row.key, found);
  await addMissing(ctx, planned, found);
  return true;
}

/** Reads the fields until the one in doubt shows up or has had time to settle. */
async function lookForField(
  ctx: RunContext,
  planned: PlannedField,
  row: TargetRow,
): Promise<TargetField | null> {
  const waits = [
    () => ctx.clock.sleep(firstLookMs(ctx.settings), ctx.readSignal),
    () => untilSettled(ctx, row),
  ];
  for (const wait of waits) {
    await wait();
    const profile = await ctx.target.profile(ctx.readSignal);
    ctx.targetProfile.fields = profile.fields;
    const found = findField(ctx, planned);
    if (found !== null) return found;
  }
  return null;
}

async function keepField(ctx: RunContext, key: string, field: TargetField): Promise<void> {
  const { fields } = ctx.targetProfile;
  if (!fields.some((known) => known.id === field.id)) fields.push(field);
  await ctx.commit([{
    op: "targets",
    rows: [{
      kind: "field",
      key,
      state: "loaded",
      targetId: field.id,
      origin: "created",
      runId: ctx.run.id,
    }],
  }]);
}

/** Adds options to a field that was there before; adding twice is prevented by reading first. */
async function addMissing(
  ctx: RunContext,
  planned: PlannedField,
  field: TargetField,
  attempt = 1,
): Promise<void> {
  const labels = missingLabels(planned, field);
  if (labels.length === 0) return;
  const { id: runId } = ctx.run;
  const row = targetRow({ kind: "field", key: optionsKey(planned, runId), ord: 0, runId });
  const before = (await ctx.store.targetsByKey(ctx.scope.id, "field", [row.key])).get(row.key);
  const earlier = Array.isArray(before?.detail.options) ? before.detail.options : [];
  if (before !== undefined && attempt === 1 && labels.some((label) => earlier.includes(label))) {
    // A process asked for them and ended before it was answered: they may show up yet.
    await untilSettled(ctx, before);
    ctx.targetProfile.fields = (await ctx.target.profile(ctx.readSignal)).fields;
    return await addMissing(ctx, planned, findField(ctx, planned) ?? field, attempt + 1);
  }
  Object.assign(row, { targetId: field.id, state: "loaded" });
  row.detail = { options: [...new Set([...earlier, ...labels])] };
  for (let start = 0; start < labels.length; start += 100) {
    const chunk = labels.slice(start, start + 100);
    const options = { signal: ctx.signal, intent: () => optionsIntent(ctx, row) };
    const updated = await ctx.target.addOptions(field, chunk, options).catch((error) => {
      if (error instanceof InDoubtError && attempt < 5) return null;
      throw error instanceof RefusedError ? refusedField(planned, error) : error;
    });
    if (updated === null) {
      const found = await readAfterDoubt(ctx, planned, chunk);
      return await addMissing(ctx, planned, found ?? field, attempt + 1);
    }
    Object.assign(field, updated);
  }
  const index = ctx.targetProfile.fields.findIndex((entry) => entry.id === field.id);
  if (index >= 0) ctx.targetProfile.fields[index] = field;
}

/** Labels that are wanted and that the field can take. */
function missingLabels(planned: PlannedField, field: TargetField): string[] {
  const takesOptions = field.type === "combo" || field.type === "multiSelect";
  if (!takesOptions || field.isSystem) return [];
  const known = new Set(field.options.map((option) => option.label.toLowerCase()));
  const wanted = [...new Set([...planned.missingOptions, ...planned.options])];
  return wanted.filter((label) => !known.has(label.toLowerCase()));
}

async function optionsIntent(ctx: RunContext, row: TargetRow): Promise<void> {
  ctx.assertMayWrite();
  noteSent(ctx, row);
  const { kind, key, sentAt } = row;
  await ctx.commit([
    { op: "planTargets", rows: [row] },
    // A row that is there keeps the time of an earlier send otherwise.
    { op: "targets", rows: [{ kind, key, sentAt }] },
  ]);
  ctx.assertStillHeld();
}

/** Reads the field until options in doubt show up or have had time to settle. */
async function readAfterDoubt(
  ctx: RunContext,
  planned: PlannedField,
  labels: string[],
): Promise<TargetField | null> {
  const { timeoutMs, settleMs } = ctx.settings.target;
  let found: TargetField | null = null;
  for (const waitMs of [firstLookMs(ctx.settings), timeoutMs + settleMs]) {
    await ctx.clock.sleep(waitMs, ctx.readSignal);
    ctx.targetProfile.fields = (await ctx.target.profile(ctx.readSignal)).fields;
    found = findField(ctx, planned);
    const known = new Set(found?.options.map((option) => option.label.toLowerCase()));
    if (labels.every((label) => known.has(label.toLowerCase()))) break;
  }
  return found;
}

function refusedField(planned: PlannedField, error: RefusedError): PreflightError {
  return new PreflightError(
    `Cannot create the field "${planned.label}" of ${planned.object}: ${error.message}`,
    {
      cause: error,
      hint:
        `Create it by hand (type ${planned.type}), or give it another label in the mapping file under fields, and run the command again.`,
    },
  );
}
