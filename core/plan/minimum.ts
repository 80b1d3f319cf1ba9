/**
 * The least number of requests a run can do with, by the formulas of the vendors' facts: no retries,
 * logins, pre-flight or reconciling. What a run really sent is published against it.
 * @module
 */
import type { Settings } from "../config/types.ts";
import { readsExecutions } from "../extract/selection.ts";
import type { Inventory, TargetCount } from "../ports/mod.ts";

/** Most rows a list answers with. */
const LIST_PAGE = 1_000;
/** Most steps a page of steps holds. */
const SEARCH_PAGE = 999;
/** Objects named in one batched read of attachments. */
const FILES_PAGE = 100;

function pages(rows: number, size: number): number {
  return Math.max(1, Math.ceil(rows / size));
}

export interface SourceWork {
  inventory: Inventory;
  include: Settings["include"];
  attachments: boolean;
  /** Requests for steps: Σ max(1, ⌈n/100⌉) over cases with steps and executions whose steps are read. */
  stepPages: number;
  /** Steps of cases and executions whose files are listed one by one; 0 unless asked for. */
  stepLists: number;
  versionLookups: number;
  tombstones: number;
}

export function sourceMinimum(work: SourceWork): number {
  const { inventory: all, include } = work;
  // The project, priorities, environments and the four lists of statuses.
  let total = 1 + 6;
  if (include.folders) {
    total += pages(
      all.folders.TEST_CASE + all.folders.TEST_PLAN + all.folders.TEST_CYCLE,
      LIST_PAGE,
    );
  }
  if (include.testPlans) total += pages(all.testPlans, LIST_PAGE);
  if (include.testCycles) total += pages(all.testCycles, LIST_PAGE);
  if (include.testCases) total += pages(all.testCases, LIST_PAGE);
  if (readsExecutions(include)) total += pages(all.executions, LIST_PAGE);
  total += work.stepPages + work.versionLookups + work.tombstones;
  if (work.attachments) total += attachmentLists(work) + all.attachments;
  return total;
}

function attachmentLists({ inventory: all, include, stepLists }: SourceWork): number {
  const mode = include.attachments;
  if (mode === "none") return 0;
  let lists = include.testCases ? all.testCases : 0;
  if (mode === "cases") return lists;
  if (include.testPlans) lists += all.testPlans;
  if (include.testCycles) lists += all.testCycles;
  if (readsExecutions(include)) lists += all.executions;
  return lists + stepLists;
}

export interface TargetWork {
  counts: TargetCount[];
  /** Files that did not ride inside a create. */
  uploads: number;
  /** Objects that carry files. */
  fileObjects: number;
  approve: boolean;
  validated: boolean;
  /** What went in bulk; none by default. */
  bulk?: BulkWork;
}

/** Runs and logs that jobs made. */
export interface BulkWork {
  runs: number;
  logs: number;
  /** Σ ⌈logs of a suite / logs per request⌉. */
  batches: number;
  /** Σ ⌈runs of a suite / 999⌉, to read their ids back. */
  reads: number;
}

/** Polls of a job, at least. */
const POLLS = 1;

/** Origins of what cost no write: it was there before. */
const FOUND = new Set<TargetCount["origin"]>(["adopted", "unchanged"]);

export function targetMinimum(work: TargetWork): number {
  const there = (kind: string, counts = work.counts): number =>
    counts
      .filter((row) => row.kind === kind && row.state === "loaded")
      .reduce((sum, row) => sum + row.count, 0);
  const written = work.counts.filter((row) => !FOUND.has(row.origin));
  const made = (kind: string): number => there(kind, written);
  const kinds = ["field", "module", "release", "testCycle", "testCase", "testSuite", "testRun"];
  let total = kinds.reduce((sum, kind) => sum + made(kind), 0) + made("testLog") + work.uploads;
  if (work.bulk !== undefined) {
    const { runs, logs, batches, reads } = work.bulk;
    total += batches * (1 + POLLS) + reads - runs - logs;
  }
  // One look-up and one link request per requirement.
  total += 2 * made("requirementLink");
  if (work.approve) total += made("testCase");
  if (!work.validated) return total;
  // Trees of modules and cycles and the releases: one request each; the rest by search.
  total += 3;
  for (const kind of ["testSuite", "testCase", "testRun", "testLog"]) {
    total += pages(there(kind), SEARCH_PAGE);
  }
  return total + Math.ceil(work.fileObjects / FILES_PAGE);
}
