/**
 * Cases that call one which was set aside hold its steps as text. When a retry brought the called
 * case into the target, its callers are sent again, this time with the call.
 * @module
 */
import type { Change, TargetRow } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { RefusedError } from "../errors.ts";
import { prepare } from "./prepare.ts";

/** Note of a run: keys of cases to send again. */
export const REFRESH_NOTE = "refresh/testCase";

export function refreshStage(after: string[]): Stage {
  return { name: "load.refresh", phase: "load", after, run: refreshCallers };
}

async function refreshCallers(ctx: RunContext): Promise<boolean> {
  let open = await ctx.note<string[]>(REFRESH_NOTE) ?? [];
  for (const key of open) {
    if (ctx.stopping()) return false;
    const rows = await ctx.store.targetsByKey(ctx.scope.id, "testCase", [key]);
    const row = rows.get(key);
    const changes = row?.state === "loaded" ? await refreshOne(ctx, row) : [];
    open = open.filter((other) => other !== key);
    await ctx.commit([...changes, ctx.noteChange(REFRESH_NOTE, open.length === 0 ? null : open)]);
  }
  return true;
}

/** Sends a case whole; an update may be repeated, so a lost answer does no harm. */
async function refreshOne(ctx: RunContext, row: TargetRow): Promise<Change[]> {
  const ready = (await prepare(ctx, "testCase", [row])).get(row.key);
  if (ready?.state !== "ready" || row.targetId === null) return [];
  try {
    const updated = await ctx.target.update(row.targetId, ready.draft, {
      signal: ctx.signal,
      intent: () => Promise.resolve(ctx.assertMayWrite()),
    });
    const detail = {
      calls: ready.calls,
      ...(updated.versionId === null ? {} : { versionId: updated.versionId }),
      ...(updated.stepIds === null ? {} : { stepIds: updated.stepIds }),
    };
    return [
      {
        op: "targets",
        rows: [{ kind: "testCase", key: row.key, payloadHash: ready.hash, detail }],
      },
      ...(ready.losses === null
        ? []
        : [{ op: "losses", phase: "transform", key: row.key, ...ready.losses } as const]),
    ];
  } catch (error) {
    // What is there already stays good; validation tells what differs.
    if (!(error instanceof RefusedError)) throw error;
    ctx.log({
      level: "warning",
      event: "load.refreshRefused",
      data: { key: row.key, message: error.message },
    });
    return [];
  }
}
