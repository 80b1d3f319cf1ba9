/** The transform of a run: every record of the source as what is to be made in the target. @module */
import type {
  ExecutionRecord,
  ExecutionStepRecord,
  FolderRecord,
  TestCaseRecord,
  TestCycleRecord,
  TestPlanRecord,
  TestScript,
} from "../records/mod.ts";
import type {
  CasePlan,
  CaseShape,
  CyclePlan,
  LogPlan,
  PlanPlan,
  RunPlan,
  TransformContext,
} from "./types.ts";
import type { VersionInfo } from "./execution.ts";
import { planExecution } from "./execution.ts";
import type { FolderPlan } from "./folders.ts";
import { planFolder } from "./folders.ts";
import { createReferences } from "./references.ts";
import type { RootPlans } from "./roots.ts";
import { planRoots } from "./roots.ts";
import type { Scope } from "./scope.ts";
import { sourceHostOf } from "./scope.ts";
import { planCase, planPlaceholder } from "./test_case.ts";
import { planTestCycle } from "./test_cycle.ts";
import { planTestPlan } from "./test_plan.ts";
import { planRun } from "./test_run.ts";

/**
 * Pure functions from records to drafts and losses. Same record and context, same output. Parents
 * are keys of the target map: `root`, `archived` or a folder id for modules and cycles, the cycle's
 * key or `adhoc` for suites, the plan's key for releases, `KEY-R5/KEY-T1` for runs.
 */
export interface Transform {
  folder(record: FolderRecord): FolderPlan;
  testCase(record: TestCaseRecord, script: TestScript | null): CasePlan;
  testPlan(record: TestPlanRecord): PlanPlan;
  testCycle(record: TestCycleRecord): CyclePlan;
  /** `cycle` null = ad hoc; `caseName` as in the record, null for a placeholder. */
  testRun(
    cycle: TestCycleRecord | null,
    caseName: string | null | undefined,
    caseKey: string,
  ): RunPlan;
  /** The stand-in, in module `archived`, for a case that cannot be read. */
  placeholder(caseKey: string): CasePlan;
  executionLog(
    record: ExecutionRecord,
    steps: ExecutionStepRecord[] | null,
    caseShape: CaseShape | null,
    options?: VersionInfo,
  ): LogPlan;
  roots(): RootPlans;
}

/** Creates the transform for a context; what is derived from the context is derived once. */
export function createTransform(context: TransformContext): Transform {
  const scope: Scope = {
    context,
    names: createReferences(context),
    sourceHost: sourceHostOf(context.sourceOrigin),
  };
  let plansOfCycles: Map<string, string[]> | null = null;
  return {
    folder: (record) => planFolder(scope, record),
    testCase: (record, script) => planCase(scope, record, script),
    testPlan: (record) => planTestPlan(scope, record),
    testCycle: (record) => {
      plansOfCycles ??= reverseLinks(context.plans.values());
      const planIds = [...record.planIds, ...plansOfCycles.get(record.id) ?? []];
      return planTestCycle(scope, record, planIds);
    },
    testRun: (cycle, caseName, caseKey) => planRun(scope, cycle, caseName, caseKey),
    placeholder: (caseKey) => planPlaceholder(scope, caseKey),
    executionLog: (record, steps, shape, options = {}) =>
      planExecution(scope, record, steps, shape, options),
    roots: () => planRoots(scope),
  };
}

/** Links between plans and cycles are seen from both sides; either may lack one. */
function reverseLinks(plans: Iterable<TestPlanRecord>): Map<string, string[]> {
  const links = new Map<string, string[]>();
  for (const plan of plans) {
    for (const cycleId of plan.cycleIds) {
      links.set(cycleId, [...links.get(cycleId) ?? [], plan.id]);
    }
  }
  return links;
}
