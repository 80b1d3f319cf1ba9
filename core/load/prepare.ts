/** Turns rows of the target map into drafts with target ids, or says what they wait for. @module */
import type { Draft, DraftKind, StepLogDraft, TargetKind, TargetRow } from "../ports/mod.ts";
import type { LossRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { stepStatusFilter } from "../extract/selection.ts";
import { payloadHash } from "../transform/mod.ts";
import { caseBundles } from "../transform/stages/cases.ts";
import { transformOf } from "../transform/stages/context.ts";
import { caseShapeOf } from "../transform/stages/execution_logs.ts";
import { cutText, MARKERS, splitNameMarker } from "../text/mod.ts";
import { inlineFilesOf } from "./inline_files.ts";
import { withKeptTime } from "./kept_time.ts";

/** Longest name the target takes. */
const MAX_NAME = 500;

/** A row that can be sent now, cannot yet, or never will. */
export type Prepared =
  | {
    state: "ready";
    draft: Draft;
    /** Hash of the draft before ids were put in. */
    hash: string;
    /** Attachment rows that travel inside. */
    inline: string[];
    /** Keys of the cases that its steps call. */
    calls: string[];
    /** Losses when they differ from the planned ones (a called case was set aside since). */
    losses: { kind: string; rows: LossRow[] } | null;
  }
  | { state: "wait" }
  | { state: "setAside"; parent: string };

/** Prepares rows of one kind, all with as few reads as possible. */
export async function prepare(
  ctx: RunContext,
  kind: DraftKind,
  rows: TargetRow[],
): Promise<Map<string, Prepared>> {
  const parents = await readParents(ctx, rows);
  const open: TargetRow[] = [];
  const prepared = new Map<string, Prepared>();
  for (const row of rows) {
    const parent = parentOf(parents, row);
    if (parent === "none" || (parent !== "missing" && parent.state === "loaded")) open.push(row);
    else if (parent !== "missing" && parent.state === "setAside") {
      prepared.set(row.key, { state: "setAside", parent: `${parent.kind} ${parent.key}` });
    } else prepared.set(row.key, { state: "wait" });
  }
  const parentId = (row: TargetRow): string => {
    const parent = parentOf(parents, row);
    return typeof parent === "string" ? "" : parent.targetId ?? "";
  };
  const numbers = new Map(open.map((row) => [row.key, row.detail.nameNumber]));
  for (const [key, value] of await PREPARE[kind](ctx, open, parentId, parents)) {
    const number = numbers.get(key);
    if (typeof number === "number" && value.state === "ready" && "name" in value.draft) {
      value.draft = { ...value.draft, name: numberedName(value.draft.name, number) };
    }
    prepared.set(key, value);
  }
  return prepared;
}

/** `Smoke` → `Smoke (2)`, before a marker at the end; for tenants that refuse equal sibling names. */
export function numberedName(name: string, number: number): string {
  const { name: plain, key } = splitNameMarker(name);
  const suffix = ` (${number})${key === null ? "" : MARKERS.suffix(key)}`;
  return `${cutText(plain, MAX_NAME - suffix.length)}${suffix}`;
}

type Parents = Map<string, TargetRow>;
type PrepareKind = (
  ctx: RunContext,
  rows: TargetRow[],
  parentId: (row: TargetRow) => string,
  parents: Parents,
) => Promise<[string, Prepared][]>;

const PREPARE: Record<DraftKind, PrepareKind> = {
  module: prepareModules,
  testCycle: prepareCycles,
  release: prepareReleases,
  testCase: prepareCases,
  testSuite: prepareSuites,
  testRun: prepareRuns,
  testLog: prepareLogs,
};

async function readParents(ctx: RunContext, rows: TargetRow[]): Promise<Parents> {
  const keysByKind = new Map<TargetKind, Set<string>>();
  for (const row of rows) {
    if (row.parentKind === null || row.parentKey === null) continue;
    const keys = keysByKind.get(row.parentKind) ?? new Set();
    keysByKind.set(row.parentKind, keys.add(row.parentKey));
  }
  const parents: Parents = new Map();
  for (const [kind, keys] of keysByKind) {
    for (const [key, row] of await ctx.store.targetsByKey(ctx.scope.id, kind, [...keys])) {
      parents.set(`${kind}/${key}`, row);
    }
  }
  return parents;
}

function parentOf(parents: Parents, row: TargetRow): TargetRow | "none" | "missing" {
  if (row.parentKind === null || row.parentKey === null) return "none";
  return parents.get(`${row.parentKind}/${row.parentKey}`) ?? "missing";
}

function ready(
  draft: Draft,
  hash: string,
  extra: Partial<Extract<Prepared, { state: "ready" }>> = {},
): Prepared {
  return { state: "ready", draft, hash, inline: [], calls: [], losses: null, ...extra };
}

async function prepareModules(
  ctx: RunContext,
  rows: TargetRow[],
  parentId: (row: TargetRow) => string,
): Promise<[string, Prepared][]> {
  const { transform, context } = await transformOf(ctx);
  const roots = transform.roots();
  return rows.flatMap((row): [string, Prepared][] => {
    const folder = context.folders.get(row.key);
    const content = row.key === "root"
      ? roots.module
      : row.key === "archived"
      ? roots.archivedModule
      : folder === undefined
      ? null
      : transform.folder(folder).draft;
    if (content === null) return [];
    const draft = { ...content, kind: "module" as const, parentId: parentId(row) || null };
    return [[row.key, ready(draft, payloadHash(content))]];
  });
}

async function prepareCycles(
  ctx: RunContext,
  rows: TargetRow[],
  parentId: (row: TargetRow) => string,
): Promise<[string, Prepared][]> {
  const { transform, context } = await transformOf(ctx);
  return rows.flatMap((row): [string, Prepared][] => {
    const folder = context.folders.get(row.key);
    const content = row.key === "root"
      ? transform.roots().cycle
      : folder === undefined
      ? null
      : transform.folder(folder).draft;
    if (content === null) return [];
    const id = parentId(row);
    const parent = id === ""
      ? { type: "root" as const, id: null }
      : { type: "testCycle" as const, id };
    return [[row.key, ready({ ...content, kind: "testCycle", parent }, payloadHash(content))]];
  });
}

async function prepareReleases(ctx: RunContext, rows: TargetRow[]): Promise<[string, Prepared][]> {
  const { transform, context } = await transformOf(ctx);
  const byKey = new Map([...context.plans.values()].map((plan) => [plan.key, plan]));
  return rows.flatMap((row): [string, Prepared][] => {
    const plan = byKey.get(row.key);
    if (plan === undefined) return [];
    const { draft } = transform.testPlan(plan);
    return [[row.key, ready(draft, payloadHash(draft))]];
  });
}

async function prepareSuites(
  ctx: RunContext,
  rows: TargetRow[],
  parentId: (row: TargetRow) => string,
): Promise<[string, Prepared][]> {
  const { transform, context } = await transformOf(ctx);
  const byKey = new Map([...context.cycles.values()].map((cycle) => [cycle.key, cycle]));
  const releases = await ctx.store.targetsByKey(
    ctx.scope.id,
    "release",
    rows.flatMap((row) => typeof row.detail.releaseKey === "string" ? row.detail.releaseKey : []),
  );
  return rows.flatMap((row): [string, Prepared][] => {
    const parent = { type: "testCycle" as const, id: parentId(row) };
    if (row.key === "adhoc") {
      const content = transform.roots().adhocSuite;
      const draft = { ...content, kind: "testSuite" as const, parent, targetReleaseId: null };
      return [[row.key, ready(draft, payloadHash(content))]];
    }
    const cycle = byKey.get(row.key);
    if (cycle === undefined) return [];
    const planned = transform.testCycle(cycle);
    const release = planned.releaseKey === null ? undefined : releases.get(planned.releaseKey);
    if (release !== undefined && !isSettled(release)) return [[row.key, { state: "wait" }]];
    const targetReleaseId = release?.targetId ?? null;
    return [[
      row.key,
      ready({ ...planned.draft, parent, targetReleaseId }, payloadHash(planned.draft)),
    ]];
  });
}

/** Loaded or out of the way for good. */
function isSettled(row: TargetRow): boolean {
  return row.state === "loaded" || row.state === "setAside" || row.state === "withoutTarget";
}

async function prepareCases(
  ctx: RunContext,
  rows: TargetRow[],
  parentId: (row: TargetRow) => string,
): Promise<[string, Prepared][]> {
  const built = await transformOf(ctx);
  const { transform } = built;
  const bundles = await caseBundles(ctx, rows.map((row) => row.key), built);
  const calls = new Set(rows.flatMap((row) => callsOf(row)));
  for (const { script } of bundles.values()) {
    for (const step of script.steps) if (step.call !== null) calls.add(step.call.key);
  }
  const called = await ctx.store.targetsByKey(ctx.scope.id, "testCase", [...calls]);
  const isOpen = (key: string): boolean => {
    const target = called.get(key);
    return target === undefined || !isSettled(target);
  };
  const filesOf = await inlineFilesOf(ctx, "testCase", rows.map((row) => row.key));
  const prepared: [string, Prepared][] = [];
  for (const row of rows) {
    const bundle = bundles.get(row.key);
    if (row.detail.placeholder === true || bundle === undefined) {
      const { draft } = transform.placeholder(row.key);
      prepared.push([
        row.key,
        ready(
          { ...draft, parentId: parentId(row), attachments: [], steps: [] },
          payloadHash(draft),
        ),
      ]);
      continue;
    }
    const plan = transform.testCase(bundle.record, bundle.script);
    const planned = plan.draft.steps.flatMap((step) => step.callKey ?? []);
    if ([...callsOf(row), ...planned].some(isOpen)) {
      prepared.push([row.key, { state: "wait" }]);
      continue;
    }
    const hash = payloadHash(plan.draft);
    const steps = plan.draft.steps.map(({ callKey, ...step }) => ({
      ...step,
      calledTestCaseId: callKey === null ? null : called.get(callKey)?.targetId ?? null,
    }));
    const files = filesOf(row.key);
    prepared.push([
      row.key,
      ready(
        { ...plan.draft, parentId: parentId(row), steps, attachments: files.files },
        hash,
        {
          inline: files.keys,
          calls: [...new Set(planned)],
          losses: hash === row.payloadHash ? null : { kind: "testCase", rows: plan.losses },
        },
      ),
    ]);
  }
  return prepared;
}

function callsOf(row: TargetRow): string[] {
  return Array.isArray(row.detail.calls) ? row.detail.calls.map(String) : [];
}

/** The case part of a run's key: `SA-R5/SA-T1` → `SA-T1`. */
export function caseKeyOfRun(runKey: string): string {
  return runKey.slice(runKey.indexOf("/") + 1);
}

async function casesOfRuns(ctx: RunContext, runKeys: string[]): Promise<Parents> {
  return await ctx.store.targetsByKey(
    ctx.scope.id,
    "testCase",
    [...new Set(runKeys.map(caseKeyOfRun))],
  );
}

async function prepareRuns(
  ctx: RunContext,
  rows: TargetRow[],
  parentId: (row: TargetRow) => string,
): Promise<[string, Prepared][]> {
  const { transform, context } = await transformOf(ctx);
  const cases = await casesOfRuns(ctx, rows.map((row) => row.key));
  const records = await ctx.store.recordsByKey(ctx.scope.id, "testCase", [...cases.keys()]);
  const cycles = new Map([...context.cycles.values()].map((cycle) => [cycle.key, cycle]));
  return rows.map((row): [string, Prepared] => {
    const caseKey = caseKeyOfRun(row.key);
    const target = cases.get(caseKey);
    if (target?.state === "setAside") {
      return [row.key, { state: "setAside", parent: `testCase ${caseKey}` }];
    }
    if (!isExecutable(ctx, target)) return [row.key, { state: "wait" }];
    const cycle = cycles.get(row.parentKey ?? "") ?? null;
    const { draft } = transform.testRun(cycle, records.get(caseKey)?.name, caseKey);
    return [
      row.key,
      ready({
        ...draft,
        parent: { type: "testSuite", id: parentId(row) },
        testCaseId: target?.targetId ?? "",
        testCaseVersionId: target?.detail.versionId ?? null,
      }, payloadHash(draft)),
    ];
  });
}

/** A case can be planned once it is loaded and, where asked for, approved (its version changes then). */
function isExecutable(ctx: RunContext, row: TargetRow | undefined): boolean {
  if (row?.state !== "loaded") return false;
  return !ctx.settings.target.approve || row.detail.approved === true;
}

async function prepareLogs(
  ctx: RunContext,
  rows: TargetRow[],
  parentId: (row: TargetRow) => string,
  parents: Parents,
): Promise<[string, Prepared][]> {
  const { transform, context } = await transformOf(ctx);
  const scopeId = ctx.scope.id;
  const ids = rows.map((row) => row.key);
  const cases = await casesOfRuns(ctx, rows.map((row) => row.parentKey ?? ""));
  const executions = await ctx.store.recordsByKey(scopeId, "execution", ids);
  const wantsSteps = await stepStatusFilter(ctx);
  const stepped = [...executions.values()].filter((row) => wantsSteps(row.statusId));
  const steps = await ctx.store.executionSteps(scopeId, stepped.map((row) => row.id));
  const versions = await ctx.store.details(scopeId, "version", [...cases.keys()]);
  const filesOf = await inlineFilesOf(ctx, "testLog", ids);
  const prepared: [string, Prepared][] = [];
  for (const row of rows) {
    const execution = executions.get(row.key);
    const caseKey = caseKeyOfRun(row.parentKey ?? "");
    const target = cases.get(caseKey);
    if (execution === undefined) continue;
    const planned = transform.executionLog(
      execution,
      steps.get(row.key) ?? null,
      caseShapeOf(target),
      {
        currentVersion: versions.get(caseKey)?.count ?? null,
      },
    );
    const plan = withKeptTime(planned, row, context.runStartedAt);
    if (planned.draft === null || plan.draft === null) continue;
    const stepIds = target?.detail.stepIds;
    if (plan.draft.steps !== null && !Array.isArray(stepIds)) {
      // The create's answer held no step ids: a sweep fetches them once all cases are there.
      prepared.push([row.key, { state: "wait" }]);
      continue;
    }
    const run = parentOf(parents, row);
    const files = filesOf(row.key);
    prepared.push([
      row.key,
      ready(
        {
          ...plan.draft,
          runId: parentId(row),
          testCaseVersionId: (typeof run === "string" ? null : run.detail.versionId) ??
            target?.detail.versionId ?? null,
          steps: stepLogs(plan.draft.steps, stepIds),
          attachments: files.files,
        },
        payloadHash(planned.draft),
        {
          inline: files.keys,
          losses: plan === planned ? null : { kind: "execution", rows: plan.losses },
        },
      ),
    ]);
  }
  return prepared;
}

function stepLogs(
  steps: Omit<StepLogDraft, "testStepId" | "calledTestCaseId" | "parentTestStepId">[] | null,
  stepIds: string[] | null | undefined,
): StepLogDraft[] {
  return (steps ?? []).map((step, index) => ({
    ...step,
    testStepId: stepIds?.[index] ?? null,
    calledTestCaseId: null,
    parentTestStepId: null,
  }));
}
