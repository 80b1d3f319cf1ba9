/** The summary document of a run: what `--json` prints and every report renders. @module */
import { RECORD_KINDS, type RecordKind } from "../records/mod.ts";
import type { Phase, RunState } from "../ports/mod.ts";

export interface KindCounts {
  extracted: number;
  transformed: number;
  created: number;
  updated: number;
  unchanged: number;
  withoutTarget: number;
  setAside: number;
}

export interface RequestSummary {
  /** Every attempt sent: pre-flight, logins, retries and polls included. */
  total: number;
  byRoute: Record<string, number>;
  /** Formulas of the vendors' facts with this run's options and counts, without retries, logins, reconciling. */
  minimum: number;
  retried: number;
  rateLimited: number;
  peakPerMinute: number;
}

export interface ValidationSummary {
  checked: number;
  equal: number;
  different: number;
  missing: number;
  extra: number;
  duplicate: number;
}

export interface Summary {
  runId: string;
  state: RunState;
  exitCode: number;
  counts: Record<RecordKind, KindCounts>;
  /** Created per target kind: module, testCase, release, testCycle, testSuite, testRun, testLog, attachment, field … */
  artefacts: Record<string, number>;
  requests: { source: RequestSummary; target: RequestSummary };
  validation: ValidationSummary;
  /** Count per rule. */
  losses: Record<string, number>;
  /** Findings of the checks per phase and level. */
  issues: { phase: Phase; level: string; reason: string; count: number }[];
  durationMs: number;
  phases: Record<Phase, { state: string; durationMs: number }>;
  files: { report: string | null; redirects: string | null; database: string | null };
  /** How to go on, for exit codes other than 0. */
  next: string | null;
}

/** What the outcome "without target" means, for people. */
export const WITHOUT_TARGET =
  "the target has no place for these, or they stand as text in another artefact";

/** Where a record can end. */
export const OUTCOMES = ["created", "updated", "unchanged", "withoutTarget", "setAside"] as const;

/** Columns of the table of counts. */
export const COUNT_COLUMNS = [
  "Kind",
  "Extracted",
  "Transformed",
  "Created",
  "Updated",
  "Unchanged",
  "Without target",
  "Set aside",
];

/** Rows of the table of counts, a kind each. */
export function countRows(
  counts: Summary["counts"],
  kinds: readonly RecordKind[],
): (string | number)[][] {
  return kinds.map((kind) => {
    const row = counts[kind];
    return [kind, row.extracted, row.transformed, ...OUTCOMES.map((outcome) => row[outcome])];
  });
}

/** Records that a phase has worked on; the comparison counts artefacts. */
export function recordsOfPhase({ counts, validation }: Summary, phase: Phase): number {
  const sum = (count: (row: KindCounts) => number): number =>
    RECORD_KINDS.reduce((total, kind) => total + count(counts[kind]), 0);
  switch (phase) {
    case "extract":
      return sum(({ extracted }) => extracted);
    case "transform":
      return sum(({ transformed }) => transformed);
    case "load":
      return sum(({ created, updated, unchanged }) => created + updated + unchanged);
    case "validate":
      return validation.checked;
  }
}
