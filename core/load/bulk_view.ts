/**
 * Which runs and logs go in bulk, and how the one-by-one loaders see the rest.
 *
 * The plan marks a run and all its logs (`detail.bulk`); the load may give a run back to the
 * one-by-one way, never the other way round.
 * @module
 */
import type { Change, Store, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { viewOf } from "../transform/stages/context.ts";

/** Rows read at once where many in a row go in bulk. */
const SKIP_PAGE = 1_000;

/** Whether a run or log is left to the bulk stage. */
export function isBulk(row: TargetRow): boolean {
  return row.detail.bulk === true;
}

/** The run as the one-by-one loaders see it: without the open rows that go in bulk. */
export function manualView(ctx: RunContext): RunContext {
  const targets: Store["targets"] = async (scopeId, kind, page) => {
    let { after, limit } = page;
    for (;;) {
      const found = await ctx.store.targets(scopeId, kind, { ...page, after, limit });
      const rows = found.rows.filter((row) => !isBulk(row));
      if (rows.length > 0 || found.cursor === null) return { rows, cursor: found.cursor };
      after = found.cursor;
      limit = SKIP_PAGE;
    }
  };
  const store = new Proxy(ctx.store, {
    get(inner, name): unknown {
      if (name === "targets") return targets;
      const member: unknown = Reflect.get(inner, name);
      return typeof member === "function" ? member.bind(inner) : member;
    },
  });
  return viewOf(ctx, {
    store,
    // The loader counts all rows of its kind, among them those it never sees.
    progress: (stage, update) => ctx.progress(stage, { ...update, total: null }),
  });
}

/**
 * Gives a run with its open logs to the one-by-one loaders. What is not loaded must be known not to be
 * in the target.
 */
export function handOver(run: TargetRow, openLogs: TargetRow[], why: string | null): Change {
  for (const row of [run, ...openLogs]) {
    row.detail = { ...row.detail, bulk: false };
    if (row.state !== "loaded") row.state = "pending";
    row.lastError = why;
  }
  return {
    op: "targets",
    rows: [run, ...openLogs].map(({ kind, key, state, lastError }) => ({
      kind,
      key,
      state,
      lastError,
      detail: { bulk: false, batch: null },
    })),
  };
}
