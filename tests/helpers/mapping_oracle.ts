/**
 * An independent reading of the mapping: compares what arrived in the target with what the source
 * holds, field by field. It shares no code with the migration.
 * @module
 */
import type { Summary } from "../../core/report/model.ts";
import { checkCases } from "./oracle/cases.ts";
import { checkContainers } from "./oracle/containers.ts";
import { checkFiles } from "./oracle/files.ts";
import { Findings } from "./oracle/findings.ts";
import { checkLedger } from "./oracle/ledger.ts";
import { checkLooks } from "./oracle/picky.ts";
import { checkRuns } from "./oracle/runs.ts";
import { openScope, type Scope } from "./oracle/scope.ts";
import { checkStructure } from "./oracle/structure.ts";
import type { World } from "./world.ts";

export interface Examination {
  /** Discrepancies, one sentence each. */
  findings: string[];
  /** How many values were compared. */
  compared: number;
}

/** Examines a world after a completed run that began at `startedMs`. */
export async function examine(
  world: World,
  run: { summary: Summary; startedMs: number; generation?: "A" | "B" | "C" },
): Promise<Examination> {
  const findings = new Findings();
  const scope = await openScope(world, findings, run.generation ?? "C");
  checkStructure(scope);
  checkCases(scope);
  checkContainers(scope);
  checkRuns(scope, run.startedMs);
  checkFiles(scope);
  checkLedger(scope);
  checkLooks(scope, world.qtest.dump());
  checkCounts(scope, run.summary);
  return { findings: findings.list, compared: findings.compared };
}

function checkCounts(scope: Scope, summary: Summary): void {
  const { findings } = scope;
  for (const [kind, row] of Object.entries(summary.counts)) {
    const ended = row.created + row.updated + row.unchanged + row.withoutTarget + row.setAside;
    findings.same(`${kind} counts balance`, ended, row.extracted);
    findings.same(`${kind} set aside`, row.setAside, 0);
  }
  const extracted = (kind: keyof Summary["counts"]): number => summary.counts[kind].extracted;
  findings.same("folders read", extracted("folder"), scope.folders.length);
  findings.same("cases read", extracted("testCase"), scope.cases.size);
  findings.same("plans read", extracted("testPlan"), scope.plans.length);
  findings.same("cycles read", extracted("testCycle"), scope.cycles.length);
  findings.same("executions read", extracted("execution"), scope.executions.length);
  const { checked, equal } = summary.validation;
  findings.same("validation", equal, checked);
}
