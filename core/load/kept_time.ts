/** Logs that were there before keep the time that stood in for a missing end date. @module */
import type { LossRow, TargetRow } from "../ports/mod.ts";
import type { LogPlan } from "../transform/types.ts";
import { instantMs, isoSeconds } from "../transform/dates.ts";

const RULE = "no-end-date";

/**
 * The plan with the end that an adopted log has, where only the time of the run stands for it: the
 * run of a new database is another one, and what the first one wrote is as right.
 * @param runStartedAt the time of this run as the plan was given it
 */
export function withKeptTime(
  plan: LogPlan,
  { detail }: Pick<TargetRow, "detail">,
  runStartedAt: string,
): LogPlan {
  const { draft } = plan;
  const keptMs = instantMs(typeof detail.end === "string" ? detail.end : null);
  if (draft === null || keptMs === null) return plan;
  const endMs = instantMs(draft.end);
  const isOfRun = endMs === instantMs(runStartedAt) && plan.losses.some((row) => row.rule === RULE);
  if (!isOfRun || endMs === null) return plan;
  const end = isoSeconds(keptMs);
  const start = isoSeconds(keptMs - (endMs - (instantMs(draft.start) ?? endMs)));
  const named = (row: LossRow): LossRow => row.rule === RULE ? { ...row, after: end } : row;
  return { ...plan, draft: { ...draft, start, end }, losses: plan.losses.map(named) };
}
