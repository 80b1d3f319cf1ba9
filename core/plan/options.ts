/** What each choice of the two costly options adds to the requests of the source. @module */

/** Sizes of a project that the costs follow from. */
export interface SourceSizes {
  testCases: number;
  testPlans: number;
  testCycles: number;
  executions: number;
  /** Executions whose status makes a log. */
  executed: number;
  /** Executions whose status becomes Failed. */
  failed: number;
  /** Steps of cases and executions, as far as they were read. */
  steps: number;
}

export interface Choice {
  value: string;
  /** Source requests of this choice alone. */
  requests: number;
  hours: number;
}

/**
 * One request per execution whose steps are read; one list request per object that may carry files,
 * downloads not included: how many there are is only known once the lists were read.
 */
export function optionCosts(
  sizes: SourceSizes,
  requestsPerMinute: number,
): { executionSteps: Choice[]; attachments: Choice[] } {
  const choices = (costs: Record<string, number>): Choice[] =>
    Object.entries(costs).map(([value, requests]) => ({
      value,
      requests,
      hours: Math.round((requests / requestsPerMinute / 60) * 100) / 100,
    }));
  const entities = sizes.testCases + sizes.testPlans + sizes.testCycles + sizes.executions;
  return {
    executionSteps: choices({
      none: 0,
      failed: sizes.failed,
      executed: sizes.executed,
      all: sizes.executions,
    }),
    attachments: choices({
      none: 0,
      cases: sizes.testCases,
      entities,
      all: entities + sizes.steps,
    }),
  };
}
