/** What of the source a run with given settings has to move, by the words of the contract. @module */
import type { Mapping, Settings } from "../../../core/config/types.ts";
import type { LossRow } from "../../../core/ports/mod.ts";
import type { QtestState } from "../../../adapters/qtest/simulator/mod.ts";
import type {
  SimCase,
  SimCycle,
  SimExecution,
  SimFolder,
  SimOwner,
  SimPlan,
  ZephyrDataset,
} from "../../../adapters/zephyr/simulator/mod.ts";
import type { World } from "../world.ts";
import type { Findings } from "./findings.ts";
import { decode, numberOf } from "./text.ts";

/** One examination: both worlds, the settings between them, and what is expected to arrive. */
export interface Scope {
  dataset: ZephyrDataset;
  state: QtestState;
  settings: Settings;
  mapping: Mapping;
  findings: Findings;
  projectKey: string;
  folders: SimFolder[];
  cases: Map<string, SimCase>;
  cycles: SimCycle[];
  plans: SimPlan[];
  executions: SimExecution[];
  /** Keys that executions name and the source does not list. */
  placeholders: Set<string>;
  losses: LossRow[];
  /** Whether the source gives out files and ids of steps. */
  hasFiles: boolean;
  /** Target id of an artefact by the local map; undefined when nothing was made. */
  idOf(kind: string, key: string): number | undefined;
}

/** Reads both sides after a run. */
export async function openScope(
  world: World,
  findings: Findings,
  generation: "A" | "B" | "C",
): Promise<Scope> {
  const { dataset } = world.zephyr;
  const { include } = world.settings;
  const mine = (row: { projectId: number }): boolean => row.projectId === dataset.project.id;
  const cases = dataset.cases.filter((row) => include.testCases && mine(row) && !row.archived);
  // Without cases there are no runs, and nothing of executions is read.
  const executions = selectExecutions(dataset, include.testCases ? include.executions : "none");
  const byKey = new Map(cases.map((row) => [row.key, row]));
  const ids = await targetIds(world);
  return {
    dataset,
    state: world.qtest.state,
    settings: world.settings,
    mapping: world.mapping,
    findings,
    projectKey: dataset.project.key,
    folders: include.folders ? dataset.folders.filter(mine) : [],
    cases: byKey,
    cycles: include.testCycles ? dataset.cycles.filter(mine) : [],
    plans: include.testPlans ? dataset.plans.filter(mine) : [],
    executions,
    placeholders: new Set(executions.map((row) => row.caseKey).filter((key) => !byKey.has(key))),
    losses: await allLosses(world),
    hasFiles: generation === "C",
    idOf: (kind, key) => ids.get(`${kind} ${key}`),
  };
}

function selectExecutions(
  dataset: ZephyrDataset,
  wanted: Settings["include"]["executions"],
): SimExecution[] {
  if (wanted === "none") return [];
  const rows = [...dataset.executions];
  if (wanted === "all") return rows;
  const last = new Map(rows.map((row) => [`${row.cycleId}/${row.caseKey}`, row]));
  return [...last.values()];
}

async function targetIds(world: World): Promise<Map<string, number>> {
  const kinds = ["module", "release", "testCycle", "testCase", "testSuite", "testRun", "testLog"];
  const ids = new Map<string, number>();
  for (const kind of kinds as "module"[]) {
    let after: string | null = null;
    do {
      const page = await world.store.targets(1, kind, { after, limit: 500 });
      for (const row of page.rows) {
        if (row.targetId !== null) ids.set(`${kind} ${row.key}`, Number(row.targetId));
      }
      after = page.cursor;
    } while (after !== null);
  }
  return ids;
}

async function allLosses(world: World): Promise<LossRow[]> {
  const rows: LossRow[] = [];
  let after: string | null = null;
  do {
    const page = await world.store.losses(1, { after, limit: 500 });
    rows.push(...page.rows);
    after = page.cursor;
  } while (after !== null);
  return rows;
}

/** A name as it should arrive before any marker: decoded once, trimmed, at most 500 characters. */
export function plainName(name: string): string {
  return decode(name).trim().slice(0, 500);
}

export function caseName(scope: Scope, key: string): string {
  const row = scope.cases.get(key);
  return row === undefined ? `${key} (archived in Zephyr)` : plainName(row.name);
}

/** Account id of an owner; null for none and for removed accounts. */
export function accountOf(owner: SimOwner): string | null {
  return owner?.accountId ?? null;
}

/** Id of the target's user that an account is mapped to. */
export function userOf(scope: Scope, account: string | null): number | null {
  if (account === null) return null;
  const username = scope.mapping.users[account];
  return scope.state.users.find((row) => row.username === username && row.active)?.id ?? null;
}

export function statusName(scope: Scope, id: number): string {
  return scope.dataset.statuses.find((row) => row.id === id)?.name ?? "";
}

const STATUSES: [string | null, string[]][] = [
  ["Passed", ["pass", "passed", "pass with warnings", "conditional pass"]],
  ["Failed", ["fail", "failed"]],
  ["Blocked", ["blocked", "aborted"]],
  ["Incomplete", ["in progress", "wip", "executing"]],
  [null, ["not executed", "unexecuted", "pending", "canceled"]],
];

/** Target status by the source's name; null = no log. */
export function targetStatus(scope: Scope, id: number): string | null {
  const name = statusName(scope, id);
  const { statuses, defaults } = scope.mapping;
  const own = Object.entries(statuses.execution)
    .find(([key]) => key.toLowerCase() === name.toLowerCase());
  if (own !== undefined) return own[1];
  const listed = STATUSES.find(([, names]) => names.includes(name.toLowerCase()));
  if (listed !== undefined) return listed[0];
  const flagged = scope.dataset.statuses.find((row) => row.id === id)?.isDefault === true;
  return flagged ? null : defaults.status ?? null;
}

/** Plans of a cycle that are moved, lowest id first. */
export function plansOf(scope: Scope, cycle: SimCycle): SimPlan[] {
  const ids = new Set(cycle.plans.map((row) => row.planId));
  return scope.plans.filter((row) => ids.has(row.id)).sort((a, b) => a.id - b.id);
}

/** Whether a call becomes a called test case: lower number, same project, and moved. */
export function isRealCall(scope: Scope, caller: string, called: string): boolean {
  return scope.cases.has(called) && numberOf(called) < numberOf(caller);
}
