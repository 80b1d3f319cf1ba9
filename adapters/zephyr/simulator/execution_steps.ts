/** Steps of executions: the case's steps as they were, with results. @module */
import type { Random } from "../../simulator_kit/mod.ts";
import type { Context } from "./context.ts";
import { sometimes } from "./people.ts";
import { HTML_TRAPS, sentence } from "./texts.ts";
import type { SimExecution, SimExecutionStep, SimScript, SimStatus, SimStep } from "./types.ts";

const FIRST_STEP_ID = 5_000_000_000;
const MAX_DEPTH = 4;

export interface ExecutionStepSources {
  context: Context;
  statuses: SimStatus[];
  /** Script of a case; empty for an unknown key. */
  script: (key: string) => SimScript;
  /** Number of the current version; 1 for an unknown key. */
  currentVersion: (key: string) => number;
}

/**
 * Makes the steps of one execution. Called cases are flattened; one execution in twenty repeats the
 * list per data row; old versions and one in ten others differ from today's case. BDD and plain
 * cases have one pseudo-step or none.
 */
export function makeExecutionSteps(
  sources: ExecutionStepSources,
  execution: SimExecution,
  index: number,
): SimExecutionStep[] {
  const random = sources.context.random("execution steps", index);
  const script = sources.script(execution.caseKey);
  const differs = random.chance(0.1) ||
    execution.version !== sources.currentVersion(execution.caseKey);
  let steps = snapshot(script, random, sources.script);
  if (differs) steps = changed(steps, random);
  const rows = steps.length > 0 && steps.length <= 20 && random.chance(0.05) ? random.int(2, 3) : 0;
  const results = makeResults(
    sources.statuses,
    execution,
    steps.length * Math.max(1, rows),
    random,
  );
  const list: SimExecutionStep[] = [];
  for (let row = 0; row < Math.max(1, rows); row++) {
    for (const step of steps) {
      const at = list.length;
      list.push({
        id: FIRST_STEP_ID + index * 1000 + at,
        description: step.description,
        testData: step.testData,
        expectedResult: step.expectedResult,
        actualResult: sometimes(
          random,
          random.chance(0.2) ? HTML_TRAPS[10] : sentence(random),
          0.7,
        ),
        dataRow: rows === 0 ? null : row + 1,
        statusId: results[at] ?? execution.statusId,
      });
    }
  }
  return list;
}

function snapshot(
  script: SimScript,
  random: Random,
  scriptOf: (key: string) => SimScript,
): SimStep[] {
  if (script.kind === "steps") return flatten(script, scriptOf, 0, 250);
  if (script.text === "" || random.chance(0.5)) return [];
  return [{
    id: 0,
    description: script.text,
    testData: null,
    expectedResult: null,
    customFields: undefined,
    call: null,
  }];
}

function flatten(
  script: SimScript,
  scriptOf: (key: string) => SimScript,
  depth: number,
  limit: number,
): SimStep[] {
  const steps: SimStep[] = [];
  for (const step of script.steps) {
    const own = step.call === null
      ? [step]
      : depth < MAX_DEPTH
      ? flatten(scriptOf(step.call.key), scriptOf, depth + 1, 20)
      : [];
    steps.push(...own);
  }
  return steps.slice(0, limit);
}

function changed(steps: SimStep[], random: Random): SimStep[] {
  const list = steps.map((step) => ({
    ...step,
    expectedResult: random.chance(0.4) ? sentence(random) : step.expectedResult,
  }));
  if (random.chance(0.5)) return list.slice(0, -1);
  return list;
}

/** Statuses of the steps that fit the status of the whole. */
function makeResults(
  all: SimStatus[],
  execution: SimExecution,
  count: number,
  random: Random,
): number[] {
  const own = all.filter((row) =>
    row.type === "TEST_EXECUTION" && row.projectId === execution.projectId
  );
  const byName = (name: string): number =>
    own.find((row) => row.name === name)?.id ?? execution.statusId;
  const status = own.find((row) => row.id === execution.statusId);
  if (status === undefined || status.isDefault || status.name === "Pass") {
    return Array.from({ length: count }, () => execution.statusId);
  }
  const stop = random.int(0, Math.max(0, count - 1));
  return Array.from(
    { length: count },
    (_, i) => i < stop ? byName("Pass") : i === stop ? execution.statusId : byName("Not Executed"),
  );
}
