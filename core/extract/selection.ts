/** Which executions, and which of their steps, are read. @module */
import type { Settings } from "../config/types.ts";
import type { RunContext } from "../engine/stage.ts";
import type { LookupRecord } from "../records/mod.ts";
import { lookupName } from "../transform/references.ts";
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
  ctx: Pick<RunContext, "mapping"> & {
    store: Pick<RunContext["store"], "records">;
    scope: Pick<RunContext["scope"], "id">;
    settings: { include: Pick<Settings["include"], "executionSteps"> };
  },
): Promise<(statusId: string | null) => boolean> {
  const mode = ctx.settings.include.executionSteps;
  if (mode === "none") return () => false;
  if (mode === "all") return () => true;
  const { rows } = await ctx.store.records(ctx.scope.id, "status", { after: null, limit: 1000 });
  const wants = (id: string | null, status: LookupRecord | undefined): boolean => {
    const name = id === null ? "" : lookupName(ctx.mapping, status, "status", id);
    const { target } = statusRule(ctx.mapping, name, status);
    // A status that no rule knows stops the load later; its steps are wanted until somebody says.
    return mode === "failed" ? target?.toLowerCase() === "failed" : target !== null;
  };
  const wanted = new Map(rows.map((status) => [status.id, wants(status.id, status)]));
  // A status that the source does not tell still makes a log where the mapping says so.
  return (id) => wanted.get(id ?? "") ?? wants(id, undefined);
}
