/**
 * Modules and test cycles: a tree whose content equals the ledger goes with one forced request;
 * anything else goes part by part, deepest first.
 * @module
 */
import type { RunContext } from "../engine/stage.ts";
import { InDoubtError, RefusedError, RetryError } from "../errors.ts";
import type { TargetRow } from "../ports/mod.ts";
import { targetPages } from "./basis.ts";
import type { Left } from "./doomed.ts";

export type TreeKind = "module" | "testCycle";

/** Forced removals of one tree before it is taken apart instead. */
const MAX_FORCED = 5;

/** Rows of a kind that are to be deleted, deepest level first. */
export async function levels(
  ctx: RunContext,
  left: Left,
  kind: TreeKind,
): Promise<TargetRow[][]> {
  const rows = new Map<string, TargetRow>();
  for await (const page of targetPages(ctx, kind)) {
    for (const row of page) if (left.mustGo(row)) rows.set(row.key, row);
  }
  const depthOf = (row: TargetRow): number => {
    let depth = 0;
    const seen = new Set<string>();
    for (
      let at = rows.get(row.parentKey ?? "");
      at !== undefined && !seen.has(at.key);
      at = rows.get(at.parentKey ?? "")
    ) {
      seen.add(at.key);
      depth++;
    }
    return depth;
  };
  const byDepth: TargetRow[][] = [];
  for (const row of rows.values()) (byDepth[depthOf(row)] ??= []).push(row);
  return byDepth.filter((level) => level !== undefined).reverse();
}

/** Deletes a whole tree; false when the target refuses or does not get done. */
export async function removeTree(
  ctx: RunContext,
  kind: TreeKind,
  row: TargetRow,
): Promise<boolean> {
  const id = row.targetId ?? "";
  for (let attempt = 1; attempt <= MAX_FORCED && !ctx.stopping(); attempt++) {
    const sentAt = ctx.clock.monotonic();
    try {
      return await ctx.target.remove(kind, id, {
        signal: ctx.signal,
        force: true,
        intent: () => Promise.resolve(ctx.assertMayWrite()),
      });
    } catch (error) {
      if (error instanceof RefusedError && error.status < 500) return false;
      const isUnknown = error instanceof RefusedError || error instanceof RetryError ||
        error instanceof InDoubtError;
      if (!isUnknown) throw error;
      if (await becomesGone(ctx, kind, row, sentAt)) return true;
    }
  }
  return false;
}

/** A large removal goes on after its answer was lost: polls the parent until the tree is gone. */
async function becomesGone(
  ctx: RunContext,
  kind: TreeKind,
  row: TargetRow,
  sentAt: number,
): Promise<boolean> {
  const { clock, settings } = ctx;
  const settledAt = sentAt + settings.target.timeoutMs + settings.target.settleMs;
  for (let wait = 250;; wait = Math.min(wait * 2, 15_000)) {
    ctx.progress("rollback.delete", { waiting: `waiting for ${kind} ${row.targetId} to be gone` });
    const lookedAt = clock.monotonic();
    if (!await isListed(ctx, kind, row)) {
      ctx.progress("rollback.delete", { waiting: null });
      return true;
    }
    if (lookedAt >= settledAt || ctx.stopping()) return false;
    await clock.sleep(Math.min(wait, Math.max(1, settledAt - lookedAt)), ctx.readSignal);
  }
}

async function isListed(ctx: RunContext, kind: TreeKind, row: TargetRow): Promise<boolean> {
  const parents = row.parentKey === null
    ? undefined
    : await ctx.store.targetsByKey(ctx.scope.id, kind, [row.parentKey]);
  const parentId = parents?.get(row.parentKey ?? "")?.targetId ?? null;
  const parent = kind === "module"
    ? parentId
    : { type: parentId === null ? "root" as const : "testCycle" as const, id: parentId };
  for await (const page of ctx.target.children(kind, parent, ctx.readSignal)) {
    if (page.some((found) => found.id === row.targetId)) return true;
  }
  return false;
}
