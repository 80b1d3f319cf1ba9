/** Stages that follow others record by record. @module */
import type { DetailTask } from "../../ports/mod.ts";
import type { RunContext } from "../../engine/stage.ts";

export interface Needed {
  task: DetailTask;
  /** The stage that fetches it. */
  stage: string;
  keys: string[];
}

/** Waits until every detail is there; false when the run is stopping first. */
export async function waitForDetails(ctx: RunContext, needed: Needed[]): Promise<boolean> {
  for (;;) {
    const since = ctx.topics.version;
    const missing: string[] = [];
    for (const { task, stage, keys } of needed) {
      if (keys.length === 0) continue;
      const finished = ctx.isDone(stage);
      const known = await ctx.store.details(ctx.scope.id, task, keys);
      if (known.size < keys.length && !finished) missing.push(stage);
    }
    if (missing.length === 0) return true;
    if (ctx.stopping()) return false;
    await ctx.topics.wait(missing, since, 1_000);
  }
}

/** Whether the files of a kind are read in this run. */
export function readsFiles(ctx: RunContext, kind: "testCase" | "execution"): boolean {
  const mode = ctx.settings.include.attachments;
  if (mode === "none" || !ctx.sourceProfile.attachments) return false;
  return kind === "testCase" || mode !== "cases";
}
