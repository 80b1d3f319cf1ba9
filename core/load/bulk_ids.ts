/**
 * Reads the ids of logs that jobs made: jobs do not tell them. One sweep over all logs, since runs
 * are many; what the search index does not show yet is read run by run.
 * @module
 */
import type { Change, Found, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { transformOf } from "../transform/stages/context.ts";
import { findLogs } from "./bulk_look.ts";
import { batchNoteName, nap } from "./bulk_send.ts";
import { handOver, isBulk } from "./bulk_view.ts";
import { keyOfFound } from "./identity.ts";
import { foundDetail } from "./reconcile.ts";

/** So few runs are read one by one. */
const FEW_RUNS = 10;
const SWEEPS = 3;
const PAGE = 500;

/** Returns false when the run is stopping before every log has its id. */
export async function readLogIds(ctx: RunContext): Promise<boolean> {
  const batches = new Set<string>();
  const { marker } = (await transformOf(ctx)).context;
  for (let round = 1; marker !== "none" && round <= SWEEPS; round++) {
    const open = await countOpen(ctx, batches);
    if (open.runs <= FEW_RUNS) break;
    // The index follows the jobs with some delay.
    if (round > 1 && !await nap(ctx, ctx.settings.target.settleMs * round / 10)) return false;
    if (!await sweep(ctx, open.logs)) return false;
  }
  if (!await readByRun(ctx, batches)) return false;
  const forget = [...batches].map((id): Change => ({
    op: "checkpoint",
    name: batchNoteName(id),
    value: null,
  }));
  if (forget.length > 0) await ctx.commit(forget);
  return true;
}

/** Pages of logs that are in the target, without their ids. */
async function* landedLogs(ctx: RunContext): AsyncGenerator<TargetRow[]> {
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      "testLog",
      { after, limit: PAGE, states: ["sending", "inDoubt"] },
    );
    yield page.rows.filter(isBulk);
    after = page.cursor;
  } while (after !== null);
}

async function countOpen(
  ctx: RunContext,
  batches: Set<string>,
): Promise<{ runs: number; logs: number }> {
  const runs = new Set<string>();
  let logs = 0;
  for await (const rows of landedLogs(ctx)) {
    logs += rows.length;
    for (const row of rows) {
      runs.add(row.parentKey ?? "");
      if (typeof row.detail.batch === "string") batches.add(row.detail.batch);
    }
  }
  return { runs: runs.size, logs };
}

async function sweep(ctx: RunContext, total: number): Promise<boolean> {
  const { context } = await transformOf(ctx);
  let done = 0;
  for await (const page of ctx.target.sweep("testLog", ctx.readSignal)) {
    const byKey = new Map<string, Found>();
    for (const found of page) {
      const key = keyOfFound(found, context);
      if (key !== null && !byKey.has(key)) byKey.set(key, found);
    }
    const rows = await ctx.store.targetsByKey(ctx.scope.id, "testLog", [...byKey.keys()]);
    const changes: Change[] = [];
    for (const [key, found] of byKey) {
      const row = rows.get(key);
      const isOurs = row !== undefined && isBulk(row) &&
        (row.state === "sending" || row.state === "inDoubt");
      if (isOurs) changes.push(loaded(ctx, row, found));
    }
    if (changes.length > 0) {
      await ctx.commit(changes);
      ctx.topics.bump("load.testLog");
    }
    done += changes.length;
    if (done >= total) return true;
    if (ctx.stopping()) return false;
  }
  return true;
}

function loaded(ctx: RunContext, row: TargetRow, found: Found): Change {
  return {
    op: "targets",
    rows: [{
      kind: "testLog",
      key: row.key,
      state: "loaded",
      targetId: found.id,
      origin: "created",
      runId: ctx.run.id,
      lastError: null,
      detail: { ...foundDetail(found), batch: null, statusIds: null },
    }],
  };
}

async function readByRun(ctx: RunContext, batches: Set<string>): Promise<boolean> {
  for await (const rows of landedLogs(ctx)) {
    for (const row of rows) {
      if (typeof row.detail.batch === "string") batches.add(row.detail.batch);
    }
    const keys = [...new Set(rows.map((row) => row.parentKey ?? ""))];
    const runs = await ctx.store.targetsByKey(ctx.scope.id, "testRun", keys);
    const found = await findLogs(ctx, rows, runs);
    const changes = rows.flatMap((row): Change[] => {
      const [first] = found.get(row.key) ?? [];
      if (first !== undefined) return [loaded(ctx, row, first)];
      const run = runs.get(row.parentKey ?? "");
      const why = "its job succeeded without making the log";
      row.everInDoubt = true;
      return run === undefined ? [] : [
        { op: "targets", rows: [{ kind: "testLog", key: row.key, everInDoubt: true }] },
        handOver(run, [row], why),
      ];
    });
    if (changes.length > 0) await ctx.commit(changes);
    ctx.topics.bump("load.testLog");
    if (ctx.stopping()) return false;
  }
  return true;
}
