/** Whether the target's monthly quota is enough for the load, before its first write. @module */
import type { Census } from "../extract/census.ts";
import type { ListKind } from "../records/mod.ts";
import { BudgetError } from "../errors.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { CENSUS_NOTE, eachRecord } from "../extract/census.ts";
import { FIELD_PLAN_NOTE } from "../transform/stages/context.ts";
import { statusRule } from "../transform/statuses.ts";
import type { FieldPlan } from "../transform/types.ts";

export interface LoadSize {
  census: Census;
  counts: Record<ListKind, number>;
  newFields: number;
  /** Executions that become a log. */
  logs: number;
}

/** Requests the load needs at least, from what the lists tell. */
export function loadRequests(ctx: Pick<RunContext, "settings">, size: LoadSize): number {
  const { census, counts, newFields, logs } = size;
  const { approve, logs: mode } = ctx.settings.target;
  // The two roots, and the suite of ad hoc executions.
  const containers = counts.folder + counts.testPlan + counts.testCycle + 3;
  const cases = counts.testCase * (approve ? 2 : 1);
  // In bulk, runs come with their logs; automated ones only are not known before the details.
  const results = mode === "bulk" ? Math.ceil(logs / 50) * 2 : logs + census.runs;
  return newFields + containers + cases + results;
}

/** Throws {@linkcode BudgetError} (exit 8) with the numbers when the month does not suffice. */
export async function assertMonthSuffices(
  ctx: Pick<RunContext, "settings" | "targetProfile" | "store" | "scope" | "spendQuota">,
  planned: number,
): Promise<void> {
  const { monthRemaining } = ctx.targetProfile;
  if (monthRemaining === null || ctx.spendQuota) return;
  const made = (await ctx.store.countTargets(ctx.scope.id))
    .filter((row) => row.state === "loaded")
    .reduce((sum, row) => sum + row.count, 0);
  const needed = Math.max(0, planned - made);
  const free = monthRemaining - ctx.settings.monthReserve;
  if (needed <= free) return;
  throw new BudgetError(
    `The load needs about ${needed} requests, the target allows ${monthRemaining} more this month and ${ctx.settings.monthReserve} are kept in reserve`,
    {
      hint:
        "Nothing was written. Wait for the new month, ask for a higher quota, leave something out (see `ztoq plan`), or go on in parts with --spend-quota.",
    },
  );
}

/** The first stage of the load. */
export function quotaStage(after: string[]): Stage {
  return { name: "load.quota", phase: "load", after, run: checkQuota };
}

async function checkQuota(ctx: RunContext): Promise<boolean> {
  const census = await ctx.note<Census>(CENSUS_NOTE);
  const plan = await ctx.note<FieldPlan>(FIELD_PLAN_NOTE);
  if (census === null || plan === null) return true;
  let logs = 0;
  await eachRecord(ctx, "status", (status) => {
    const { target } = statusRule(ctx.mapping, status.name ?? "", status);
    if (target !== null) logs += census.executionStatuses[status.id] ?? 0;
  });
  const counts = await ctx.store.countRecords(ctx.scope.id);
  const newFields = plan.fields.filter((field) => field.existing === null).length;
  await assertMonthSuffices(ctx, loadRequests(ctx, { census, counts, newFields, logs }));
  return true;
}
