/** `ztoq runs` @module */
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { formatDuration } from "../../core/report/format.ts";
import { ends, withStore } from "../cli/reading.ts";
import type { CommandContext } from "../cli/spec.ts";
import { table } from "../cli/style.ts";

/** Lists all runs, newest first. */
export async function run(context: CommandContext): Promise<ExitCode> {
  return await withStore(context, async ({ store }) => {
    const scopes = new Map((await store.scopes()).map((scope) => [scope.id, scope]));
    const rows = (await store.runs(null)).map((run) => {
      const scope = scopes.get(run.scopeId);
      const { source, target } = scope === undefined ? { source: "?", target: "?" } : ends(scope);
      return { run, source, target };
    });
    if (context.globals.json) {
      context.printJson(rows.map(({ run, source, target }) => ({
        runId: run.id,
        state: run.state,
        result: run.result,
        createdAt: run.createdAt,
        updatedAt: run.updatedAt,
        completedAt: run.completedAt,
        workedMs: run.workedMs,
        source,
        target,
      })));
    } else if (rows.length === 0) {
      context.say("No run yet; `ztoq migrate` starts one.\n");
    } else {
      context.say(table(
        ["Run", "State", "Exit", "Started", "Worked", "Source", "Target"],
        rows.map(({ run, source, target }) => [
          run.id,
          run.state,
          run.result === null ? "" : String(run.result),
          run.createdAt.slice(0, 19).replace("T", " "),
          formatDuration(run.workedMs),
          source,
          target,
        ]),
      ));
    }
    return EXIT.done;
  });
}
