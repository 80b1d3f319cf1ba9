/**
 * The mapping is settled before the first record is written: every status and priority that occurs
 * has a place, and every field that values need exists or can be made.
 * @module
 */
import type { Change } from "../../ports/mod.ts";
import type { RunContext, Stage } from "../../engine/stage.ts";
import { CENSUS_NOTE } from "../../extract/census.ts";
import type { Census } from "../../extract/census.ts";
import { eachRecord } from "../../extract/census.ts";
import { PreflightError } from "../../errors.ts";
import type { LookupRecord } from "../../records/mod.ts";
import { checkMappings, planFields } from "../mod.ts";
import type { MappingProblem } from "../types.ts";
import { FIELD_PLAN_NOTE, forgetTransform } from "./context.ts";

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
  const stats = {
    testCase: await ctx.store.customFieldStats(ctx.scope.id, "testCase"),
    testCycle: await ctx.store.customFieldStats(ctx.scope.id, "testCycle"),
    testPlan: await ctx.store.customFieldStats(ctx.scope.id, "testPlan"),
  };
  const counts = await ctx.store.countRecords(ctx.scope.id);
  const fields = planFields({
    profile: ctx.targetProfile,
    mapping: ctx.mapping,
    include: ctx.settings.include,
    marker: ctx.settings.target.marker,
    logs: ctx.settings.target.logs,
    stats,
    accounts: new Set(census.accounts),
    occurring: {
      testCase: new Set(census.ownFields.testCase),
      testSuite: new Set(census.ownFields.testSuite),
      testRun: new Set(census.ownFields.testRun),
      release: new Set(census.ownFields.release),
    },
    counts: {
      testCase: counts.testCase,
      testCycle: counts.testCycle,
      testPlan: counts.testPlan,
    },
  });
  const problems = [...statuses.problems, ...fields.problems];
  if (problems.length > 0) throw refusal(problems, ctx.settings.mapping);
  const changes: Change[] = [ctx.noteChange(FIELD_PLAN_NOTE, fields.plan)];
  for (const [index, warning] of fields.warnings.entries()) {
    changes.push({
      op: "issue",
      runId: ctx.run.id,
      row: {
        phase: "transform",
        kind: "field",
        key: `warning ${index + 1}`,
        level: "warning",
        reason: warning.kind,
        message: `${warning.message}. ${warning.fix}`,
        payload: null,
        setAside: false,
        attempts: 1,
        at: ctx.nowIso(),
      },
    });
  }
  for (const loss of fields.losses) {
    changes.push({
      op: "losses",
      phase: "transform",
      kind: loss.kind,
      key: loss.key,
      rows: fields.losses.filter((row) => row.kind === loss.kind && row.key === loss.key),
    });
  }
  await ctx.commit(changes);
  forgetTransform(ctx);
  return true;
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
