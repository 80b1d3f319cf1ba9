/**
 * What a migration will do, from what was extracted and transformed: artefacts to make, values and
 * what they become, losses, requests and time. Changes nothing.
 * @module
 */
import type { Mapping, Settings } from "../config/types.ts";
import { recordCounts } from "../engine/counts.ts";
import { noteName } from "../engine/summary.ts";
import { type Census, CENSUS_NOTE } from "../extract/census.ts";
import type { Run, Store, TargetCount, TargetRow } from "../ports/mod.ts";
import type { LookupRecord, RecordKind } from "../records/mod.ts";
import type { Summary } from "../report/model.ts";
import { FIELD_PLAN_NOTE } from "../transform/stages/context.ts";
import { lookUp } from "../transform/references.ts";
import { statusRule } from "../transform/statuses.ts";
import type { FieldPlan } from "../transform/types.ts";
import { fileWork } from "./file_work.ts";
import { targetMinimum } from "./minimum.ts";
import { type Choice, optionCosts, type SourceSizes } from "./options.ts";

/** A value of the source, how often it occurs, and what it becomes. */
export interface PlannedValue {
  name: string;
  count: number;
  /** Whether anybody has said what it becomes: the mapping file, the built-in list, or a default. */
  mapped: boolean;
  /** null = no log, or not mapped. */
  becomes: string | null;
}

export interface Plan {
  runId: string;
  /** Whether the transform is done; until then operations, losses and target requests are partial. */
  complete: boolean;
  /** Records read, per kind. */
  inventory: Record<RecordKind, number>;
  statuses: PlannedValue[];
  priorities: PlannedValue[];
  /** Artefacts per kind of the target. */
  operations: Record<string, { create: number; done: number; withoutTarget: number }>;
  losses: Record<string, number>;
  requests: {
    source: { extract: number; total: number };
    target: { load: number; validate: number; total: number };
  };
  /** Both systems at their set rates, side by side: the slower one decides. */
  durationMs: { source: number; target: number; total: number };
  /** Source requests and hours of every choice of the two options that cost most. */
  options: { executionSteps: Choice[]; attachments: Choice[] };
  /** What keeps the load from starting. */
  problems: string[];
}

export interface PlanInput {
  store: Store;
  run: Run;
  summary: Summary;
  settings: Settings;
  mapping: Mapping;
  problems: readonly string[];
}

/** Reads the plan of a run from the store. */
export async function buildPlan(input: PlanInput): Promise<Plan> {
  const { store, run, summary, settings } = input;
  const targets = await store.countTargets(run.scopeId);
  const counts = await recordCounts({ store, run }, targets);
  const inventory = Object.fromEntries(
    Object.entries(counts).map(([kind, row]) => [kind, row.extracted]),
  ) as Plan["inventory"];
  const statuses = await plannedStatuses(input);
  const target = await targetRequests(input, targets);
  const extract = summary.requests.source.minimum;
  const sizes = await sourceSizes(input, statuses);
  const time = (requests: number, perMinute: number): number =>
    Math.round((requests / perMinute) * 60_000);
  const sourceMs = time(extract, settings.source.requestsPerMinute);
  const targetMs = time(target.total, settings.target.requestsPerMinute);
  return {
    runId: run.id,
    complete: run.phases.transform === "done",
    inventory,
    statuses,
    priorities: await plannedPriorities(input),
    operations: await operationsOf(input, targets),
    losses: await store.countLosses(run.scopeId),
    requests: { source: { extract, total: extract }, target },
    durationMs: { source: sourceMs, target: targetMs, total: Math.max(sourceMs, targetMs) },
    options: optionCosts(sizes, settings.source.requestsPerMinute),
    problems: [...input.problems],
  };
}

async function noteOf<T>({ store, run }: PlanInput, name: string): Promise<T | null> {
  return await store.checkpoint(run.scopeId, noteName(run.id, name)) as T | null;
}

async function lookups(
  { store, run }: PlanInput,
  kind: LookupRecord["kind"],
  counts: Record<string, number>,
): Promise<{ record: LookupRecord | undefined; name: string; count: number }[]> {
  const found = await store.recordsByKey(run.scopeId, kind, Object.keys(counts));
  const rows = Object.entries(counts).map(([id, count]) => {
    const record = found.get(id);
    return { record, name: record?.name?.trim() || `${kind} ${id}`, count };
  });
  return rows.sort((a, b) => b.count - a.count);
}

