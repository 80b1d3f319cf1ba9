/** Plans test cases as their scripts and files arrive, in key order. @module */
import type { Change, DetailRow, LossRow, TargetRow } from "../../ports/mod.ts";
import type { AttachmentRecord, TestCaseRecord, TestScript } from "../../records/mod.ts";
import { ownerKey } from "../../records/mod.ts";
import type { RunContext, Stage } from "../../engine/stage.ts";
import { payloadHash } from "../mod.ts";
import { mayCall } from "../steps.ts";
import type { CasePlan } from "../types.ts";
import { transformOf } from "./context.ts";
import type { RunTransform } from "./context.ts";
import { attachmentChanges, lossChange, setAsideChanges, targetRow } from "./rows.ts";
import type { Needed } from "./waiting.ts";
import { readsFiles, waitForDetails } from "./waiting.ts";

/** Small, so that the first creates can start soon after the first scripts. */
const BATCH = 25;
const NOTE = "plan/testCase";
const EMPTY_SCRIPT: TestScript = { type: "none", text: null, steps: [] };

export function casesStage(after: string[]): Stage {
  return { name: "transform.testCase", phase: "transform", after, run: planCases };
}

async function planCases(ctx: RunContext): Promise<boolean> {
  let note = await ctx.note<{ after: string | null; done: number }>(NOTE) ??
    { after: null, done: 0 };
  const total = (await ctx.store.countRecords(ctx.scope.id)).testCase;
  for (;;) {
    const page = await ctx.store.records(ctx.scope.id, "testCase", {
      after: note.after,
      limit: BATCH,
    });
    if (page.rows.length > 0) {
      if (!await waitForDetails(ctx, neededBy(ctx, page.rows))) return false;
      const changes = await caseBatch(ctx, page.rows);
      note = { after: page.cursor ?? note.after, done: note.done + page.rows.length };
      await ctx.commit([...changes, ctx.noteChange(NOTE, note)]);
      ctx.progress("transform.testCase", { done: note.done, total });
      ctx.topics.bump("transform.testCase");
    }
    if (page.cursor === null) return true;
    if (ctx.stopping()) return false;
  }
}

function neededBy(ctx: RunContext, rows: TestCaseRecord[]): Needed[] {
  const keys = rows.map((row) => row.key);
  const needed: Needed[] = [{ task: "script", stage: "extract.script", keys }];
  if (readsFiles(ctx, "testCase")) {
    needed.push({
      task: "attachments",
      stage: "extract.attachments.testCase",
      keys: keys.map((key) => ownerKey({ kind: "testCase", key, stepId: null })),
    });
  }
  return needed;
}

/** A case with everything that was extracted for it. */
export interface CaseBundle {
  record: TestCaseRecord;
  script: TestScript;
  detail: DetailRow | undefined;
}

/**
 * Reads cases with their scripts and tells the transform which called cases will exist. The caller
 * transforms them with this very one: meanwhile it may have been forgotten and built anew.
 */
export async function caseBundles(
  ctx: RunContext,
  keys: string[],
  built: RunTransform,
): Promise<Map<string, CaseBundle>> {
  const [records, scripts, details] = await Promise.all([
    ctx.store.recordsByKey(ctx.scope.id, "testCase", keys),
    ctx.store.scripts(ctx.scope.id, keys),
    ctx.store.details(ctx.scope.id, "script", keys),
  ]);
  await learnCalledCases(ctx, scripts, built);
  const bundles = new Map<string, CaseBundle>();
  for (const [key, record] of records) {
    bundles.set(key, {
      record,
      script: scripts.get(key) ?? EMPTY_SCRIPT,
      detail: details.get(key),
    });
  }
  return bundles;
}

async function learnCalledCases(
  ctx: RunContext,
  scripts: Map<string, TestScript>,
  { migratedCases }: RunTransform,
): Promise<void> {
  const called = new Set<string>();
  for (const script of scripts.values()) {
    for (const step of script.steps) if (step.call !== null) called.add(step.call.key);
  }
  if (called.size === 0) return;
  const keys = [...called];
  const [records, details, rows] = await Promise.all([
    ctx.store.recordsByKey(ctx.scope.id, "testCase", keys),
    ctx.store.details(ctx.scope.id, "script", keys),
    ctx.store.targetsByKey(ctx.scope.id, "testCase", keys),
  ]);
  for (const key of keys) {
    const isAside = details.get(key)?.state === "setAside" || rows.get(key)?.state === "setAside";
    if (records.has(key) && !isAside) migratedCases.add(key);
    else migratedCases.delete(key);
  }
}

