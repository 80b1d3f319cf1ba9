/** Reasons not to begin. @module */
import type { Phase, Run } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";
import { ConfigError, EXIT, type MigrationError, PreflightError, StopError } from "../errors.ts";
import type { Finding } from "./types.ts";

/** A refusal keeps its own words and exit code; a system that cannot be reached is one of the findings. */
export function preflightFailure(failure: MigrationError | null, problems: Finding[]): StopError {
  if (!(failure instanceof StopError)) return preflightError(problems);
  const saysAll = problems.length <= 1 || failure.exitCode !== EXIT.preflight;
  return saysAll ? failure : preflightError(problems);
}

function preflightError(problems: Finding[]): PreflightError {
  const lines = problems.map((problem) => problem.message);
  return new PreflightError(lines.join("\n"), {
    hint: problems.map((problem) => problem.fix).filter((fix) => fix !== null).join("\n"),
  });
}

/** Phases before the first one asked for must be done; throws {@linkcode ConfigError}. */
export function assertPhasesReady(run: Run, phases: readonly Phase[]): void {
  const first = PHASES.findIndex((phase) => phases.includes(phase));
  const open = PHASES.slice(0, first).find((phase) => run.phases[phase] !== "done");
  if (open === undefined) return;
  throw new ConfigError(
    `Cannot ${phases[0]}: the phase ${open} of run ${run.id} is not done`,
    { hint: `Run \`ztoq ${open}\` first, or \`ztoq migrate\` for all phases.` },
  );
}
