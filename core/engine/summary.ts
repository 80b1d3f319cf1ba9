/** Builds the summary document of a run from what the store holds. @module */
import type { DetailRow, Run, Store, TargetCount } from "../ports/mod.ts";
import { PHASES } from "../ports/mod.ts";
import { EXIT, worstExit } from "../errors.ts";
import type { ExitCode } from "../errors.ts";
import { CENSUS_NOTE } from "../extract/census.ts";
import type { Census } from "../extract/census.ts";
import { readsExecutions, stepStatusFilter } from "../extract/selection.ts";
import { fileWork } from "../plan/file_work.ts";
import { sourceMinimum, targetMinimum } from "../plan/minimum.ts";
import type { RequestSummary, Summary, ValidationSummary } from "../report/model.ts";
import { DRAFT_KINDS } from "../load/adopt.ts";
import { bulkWork } from "../load/bulk_work.ts";
import { NO_TALLY, tallyNote } from "../validate/tally.ts";
import { recordCounts } from "./counts.ts";
import type { Mapping, Settings } from "../config/types.ts";
import { TRAFFIC_NOTE } from "./traffic_log.ts";
import type { TrafficNote } from "./traffic_log.ts";

export interface SummaryInput {
  store: Store;
  run: Run;
  settings: Settings;
  mapping: Mapping;
}

/** Name of a note of a run among the checkpoints of its scope. */
export function noteName(runId: string, name: string): string {
  return `${runId}/${name}`;
}

export const PHASE_TIMES_NOTE = "phaseMs";

export async function buildSummary(input: SummaryInput): Promise<Summary> {
  const { store, run } = input;
  const note = async <T>(name: string): Promise<T | null> =>
    await store.checkpoint(run.scopeId, noteName(run.id, name)) as T | null;
  const targets = await store.countTargets(run.scopeId);
  const counts = await recordCounts(input, targets);
  const validation = await validationOf(note);
  const issues = await store.countIssues(run.scopeId);
  const times = await note<Record<string, number>>(PHASE_TIMES_NOTE) ?? {};
  const exitCode = resultOf(counts, validation, issues);
  const phases = {} as Summary["phases"];
  for (const phase of PHASES) {
    phases[phase] = { state: run.phases[phase], durationMs: Math.round(times[phase] ?? 0) };
  }
  return {
    runId: run.id,
    state: run.state,
    exitCode,
    counts,
    artefacts: artefactsOf(targets, run.id),
    requests: await requestsOf(input, targets, note),
    validation,
    losses: await store.countLosses(run.scopeId),
    issues: issues.map(({ phase, level, kind, count }) => ({ phase, level, reason: kind, count })),
    durationMs: Math.round(run.workedMs),
    phases,
    files: { report: null, redirects: null, database: null },
    next: nextStep(exitCode),
  };
}

/** How to go on, for people. */
export function nextStep(exitCode: ExitCode): string | null {
  switch (exitCode) {
    case EXIT.setAside:
      return "Some records were set aside: `ztoq errors list` says why, `ztoq errors retry` tries them again.";
    case EXIT.differences:
      return "The target differs from the source: the report lists every difference; `ztoq validate` compares again.";
    case EXIT.interrupted:
      return "Run the same command again: it continues where it stopped.";
    case EXIT.budget:
      return "Run the same command again when there is quota left: it continues where it stopped.";
    default:
      return null;
  }
}

type IssueCounts = Awaited<ReturnType<Store["countIssues"]>>;

function resultOf(
  counts: Summary["counts"],
  validation: ValidationSummary,
  issues: IssueCounts,
): ExitCode {
  const codes: ExitCode[] = [EXIT.done];
  const aside = Object.values(counts).reduce((sum, row) => sum + row.setAside, 0);
  if (aside > 0 || issues.some((row) => row.setAside && row.count > 0)) codes.push(EXIT.setAside);
  const { different, missing, extra, duplicate } = validation;
  if (different + missing + extra + duplicate > 0) codes.push(EXIT.differences);
  return worstExit(...codes);
}

function artefactsOf(targets: TargetCount[], runId: string): Record<string, number> {
  const artefacts: Record<string, number> = {};
  for (const row of targets) {
    if (row.state !== "loaded" || row.origin !== "created" || row.runId !== runId) continue;
    artefacts[row.kind] = (artefacts[row.kind] ?? 0) + row.count;
  }
  return artefacts;
}

type Note = <T>(name: string) => Promise<T | null>;

