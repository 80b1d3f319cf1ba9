/** `ztoq runs` @module */
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { formatDuration } from "../../core/report/format.ts";
import { ends, withStore } from "../cli/reading.ts";
import { remoteOf } from "../cli/remote.ts";
import type { CommandContext } from "../cli/spec.ts";
import { table } from "../cli/style.ts";

/** Lists all runs, newest first. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const remote = remoteOf(context);
  if (remote !== null) {
    const { runs } = await remote.json<{ runs: ListedRun[] }>("GET", "v1/migrations?limit=1000");
    return print(context, runs);
  }
  return await withStore(context, async ({ store }) => {
    const scopes = new Map((await store.scopes()).map((scope) => [scope.id, scope]));
    const rows = (await store.runs(null)).map((run) => {
      const scope = scopes.get(run.scopeId);
      const { source, target } = scope === undefined ? { source: "?", target: "?" } : ends(scope);
      return {
        runId: run.id,
        state: run.state,
        result: run.result,
        createdAt: run.createdAt,
        updatedAt: run.updatedAt,
        completedAt: run.completedAt,
        workedMs: run.workedMs,
        source,
        target,
      };
    });
    return print(context, rows);
  });
}

interface ListedRun {
  runId: string;
  state: string;
  result: number | null;
  createdAt: string;
  workedMs: number;
  source: string;
  target: string;
}

function print(context: CommandContext, rows: readonly ListedRun[]): ExitCode {
  if (context.globals.json) context.printJson(rows);
  else if (rows.length === 0) context.say("No run yet; `ztoq migrate` starts one.\n");
  else {
    context.say(table(
      ["Run", "State", "Exit", "Started", "Worked", "Source", "Target"],
      rows.map((row) => [
        row.runId,
        row.state,
        row.result === null ? "" : String(row.result),
        row.createdAt.slice(0, 19).replace("T", " "),
        formatDuration(row.workedMs),
        row.source,
        row.target,
      ]),
    ));
  }
  return EXIT.done;
}
