/** Which executions, and which of their steps, are read. @module */
import type { Settings } from "../config/types.ts";
import type { RunContext } from "../engine/stage.ts";
import { statusRule } from "../transform/statuses.ts";

/** Whether executions are read: without their cases they would have no place. */
export function readsExecutions(
  include: Pick<Settings["include"], "executions" | "testCases">,
): boolean {
  return include.testCases && include.executions !== "none";
}

/**
 * Returns whether the steps of an execution with this status are wanted: `executed` = its status
 * maps to a log, `failed` = it maps to Failed.
 */
export async function stepStatusFilter(
  ctx: Pick<RunContext, "store" | "scope" | "settings" | "mapping">,
): Promise<(statusId: string | null) => boolean> {
  const mode = ctx.settings.include.executionSteps;
  if (mode === "none") return () => false;
  if (mode === "all") return () => true;
  const { rows } = await ctx.store.records(ctx.scope.id, "status", { after: null, limit: 1000 });
  const wanted = new Map(rows.map((status) => {
    const { target } = statusRule(ctx.mapping, status.name ?? "", status);
    // A status that no rule knows stops the load later; its steps are wanted until somebody says.
    const hasLog = target !== null;
    return [status.id, mode === "failed" ? target?.toLowerCase() === "failed" : hasLog];
  }));
  return (statusId) => statusId !== null && (wanted.get(statusId) ?? false);
}
