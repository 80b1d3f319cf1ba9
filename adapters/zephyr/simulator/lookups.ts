/** Projects, priorities, statuses and environments. @module */
import { type Context, FIRST_ID } from "./context.ts";
import type { SimLookup, SimProject, SimStatus, SimStatusType } from "./types.ts";

const CASE_STATUSES = ["Draft", "Approved", "Deprecated", "In Progress", "~Obsolete"];
const PLAN_STATUSES = ["Draft", "Approved", "Deprecated"];
const CYCLE_STATUSES = ["Not Executed", "In Progress", "Done", "~Parked"];
/** More than one default page; `~` marks archived ones. */
const EXECUTION_STATUSES = [
  "Not Executed",
  "In Progress",
  "Pass",
  "Fail",
  "Blocked",
  "Pass with warnings",
  "Conditional pass",
  "WIP",
  "Aborted",
  "Canceled",
  "Pending",
  "Executing",
  "~Failed",
  "~Unexecuted",
];
const PRIORITIES = ["High", "Normal", "Low", "Highest", "Lowest"];
const ENVIRONMENTS = ["Chrome / Win 11", "Station #3 (Bern)", "iOS &amp; Android", "~Windows XP"];
const STATUS_TYPES: SimStatusType[] = ["TEST_CASE", "TEST_PLAN", "TEST_CYCLE", "TEST_EXECUTION"];

/** The project of interest, a second one with cases, and more than a default page of others. */
export function makeProjects(context: Context): SimProject[] {
  const { projectKey } = context.options;
  const projects = Array.from({ length: 13 }, (_, i): SimProject => ({
    id: FIRST_ID + i,
    jiraProjectId: 10_000 + i * 100,
    key: `P${String.fromCharCode(65 + i)}${i}`,
    enabled: i % 4 !== 3,
  }));
  for (const project of projects) {
    if (project.id === context.projectId) {
      Object.assign(project, { key: projectKey, enabled: true });
    }
    if (project.id === context.foreign.id) {
      Object.assign(project, { key: context.foreign.key, enabled: true });
    }
  }
  return projects;
}

export interface Lookups {
  priorities: SimLookup[];
  statuses: SimStatus[];
  environments: SimLookup[];
}

/** Lookups of both projects that have content: same names, different ids. */
export function makeLookups(context: Context): Lookups {
  const result: Lookups = { priorities: [], statuses: [], environments: [] };
  const next = { priorities: FIRST_ID, statuses: FIRST_ID, environments: FIRST_ID };
  for (const projectId of [context.projectId, context.foreign.id]) {
    const add = (names: string[], kind: keyof typeof next): SimLookup[] =>
      names.map((name, index) => makeLookup(name, index, projectId, next[kind]++));
    const extra = context.hostile ? ["P1"] : [];
    result.priorities.push(...add([...PRIORITIES, ...extra], "priorities"));
    result.environments.push(...add(ENVIRONMENTS, "environments"));
    for (const type of STATUS_TYPES) {
      result.statuses.push(
        ...add(statusNames(type, context.hostile), "statuses").map((row) => ({ ...row, type })),
      );
    }
  }
  return result;
}

function statusNames(type: SimStatusType, hostile: boolean): string[] {
  if (type === "TEST_CASE") return CASE_STATUSES;
  if (type === "TEST_PLAN") return PLAN_STATUSES;
  if (type === "TEST_CYCLE") return CYCLE_STATUSES;
  return hostile ? [...EXECUTION_STATUSES, "Parked", "N/A &amp; skipped"] : EXECUTION_STATUSES;
}

function makeLookup(name: string, index: number, projectId: number, id: number): SimLookup {
  const archived = name.startsWith("~");
  return {
    id,
    projectId,
    name: archived ? name.slice(1) : name,
    description: [undefined, null, "", "Set by the team"][index % 4],
    index,
    color: index % 3 === 2 ? undefined : `#${(index * 1118481 + 3355443).toString(16).slice(0, 6)}`,
    isDefault: index === 0,
    archived,
  };
}
