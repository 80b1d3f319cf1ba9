/** Stages that follow others record by record. @module */
import type { DetailTask } from "../../ports/mod.ts";
import type { RunContext } from "../../engine/stage.ts";

export interface Needed {
  task: DetailTask;
  /** The stage that fetches it. */
  stage: string;
  keys: string[];
}

/** Details arrive one by one; looking more often than this only costs reads. */
const LOOK_MS = 50;

/** Waits until every detail is there; false when the run is stopping first. */
export async function waitForDetails(ctx: RunContext, needed: Needed[]): Promise<boolean> {
  const open = needed.map((item) => ({ ...item }));
  for (;;) {
    const since = ctx.topics.version;
    for (const item of open) {
      if (item.keys.length === 0) continue;
      const finished = ctx.isDone(item.stage);
      const known = await ctx.store.details(ctx.scope.id, item.task, item.keys);
      item.keys = finished ? [] : item.keys.filter((key) => !known.has(key));
    }
    const missing = open.filter((item) => item.keys.length > 0).map((item) => item.stage);
    if (missing.length === 0) return true;
    if (ctx.stopping()) return false;
    await ctx.topics.wait(missing, since, 1_000);
    await ctx.clock.sleep(LOOK_MS);
  }
}

/** Whether the files of a kind are read in this run. */
export function readsFiles(ctx: RunContext, kind: "testCase" | "execution"): boolean {
  const mode = ctx.settings.include.attachments;
  if (mode === "none" || !ctx.sourceProfile.attachments) return false;
  return kind === "testCase" || mode !== "cases";
}
