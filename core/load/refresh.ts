/**
 * Cases that call one which was set aside hold its steps as text, and suites of a plan that was set
 * aside have no release. When a retry brought it into the target, they are sent again, now with it.
 * @module
 */
import type { Change, TargetRow } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { RefusedError } from "../errors.ts";
import { prepare } from "./prepare.ts";

/** Kinds that name others without standing below them. */
export const REFRESHED = ["testCase", "testSuite"] as const;
export type RefreshedKind = (typeof REFRESHED)[number];

/** Note of a run: keys of what is to be sent again. */
export function refreshNote(kind: RefreshedKind): string {
  return `refresh/${kind}`;
}

export function refreshStage(after: string[]): Stage {
  return { name: "load.refresh", phase: "load", after, run: refreshAll };
}

async function refreshAll(ctx: RunContext): Promise<boolean> {
  for (const kind of REFRESHED) if (!await refreshKind(ctx, kind)) return false;
  return true;
}

async function refreshKind(ctx: RunContext, kind: RefreshedKind): Promise<boolean> {
  const note = refreshNote(kind);
  let open = await ctx.note<string[]>(note) ?? [];
  for (const key of open) {
    if (ctx.stopping()) return false;
    const row = (await ctx.store.targetsByKey(ctx.scope.id, kind, [key])).get(key);
    const changes = row?.state === "loaded" ? await refreshOne(ctx, kind, row) : [];
    open = open.filter((other) => other !== key);
    await ctx.commit([...changes, ctx.noteChange(note, open.length === 0 ? null : open)]);
  }
  return true;
}

/** Sends one whole; an update may be repeated, so a lost answer does no harm. */
async function refreshOne(
  ctx: RunContext,
  kind: RefreshedKind,
  row: TargetRow,
): Promise<Change[]> {
  const ready = (await prepare(ctx, kind, [row])).get(row.key);
  if (ready?.state !== "ready" || row.targetId === null) return [];
  try {
    const updated = await ctx.target.update(row.targetId, ready.draft, {
      signal: ctx.signal,
      intent: () => Promise.resolve(ctx.assertMayWrite()),
    });
    const detail = {
      ...(kind === "testCase" ? { calls: ready.calls } : {}),
      ...(updated.versionId === null ? {} : { versionId: updated.versionId }),
      ...(updated.stepIds === null ? {} : { stepIds: updated.stepIds }),
    };
    return [
      {
        op: "targets",
        rows: [{ kind, key: row.key, payloadHash: ready.hash, detail }],
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
