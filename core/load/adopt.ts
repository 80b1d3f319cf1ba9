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
import { compareFound } from "../validate/compare.ts";
import { keyOfFound } from "./identity.ts";
import { prepare } from "./prepare.ts";
import { foundDetail } from "./reconcile.ts";

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
  const root = await findRoot(ctx);
  if (root === null) return true;
  if (ctx.settings.target.onExisting === "fail") {
    throw new StopError(
      1,
      `Cannot load: the target already holds "${root.name}" (${
        root.pid ?? root.id
      }) with the marker of ${ctx.scope.sourceProject}`,
      { hint: "Set target.onExisting to update or skip, or choose another project." },
    );
  }
  await ctx.commit([ctx.noteChange(ADOPTED_NOTE, true)]);
  // The search index may lag behind the last writes of whoever made them.
  ctx.progress("load.adopt", { waiting: "reading what is already in the target" });
  await ctx.clock.sleep(ctx.settings.target.settleMs, ctx.readSignal);
  let adopted = 0;
  for (const kind of DRAFT_KINDS) {
    for await (const page of ctx.target.sweep(kind, ctx.readSignal)) {
      adopted += await adoptPage(ctx, kind, page);
      ctx.progress("load.adopt", { done: adopted });
      if (ctx.stopping()) return false;
    }
  }
  return true;
}

async function findRoot(ctx: RunContext): Promise<Found | null> {
  const { context } = await transformOf(ctx);
  for await (const page of ctx.target.children("module", null, ctx.readSignal)) {
    const root = page.find((found) => keyOfFound(found, context) === "root");
    if (root !== undefined) return root;
  }
  return null;
}

async function adoptPage(ctx: RunContext, kind: DraftKind, page: Found[]): Promise<number> {
  const { context } = await transformOf(ctx);
  const keyed = page.flatMap((found) => {
    const key = keyOfFound(found, context);
    return key !== null && isOurs(key, kind, ctx.scope.sourceProject) ? [{ key, found }] : [];
  });
  const rows = await ctx.store.targetsByKey(ctx.scope.id, kind, keyed.map(({ key }) => key));
  const changes: Change[] = [];
  let adopted = 0;
  const seen = new Set<string>();
  for (const { key, found } of keyed) {
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

/** Keys of other Zephyr projects in the same target project are not ours. */
function isOurs(key: string, kind: DraftKind, project: string): boolean {
  if (kind === "testCase" || kind === "release") return true;
  if (kind === "testSuite") return key === "adhoc" || key.startsWith(`${project}-`);
  if (kind === "testRun") return key.startsWith("adhoc/") || key.startsWith(`${project}-`);
  return true;
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
    const isSame = compareFound(ready.draft, found).length === 0;
    const keep = isSame || ctx.settings.target.onExisting === "skip";
    if (!keep) {
      await ctx.target.update(found.id, ready.draft, {
        signal: ctx.signal,
        intent: () => Promise.resolve(ctx.assertMayWrite()),
      });
    }
    await ctx.commit([{
      op: "targets",
      rows: [{ kind, key: row.key, origin: keep ? "unchanged" : "updated" }],
    }]);
  }
}
