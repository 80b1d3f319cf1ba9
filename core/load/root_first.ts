/** The root module comes before everything else that stands at the top. @module */
import type { RunContext } from "../engine/stage.ts";

const ROOT_STAGE = "load.module";

/**
 * Waits until the root module is there (or never will be); false when the run is to stop. By it a new
 * database tells that something was made before: a release or cycle without it would be made again.
 */
export async function rootStands(ctx: RunContext): Promise<boolean> {
  for (;;) {
    const since = ctx.topics.version;
    if (ctx.stopping()) return false;
    const root = (await ctx.store.targetsByKey(ctx.scope.id, "module", ["root"])).get("root");
    if (root?.state === "loaded" || root?.state === "setAside" || ctx.isDone(ROOT_STAGE)) {
      return true;
    }
    await ctx.topics.wait([ROOT_STAGE], since, 1_000);
  }
}
