/**
 * Writes of the run whose outcome nobody knows yet are looked up first: what did land has to be
 * taken back like everything else.
 * @module
 */
import type { Change, DraftKind, TargetField, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { DRAFT_KINDS } from "../load/adopt.ts";
import { Reconciler } from "../load/reconcile.ts";
import { settledAtOf, untilSettled } from "../load/settling.ts";
import { targetPages } from "./basis.ts";
import { hasNameOf, slotOf } from "./slots.ts";

type Settled = Extract<Change, { op: "targets" }>["rows"][number];

/** Settles every write in doubt, parents first; false when stopped before the end. */
export async function settleDoubts(ctx: RunContext): Promise<boolean> {
  for (const kind of DRAFT_KINDS) if (!await settleKind(ctx, kind)) return false;
  for await (const page of targetPages(ctx, "field")) {
    const unknown = page.filter(isUnknown);
    if (unknown.length === 0) continue;
    for (const row of unknown) await untilSettled(ctx, row);
    // Read after the wait: a field may have come since the run was opened.
    const { fields } = await ctx.target.profile(ctx.readSignal);
    const rows = unknown.map((row) => settledField(ctx, row, fields));
    await ctx.commit([{ op: "targets", rows }]);
  }
  for await (const page of targetPages(ctx, "attachment")) {
    for (const row of page.filter(isUnknown)) {
      if (ctx.stopping()) return false;
      await ctx.commit([{ op: "targets", rows: [await settledFile(ctx, row)] }]);
    }
  }
  return true;
}

function isUnknown(row: TargetRow): boolean {
  return row.state === "sending" || row.state === "inDoubt";
}

async function settleKind(ctx: RunContext, kind: DraftKind): Promise<boolean> {
  let failure: unknown = null;
  const reconciler = new Reconciler(ctx, kind, {
    settled: () => Promise.resolve(),
    looked: () => undefined,
    failed: (error) => failure ??= error,
  });
  for await (const page of targetPages(ctx, kind)) {
    for (const row of page.filter(isUnknown)) {
      // A job that comes later finds its suite gone, so its rows need not be waited for longer.
      reconciler.add(row, settledAtOf(ctx, { ...row, detail: {} }));
    }
  }
  while (reconciler.size > 0 || reconciler.looking > 0) {
    if (failure !== null) throw failure;
    if (ctx.stopping() && reconciler.looking === 0) return false;
    ctx.progress("rollback.survey", { waiting: "looking up writes whose answer was lost" });
    if (!ctx.stopping()) reconciler.lookDue();
    await ctx.clock.sleep(reconciler.nextLookMs(200), ctx.readSignal);
  }
  return true;
}

function created(ctx: RunContext, row: TargetRow, targetId: string | undefined): Settled {
  const { kind, key } = row;
  return targetId === undefined
    ? { kind, key, state: "pending" }
    : { kind, key, state: "loaded", targetId, origin: "created", runId: ctx.run.id };
}

/** A field whose create was not answered is told by its label: `testCase/Browser`. */
function settledField(ctx: RunContext, row: TargetRow, fields: TargetField[]): Settled {
  const [object, ...label] = row.key.split("/");
  const name = label.join("/").toLowerCase();
  const found = fields.find((field) =>
    field.object === object && !field.isSystem && field.label.toLowerCase() === name
  );
  return created(ctx, row, found?.id);
}

/** A file is the one of its name that the map does not know. */
async function settledFile(ctx: RunContext, row: TargetRow): Promise<Settled> {
  const { scope, store, target } = ctx;
  const owners = row.parentKind === null
    ? null
    : await store.targetsByKey(scope.id, row.parentKind, [row.parentKey ?? ""]);
  const owner = owners?.get(row.parentKey ?? "");
  if (owner?.targetId == null) return created(ctx, row, undefined);
  await untilSettled(ctx, row);
  const slot = slotOf(row, owner);
  const files = await target.files(slot.kind, [slot.id], ctx.readSignal);
  const known = await store.targetsById(scope.id, "attachment", files.map((file) => file.id));
  const found = files.find((file) => hasNameOf(row, file) && !known.has(file.id));
  return created(ctx, row, found?.id);
}