async function validationOf(note: Note): Promise<ValidationSummary> {
  const sum = { ...NO_TALLY };
  for (const kind of [...DRAFT_KINDS, "attachment"]) {
    const tally = await note<ValidationSummary>(tallyNote(kind));
    if (tally === null) continue;
    for (const key of Object.keys(sum) as (keyof ValidationSummary)[]) sum[key] += tally[key];
  }
  return sum;
}

async function requestsOf(
  input: SummaryInput,
  targets: TargetCount[],
  note: Note,
): Promise<Summary["requests"]> {
  const rows = await input.store.requestCounts(input.run.id);
  const traffic = await note<TrafficNote>(TRAFFIC_NOTE);
  const summarise = (system: "source" | "target", minimum: number): RequestSummary => {
    const own = rows.filter((row) => row.system === system);
    const byRoute: Record<string, number> = {};
    for (const row of own) byRoute[row.route] = (byRoute[row.route] ?? 0) + row.count;
    const sum = (list: typeof own): number => list.reduce((total, row) => total + row.count, 0);
    return {
      total: sum(own),
      byRoute,
      minimum,
      retried: traffic?.[system].retried ?? 0,
      rateLimited: sum(own.filter((row) => row.status === "429")),
      peakPerMinute: traffic?.[system].peakPerMinute ?? 0,
    };
  };
  const files = await fileWork(input.store, input.run.scopeId, {
    states: ["loaded"],
    goesAlone: (row) => row.detail.inlined !== true && row.origin === "created",
  });
  return {
    source: summarise("source", await sourceFloor(input, note)),
    target: summarise(
      "target",
      targetMinimum({
        counts: targets,
        ...files,
        approve: input.settings.target.approve,
        validated: input.run.phases.validate === "done",
        ...(input.settings.target.logs === "manual"
          ? {}
          : { bulk: await bulkWork(input.store, input.run.scopeId) }),
      }),
    ),
  };
}

async function sourceFloor(input: SummaryInput, note: Note): Promise<number> {
  const { store, run, settings } = input;
  const profile = await note<{ attachments: boolean }>("sourceProfile");
  const attachments = profile?.attachments ?? false;
  const census = await note<Census>(CENSUS_NOTE);
  return sourceMinimum({
    inventory: await store.inventory(run.scopeId),
    include: settings.include,
    attachments,
    stepPages: await stepPages(input),
    stepLists: attachments ? await stepLists(input) : 0,
    versionLookups: census?.versionLookups ?? 0,
    tombstones: census?.tombstones ?? 0,
  });
}

const STEP_PAGE = 100;

/** Requests that scripts and execution steps cannot do without, counted on what was found. */
async function stepPages(
  { store, run, settings, mapping }: SummaryInput,
): Promise<number> {
  const { include } = settings;
  const pages = ({ count }: DetailRow): number => Math.max(1, Math.ceil(count / STEP_PAGE));
  let total = 0;
  if (include.testCases) {
    total += await sumDetails(store, run.scopeId, "testCase", { weigh: pages });
  }
  if (readsExecutions(include) && include.executionSteps !== "none") {
    const filter = await stepStatusFilter({ store, scope: { id: run.scopeId }, settings, mapping });
    total += await sumDetails(store, run.scopeId, "execution", { weigh: pages, filter });
  }
  return total;
}

/** Steps whose files are listed, one request each. */
async function stepLists({ store, run, settings }: SummaryInput): Promise<number> {
  const { include } = settings;
  if (include.attachments !== "all") return 0;
  const weigh = ({ count }: DetailRow): number => count;
  const cases = include.testCases ? await sumDetails(store, run.scopeId, "testCase", { weigh }) : 0;
  return cases + (await store.inventory(run.scopeId)).executionSteps;
}

const TASK_OF = { testCase: "script", execution: "executionSteps" } as const;

async function sumDetails(
  store: Store,
  scopeId: number,
  kind: keyof typeof TASK_OF,
  { weigh, filter = () => true }: {
    weigh: (row: DetailRow) => number;
    /** Of executions, by their status. */
    filter?: (statusId: string | null) => boolean;
  },
): Promise<number> {
  let total = 0;
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof store.records<typeof kind>>> = await store.records(
      scopeId,
      kind,
      { after, limit: 1000 },
    );
    const keys = page.rows.filter(({ statusId }) => filter(statusId))
      .map((row) => row.kind === "testCase" ? row.key : row.id);
    const details = await store.details(scopeId, TASK_OF[kind], keys);
    for (const row of details.values()) total += weigh(row);
    after = page.cursor;
  } while (after !== null);
  return total;
}
