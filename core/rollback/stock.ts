/** What stays after a rollback and why, told row by row. @module */
import type { RunContext } from "../engine/stage.ts";
import { TARGET_KINDS } from "../ports/mod.ts";
import type { TargetKind, TargetRow } from "../ports/mod.ts";
import { rowName, shown, targetPages } from "./basis.ts";
import type { Doom, Left } from "./doomed.ts";
import type { KeptArtefact, RollbackReport } from "./types.ts";

export interface Stock {
  /** Rows that still must go, per kind: what a dry run would delete. */
  open: RollbackReport["deleted"];
  cannot: KeptArtefact[];
}

/** Goes through the map: counts what must go, and tells of what stays with something else. */
export async function takeStock(ctx: RunContext, doom: Doom, left: Left): Promise<Stock> {
  const stock: Stock = { open: {}, cannot: [] };
  for (const kind of TARGET_KINDS) {
    for await (const rows of targetPages(ctx, kind)) {
      const owners = await ownersOf(ctx, rows);
      for (const row of rows) sort(stock, row, owners.get(rowName(row)), { doom, left });
    }
  }
  return stock;
}

async function ownersOf(ctx: RunContext, rows: TargetRow[]): Promise<Map<string, TargetRow>> {
  const owners = new Map<string, TargetRow>();
  const hanging = rows.filter((row) => row.kind === "testLog" || row.kind === "attachment");
  for (const parentKind of new Set(hanging.flatMap((row) => row.parentKind ?? []))) {
    const own = hanging.filter((row) => row.parentKind === parentKind);
    const keys = [...new Set(own.flatMap((row) => row.parentKey ?? []))];
    const parents = await ctx.store.targetsByKey(ctx.scope.id, parentKind as TargetKind, keys);
    for (const row of own) {
      const parent = parents.get(row.parentKey ?? "");
      if (parent !== undefined) owners.set(rowName(row), parent);
    }
  }
  return owners;
}

function sort(
  stock: Stock,
  row: TargetRow,
  owner: TargetRow | undefined,
  { doom, left }: { doom: Doom; left: Left },
): void {
  const { kind, key, targetId } = row;
  if (doom.mayTouch(row) && row.origin !== "created" && targetId !== null) {
    if (row.origin === "updated") {
      stock.cannot.push({
        kind,
        key,
        targetId,
        reason: "was updated; what stood there before is not kept",
      });
    }
    if (row.detail.approved === true && row.detail.approvedBefore !== true) {
      stock.cannot.push({ kind, key, targetId, reason: "was approved, which cannot be undone" });
    }
  }
  if (!left.mustGo(row)) return;
  if (kind === "testLog" && owner !== undefined && !doom.has(owner)) {
    const reason = `a log goes only with its run, and ${shown(owner)} was there before`;
    stock.cannot.push({ kind, key, targetId, reason });
  } else if (owner !== undefined && left.has(owner)) {
    left.mention({ kind, key, targetId, reason: `belongs to ${shown(owner)}, which stays` });
  } else stock.open[kind] = (stock.open[kind] ?? 0) + 1;
}
