/**
 * Writes of the run whose outcome nobody knows yet are looked up first: what did land has to be
 * taken back like everything else.
 * @module
 */
import type { FieldObject, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { DRAFT_KINDS } from "../load/adopt.ts";
import { Reconciler } from "../load/reconcile.ts";
import { targetPages } from "./basis.ts";

const UNKNOWN = ["sending", "inDoubt"] as const;

/** Settles every write in doubt, parents first; false when stopped before the end. */
export async function settleDoubts(ctx: RunContext): Promise<boolean> {
  await settleFields(ctx);
  for (const kind of DRAFT_KINDS) {
    const reconciler = new Reconciler(ctx, kind);
    for await (const page of targetPages(ctx, kind)) {
      for (const row of page.filter(isUnknown)) reconciler.add(row);
    }
    while (reconciler.size > 0) {
      if (ctx.stopping()) return false;
      ctx.progress("rollback.survey", { waiting: "looking up writes whose answer was lost" });
      await ctx.clock.sleep(reconciler.nextLookMs(1_000), ctx.signal);
      await reconciler.settleDue();
    }
  }
  return true;
}

function isUnknown(row: TargetRow): boolean {
  return UNKNOWN.some((state) => state === row.state);
}

/** A field whose create was not answered is told by its label: `testCase/Browser`. */
async function settleFields(ctx: RunContext): Promise<void> {
  for await (const page of targetPages(ctx, "field")) {
    for (const row of page.filter(isUnknown)) {
      const [object, ...label] = row.key.split("/");
      const found = ctx.targetProfile.fields.find((field) =>
        field.object === object as FieldObject && !field.isSystem &&
        field.label.toLowerCase() === label.join("/").toLowerCase()
      );
      await ctx.commit([{
        op: "targets",
        rows: [
          found === undefined
            ? { kind: "field", key: row.key, state: "pending" }
            : {
              kind: "field",
              key: row.key,
              state: "loaded",
              targetId: found.id,
              origin: "created",
              runId: ctx.run.id,
            },
        ],
      }]);
    }
  }
}
