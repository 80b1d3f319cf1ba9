/**
 * Deletion and what it takes along.
 * @module
 */
import { refuse } from "./call.ts";
import type { QtestState } from "./state.ts";
import type {
  ModuleEntity,
  ReleaseEntity,
  TestCaseEntity,
  TestCycleEntity,
  TestRunEntity,
  TestSuiteEntity,
} from "./types.ts";

/** Removes a run with its logs. */
export function removeRun(state: QtestState, run: TestRunEntity): void {
  for (const id of run.logIds) {
    const log = state.get("test-logs", id);
    if (log !== undefined) state.remove(log);
  }
  state.remove(run);
}

export function removeSuite(state: QtestState, suite: TestSuiteEntity, cascade: boolean): void {
  const runs = state.children("test-runs", "test-suite", suite.id);
  if (runs.length > 0 && !cascade) refuse(400, "The test suite contains test runs");
  for (const run of runs) removeRun(state, run);
  state.remove(suite);
}

function removeContent(state: QtestState, type: "release" | "test-cycle", id: number): void {
  for (const run of state.children("test-runs", type, id)) removeRun(state, run);
  for (const suite of state.children("test-suites", type, id)) removeSuite(state, suite, true);
  for (const cycle of state.children("test-cycles", type, id)) removeCycle(state, cycle, true);
}

function isEmpty(state: QtestState, type: "release" | "test-cycle", id: number): boolean {
  return (["test-runs", "test-suites", "test-cycles"] as const)
    .every((kind) => state.children(kind, type, id).length === 0);
}

export function removeCycle(state: QtestState, cycle: TestCycleEntity, force: boolean): void {
  if (!force && !isEmpty(state, "test-cycle", cycle.id)) {
    refuse(400, "The test cycle contains children");
  }
  removeContent(state, "test-cycle", cycle.id);
  state.remove(cycle);
}

export function removeRelease(state: QtestState, release: ReleaseEntity, cascade: boolean): void {
  if (!cascade && !isEmpty(state, "release", release.id)) {
    refuse(400, "The release contains children");
  }
  removeContent(state, "release", release.id);
  for (const build of state.children("builds", "release", release.id)) state.remove(build);
  state.remove(release);
}

export function removeTestCase(state: QtestState, entity: TestCaseEntity, cascade: boolean): void {
  const runs = state.runsOfCase(entity.id);
  if (runs.length > 0 && !cascade) refuse(400, "The test case has test runs");
  for (const run of runs) removeRun(state, run);
  state.remove(entity);
}

export function removeModule(state: QtestState, entity: ModuleEntity, force: boolean): void {
  const modules = state.children("modules", "module", entity.id);
  const cases = state.children("test-cases", "module", entity.id);
  if (!force && modules.length + cases.length > 0) refuse(400, "The module contains children");
  for (const item of cases) removeTestCase(state, item, true);
  for (const item of modules) removeModule(state, item, true);
  state.remove(entity);
}
