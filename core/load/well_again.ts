/** Issues of records that were set aside once and are in the target by now are taken off the list. @module */
import type { Change, DetailTask, IssueRow, TargetRow } from "../ports/mod.ts";
import { TARGET_KINDS } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { LIST_KINDS } from "../records/mod.ts";

export function wellAgainStage(after: string[]): Stage {
  return { name: "load.wellAgain", phase: "load", after, run: clearSettled };
}

async function clearSettled(ctx: RunContext): Promise<boolean> {
  let after: string | null = null;
  do {
    const page: { rows: IssueRow[]; cursor: string | null } = await ctx.store.issues(
      ctx.scope.id,
      { after, limit: 200 },
      { setAside: true },
    );
    const changes: Change[] = [];
    for (const { phase, kind, key, reason } of page.rows) {
      if (!await isWell(ctx, { phase, kind, key, reason })) continue;
      changes.push({ op: "clearIssues", phase, kind, key });
    }
    if (changes.length > 0) await ctx.commit(changes);
    after = page.cursor;
  } while (after !== null && !ctx.stopping());
  return after === null;
}

type Issue = Pick<IssueRow, "phase" | "kind" | "key" | "reason">;

async function isWell(ctx: RunContext, issue: Issue): Promise<boolean> {
  if (issue.phase === "extract") return await isRead(ctx, issue);
  const rows: TargetRow[] = [];
  for (const kind of TARGET_KINDS) {
    const found = await ctx.store.targetsByKey(ctx.scope.id, kind, [issue.key]);
    rows.push(...[...found.values()].filter((row) => (row.recordKind ?? row.kind) === issue.kind));
  }
  return rows.length > 0 && rows.every((row) => row.state !== "setAside");
}

async function isRead(ctx: RunContext, { kind, key, reason }: Issue): Promise<boolean> {
  if (reason === "unreadable") {
    const list = LIST_KINDS.find((name) => name === kind);
    return list !== undefined &&
      (await ctx.store.recordsByKey(ctx.scope.id, list, [key])).has(key);
  }
  const task = reason.replace(/-unreadable$/, "") as DetailTask;
  const row = (await ctx.store.details(ctx.scope.id, task, [key])).get(key);
  return row !== undefined && row.state !== "setAside";
}
