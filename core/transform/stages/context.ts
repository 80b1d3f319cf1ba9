/** Builds the transform of a run from the store: lookups, folders, plans and cycles fit in memory. @module */
import type { TargetField } from "../../ports/mod.ts";
import type {
  FolderRecord,
  LookupRecord,
  TestCycleRecord,
  TestPlanRecord,
} from "../../records/mod.ts";
import type { RunContext } from "../../engine/stage.ts";
import { eachRecord } from "../../extract/census.ts";
import { AutomatedCases } from "../automation.ts";
import type { AutomationCases } from "../automation.ts";
import { lookupName } from "../references.ts";
import { statusRule } from "../statuses.ts";
import { createTransform } from "../mod.ts";
import type { Transform } from "../mod.ts";
import type { FieldPlan, TransformContext } from "../types.ts";

export const FIELD_PLAN_NOTE = "fieldPlan";
/**
 * Name of a checkpoint of the scope, whatever the run: roots and releases of an earlier migration that
 * stay as they are, so that markers in them mean nothing to this one.
 */
export const LEFT_ALONE = "leftAlone";
/** Set when the tenant refused an empty expected result: the placeholder is sent from then on. */
export const EMPTY_REFUSED_NOTE = "emptyExpectedRefused";

/** The transform of this run with what it needs to know from outside. */
export interface RunTransform {
  transform: Transform;
  context: TransformContext;
  /** Case keys that calls may point at; callers add to it before they transform a case. */
  migratedCases: Set<string>;
}

const cache = new WeakMap<RunContext, Promise<RunTransform>>();
const origins = new WeakMap<RunContext, RunContext>();

/** The same run seen with other members; it shares the transform. */
export function viewOf(ctx: RunContext, changes: Partial<RunContext>): RunContext {
  const view = { ...ctx, ...changes };
  origins.set(view, origins.get(ctx) ?? ctx);
  return view;
}

/** One transform per process; {@linkcode forgetTransform} after the field plan or a setting changed. */
export function transformOf(ctx: RunContext): Promise<RunTransform> {
  const origin = origins.get(ctx) ?? ctx;
  let known = cache.get(origin);
  if (known === undefined) {
    known = build(origin);
    cache.set(origin, known);
  }
  return known;
}

export function forgetTransform(ctx: RunContext): void {
  cache.delete(origins.get(ctx) ?? ctx);
}

async function build(ctx: RunContext): Promise<RunTransform> {
  const lookups = new Map<string, LookupRecord>();
  for (const kind of ["priority", "status", "environment"] as const) {
    await eachRecord(ctx, kind, (record) => lookups.set(`${kind}/${record.id}`, record));
  }
  const folders = new Map<string, FolderRecord>();
  await eachRecord(ctx, "folder", (record) => folders.set(record.id, record));
  const plans = new Map<string, TestPlanRecord>();
  await eachRecord(ctx, "testPlan", (record) => plans.set(record.id, record));
  const cycles = new Map<string, TestCycleRecord>();
  await eachRecord(ctx, "testCycle", (record) => cycles.set(record.id, record));
  const fieldPlan = await ctx.note<FieldPlan>(FIELD_PLAN_NOTE) ?? { fields: [] };
  const migratedCases = new Set<string>();
  const { settings } = ctx;
  const context: TransformContext = {
    projectKey: ctx.scope.sourceProject,
    rootName: ctx.scope.rootName,
    leftAlone: new Set(
      await ctx.store.checkpoint(ctx.scope.id, LEFT_ALONE) as string[] | null ?? [],
    ),
    marker: settings.target.marker,
    include: { ...settings.include },
    mapping: ctx.mapping,
    profile: ctx.targetProfile,
    fieldPlan,
    field: fieldFinder(fieldPlan, ctx.targetProfile.fields),
    lookups,
    folders,
    plans,
    cycles,
    isMigratedCase: (key) => migratedCases.has(key),
    sourceOrigin: new URL(settings.source.baseUrl).origin,
    runStartedAt: `${ctx.run.createdAt.slice(0, 19)}Z`,
    automation: await automationCases(ctx, lookups),
    emptyExpectedRefused: await ctx.note<boolean>(EMPTY_REFUSED_NOTE) ?? false,
  };
  return { transform: createTransform(context), context, migratedCases };
}

async function automationCases(
  ctx: RunContext,
  lookups: TransformContext["lookups"],
): Promise<AutomationCases | null> {
  const mode = ctx.settings.target.logs;
  if (mode === "manual") return null;
  if (mode === "bulk") return { mode, takesCase: () => true };
  const cases = new AutomatedCases();
  await eachRecord(ctx, "execution", (record) => {
    const { statusId } = record;
    const lookup = lookups.get(`status/${statusId}`);
    const name = statusId === null ? "" : lookupName(ctx.mapping, lookup, "status", statusId);
    cases.add(record, statusRule(ctx.mapping, name, lookup).target !== null);
  });
  const keys = cases.keys();
  return { mode, takesCase: (key) => keys.has(key) };
}

/**
 * Planned fields by source name. A field that must still be created stands in with an id of its own,
 * so that payloads can be planned before the first write; the loader asks again afterwards.
 */
function fieldFinder(plan: FieldPlan, present: TargetField[]): TransformContext["field"] {
  const bySource = new Map<string, TargetField>();
  for (const planned of plan.fields) {
    const existing = present.find((field) =>
      field.object === planned.object &&
      (planned.existing === null
        ? !field.isSystem && field.label.toLowerCase() === planned.label.toLowerCase()
        : field.id === planned.existing.id)
    );
    bySource.set(
      `${planned.object}/${planned.source}`,
      existing ?? planned.existing ?? {
        id: `new:${planned.object}:${planned.label}`,
        object: planned.object,
        label: planned.label,
        type: planned.type,
        dataType: null,
        multiple: planned.type === "multiSelect",
        required: false,
        isSystem: false,
        originalName: null,
        options: planned.options.map((label) => ({ id: `new:${label}`, label })),
        defaultValue: null,
      },
    );
  }
  return (object, source) => bySource.get(`${object}/${source}`) ?? null;
}
