/**
 * The mapping is settled before the first record is written: every status and priority that occurs
 * has a place, and every field that values need exists or can be made.
 * @module
 */
import type { Change, LossRow } from "../../ports/mod.ts";
import type { RunContext, Stage } from "../../engine/stage.ts";
import { CENSUS_NOTE } from "../../extract/census.ts";
import type { Census } from "../../extract/census.ts";
import { eachRecord } from "../../extract/census.ts";
import { PreflightError } from "../../errors.ts";
import type { LookupRecord } from "../../records/mod.ts";
import { checkMappings, planFields } from "../mod.ts";
import type { MappingProblem } from "../types.ts";
import { FIELD_PLAN_NOTE, forgetTransform } from "./context.ts";
import { lossChange } from "./rows.ts";

export function mappingStage(after: string[]): Stage {
  return { name: "transform.mapping", phase: "transform", after, run: settleMapping };
}

async function settleMapping(ctx: RunContext): Promise<boolean> {
  const census = await ctx.note<Census>(CENSUS_NOTE);
  if (census === null) return false;
  const lookups: LookupRecord[] = [];
  await eachRecord(ctx, "status", (record) => lookups.push(record));
  await eachRecord(ctx, "priority", (record) => lookups.push(record));
  const statuses = checkMappings({
    lookups,
    executionStatuses: census.executionStatuses,
    priorities: census.priorities,
    mapping: ctx.mapping,
    profile: ctx.targetProfile,
  });
  await ctx.saveMapping(statuses.proposals);
  const fields = await fieldsOf(ctx, census);
  const problems = [...statuses.problems, ...fields.problems];
  if (problems.length > 0) throw refusal(problems, ctx.settings.mapping);
  await ctx.commit([
    ctx.noteChange(FIELD_PLAN_NOTE, fields.plan),
    ...fields.warnings.map((warning, index) => warningChange(ctx, warning, index + 1)),
    ...lossChanges(fields.losses),
  ]);
  forgetTransform(ctx);
  return true;
}

/** Plans the fields that the values of the source need. */
async function fieldsOf(ctx: RunContext, census: Census): Promise<ReturnType<typeof planFields>> {
  const { testCase, testCycle, testPlan } = await ctx.store.countRecords(ctx.scope.id);
  const { ownFields } = census;
  return planFields({
    profile: ctx.targetProfile,
    mapping: ctx.mapping,
    include: ctx.settings.include,
    marker: ctx.settings.target.marker,
    logs: ctx.settings.target.logs,
    stats: {
      testCase: await ctx.store.customFieldStats(ctx.scope.id, "testCase"),
      testCycle: await ctx.store.customFieldStats(ctx.scope.id, "testCycle"),
      testPlan: await ctx.store.customFieldStats(ctx.scope.id, "testPlan"),
    },
    accounts: new Set(census.accounts),
    occurring: {
      testCase: new Set(ownFields.testCase),
      testSuite: new Set(ownFields.testSuite),
      testRun: new Set(ownFields.testRun),
      release: new Set(ownFields.release),
    },
    counts: { testCase, testCycle, testPlan },
  });
}

function warningChange(ctx: RunContext, warning: MappingProblem, number: number): Change {
  return {
    op: "issue",
    runId: ctx.run.id,
    row: {
      phase: "transform",
      kind: "field",
      key: `warning ${number}`,
      level: "warning",
      reason: warning.kind,
      message: `${warning.message}. ${warning.fix}`,
      payload: null,
      setAside: false,
      attempts: 1,
      at: ctx.nowIso(),
    },
  };
}

function lossChanges(losses: LossRow[]): Change[] {
  return losses.map(({ kind, key }) =>
    lossChange(kind, key, losses.filter((row) => row.kind === kind && row.key === key))
  );
}

/** One error that names every problem: people fix them in one go. */
function refusal(problems: MappingProblem[], path: string): PreflightError {
  const lines = problems.map(({ message, fix }) =>
    `${message}. ${fix.replace("the mapping file", path)}`
  );
  return new PreflightError(
    `Cannot start the load:${problems.length === 1 ? ` ${lines[0]}` : `\n- ${lines.join("\n- ")}`}`,
    { hint: "Nothing was written to the target. Put it right and run the same command again." },
  );
}
