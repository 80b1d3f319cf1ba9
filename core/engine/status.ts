/** Where a run stands, as every door (command line, HTTP, dashboard) shows it. @module */
import type { Progress, Run, Scope, Store } from "../ports/mod.ts";
import type { KindCounts, Summary } from "../report/model.ts";
import { type ListKind, RECORD_KINDS, type RecordKind } from "../records/mod.ts";
import { readControl } from "./control.ts";
import { isHeld, type Steering, WORKING } from "./steer.ts";
import { recordCounts } from "./counts.ts";
import type { RunControl } from "./types.ts";

export interface RateLimit {
  /** In force; null where the configuration of the run is not known. */
  requestsPerMinute: number | null;
  /** As configured when the run was started. */
  configured: number | null;
}

export interface RunStatus {
  runId: string;
  state: Run["state"];
  /** The run should be worked on, but no living process holds it. */
  interrupted: boolean;
  /** Exit code of a completed run. */
  result: number | null;
  /** Why it is paused, waits or failed. */
  reason: string | null;
  /** What was asked of it last. */
  desired: RunControl["desired"];
  phases: Run["phases"];
  createdAt: string;
  updatedAt: string;
  completedAt: string | null;
  workedMs: number;
  source: string;
  target: string;
  holder: { host: string; pid: number } | null;
  /** Rows of each list of the source. */
  extracted: Record<ListKind, number>;
  counts: Record<RecordKind, KindCounts>;
  /** Artefacts per kind and state. */
  targets: { kind: string; state: string; count: number }[];
  setAside: number;
  findings: number;
  losses: Record<string, number>;
  requests: { source: number; target: number };
  limits: { source: RateLimit; target: RateLimit };
}

/** Both ends of a migration in words. */
export function endsOf(scope: Scope): { source: string; target: string } {
  const host = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);
  return {
    source: `${scope.sourceProject} (${host(scope.sourceUrl)})`,
    target: `${host(scope.targetUrl)} project ${scope.targetProject} "${scope.rootName}"`,
  };
}

/** What takes aggregate queries; a moment's age does no harm. */
export type RunFigures = Pick<
  RunStatus,
  "extracted" | "counts" | "targets" | "setAside" | "findings" | "losses" | "requests"
>;

/** Reads where a run stands. Costs a few aggregate queries, unless the figures are given. */
export async function readRunStatus(
  steering: Steering,
  run: Run,
  scope: Scope,
  figures?: RunFigures,
): Promise<RunStatus> {
  const { store } = steering;
  const lease = await store.leaseOf(scope.id);
  const held = isHeld(lease, steering) ? lease : null;
  const control = await readControl(store, run.id);
  return {
    runId: run.id,
    state: run.state,
    interrupted: WORKING.includes(run.state) && held === null,
    result: run.result,
    // Why it stood still before is over once somebody works on it.
    reason: WORKING.includes(run.state) && held !== null ? null : run.reason,
    desired: control.desired,
    phases: run.phases,
    createdAt: run.createdAt,
    updatedAt: run.updatedAt,
    completedAt: run.completedAt,
    workedMs: Math.round(run.workedMs),
    ...endsOf(scope),
    holder: held === null ? null : { host: held.host, pid: held.pid },
    ...figures ?? await readRunFigures(store, run),
    limits: limitsOf(run, control),
  };
}

/** Counts everything of a run. */
export async function readRunFigures(store: Store, run: Run): Promise<RunFigures> {
  const { scopeId } = run;
  const issues = await store.countIssues(scopeId);
  const sum = (rows: { count: number }[]): number => rows.reduce((n, row) => n + row.count, 0);
  const targets = await store.countTargets(scopeId);
  return {
    extracted: await store.countRecords(scopeId),
    counts: finalCounts(run) ?? await recordCounts({ store, run }, targets),
    targets: targetRows(targets),
    setAside: sum(issues.filter((row) => row.setAside)),
    findings: sum(issues.filter((row) => !row.setAside)),
    losses: await store.countLosses(scopeId),
    requests: requestTotals(await store.requestCounts(run.id)),
  };
}

/** Counts that a completed run was left with. */
function finalCounts(run: Run): RunStatus["counts"] | null {
  if (run.state !== "completed" || run.summary === null) return null;
  const { counts } = run.summary as Partial<Summary>;
  return counts !== undefined && RECORD_KINDS.every((kind) => kind in counts) ? counts : null;
}

function targetRows(
  rows: Awaited<ReturnType<Store["countTargets"]>>,
): RunStatus["targets"] {
  const sums = new Map<string, { kind: string; state: string; count: number }>();
  for (const { kind, state, count } of rows) {
    const sum = sums.get(`${kind}/${state}`) ?? { kind, state, count: 0 };
    sum.count += count;
    sums.set(`${kind}/${state}`, sum);
  }
  return [...sums.values()];
}

function requestTotals(
  rows: { system: "source" | "target"; count: number }[],
): RunStatus["requests"] {
  const totals = { source: 0, target: 0 };
  for (const { system, count } of rows) totals[system] += count;
  return totals;
}

function limitsOf(run: Run, { limits }: RunControl): RunStatus["limits"] {
  const config = run.config as Record<string, { requestsPerMinute?: unknown } | undefined> | null;
  const limit = (system: "source" | "target"): RateLimit => {
    const given = config?.[system]?.requestsPerMinute;
    const configured = typeof given === "number" ? given : null;
    return { configured, requestsPerMinute: limits[system] ?? configured };
  };
  return { source: limit("source"), target: limit("target") };
}

/** Speed and outlook over all stages that are under way. */
export function outlook(
  stages: readonly Progress[],
): { rate: number; etaMs: number | null; waiting: string | null } {
  const open = stages.filter(({ done, total }) => total === null || done < total);
  const etas = open.map(({ etaMs }) => etaMs).filter((etaMs) => etaMs !== null);
  return {
    rate: Math.round(open.reduce((sum, { rate }) => sum + rate, 0) * 100) / 100,
    // Stages run side by side: the slowest one decides.
    etaMs: etas.length === 0 ? null : Math.round(Math.max(...etas)),
    waiting: open.find(({ waiting }) => waiting !== null)?.waiting ?? null,
  };
}
