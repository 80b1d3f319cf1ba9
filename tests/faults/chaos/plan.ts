/** Many seeds, a few at a time. */
import { type ChaosOptions, type ChaosResult, runChaos } from "./run.ts";

export interface PlanOptions {
  runs: number;
  /** Seed of the first run; the others follow. */
  seed: number;
  cases: number;
  executions: number;
  /** Migrations at once. */
  jobs: number;
}

/** Runs the plan; `onResult` hears of each migration as it ends. */
export async function runPlan(
  options: PlanOptions,
  onResult: (result: ChaosResult) => void = () => {},
): Promise<ChaosResult[]> {
  const { runs, cases, executions, jobs } = options;
  const results: ChaosResult[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < runs) {
      const result = await runOne({ seed: options.seed + next++, cases, executions });
      results.push(result);
      onResult(result);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, work));
  return results;
}

async function runOne(options: ChaosOptions): Promise<ChaosResult> {
  const startedAt = performance.now();
  try {
    return await runChaos(options);
  } catch (error) {
    const none = { kills: 0, starts: 0, faults: 0, creates: 0 };
    const problems = [error instanceof Error ? error.stack ?? error.message : String(error)];
    const durationMs = Math.round(performance.now() - startedAt);
    const judged = { lost: 0, duplicate: 0, wrong: 1, resent: 0, problems };
    return { seed: options.seed, plan: "", ...none, ...judged, durationMs };
  }
}

const COLUMNS = ["kills", "faults", "creates", "lost", "duplicate", "wrong", "resent"] as const;

/** One line of a result. */
export function resultLine(result: ChaosResult): string {
  const numbers = COLUMNS.map((name) => `${result[name]} ${name}`).join(", ");
  const took = `${(result.durationMs / 1_000).toFixed(1)} s`;
  return [`seed ${result.seed} (${result.plan}): ${numbers}, ${took}`, ...result.problems]
    .join("\n  ");
}

/** The sums, and the seeds to look at. */
export function planSummary(results: ChaosResult[]): string {
  const sums = COLUMNS.map((name) =>
    `${results.reduce((sum, result) => sum + result[name], 0)} ${name}`
  );
  const failed = results.filter((result) => result.problems.length > 0);
  const lines = [`${results.length} runs: ${sums.join(", ")}`];
  if (failed.length > 0) {
    lines.push(
      `${failed.length} failed. Again:`,
      ...failed.map(({ seed }) => `  deno task chaos --runs 1 --seed ${seed}`),
    );
  }
  return lines.join("\n");
}
