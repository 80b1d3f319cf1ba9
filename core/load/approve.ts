/** Approves loaded cases where the configuration asks for it; safe to repeat. @module */
import type { TargetRow } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { pool } from "../engine/stage.ts";
import { RefusedError } from "../errors.ts";
import { setAsideRow } from "./set_aside.ts";

const STAGE = "load.approve";

export function approveStage(after: string[]): Stage {
  return { name: STAGE, phase: "load", after, run: approveCases };
}

async function approveCases(ctx: RunContext): Promise<boolean> {
  for (;;) {
    const since = ctx.topics.version;
    const loaded = ctx.isDone("load.testCase");
    let open = 0;
    let after: string | null = null;
    do {
      const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
        ctx.scope.id,
        "testCase",
        { after, limit: 500, states: ["loaded"] },
      );
      const rows = page.rows.filter((row) => row.detail.approved !== true);
      open += rows.length;
      await pool(rows, ctx.settings.target.concurrency, ctx.stopping, (row) => approve(ctx, row));
      after = page.cursor;
    } while (after !== null && !ctx.stopping());
    if (ctx.stopping()) return false;
    if (loaded && open === 0) return true;
    if (open === 0) await ctx.topics.wait(["load.testCase"], since, 1_000);
  }
}

/** Approves one case; a refusal sets it aside. */
export async function approve(ctx: RunContext, row: TargetRow): Promise<void> {
  if (row.targetId === null) return;
  try {
    const { versionId } = await ctx.target.approve(row.targetId, {
      signal: ctx.signal,
      intent: () => Promise.resolve(ctx.assertMayWrite()),
    });
    await ctx.commit([{
      op: "targets",
      rows: [{
        kind: "testCase",
        key: row.key,
        detail: {
          approved: true,
          approvedBefore: false,
          versionId: versionId ?? row.detail.versionId,
        },
      }],
    }]);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    await setAsideRow(ctx, row, "approve-refused", error.message, null);
  }
  ctx.topics.bump(STAGE);
}
