/** Files on artefacts that are to be deleted: one that is not to be deleted keeps its owner. @module */
import type { FileUpload, FoundFile, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { targetPages } from "./basis.ts";
import type { Doom, Left } from "./doomed.ts";
import { hasNameOf } from "./slots.ts";

type Slot = FileUpload["object"]["kind"];

/**
 * Keeps the owners of strange files; false when stopped before the end. Files on single step logs
 * are not looked for: no route lists those of more than one.
 */
export async function surveyFiles(ctx: RunContext, doom: Doom, left: Left): Promise<boolean> {
  for (const kind of ["testCase", "testLog", "release"] as const) {
    for await (const page of targetPages(ctx, kind)) {
      if (ctx.stopping()) return false;
      const rows = page.filter((row) => left.mustGo(row));
      await surveyOwners(ctx, kind, new Map(rows.flatMap(ownId)), { doom, left });
      if (kind === "testCase") {
        await surveyOwners(ctx, "testStep", new Map(rows.flatMap(stepIds)), { doom, left });
      }
    }
  }
  return true;
}

function ownId(row: TargetRow): [string, TargetRow][] {
  return row.targetId === null ? [] : [[row.targetId, row]];
}

function stepIds(row: TargetRow): [string, TargetRow][] {
  const ids = Array.isArray(row.detail.stepIds) ? row.detail.stepIds : [];
  return ids.filter((id) => id !== "").map((id) => [id, row]);
}

async function surveyOwners(
  ctx: RunContext,
  slot: Slot,
  owners: Map<string, TargetRow>,
  { doom, left }: { doom: Doom; left: Left },
): Promise<void> {
  if (owners.size === 0) return;
  const files = await ctx.target.files(slot, [...owners.keys()], ctx.readSignal);
  const known = await ctx.store.targetsById(
    ctx.scope.id,
    "attachment",
    files.map((file) => file.id),
  );
  for (const file of files) {
    const owner = owners.get(file.objectId);
    const row = known.get(file.id);
    if (owner === undefined || !left.mustGo(owner) || (row !== undefined && doom.has(row))) {
      continue;
    }
    if (row === undefined && await mayBeOurs(ctx, owner, file)) continue;
    await left.keep(
      owner,
      `holds the file "${file.name}" (${file.id}), which is not to be deleted`,
    );
  }
}

/** Sent, but its answer never came: the row of that name has no id yet. */
async function mayBeOurs(ctx: RunContext, owner: TargetRow, file: FoundFile): Promise<boolean> {
  const rows = await ctx.store.targetChildren(
    ctx.scope.id,
    "attachment",
    owner.kind,
    [owner.key],
  );
  return rows.some((row) =>
    row.targetId === null && hasNameOf(row, file) &&
    (row.attempt > 0 || row.detail.inlined === true)
  );
}
