/** Brings one adopted artefact to what the source says, as `onExisting` asks. @module */
import type { Draft, DraftKind, Found, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { RefusedError } from "../errors.ts";
import { EMPTY_REFUSED_NOTE, forgetTransform } from "../transform/stages/context.ts";
import { compareFound } from "../validate/compare.ts";
import { numberedName } from "./prepare.ts";
import type { Prepared } from "./prepare.ts";
import { approve } from "./approve.ts";
import { lossesOf } from "./creator.ts";
import { withDashes } from "./refusals.ts";
import { setAsideRow } from "./set_aside.ts";

type Ready = Extract<Prepared, { state: "ready" }>;
interface Adopted {
  kind: DraftKind;
  row: TargetRow;
  found: Found;
  ready: Ready;
}

/** Numbers of equal sibling names that are tried to tell a name of our making from one of people. */
const MAX_TRIED = 20;

/** Updates what differs; what the target refuses to change is set aside and stays as it is. */
export async function bringUp(ctx: RunContext, adopted: Adopted): Promise<void> {
  const { kind, row, ready } = adopted;
  const isKept = await isAsSent(ctx, adopted) || ctx.settings.target.onExisting === "skip";
  if (!isKept && !await update(ctx, adopted)) return;
  await ctx.commit([{
    op: "targets",
    rows: [{
      kind,
      key: row.key,
      ...(isKept ? { origin: "unchanged" } : { origin: "updated", payloadHash: ready.hash }),
    }],
  }, ...lossesOf(row, ready)]);
  if (lostApproval(ctx, adopted, isKept)) await approve(ctx, row);
}

/** A change makes a new version, which is not approved; so did one whose process died since. */
function lostApproval(ctx: RunContext, { kind, row, found }: Adopted, isKept: boolean): boolean {
  if (kind !== "testCase" || !ctx.settings.target.approve) return false;
  return !isKept || (row.detail.approvedBefore === true && found.isApproved === false);
}

/** Whether it is what would be sent, allowing for what the tenant made us change then. */
async function isAsSent(ctx: RunContext, { kind, row, found, ready }: Adopted): Promise<boolean> {
  if (compareFound(ready.draft, found).length === 0) return true;
  const dashed = withDashes(ready.draft);
  if (dashed !== null && compareFound(dashed, found).length === 0) {
    await learnDashes(ctx);
    return true;
  }
  for (let nameNumber = 2; nameNumber <= MAX_TRIED; nameNumber++) {
    for (const draft of dashed === null ? [ready.draft] : [ready.draft, dashed]) {
      if (!("name" in draft)) return false;
      const name = numberedName(draft.name, nameNumber);
      if (compareFound({ ...draft, name }, found).length > 0) continue;
      await ctx.commit([{ op: "targets", rows: [{ kind, key: row.key, detail: { nameNumber } }] }]);
      if (draft === dashed) await learnDashes(ctx);
      return true;
    }
  }
  return false;
}

async function update(ctx: RunContext, { row, found, ready }: Adopted): Promise<boolean> {
  const whole = inStoredOrder(ready.draft, found);
  const dashed = withDashes(whole);
  const drafts = dashed === null ? [whole] : [whole, dashed];
  let refusal: RefusedError | null = null;
  for (const draft of drafts) {
    try {
      await ctx.target.update(found.id, draft, {
        signal: ctx.signal,
        intent: () => Promise.resolve(ctx.assertMayWrite()),
      });
      if (draft === dashed) await learnDashes(ctx);
      return true;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      refusal = error;
    }
  }
  const message = refusal?.message ?? "";
  await setAsideRow(ctx, row, "update-refused", message, null);
  return false;
}

/** Jobs count steps from 0, creates from 1; a log can only be changed with the numbers it has. */
function inStoredOrder(draft: Draft, { log }: Found): Draft {
  if (draft.kind !== "testLog") return draft;
  const orders = (log?.steps ?? []).map(({ order }) => order).sort((a, b) => a - b);
  if (orders.length !== draft.steps.length) return draft;
  const steps = draft.steps.toSorted((a, b) => a.order - b.order);
  return { ...draft, steps: steps.map((step, i) => ({ ...step, order: orders[i] ?? step.order })) };
}

/** The tenant refuses empty texts of steps: a dash stands for them from now on. */
async function learnDashes(ctx: RunContext): Promise<void> {
  await ctx.commit([ctx.noteChange(EMPTY_REFUSED_NOTE, true)]);
  forgetTransform(ctx);
}
