/** What a complete extraction of a dataset finds. @module */
import type { DatasetCounts, SimAttachment, SimCase, ZephyrDataset } from "./types.ts";

/** Files of everything that is listed, each owner once, in the order cases, plans, cycles, executions. */
export function* allAttachments(dataset: ZephyrDataset): Generator<SimAttachment> {
  for (const row of listedCases(dataset)) {
    yield* dataset.attachments({ kind: "testCase", id: row.key });
    if (row.scriptKind !== "steps") continue;
    for (const step of dataset.script(row.key).steps) {
      yield* dataset.attachments({ kind: "testStep", id: row.key, stepId: step.id });
    }
  }
  for (const row of dataset.plans) {
    yield* dataset.attachments({ kind: "testPlan", id: `${row.id}` });
  }
  for (const row of dataset.cycles) {
    yield* dataset.attachments({ kind: "testCycle", id: `${row.id}` });
  }
  for (const row of dataset.executions) {
    const id = `${row.id}`;
    yield* dataset.attachments({ kind: "execution", id });
    for (const step of dataset.executionSteps(row)) {
      yield* dataset.attachments({ kind: "executionStep", id, stepId: step.id });
    }
  }
}

/** Cases of the project of interest that lists show. */
export function listedCases(dataset: ZephyrDataset): SimCase[] {
  const { id } = dataset.project;
  return dataset.cases.filter((row) => row.projectId === id && !row.archived);
}

/** Counts a dataset as a complete extraction does. */
export function countDataset(dataset: ZephyrDataset): DatasetCounts {
  const cases = listedCases(dataset);
  const counts: DatasetCounts = {
    folder: dataset.folders.length,
    testCase: cases.length,
    testPlan: dataset.plans.length,
    testCycle: dataset.cycles.length,
    execution: dataset.executions.length,
    executionStep: 0,
    attachment: 0,
    link: 0,
  };
  for (const row of [...cases, ...dataset.cycles, ...dataset.plans]) {
    counts.link += row.issues.length + row.webLinks.length;
  }
  for (const row of dataset.executions) {
    counts.link += row.issues.length;
    counts.executionStep += dataset.executionSteps(row).length;
  }
  for (const _ of allAttachments(dataset)) counts.attachment++;
  return counts;
}
