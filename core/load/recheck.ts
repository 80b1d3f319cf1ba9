/**
 * Looks once more at what was sent again after its absence was proved: a commit later than that shows
 * as a second copy. What was sent once is there once.
 * @module
 */
import type { DraftKind, TargetRow } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { DRAFT_KINDS } from "./adopt.ts";
import { findByMarker, reportDuplicates } from "./reconcile.ts";

export function recheckStage(after: string[]): Stage {
  return { name: "load.recheck", phase: "load", after, run: recheck };
}

async function recheck(ctx: RunContext): Promise<boolean> {
  // Without markers two equal names prove nothing.
  if (ctx.settings.target.marker === "none") return true;
  for (const kind of DRAFT_KINDS) {
    for (const rows of (await doubtedByParent(ctx, kind)).values()) {
      if (ctx.stopping()) return false;
      const found = await findByMarker(ctx, kind, rows);
      for (const row of rows) {
        const others = (found.get(row.key) ?? []).filter((item) => item.id !== row.targetId);
        if (others.length > 0) await reportDuplicates(ctx, row, others);
      }
    }
  }
  return true;
}

async function doubtedByParent(
  ctx: RunContext,
  kind: DraftKind,
): Promise<Map<string, TargetRow[]>> {
  const groups = new Map<string, TargetRow[]>();
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      kind,
      { after, limit: 500, states: ["loaded"], everInDoubt: true },
    );
    for (const row of page.rows.filter((item) => item.attempt > 1)) {
      const key = `${row.parentKind}/${row.parentKey}`;
      groups.set(key, [...groups.get(key) ?? [], row]);
    }
    after = page.cursor;
  } while (after !== null);
  return groups;
}
