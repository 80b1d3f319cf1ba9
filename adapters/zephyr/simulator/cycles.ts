/** Test cycles and test plans, linked many to many. @module */
import type { Random } from "../../simulator_kit/mod.ts";
import { issueLinks, webLinks } from "./cases.ts";
import { type Context, FIRST_ID, LAST_CHANGE_MS } from "./context.ts";
import { customFields } from "./custom_fields.ts";
import type { Lookups } from "./lookups.ts";
import { iso, owner, sometimes } from "./people.ts";
import { NAME_TRAPS, richText, words } from "./texts.ts";
import type { SimCycle, SimFolder, SimFolderType, SimPlan, SimStatusType } from "./types.ts";

/** Position of the cycle that has no executions. */
export const EMPTY_CYCLE = 2;
const PLANS = 5;

/** Makes cycles and plans. The last plan has no cycles; the fourth cycle has no plan. */
export function makeCyclesAndPlans(
  context: Context,
  folders: SimFolder[],
  lookups: Lookups,
): { cycles: SimCycle[]; plans: SimPlan[] } {
  const count = Math.max(8, Math.ceil(context.options.cases / 20) + 2);
  const cycles = Array.from({ length: count }, (_, i) => makeCycle(context, i, folders, lookups));
  const plans = Array.from({ length: PLANS }, (_, i) => makePlan(context, i, folders, lookups));
  const random = context.random("plan links");
  cycles.forEach((cycle, i) => {
    const linked = i === 3
      ? []
      : i === 0
      ? plans.slice(0, 3)
      : random.pickMany(plans.slice(0, PLANS - 1)).slice(0, 3);
    for (const plan of linked) {
      cycle.plans.push({ linkId: context.linkId(), planId: plan.id });
      plan.cycles.push({ linkId: context.linkId(), cycleId: cycle.id });
    }
  });
  return { cycles, plans };
}

function makeCycle(
  context: Context,
  index: number,
  folders: SimFolder[],
  lookups: Lookups,
): SimCycle {
  const random = context.random("cycle", index);
  const startMs = LAST_CHANGE_MS - random.int(30, 700) * 86_400_000 + 7 * 3_600_000;
  const endMs = startMs + random.int(5, 60) * 86_400_000;
  return {
    id: FIRST_ID + index * 2,
    projectId: context.projectId,
    key: `${context.options.projectKey}-R${index + 1}`,
    name: NAME_TRAPS[index % 30] ?? `${words(random, 3)} cycle ${index + 1}`,
    folderId: index === 1 ? null : folderOf(random, folders, "TEST_CYCLE"),
    statusId: statusOf(random, lookups, context.projectId, "TEST_CYCLE"),
    description: sometimes(random, richText(random), 0.3),
    plannedStartDate: sometimesDate(random, iso(startMs)),
    plannedEndDate: sometimesDate(random, iso(endMs)),
    owner: owner(random),
    jiraVersionId: random.chance(0.3) ? null : 10_000 + random.int(1, 8),
    customFields: customFields(random, "testCycle"),
    issues: issueLinks(context, random, 0.2),
    webLinks: webLinks(context, random, 0.2),
    plans: [],
    updatedAt: startMs,
  };
}

/** Dates are null or missing when not set, never "". */
function sometimesDate(random: Random, value: string): string | null | undefined {
  return random.chance(0.8) ? value : random.chance(0.5) ? null : undefined;
}

function makePlan(
  context: Context,
  index: number,
  folders: SimFolder[],
  lookups: Lookups,
): SimPlan {
  const random = context.random("plan", index);
  return {
    id: FIRST_ID + index * 2,
    projectId: context.projectId,
    key: `${context.options.projectKey}-P${index + 1}`,
    name: index < 2 ? `Release &amp; plan "${index}"` : `${words(random, 3)} plan`,
    objective: sometimes(random, richText(random), 0.2),
    folderId: index === 1 ? null : folderOf(random, folders, "TEST_PLAN"),
    statusId: statusOf(random, lookups, context.projectId, "TEST_PLAN"),
    owner: owner(random),
    labels: random.chance(0.5) ? random.pickMany(["Q3", "audit", "été"]) : [],
    customFields: customFields(random, "testPlan"),
    issues: issueLinks(context, random, 0.5),
    webLinks: webLinks(context, random, 0.5),
    cycles: [],
    updatedAt: LAST_CHANGE_MS - random.int(1, 500) * 86_400_000,
  };
}

function folderOf(random: Random, folders: SimFolder[], type: SimFolderType): number {
  return random.pick(
    folders.filter((row) => row.folderType === type && row.name !== "Empty folder"),
  ).id;
}

function statusOf(
  random: Random,
  lookups: Lookups,
  projectId: number,
  type: SimStatusType,
): number {
  return random.pick(
    lookups.statuses.filter((row) => row.projectId === projectId && row.type === type),
  ).id;
}
