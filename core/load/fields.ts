/** Makes the fields and options that values need, before the first record is written. @module */
import type { FieldObject, TargetField } from "../ports/mod.ts";
import { InDoubtError, PreflightError, RefusedError } from "../errors.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
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
    else await addMissing(ctx, planned, present);
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

async function makeField(ctx: RunContext, planned: PlannedField): Promise<void> {
  const key = fieldKey(planned);
  const row = targetRow({ kind: "field", key, ord: 0 });
  for (let attempt = 1;; attempt++) {
    let sentAt = ctx.clock.now();
    try {
      const { object, label, type, options } = planned;
      const field = await ctx.target.createField({ object, label, type, options }, {
        signal: ctx.signal,
        intent: async () => {
          ctx.assertMayWrite();
          sentAt = ctx.clock.now();
          await ctx.commit([{
            op: "planTargets",
            rows: [{ ...row, state: "sending", attempt, sentAt: ctx.nowIso() }],
          }]);
        },
      });
      return await keepField(ctx, key, field);
    } catch (error) {
      if (error instanceof RefusedError) throw refusedField(planned, error);
      if (!(error instanceof InDoubtError) || attempt >= 5) throw error;
      const found = await lookForField(ctx, planned, sentAt);
      if (found !== null) {
        await keepField(ctx, key, found);
        return await addMissing(ctx, planned, found);
      }
    }
  }
}

/** Reads the fields until the one in doubt shows up or has had time to settle. */
async function lookForField(
  ctx: RunContext,
  planned: PlannedField,
  sentAt: number,
): Promise<TargetField | null> {
  const settledAt = sentAt + ctx.settings.target.timeoutMs + ctx.settings.target.settleMs;
  for (const wait of [1_000, Math.max(0, settledAt - ctx.clock.now())]) {
    await ctx.clock.sleep(wait, ctx.signal);
    const profile = await ctx.target.profile(ctx.signal);
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
): Promise<void> {
  const known = new Set(field.options.map((option) => option.label.toLowerCase()));
  const wanted = [...new Set([...planned.missingOptions, ...planned.options])];
  const labels = wanted.filter((label) => !known.has(label.toLowerCase()));
  const takesOptions = field.type === "combo" || field.type === "multiSelect";
  if (labels.length === 0 || !takesOptions || field.isSystem) return;
  const row = targetRow({ kind: "field", key: `${fieldKey(planned)}#options`, ord: 0 });
  for (let start = 0; start < labels.length; start += 100) {
    const chunk = labels.slice(start, start + 100);
    const updated = await ctx.target.addOptions(field, chunk, {
      signal: ctx.signal,
      intent: async () => {
        ctx.assertMayWrite();
        await ctx.commit([{
          op: "planTargets",
          rows: [{ ...row, state: "loaded", targetId: field.id, detail: { options: labels } }],
        }]);
      },
    }).catch((error) => {
      throw error instanceof RefusedError ? refusedField(planned, error) : error;
    });
    Object.assign(field, updated);
  }
  const index = ctx.targetProfile.fields.findIndex((entry) => entry.id === field.id);
  if (index >= 0) ctx.targetProfile.fields[index] = field;
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
