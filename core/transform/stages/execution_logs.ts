/** Runs and logs: the rows that the executions of one case become. @module */
import type { Change, TargetRow } from "../../ports/mod.ts";
import type { ExecutionRecord, TestCycleRecord } from "../../records/mod.ts";
import { ownerKey } from "../../records/mod.ts";
import type { RunContext } from "../../engine/stage.ts";
import { goesInBulk, statusIdsOf } from "../automation.ts";
import { payloadHash } from "../mod.ts";
import type { CaseShape, LogPlan } from "../types.ts";
import { transformOf } from "./context.ts";
import type { RunTransform } from "./context.ts";
import type { Batch } from "./execution_batch.ts";
import { attachmentChanges, lossChange, setAsideChanges, targetRow } from "./rows.ts";

type Transform = RunTransform["transform"];

/** Executions of one case in one cycle, which become one run. */
export interface RunGroup {
  suiteKey: string;
  caseKey: string;
  cycle: TestCycleRecord | null;
  executions: ExecutionRecord[];
  seq: number;
}

/** The rows of one run and its logs, in order of time. */
export async function runChanges(
  ctx: RunContext,
  batch: Batch,
  group: RunGroup,
): Promise<{ changes: Change[]; seq: number }> {
  const { transform, context } = await transformOf(ctx);
  const run = transform.testRun(group.cycle, batch.names.get(group.caseKey), group.caseKey);
  let seq = group.seq;
  const changes: Change[] = [];
  const rows: TargetRow[] = group.suiteKey === "adhoc" ? [adhocSuite(transform)] : [];
  const logs = group.executions.map((execution) => planLog(batch, transform, group, execution));
  logs.sort((a, b) => compareLogs(a, b));
  const bulk = context.automation == null ? {} : { bulk: goesInBulk(context, group.caseKey, logs) };
  rows.push(targetRow({
    kind: "testRun",
    key: runKeyOf(group),
    ord: seq++,
    parentKind: "testSuite",
    parentKey: group.suiteKey,
    payloadHash: payloadHash(run.draft),
    detail: { caseKey: group.caseKey, ...bulk },
  }));
  for (const { execution, plan, failure } of logs) {
    const row = logRow(group, execution, seq++);
    if (plan === null) {
      const aside = { ...row, ...belongings(batch, execution) };
      changes.push(...setAsideChanges(ctx, aside, "execution", "transform-failed", failure));
    } else {
      rows.push({ ...row, ...plannedLog(plan, bulk.bulk) });
      changes.push(lossChange("execution", execution.id, plan.losses));
    }
    changes.push(...await fileChanges(ctx, batch, execution, plan, row.ord));
  }
  return { changes: [{ op: "planTargets", rows }, ...changes], seq };
}

function runKeyOf({ suiteKey, caseKey }: RunGroup): string {
  return `${suiteKey}/${caseKey}`;
}

/** Executions of no cycle have a suite of their own. */
function adhocSuite(transform: Transform): TargetRow {
  return targetRow({
    kind: "testSuite",
    key: "adhoc",
    ord: Number.MAX_SAFE_INTEGER,
    parentKind: "testCycle",
    parentKey: "root",
    payloadHash: payloadHash(transform.roots().adhocSuite),
  });
}

function logRow(group: RunGroup, execution: ExecutionRecord, ord: number): TargetRow {
  return targetRow({
    kind: "testLog",
    key: execution.id,
    ord,
    recordKind: "execution",
    parentKind: "testRun",
    parentKey: runKeyOf(group),
  });
}

/** What the plan of a log says in its row; `bulk` is undefined where no run goes in bulk. */
function plannedLog(plan: LogPlan, bulk: boolean | undefined): Partial<TargetRow> {
  const { draft, stepLogs: steps, stepsAsText, links } = plan;
  if (draft === null) {
    return { state: "withoutTarget", payloadHash: null, steps, stepsAsText, links, detail: {} };
  }
  const detail = bulk === undefined ? {} : { bulk, statusIds: bulk ? statusIdsOf(draft) : null };
  return {
    state: "pending",
    payloadHash: payloadHash(draft),
    steps,
    stepsAsText,
    links,
    detail,
  };
}

