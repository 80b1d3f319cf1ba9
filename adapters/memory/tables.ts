/** What the memory store keeps, as plain maps. @module */
import type {
  DetailRow,
  DifferenceRow,
  EventRow,
  IssueRow,
  LeaseRow,
  LossRow,
  Phase,
  Run,
  Scope,
  TargetRow,
} from "../../core/ports/mod.ts";
import {
  type AttachmentRecord,
  type ExecutionStepRecord,
  LIST_KINDS,
  type ListKind,
  type RecordByKind,
  type TestScript,
} from "../../core/records/mod.ts";

/** A record and the place of its row in the pages as received. */
export interface StoredRecord {
  record: RecordByKind[ListKind];
  page: string;
  ordinal: number;
}
export type StoredTarget = TargetRow & { seenPass: number };
export type StoredIssue = IssueRow & { id: number; runId: string };
export type StoredLoss = LossRow & { phase: Phase };

/** Everything of one scope. Maps with composite keys use {@linkcode pathKey}. */
export interface ScopeTables {
  scope: Scope;
  lease: LeaseRow | null;
  epoch: number;
  /** (list, at) → body as text. */
  pages: Map<string, string>;
  records: Record<ListKind, Map<string, StoredRecord>>;
  scripts: Map<string, TestScript>;
  executionSteps: Map<string, ExecutionStepRecord[]>;
  /** Owner key → files. */
  attachments: Map<string, AttachmentRecord[]>;
  /** (task, key). */
  details: Map<string, DetailRow>;
  checkpoints: Map<string, unknown>;
  /** (kind, key). */
  targets: Map<string, StoredTarget>;
  /** (phase, kind, key) → rows. */
  losses: Map<string, { key: string; phase: Phase; kind: string; rows: LossRow[] }>;
  /** (phase, kind, key, reason). */
  issues: Map<string, StoredIssue>;
}

/** Everything that is not bound to one scope. */
export interface SharedTables {
  scopes: ScopeTables[];
  runs: Run[];
  events: EventRow[];
  differences: (DifferenceRow & { id: number })[];
  /** (run, system, route, status) → count. */
  requests: Map<string, number>;
  /** Run id → name → value. */
  controls: Map<string, Map<string, unknown>>;
  /** Last id given to an issue or difference. */
  lastId: number;
}

/** Creates the empty tables of a scope. */
export function emptyScope(scope: Scope): ScopeTables {
  return {
    scope,
    lease: null,
    epoch: 0,
    pages: new Map(),
    records: Object.fromEntries(
      LIST_KINDS.map((kind) => [kind, new Map()]),
    ) as ScopeTables["records"],
    scripts: new Map(),
    executionSteps: new Map(),
    attachments: new Map(),
    details: new Map(),
    checkpoints: new Map(),
    targets: new Map(),
    losses: new Map(),
    issues: new Map(),
  };
}

/** Joins parts to a map key that {@linkcode keyParts} takes apart again. */
export function pathKey(...parts: string[]): string {
  return JSON.stringify(parts);
}
export function keyParts(key: string): string[] {
  return JSON.parse(key);
}
