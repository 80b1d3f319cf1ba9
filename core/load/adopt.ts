/**
 * A database that does not know a root which carries our marker has been lost or is a second one:
 * everything in the target that carries a marker of this project is taken into the map, so that
 * nothing is created twice.
 * @module
 */
import type { Change, DraftKind, Found, TargetRow } from "../ports/mod.ts";
import { StopError } from "../errors.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { targetRow } from "../transform/stages/rows.ts";
import { transformOf } from "../transform/stages/context.ts";
import { onlyOurs } from "./belonging.ts";
import { bringUp } from "./bring_up.ts";
import { keyOfFound } from "./identity.ts";
import { prepare } from "./prepare.ts";
import { foundDetail } from "./reconcile.ts";
import { leaveAlone } from "./leave_alone.ts";

/** Parents before children. */
export const DRAFT_KINDS: readonly DraftKind[] = [
  "module",
  "testCycle",
  "release",
  "testCase",
  "testSuite",
  "testRun",
  "testLog",
];
/** Note of this scope's run: artefacts were adopted and may need an update. */
export const ADOPTED_NOTE = "adopted";

export function adoptStage(after: string[]): Stage {
  return { name: "load.adopt", phase: "load", after, run: adoptAll };
}

async function adoptAll(ctx: RunContext): Promise<boolean> {
  const known = await ctx.store.targetsByKey(ctx.scope.id, "module", ["root"]);
  const row = known.get("root");
  const started = await ctx.note<boolean>(ADOPTED_NOTE);
  if (started === null && row !== undefined && row.state !== "pending") return true;
  const roots = await findRoots(ctx);
  const [root] = roots;
  if (root === undefined) return true;
  const { onExisting } = ctx.settings.target;
  if (onExisting === "rename") return await leaveAlone(ctx);
  if (onExisting === "fail" || roots.length > 1) throw inTheWay(ctx, roots);
  await ctx.commit([ctx.noteChange(ADOPTED_NOTE, true)]);
  // The search index may lag behind the last writes of whoever made them.
  ctx.progress("load.adopt", { waiting: "reading what is already in the target" });
  if (!await pauseUnlessStopping(ctx, ctx.settings.target.settleMs)) return false;
  let adopted = 0;
  for (const kind of DRAFT_KINDS) {
    for await (const page of ctx.target.sweep(kind, ctx.signal)) {
      adopted += await adoptPage(ctx, kind, page);
      ctx.progress("load.adopt", { done: adopted });
      if (ctx.stopping()) return false;
    }
  }
  ctx.progress("load.adopt", { done: adopted, total: adopted, waiting: null });
  return true;
}

/** Several roots are left by `rename`: which of them is meant cannot be told. */
function inTheWay(ctx: RunContext, roots: Found[]): StopError {
  const names = roots.map((root) => `"${root.name}" (${root.pid ?? root.id})`).join(" and ");
  return new StopError(
    1,
    `Cannot load: the target already holds ${names} with the marker of ${ctx.scope.sourceProject}`,
    {
      hint: roots.length > 1
        ? "Remove all but one of them, set target.onExisting to rename, or choose another project."
        : "Set target.onExisting to update, skip or rename, or choose another project.",
    },
  );
}

/** Root modules with the marker of this project. */
async function findRoots(ctx: RunContext): Promise<Found[]> {
  const { context } = await transformOf(ctx);
  const roots: Found[] = [];
  for await (const page of ctx.target.children("module", null, ctx.signal)) {
    roots.push(...page.filter((found) => keyOfFound(found, context) === "root"));
  }
  return roots;
}

/** Waits in small pieces, so that a stop need not wait for the whole; false when the run is to stop. */
async function pauseUnlessStopping(ctx: RunContext, ms: number): Promise<boolean> {
  const until = ctx.clock.monotonic() + ms;
  for (;;) {
    if (ctx.stopping()) return false;
    const leftMs = until - ctx.clock.monotonic();
    if (leftMs <= 0) return true;
    await ctx.clock.sleep(Math.min(250, leftMs), ctx.signal);
  }
}

async function adoptPage(ctx: RunContext, kind: DraftKind, page: Found[]): Promise<number> {
  const { context } = await transformOf(ctx);
  const keyed = page.flatMap((found) => {
    const key = keyOfFound(found, context);
    return key === null ? [] : [{ key, found }];
  });
  const rows = await ctx.store.targetsByKey(ctx.scope.id, kind, keyed.map(({ key }) => key));
  const changes: Change[] = [];
  let adopted = 0;
  const seen = new Set<string>();
  for (const { key, found } of await onlyOurs(ctx, kind, keyed)) {
    if (seen.has(key) || rows.get(key)?.targetId) continue;
    seen.add(key);
    adopted++;
    const state: Partial<TargetRow> & Pick<TargetRow, "kind" | "key"> = {
      kind,
      key,
      state: "loaded",
      targetId: found.id,
      origin: "adopted",
      runId: ctx.run.id,
      detail: foundDetail(found),
    };
    changes.push(
      { op: "planTargets", rows: [targetRow({ ord: 0, ...state })], onlyNew: true },
      { op: "targets", rows: [state] },
    );
  }
  if (changes.length > 0) await ctx.commit(changes);
  return adopted;
}

export function updateStage(after: string[]): Stage {
  return { name: "load.update", phase: "load", after, run: updateAdopted };
}

/** Brings adopted artefacts to what the source says, as `onExisting` asks. */
async function updateAdopted(ctx: RunContext): Promise<boolean> {
  if (await ctx.note<boolean>(ADOPTED_NOTE) === null) return true;
  for (const kind of DRAFT_KINDS) {
    for await (const page of ctx.target.sweep(kind, ctx.readSignal)) {
      await updatePage(ctx, kind, page);
      if (ctx.stopping()) return false;
    }
  }
  return true;
}

async function updatePage(ctx: RunContext, kind: DraftKind, page: Found[]): Promise<void> {
  const rows = await ctx.store.targetsById(ctx.scope.id, kind, page.map((found) => found.id));
  const adopted = page.filter((found) => rows.get(found.id)?.origin === "adopted");
  const open = adopted.flatMap((found) => rows.get(found.id) ?? []);
  const prepared = await prepare(ctx, kind, open);
  for (const found of adopted) {
    const row = rows.get(found.id);
    const ready = row === undefined ? undefined : prepared.get(row.key);
    if (row === undefined || ready?.state !== "ready") continue;
    await bringUp(ctx, { kind, row, found, ready });
  }
}
