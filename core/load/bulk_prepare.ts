/** Turns planned logs of a suite into the results of a batch. @module */
import type { BulkLogDraft, LossRow, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { stepStatusFilter } from "../extract/selection.ts";
import { automationResult } from "../transform/automation.ts";
import { payloadHash } from "../transform/mod.ts";
import { caseBundles } from "../transform/stages/cases.ts";
import type { CaseBundle } from "../transform/stages/cases.ts";
import { transformOf } from "../transform/stages/context.ts";
import type { RunTransform } from "../transform/stages/context.ts";
import { caseShapeOf } from "../transform/stages/execution_logs.ts";
import type { LogPlan } from "../transform/types.ts";
import { htmlToText, normalizeText } from "../text/mod.ts";
import { inlineFilesOf } from "./inline_files.ts";
import { caseKeyOfRun } from "./prepare.ts";

/** A log that can be sent. */
export interface PreparedResult {
  row: TargetRow;
  draft: BulkLogDraft;
  /** Hash of the log's plan. */
  hash: string;
  /** Attachment rows that travel inside. */
  inline: string[];
  losses: LossRow[];
  /** Size in the body, about. */
  bytes: number;
}

type StepPlans = NonNullable<NonNullable<LogPlan["draft"]>["steps"]>;
type CaseSteps = { descriptionHtml: string; expectedHtml: string }[];

/** Members of a log besides its texts. */
const BASE_BYTES = 400;

/** Prepares logs of one suite; what cannot be told to a job is missing in the answer. */
export async function prepareResults(
  ctx: RunContext,
  suiteKey: string,
  rows: TargetRow[],
): Promise<Map<string, PreparedResult>> {
  const scopeId = ctx.scope.id;
  const built = await transformOf(ctx);
  const { transform, context } = built;
  const ids = rows.map((row) => row.key);
  const caseKeys = [...new Set(rows.map((row) => caseKeyOfRun(row.parentKey ?? "")))];
  const cases = await ctx.store.targetsByKey(scopeId, "testCase", caseKeys);
  const bundles = await caseBundles(ctx, caseKeys, built);
  const executions = await ctx.store.recordsByKey(scopeId, "execution", ids);
  const wantsSteps = await stepStatusFilter(ctx);
  const stepped = [...executions.values()].filter((row) => wantsSteps(row.statusId));
  const steps = await ctx.store.executionSteps(scopeId, stepped.map((row) => row.id));
  const versions = await ctx.store.details(scopeId, "version", caseKeys);
  const filesOf = await inlineFilesOf(ctx, "testLog", ids);
  const cycle = [...context.cycles.values()].find((record) => record.key === suiteKey) ?? null;
  const prepared = new Map<string, PreparedResult>();
  for (const row of rows) {
    const execution = executions.get(row.key);
    const caseKey = caseKeyOfRun(row.parentKey ?? "");
    const target = cases.get(caseKey);
    if (execution === undefined || target === undefined) continue;
    const bundle = bundles.get(caseKey);
    const currentVersion = versions.get(caseKey)?.count ?? null;
    const shape = caseShapeOf(target);
    const plan = transform.executionLog(execution, steps.get(row.key) ?? null, shape, {
      currentVersion,
    });
    const run = transform.testRun(cycle, bundle?.record.name, caseKey).draft;
    const result = plan.draft === null ? null : automationResult(context, plan.draft.statusId);
    if (plan.draft === null || result === null) continue;
    const losses: LossRow[] = [];
    const stepDrafts = resultSteps(plan.draft.steps ?? [], {
      caseSteps: caseStepsOf(transform, target, bundle),
      resultOf: (statusId) => automationResult(context, statusId),
      lost: (loss) => losses.push({ kind: "execution", key: row.key, ...loss }),
    });
    if (stepDrafts === null) continue;
    const files = filesOf(row.key);
    const draft: BulkLogDraft = {
      runName: run.name,
      runFields: run.fields,
      automationContent: caseKey,
      testCaseVersionId: target.detail.versionId ?? null,
      result,
      start: plan.draft.start,
      end: plan.draft.end,
      noteHtml: plan.draft.noteHtml,
      steps: stepDrafts,
      attachments: files.files,
    };
    prepared.set(row.key, {
      row,
      draft,
      hash: payloadHash(plan.draft),
      inline: files.keys,
      losses,
      bytes: sizeOf(draft),
    });
  }
  return prepared;
}

function caseStepsOf(
  transform: RunTransform["transform"],
  target: TargetRow,
  bundle: CaseBundle | undefined,
): CaseSteps {
  if (bundle === undefined || target.detail.placeholder === true) return [];
  return transform.testCase(bundle.record, bundle.script).draft.steps;
}

/**
 * Step logs with the texts that the case has: other texts would make the target write the case's
 * steps anew. Null when a step's status is none of the job's.
 */
function resultSteps(
  steps: StepPlans,
  options: {
    caseSteps: CaseSteps;
    resultOf: (statusId: string) => string | null;
    lost: (loss: Omit<LossRow, "kind" | "key">) => void;
  },
): BulkLogDraft["steps"] | null {
  const drafts: BulkLogDraft["steps"] = [];
  for (const [index, step] of steps.entries()) {
    const result = options.resultOf(step.statusId);
    const own = options.caseSteps[index];
    if (result === null || own === undefined) return null;
    for (const part of ["description", "expected"] as const) {
      const [before, after] = [step[`${part}Html`], own[`${part}Html`]];
      // The case may say more: custom fields of its step.
      if (plain(after).includes(plain(before))) continue;
      options.lost({ field: `step ${index + 1} ${part}`, rule: "bulk-step-text", before, after });
    }
    const { descriptionHtml, expectedHtml } = own;
    drafts.push({ result, descriptionHtml, expectedHtml, actualHtml: step.actualHtml });
  }
  return drafts;
}

function plain(html: string): string {
  return normalizeText(htmlToText(html));
}

function sizeOf(draft: BulkLogDraft): number {
  const texts = [draft.runName, draft.noteHtml, ...draft.steps.flatMap(Object.values)];
  const text = texts.reduce((sum, part) => sum + part.length * 1.2, 0);
  const files = draft.attachments.reduce((sum, file) => sum + file.bytes.length * 4 / 3 + 100, 0);
  return BASE_BYTES * (1 + draft.steps.length) + text + files;
}