interface PlannedLog {
  execution: ExecutionRecord;
  plan: LogPlan | null;
  failure: string;
}

function planLog(
  batch: Batch,
  transform: Transform,
  group: RunGroup,
  execution: ExecutionRecord,
): PlannedLog {
  const shape = batch.names.has(group.caseKey)
    ? caseShapeOf(batch.cases.get(group.caseKey))
    : { stepCount: 0, hasCall: false };
  const steps = batch.steps.get(execution.id) ?? null;
  const currentVersion = batch.versions.get(group.caseKey) ?? null;
  try {
    const plan = transform.executionLog(execution, steps, shape, { currentVersion });
    return { execution, plan, failure: "" };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      execution,
      plan: null,
      failure: `Cannot transform execution "${execution.key ?? execution.id}": ${why}`,
    };
  }
}

/** An execution that names no case is set aside with its files. */
export async function withoutCase(
  ctx: RunContext,
  batch: Batch,
  row: ExecutionRecord,
  ord: number,
): Promise<Change[]> {
  const log = targetRow({ kind: "testLog", key: row.id, ord, recordKind: "execution" });
  const why = `Execution ${row.key ?? row.id} names no test case`;
  return [
    ...setAsideChanges(
      ctx,
      { ...log, ...belongings(batch, row) },
      "execution",
      "no-test-case",
      why,
    ),
    ...await fileChanges(ctx, batch, row, null, ord),
  ];
}

/** What is set aside with an execution. */
function belongings(
  batch: Batch,
  row: ExecutionRecord,
): Pick<TargetRow, "links" | "stepsAsText"> {
  return { links: row.links.length, stepsAsText: batch.steps.get(row.id)?.length ?? 0 };
}

/** What the case's row says of its steps; a placeholder has none. */
export function caseShapeOf(row: TargetRow | undefined): CaseShape | null {
  if (row === undefined) return { stepCount: 0, hasCall: false };
  const { stepCount, hasCall } = row.detail;
  if (typeof stepCount !== "number") return null;
  return { stepCount, hasCall: hasCall === true };
}

function compareLogs(a: PlannedLog, b: PlannedLog): number {
  const endA = a.plan?.draft?.end ?? "";
  const endB = b.plan?.draft?.end ?? "";
  if (endA !== endB) return endA < endB ? -1 : 1;
  return Number(a.execution.id) - Number(b.execution.id);
}

async function fileChanges(
  ctx: RunContext,
  batch: Batch,
  execution: ExecutionRecord,
  plan: LogPlan | null,
  ord: number,
): Promise<Change[]> {
  const steps = batch.steps.get(execution.id) ?? [];
  const own = ownerKey({ kind: "execution", key: execution.id, stepId: null });
  const files = [...batch.files.get(own) ?? []];
  for (const step of steps) {
    if (step.id === null) continue;
    const key = ownerKey({ kind: "executionStep", key: execution.id, stepId: step.id });
    files.push(...batch.files.get(key) ?? []);
  }
  if (files.length === 0) return [];
  return await attachmentChanges(ctx, files, (file) => {
    if (plan !== null && plan.draft === null) return { rule: "no-log-attachment" };
    const index = steps.findIndex((step) => step.id === file.owner.stepId);
    const hasStepLogs = plan !== null && plan.stepLogs > 0;
    const onStep = file.owner.kind === "executionStep" && hasStepLogs && index >= 0;
    return {
      object: onStep ? "testStepLog" : "testLog",
      parentKind: "testLog",
      parentKey: execution.id,
      step: onStep ? index : null,
    };
  }, ord);
}
