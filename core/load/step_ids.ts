/**
 * Step ids for step logs and step files, where creates did not answer with them: one sweep per
 * module, once all its cases are there.
 * @module
 */
import type { Change, TargetRow } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { pool } from "../engine/stage.ts";
import { foundDetail } from "./reconcile.ts";

export function stepIdsStage(after: string[]): Stage {
  return { name: "load.stepIds", phase: "load", after, run: fetchStepIds };
}

async function fetchStepIds(ctx: RunContext): Promise<boolean> {
  const { include } = ctx.settings;
  const needed = include.executionSteps !== "none" || include.attachments === "all";
  if (!needed) return true;
  const modules = new Map<string, TargetRow[]>();
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      "testCase",
      { after, limit: 500, states: ["loaded"] },
    );
    for (const row of page.rows) {
      const count = row.detail.stepCount;
      if (Array.isArray(row.detail.stepIds) || typeof count !== "number" || count === 0) continue;
      const key = row.parentKey ?? "";
      modules.set(key, [...modules.get(key) ?? [], row]);
    }
    after = page.cursor;
  } while (after !== null);
  if (modules.size === 0) return true;
  const parents = await ctx.store.targetsByKey(ctx.scope.id, "module", [...modules.keys()]);
  await pool([...modules], ctx.settings.target.concurrency, ctx.stopping, async ([key, rows]) => {
    const id = parents.get(key)?.targetId;
    if (id) await sweepModule(ctx, id, rows);
  });
  return !ctx.stopping();
}

async function sweepModule(ctx: RunContext, moduleId: string, rows: TargetRow[]): Promise<void> {
  const byId = new Map(rows.map((row) => [row.targetId, row]));
  for await (const page of ctx.target.children("testCase", moduleId, ctx.readSignal)) {
    const changes: Change[] = page.flatMap((found): Change[] => {
      const row = byId.get(found.id);
      const { stepIds } = foundDetail(found);
      if (row === undefined || stepIds == null) return [];
      return [{ op: "targets", rows: [{ kind: "testCase", key: row.key, detail: { stepIds } }] }];
    });
    if (changes.length > 0) await ctx.commit(changes);
  }
  ctx.topics.bump("load.stepIds");
}