async function plannedStatuses(input: PlanInput): Promise<PlannedValue[]> {
  const census = await noteOf<Census>(input, CENSUS_NOTE);
  const rows = await lookups(input, "status", census?.executionStatuses ?? {});
  return rows.map(({ record, name, count }) =>
    planned(name, count, statusRule(input.mapping, name, record).target)
  );
}

/** The built-in choices stand in the mapping file by now; what does not has no place yet. */
async function plannedPriorities(input: PlanInput): Promise<PlannedValue[]> {
  const census = await noteOf<Census>(input, CENSUS_NOTE);
  const { priorities, defaults } = input.mapping;
  return (await lookups(input, "priority", census?.priorities ?? {})).map(({ name, count }) =>
    planned(name, count, lookUp(priorities, name) ?? defaults.priority)
  );
}

function planned(name: string, count: number, becomes: string | null | undefined): PlannedValue {
  return { name, count, mapped: becomes !== undefined, becomes: becomes ?? null };
}

async function operationsOf(
  input: PlanInput,
  targets: TargetCount[],
): Promise<Plan["operations"]> {
  const operations: Plan["operations"] = {};
  const at = (kind: string): Plan["operations"][string] =>
    operations[kind] ??= { create: 0, done: 0, withoutTarget: 0 };
  for (const { kind, state, count } of targets) {
    if (state === "withoutTarget") at(kind).withoutTarget += count;
    else if (state === "loaded") at(kind).done += count;
    else if (state !== "setAside") at(kind).create += count;
  }
  if (operations.field === undefined) at("field").create = (await newFields(input)).length;
  return operations;
}

async function newFields(input: PlanInput): Promise<FieldPlan["fields"]> {
  const plan = await noteOf<FieldPlan>(input, FIELD_PLAN_NOTE);
  return plan?.fields.filter(({ existing }) => existing === null) ?? [];
}

/** The formulas of the summary, with everything that is planned taken as made. */
async function targetRequests(
  input: PlanInput,
  targets: TargetCount[],
): Promise<Plan["requests"]["target"]> {
  const counts = targets
    .filter(({ state }) => state !== "withoutTarget" && state !== "setAside")
    .map((row): TargetCount => ({ ...row, state: "loaded" }));
  const hasFields = counts.some(({ kind }) => kind === "field");
  const fields = hasFields ? 0 : (await newFields(input)).length;
  const work = {
    counts,
    ...await fileWork(input.store, input.run.scopeId, {
      states: ["pending", "sending", "inDoubt", "loaded"],
      goesAlone,
    }),
    approve: input.settings.target.approve,
  };
  const load = targetMinimum({ ...work, validated: false }) + fields;
  const total = targetMinimum({ ...work, validated: true }) + fields;
  return { load, validate: total - load, total };
}

/** Files that small ride inside the create of their case or log. */
const MAX_INLINE_BYTES = 512 * 1024;

/** By its size: nothing was sent yet. */
function goesAlone({ detail: { object, size } }: TargetRow): boolean {
  const rides = (object === "testCase" || object === "testLog") &&
    typeof size === "number" && size > 0 && size <= MAX_INLINE_BYTES;
  return !rides;
}

async function sourceSizes(
  { store, run }: PlanInput,
  statuses: PlannedValue[],
): Promise<SourceSizes> {
  const all = await store.inventory(run.scopeId);
  const sum = (rows: PlannedValue[]): number => rows.reduce((total, row) => total + row.count, 0);
  return {
    testCases: all.testCases,
    testPlans: all.testPlans,
    testCycles: all.testCycles,
    executions: all.executions,
    executed: sum(statuses.filter(({ mapped, becomes }) => !mapped || becomes !== null)),
    failed: sum(statuses.filter(({ becomes }) => becomes?.toLowerCase() === "failed")),
    steps: all.executionSteps + await scriptSteps(store, run.scopeId),
  };
}

async function scriptSteps(store: Store, scopeId: number): Promise<number> {
  let total = 0;
  let after: string | null = null;
  do {
    const page: { rows: { key: string }[]; cursor: string | null } = await store.records(
      scopeId,
      "testCase",
      { after, limit: 1_000 },
    );
    const details = await store.details(scopeId, "script", page.rows.map(({ key }) => key));
    for (const { count } of details.values()) total += count;
    after = page.cursor;
  } while (after !== null);
  return total;
}