async function caseBatch(ctx: RunContext, rows: TestCaseRecord[]): Promise<Change[]> {
  const built = await transformOf(ctx);
  const bundles = await caseBundles(ctx, rows.map((row) => row.key), built);
  const owners = await ownerKeysOf(ctx, bundles);
  const files = await ctx.store.attachments(ctx.scope.id, [...owners.values()].flat());
  const changes: Change[] = [];
  for (const [key, bundle] of bundles) {
    const own = (owners.get(key) ?? []).flatMap((owner) => files.get(owner) ?? []);
    changes.push(...await caseChanges(ctx, built, bundle, own));
  }
  return changes;
}

/** Owner keys of the files of each case: itself and, where they are read, its steps. */
function ownerKeysOf(
  ctx: RunContext,
  bundles: Map<string, CaseBundle>,
): Map<string, string[]> {
  const owners = new Map<string, string[]>();
  if (!readsFiles(ctx, "testCase")) return owners;
  for (const [key, { script }] of bundles) {
    const keys = [ownerKey({ kind: "testCase", key, stepId: null })];
    if (ctx.settings.include.attachments === "all") {
      for (const step of script.steps) {
        if (step.id !== null) keys.push(ownerKey({ kind: "testStep", key, stepId: step.id }));
      }
    }
    owners.set(key, keys);
  }
  return owners;
}

async function caseChanges(
  ctx: RunContext,
  built: RunTransform,
  bundle: CaseBundle,
  files: AttachmentRecord[],
): Promise<Change[]> {
  const { record, script, detail } = bundle;
  const indexOf = new Map(script.steps.map((step, index) => [step.id, index]));
  const fileChanges = await attachmentChanges(ctx, files, (file) => ({
    object: file.owner.kind === "testStep" ? "testStep" : "testCase",
    parentKind: "testCase",
    parentKey: record.key,
    step: file.owner.stepId === null ? null : indexOf.get(file.owner.stepId) ?? null,
  }), record.ord);
  const row = targetRow({
    kind: "testCase",
    key: record.key,
    ord: record.ord,
    recordKind: "testCase",
    links: record.links.length,
  });
  const setAside = (reason: string, why: string): Change[] => [
    ...setAsideChanges(ctx, row, "testCase", reason, why),
    ...fileChanges,
  ];
  if (detail?.state === "setAside") {
    return setAside("script-unreadable", `The script of ${record.key} could not be read`);
  }
  let plan: CasePlan;
  try {
    plan = built.transform.testCase(record, script);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return setAside("transform-failed", `Cannot transform test case "${record.key}": ${why}`);
  }
  return [
    { op: "planTargets", rows: [{ ...row, ...plannedCase(built, bundle, plan) }] },
    lossChange("testCase", record.key, lossesOf(bundle, plan)),
    ...fileChanges,
  ];
}

/** What the plan of a case says in its row. */
function plannedCase(
  { context: { automation } }: RunTransform,
  { record, script }: CaseBundle,
  plan: CasePlan,
): Partial<TargetRow> {
  const { steps } = plan.draft;
  const named = script.steps.flatMap(({ call }) =>
    call !== null && mayCall(record.key, call.key) ? call.key : []
  );
  return {
    parentKind: "module",
    parentKey: plan.parentKey,
    payloadHash: payloadHash(plan.draft),
    detail: {
      stepCount: steps.length,
      hasCall: steps.some((step) => step.callKey !== null) ||
        script.steps.some((step) => step.call !== null),
      calls: steps.flatMap((step) => step.callKey ?? []),
      namedCalls: [...new Set(named)],
      requirements: plan.requirementKeys,
      ...(automation != null && automation.takesCase(record.key) ? { automation: true } : {}),
    },
  };
}

/** The losses of a plan, and the script that the source no longer gives. */
function lossesOf({ record, detail }: CaseBundle, plan: CasePlan): LossRow[] {
  if (detail?.state !== "gone") return plan.losses;
  return [...plan.losses, {
    kind: "testCase",
    key: record.key,
    field: "script",
    rule: "archived-case",
    before: "script",
    after: null,
  }];
}
