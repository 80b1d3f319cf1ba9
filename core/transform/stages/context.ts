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
import { createTransform } from "../mod.ts";
import type { Transform } from "../mod.ts";
import type { FieldPlan, TransformContext } from "../types.ts";

export const FIELD_PLAN_NOTE = "fieldPlan";
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

/** One transform per process; {@linkcode forgetTransform} after the field plan or a setting changed. */
export function transformOf(ctx: RunContext): Promise<RunTransform> {
  let known = cache.get(ctx);
  if (known === undefined) {
    known = build(ctx);
    cache.set(ctx, known);
  }
  return known;
}

export function forgetTransform(ctx: RunContext): void {
  cache.delete(ctx);
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
    emptyExpectedRefused: await ctx.note<boolean>(EMPTY_REFUSED_NOTE) ?? false,
  };
  return { transform: createTransform(context), context, migratedCases };
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
