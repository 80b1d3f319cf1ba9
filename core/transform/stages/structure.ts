/** Plans what holds the rest: roots, folders, plans, cycles. @module */
import type { Change, TargetRow } from "../../ports/mod.ts";
import type { FolderRecord, TestCycleRecord, TestPlanRecord } from "../../records/mod.ts";
import { ownerKey } from "../../records/mod.ts";
import type { RunContext, Stage } from "../../engine/stage.ts";
import { payloadHash } from "../mod.ts";
import { transformOf } from "./context.ts";
import { attachmentChanges, lossChange, targetRow } from "./rows.ts";

export function foldersStage(after: string[]): Stage {
  return { name: "transform.folder", phase: "transform", after, run: planFolders };
}

export function containersStage(after: string[]): Stage {
  return { name: "transform.container", phase: "transform", after, run: planContainers };
}

async function planFolders(ctx: RunContext): Promise<boolean> {
  const { transform, context } = await transformOf(ctx);
  const roots = transform.roots();
  const rows: TargetRow[] = [
    targetRow({ kind: "module", key: "root", ord: 0, payloadHash: payloadHash(roots.module) }),
    targetRow({ kind: "testCycle", key: "root", ord: 0, payloadHash: payloadHash(roots.cycle) }),
  ];
  const changes: Change[] = [];
  let ord = 1;
  const plans = new Map(
    Array.from(context.folders.values(), (folder) => [folder.id, transform.folder(folder)]),
  );
  const parentOf = (id: string): string | undefined => plans.get(id)?.parentKey;
  for (const folder of parentsFirst(context.folders, parentOf)) {
    const plan = plans.get(folder.id) ?? transform.folder(folder);
    changes.push(lossChange("folder", folder.id, plan.losses));
    if (folder.folderType === "TEST_PLAN") {
      rows.push(targetRow({
        kind: "planFolder",
        key: folder.id,
        ord: ord++,
        recordKind: "folder",
        state: "withoutTarget",
      }));
      continue;
    }
    const kind = folder.folderType === "TEST_CASE" ? "module" : "testCycle";
    rows.push(targetRow({
      kind,
      key: folder.id,
      ord: ord++,
      recordKind: "folder",
      parentKind: kind,
      parentKey: plan.parentKey,
      payloadHash: payloadHash(plan.draft),
    }));
  }
  await ctx.commit([{ op: "planTargets", rows }, ...changes]);
  return true;
}

/** Folders level by level, siblings by index then id: the order in which they are created. */
function parentsFirst(
  folders: Map<string, FolderRecord>,
  parentOf: (id: string) => string | undefined,
): FolderRecord[] {
  const depths = new Map<string, number>();
  function depthOf(id: string): number {
    const path: string[] = [];
    let at: string | undefined = id;
    while (at !== undefined && !depths.has(at)) {
      path.push(at);
      at = parentOf(at);
    }
    let depth = at === undefined ? -1 : depths.get(at) ?? -1;
    for (const member of path.reverse()) depths.set(member, ++depth);
    return depths.get(id) ?? 0;
  }
  return [...folders.values()].sort((a, b) =>
    depthOf(a.id) - depthOf(b.id) || a.index - b.index || Number(a.id) - Number(b.id)
  );
}

async function planContainers(ctx: RunContext): Promise<boolean> {
  const { context } = await transformOf(ctx);
  const plans = [...context.plans.values()].sort((a, b) => a.ord - b.ord);
  const cycles = [...context.cycles.values()].sort((a, b) => a.ord - b.ord);
  for (const plan of plans) {
    if (ctx.stopping()) return false;
    await ctx.commit(await planChanges(ctx, plan));
  }
  for (let start = 0; start < cycles.length; start += 100) {
    if (ctx.stopping()) return false;
    const batch = cycles.slice(start, start + 100);
    const changes = await Promise.all(batch.map((cycle) => cycleChanges(ctx, cycle)));
    await ctx.commit(changes.flat());
  }
  return true;
}

async function planChanges(ctx: RunContext, plan: TestPlanRecord): Promise<Change[]> {
  const { transform } = await transformOf(ctx);
  const planned = transform.testPlan(plan);
  const row = targetRow({
    kind: "release",
    key: plan.key,
    ord: plan.ord,
    recordKind: "testPlan",
    payloadHash: payloadHash(planned.draft),
    links: planned.links,
  });
  return [
    { op: "planTargets", rows: [row] },
    lossChange("testPlan", plan.key, planned.losses),
    ...await filesOf(
      ctx,
      "testPlan",
      plan.id,
      { object: "release", parentKey: plan.key },
      plan.ord,
    ),
  ];
}

async function cycleChanges(ctx: RunContext, cycle: TestCycleRecord): Promise<Change[]> {
  const { transform } = await transformOf(ctx);
  const planned = transform.testCycle(cycle);
  const row = targetRow({
    kind: "testSuite",
    key: cycle.key,
    ord: cycle.ord,
    recordKind: "testCycle",
    parentKind: "testCycle",
    parentKey: planned.parentKey,
    payloadHash: payloadHash(planned.draft),
    links: planned.links,
    detail: { releaseKey: planned.releaseKey, cycleId: cycle.id },
  });
  return [
    { op: "planTargets", rows: [row] },
    lossChange("testCycle", cycle.key, planned.losses),
    ...await filesOf(ctx, "testCycle", cycle.id, null, cycle.ord),
  ];
}

/** Rows of the files of a plan (slot: its release) or a cycle (no slot). */
async function filesOf(
  ctx: RunContext,
  kind: "testPlan" | "testCycle",
  id: string,
  slot: { object: "release"; parentKey: string } | null,
  ord: number,
): Promise<Change[]> {
  const key = ownerKey({ kind, key: id, stepId: null });
  const files = (await ctx.store.attachments(ctx.scope.id, [key])).get(key) ?? [];
  return await attachmentChanges(
    ctx,
    files,
    () =>
      slot === null
        ? { rule: "cycle-attachment" }
        : { object: slot.object, parentKind: "release", parentKey: slot.parentKey, step: null },
    ord,
  );
}
