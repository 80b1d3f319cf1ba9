/**
 * Migrates seeded projects between faulty simulators, kills the program over and over, and looks
 * whether every record arrived exactly once.
 *
 * `deno task chaos --runs 50 --seed 1 --cases 10 --executions 25 --jobs 2`. Exit 1 when anything was
 * lost, copied, wrong or sent twice; the seeds of failures are printed.
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { planSummary, resultLine, runPlan } from "../tests/faults/chaos/plan.ts";

const DEFAULTS = { runs: 50, seed: 1, cases: 10, executions: 25, jobs: 2 };

const USAGE = `Usage: deno task chaos ${
  Object.entries(DEFAULTS).map((pair) => `[--${pair.join(" ")}]`).join(" ")
}`;

/** Reads whole numbers; everything else is an error. */
function readOptions(argv: readonly string[]): typeof DEFAULTS {
  if (argv.includes("--help")) {
    console.log(USAGE);
    Deno.exit(0);
  }
  const unknown: string[] = [];
  const found = parseArgs([...argv], {
    string: Object.keys(DEFAULTS),
    unknown: (name: string) => {
      unknown.push(name);
      return false;
    },
  });
  const options = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[]) {
    const given = found[name];
    if (given === undefined) continue;
    const value = Number(given);
    if (!Number.isInteger(value) || value < 0) unknown.push(`--${name} ${String(given)}`);
    options[name] = value;
  }
  if (unknown.length > 0) {
    console.error(`Cannot read: ${unknown.join(", ")}`);
    console.error(USAGE);
    Deno.exit(2);
  }
  return options;
}

if (import.meta.main) {
  const results = await runPlan(readOptions(Deno.args), (result) => {
    console.log(resultLine(result));
  });
  console.log(planSummary(results));
  Deno.exit(results.some((result) => result.problems.length > 0) ? 1 : 0);
}
