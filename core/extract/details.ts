/**
 * Stages that ask once per record: scripts, execution steps, attachments. They dominate the number
 * of requests, so each is checkpointed per record and read in the order in which the load needs it.
 * @module
 */
import type { Change, Detail, UnreadableRow } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import type { Settings } from "../config/types.ts";
import { attachmentStages } from "./files.ts";
import { forEachOpen, orSetAside, state } from "./open_details.ts";
import { readsExecutions, stepStatusFilter } from "./selection.ts";

export function detailStages(settings: Settings, after: string[]): Stage[] {
  const { include } = settings;
  const stages: Stage[] = [];
  if (include.testCases) {
    stages.push({ name: "extract.script", phase: "extract", after, run: readScripts });
  }
  if (readsExecutions(include) && include.executionSteps !== "none") {
    stages.push({
      name: "extract.executionSteps",
      phase: "extract",
      after,
      run: readExecutionSteps,
    });
  }
  return [...stages, ...attachmentStages(include, after)];
}

async function readScripts(ctx: RunContext): Promise<boolean> {
  const total = (await ctx.store.countRecords(ctx.scope.id)).testCase;
  return await forEachOpen(ctx, {
    stage: "extract.script",
    kind: "testCase",
    task: "script",
    key: (record) => record.key,
    wanted: () => true,
    total,
    work: (record, key) =>
      readDetail(
        ctx,
        { task: "script", kind: "testCase", key },
        () => ctx.source.script(record, ctx.readSignal),
        (script) => ({
          change: { op: "script", caseKey: key, script },
          count: script.steps.length,
        }),
      ),
  });
}

/** Reads the details of one record and keeps them, or the reason why there are none. */
async function readDetail<T>(
  ctx: RunContext,
  about: { task: "script" | "executionSteps"; kind: "testCase" | "execution"; key: string },
  read: () => Promise<Detail<T> | null>,
  keep: (value: T) => { change: Change; count: number },
): Promise<void> {
  const { task, kind, key } = about;
  const detail = await orSetAside(ctx, task, kind, key, read);
  if (detail === "setAside") return;
  if (detail === null) return await ctx.commit([state(task, key, "gone", 0)]);
  const { change, count } = keep(detail.value);
  await ctx.commit([
    ...bodies(task, key, detail.raw),
    change,
    state(task, key, "done", count),
    ...unreadable(ctx, kind, key, detail.unreadable),
  ]);
}

async function readExecutionSteps(ctx: RunContext): Promise<boolean> {
  const wanted = await stepStatusFilter(ctx);
  const inventory = await ctx.store.inventory(ctx.scope.id);
  const total = Object.entries(inventory.executionsByStatus)
    .filter(([statusId]) => wanted(statusId === "" ? null : statusId))
    .reduce((sum, [, count]) => sum + count, 0);
  return await forEachOpen(ctx, {
    stage: "extract.executionSteps",
    kind: "execution",
    task: "executionSteps",
    key: (record) => record.id,
    wanted: (record) => wanted(record.statusId),
    total,
    work: (record, key) =>
      readDetail(
        ctx,
        { task: "executionSteps", kind: "execution", key },
        () => ctx.source.executionSteps(record, ctx.readSignal),
        (steps) => ({
          change: { op: "executionSteps", executionId: key, steps },
          count: steps.length,
        }),
      ),
  });
}

function bodies(list: string, key: string, raw: Uint8Array[]): Change[] {
  return raw.map((body, index) => ({ op: "page", list, at: `${key}#${index}`, body, rows: 1 }));
}

function unreadable(ctx: RunContext, kind: string, key: string, rows: UnreadableRow[]): Change[] {
  return rows.map((row) => ({
    op: "issue",
    runId: ctx.run.id,
    row: {
      phase: "extract",
      kind,
      key,
      level: "error",
      reason: `step-${row.ordinal}-unreadable`,
      message: row.reason,
      payload: null,
      setAside: false,
      attempts: 1,
      at: ctx.nowIso(),
    },
  }));
}
