/** What a rollback is asked for and what it tells. @module */
import type { AdvanceOptions } from "../engine/types.ts";
import type { ExitCode } from "../errors.ts";
import type { Phase, RunState, TargetKind } from "../ports/mod.ts";

export interface RollbackOptions
  extends Pick<AdvanceOptions, "budgetMs" | "signal" | "force" | "onProgress" | "dryRun"> {
  /** @default the newest run */
  runId?: string;
  /** Undo this phase and those after it; the run can go on from there. @default the whole run */
  phase?: Phase;
  /** Undo one record with what hangs on it: a case with its runs and logs, a folder with its content. */
  record?: string;
}

/** What of a run a rollback takes back. */
export interface RollbackWhat {
  phase: Phase | null;
  record: string | null;
}

/** An artefact that a rollback did not take back. */
export interface KeptArtefact {
  kind: TargetKind;
  key: string;
  targetId: string | null;
  reason: string;
}

/** The document of a rollback; with `dryRun` it says what would happen. */
export interface RollbackReport {
  runId: string;
  state: RunState;
  dryRun: boolean;
  exitCode: ExitCode;
  what: RollbackWhat;
  /** Artefacts that are gone, per kind, over all attempts. */
  deleted: Partial<Record<TargetKind, number>>;
  /** Left because people changed or use them, or because the target kept them. */
  left: KeptArtefact[];
  /** What the target's interface cannot take back. */
  cannot: KeptArtefact[];
  durationMs: number;
  /** How to go on, for people. */
  next: string | null;
}

/** Note of a run that holds how far its rollback is. */
export const ROLLBACK_NOTE = "rollback";
export interface RollbackNote {
  what: RollbackWhat;
  deleted: RollbackReport["deleted"];
  /** Set once the rollback is over. */
  report: RollbackReport | null;
}
