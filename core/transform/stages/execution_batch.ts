/** What is stored about the executions that are planned together. @module */
import type { TargetRow } from "../../ports/mod.ts";
import type { AttachmentRecord, ExecutionRecord, ExecutionStepRecord } from "../../records/mod.ts";
import { ownerKey } from "../../records/mod.ts";
import type { RunContext } from "../../engine/stage.ts";
import { readsFiles } from "./waiting.ts";

/** Executions' steps and files, and what is known of the cases they name. */
export interface Batch {
  steps: Map<string, ExecutionStepRecord[]>;
  cases: Map<string, TargetRow>;
  versions: Map<string, number>;
  names: Map<string, string | null>;
  files: Map<string, AttachmentRecord[]>;
}

/** Reads everything that planning these executions needs. */
export async function readBatch(
  ctx: RunContext,
  rows: ExecutionRecord[],
  wantsSteps: (statusId: string | null) => boolean,
): Promise<Batch> {
  const ids = rows.map((row) => row.id);
  const caseKeys = [...new Set(rows.flatMap((row) => row.testCaseKey ?? []))];
  const scopeId = ctx.scope.id;
  const stepped = rows.filter((row) => wantsSteps(row.statusId)).map((row) => row.id);
  const steps = ctx.settings.include.executionSteps === "none"
    ? new Map<string, ExecutionStepRecord[]>()
    : await ctx.store.executionSteps(scopeId, stepped);
  const versions = await ctx.store.details(scopeId, "version", caseKeys);
  const records = await ctx.store.recordsByKey(scopeId, "testCase", caseKeys);
  const owners = ids.map((id) => ownerKey({ kind: "execution", key: id, stepId: null }));
  if (ctx.settings.include.attachments === "all") {
    for (const [id, list] of steps) {
      for (const step of list) {
        if (step.id === null) continue;
        owners.push(ownerKey({ kind: "executionStep", key: id, stepId: step.id }));
      }
    }
  }
  return {
    steps,
    cases: await ctx.store.targetsByKey(scopeId, "testCase", caseKeys),
    versions: new Map([...versions].map(([key, row]) => [key, row.count])),
    names: new Map([...records].map(([key, record]) => [key, record.name])),
    files: readsFiles(ctx, "execution")
      ? await ctx.store.attachments(scopeId, owners)
      : new Map<string, AttachmentRecord[]>(),
  };
}
