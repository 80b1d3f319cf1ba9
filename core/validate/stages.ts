/**
 * Reads the target back through bulk routes and compares every field of every record with what the
 * source says. What looks different or missing is read once more on its own before it counts: search
 * indexes lag behind.
 * @module
 */
import type {
  DifferenceRow,
  Draft,
  DraftKind,
  Found,
  LossRow,
  TargetKind,
  TargetRow,
} from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { unit } from "../engine/stage.ts";
import type { ValidationSummary } from "../report/model.ts";
import type { Settings } from "../config/types.ts";
import { DRAFT_KINDS } from "../load/adopt.ts";
import { insideOurTree } from "../load/belonging.ts";
import { keyOfFound } from "../load/identity.ts";
import { prepare } from "../load/prepare.ts";
import { transformOf } from "../transform/stages/context.ts";
import { validateFiles } from "./files.ts";
import { compareFound } from "./compare.ts";
import { rulesStage } from "./rules.ts";
import { isSampled } from "./sample.ts";
import { NO_TALLY, tallyNote } from "./tally.ts";

export const PASS_NOTE = "validate/pass";
/** Rows of a page compared in one go: whoever asks how it goes waits no longer than that. */
const SLICE = 100;
export function validateStages(settings: Settings): Stage[] {
  const begin: Stage = { name: "validate.begin", phase: "validate", after: [], run: beginPass };
  const kinds = DRAFT_KINDS.map((kind): Stage => ({
    name: `validate.${kind}`,
    phase: "validate",
    after: [begin.name],
    run: (ctx) => validateKind(ctx, kind),
  }));
  const files: Stage[] = settings.include.attachments === "none" ? [] : [{
    name: "validate.attachment",
    phase: "validate",
    after: [begin.name],
    run: validateFiles,
  }];
  const compared = [...kinds, ...files].map((stage) => stage.name);
  return [begin, ...kinds, ...files, rulesStage(compared)];
}

async function beginPass(ctx: RunContext): Promise<boolean> {
  const pass = await nextPass(ctx);
  await ctx.commit([
    { op: "clearDifferences", runId: ctx.run.id },
    ctx.noteChange(PASS_NOTE, pass),
  ]);
  return true;
}

/** Passes never repeat within a scope, so that marks of earlier runs and attempts do not count. */
async function nextPass(ctx: RunContext): Promise<number> {
  const last = await ctx.note<number>(PASS_NOTE) ?? 0;
  return Math.max(last + 1, Math.floor(ctx.clock.now() / 1000));
}

/** What one kind's comparison collects. */
interface Pass {
  ctx: RunContext;
  kind: DraftKind;
  pass: number;
  tally: ValidationSummary;
  /** Kept with the tally at the end: a comparison that is cut off begins anew. */
  differences: DifferenceRow[];
}

async function validateKind(ctx: RunContext, kind: DraftKind): Promise<boolean> {
  const pass = await nextPass(ctx);
  const state: Pass = { ctx, kind, pass, tally: { ...NO_TALLY }, differences: [] };
  const stage = `validate.${kind}`;
  for await (const page of ctx.target.sweep(kind, ctx.readSignal)) {
    for (let start = 0; start < page.length; start += SLICE) {
      const slice = page.slice(start, start + SLICE);
      await unit(ctx, stage, `page of ${slice.length}`, () => comparePage(state, slice, false));
      ctx.progress(stage, { done: state.tally.checked });
      if (ctx.stopping()) return false;
    }
  }
  if (!await checkUnseen(state)) return false;
  await ctx.commit([
    { op: "differences", rows: state.differences },
    ctx.noteChange(tallyNote(kind), state.tally),
  ]);
  return true;
}

/** Compares one page; `direct` = it was read by list or id, so it is the truth. */
async function comparePage(state: Pass, page: Found[], direct: boolean): Promise<void> {
  const { ctx, kind } = state;
  const rows = await ctx.store.targetsById(ctx.scope.id, kind, page.map((found) => found.id));
  const loaded = page.filter((found) => rows.get(found.id)?.state === "loaded");
  const share = ctx.settings.validation.sample;
  const mine = loaded.filter(({ id }) => isSampled(rows.get(id)?.key ?? "", share));
  const prepared = await prepare(ctx, kind, mine.flatMap((found) => rows.get(found.id) ?? []));
  const doubtful: { row: TargetRow; draft: Draft }[] = [];
  const differences: DifferenceRow[] = await strangers(state, page, rows);
  // What is outside the sample only has to be there.
  const seen = loaded.flatMap(({ id }) => {
    const key = rows.get(id)?.key ?? "";
    return isSampled(key, share) ? [] : [key];
  });
  for (const found of mine) {
    const row = rows.get(found.id);
    if (row === undefined) continue;
    const ready = prepared.get(row.key);
    if (ready?.state !== "ready") continue;
    await noteDashes(ctx, row, ready.losses?.rows ?? []);
    const fields = incomplete(ready.draft, found) ? null : compareFound(ready.draft, found);
    if (fields === null || (fields.length > 0 && !direct)) {
      doubtful.push({ row, draft: ready.draft });
      continue;
    }
    seen.push(row.key);
    count(state, fields.length === 0);
    differences.push(...toRows(ctx, kind, row, fields));
  }
  await commitPage(state, seen, differences);
  await recompare(state, doubtful);
}

/**
 * A case that was found after a lost answer, or adopted, holds dashes that its losses do not tell of:
 * they were written before the tenant was known to refuse empty texts.
 */
async function noteDashes(ctx: RunContext, row: TargetRow, rows: LossRow[]): Promise<void> {
  if (!rows.some((loss) => loss.rule === "empty-expected")) return;
  await ctx.commit([{
    op: "losses",
    phase: "transform",
    kind: "testCase",
    key: row.key,
    rows,
  }]);
}

/** A log found by search may come without its step logs. */
function incomplete(draft: Draft, found: Found): boolean {
  if (draft.kind === "testLog") return draft.steps.length > 0 && found.log?.steps === null;
  return draft.kind === "testCase" && draft.steps.length > 0 && found.steps === null;
}

function count(state: Pass, isEqual: boolean): void {
  state.tally.checked++;
  if (isEqual) state.tally.equal++;
  else state.tally.different++;
}

function toRows(
  ctx: RunContext,
  kind: TargetKind,
  row: TargetRow,
  fields: { field: string; expected: string; actual: string }[],
): DifferenceRow[] {
  return fields.map((difference) => ({
    runId: ctx.run.id,
    kind,
    key: row.key,
    targetId: row.targetId,
    verdict: "different",
    ...difference,
  }));
}

async function commitPage(
  state: Pass,
  seen: string[],
  differences: DifferenceRow[],
): Promise<void> {
  state.differences.push(...differences);
  if (seen.length === 0) return;
  await state.ctx.commit([{ op: "seen", kind: state.kind, keys: seen, pass: state.pass }]);
}

/** Artefacts with a marker of ours that the map does not know: copies, or made by somebody else. */
async function strangers(
  state: Pass,
  page: Found[],
  rows: Map<string, TargetRow>,
): Promise<DifferenceRow[]> {
  const { ctx, kind } = state;
  const { context } = await transformOf(ctx);
  const unknown = page.flatMap((found) => {
    if (rows.has(found.id)) return [];
    const key = keyOfFound(found, context);
    return key === null ? [] : [{ key, found }];
  });
  if (unknown.length === 0) return [];
  const byKey = await ctx.store.targetsByKey(ctx.scope.id, kind, unknown.map(({ key }) => key));
  const isInside = await insideOurTree(ctx, kind, unknown);
  return unknown.flatMap((item): DifferenceRow[] => {
    if (!isInside(item)) return [];
    const { key, found } = item;
    const verdict = byKey.has(key) ? "duplicate" : "extra";
    state.tally[verdict]++;
    return [{
      runId: ctx.run.id,
      kind,
      key,
      targetId: found.id,
      verdict,
      field: null,
      expected: byKey.get(key)?.targetId ?? null,
      actual: found.pid ?? found.id,
    }];
  });
}

/** Reads records that looked different on their own; only what still differs counts. */
async function recompare(
  state: Pass,
  doubtful: { row: TargetRow; draft: Draft }[],
): Promise<void> {
  if (doubtful.length === 0) return;
  const { ctx, kind } = state;
  const logs = kind === "testLog" ? await logsOf(ctx, doubtful.map(({ row }) => row)) : null;
  for (const { row, draft } of doubtful) {
    if (ctx.stopping()) return;
    const id = row.targetId ?? "";
    const found = logs === null
      ? await ctx.target.read(kind, id, ctx.readSignal)
      : logs.get(id) ?? null;
    if (found === null) continue; // stays unseen, hence missing
    const fields = compareFound(draft, found);
    count(state, fields.length === 0);
    await commitPage(state, [row.key], toRows(ctx, kind, row, fields));
  }
}

/** Logs have no route of their own: one read per run. */
async function logsOf(ctx: RunContext, rows: TargetRow[]): Promise<Map<string, Found>> {
  const runKeys = [...new Set(rows.flatMap((row) => row.parentKey ?? []))];
  const runs = await ctx.store.targetsByKey(ctx.scope.id, "testRun", runKeys);
  const logs = new Map<string, Found>();
  for (const run of runs.values()) {
    if (run.targetId === null) continue;
    for await (const page of ctx.target.children("testLog", run.targetId, ctx.readSignal)) {
      for (const found of page) logs.set(found.id, found);
    }
  }
  return logs;
}

/** Rows that no page held: read on their own; what is really gone is missing. */
async function checkUnseen(state: Pass): Promise<boolean> {
  const { ctx, kind, pass } = state;
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.unseen(
      ctx.scope.id,
      kind,
      pass,
      { after, limit: 200 },
    );
    const rows = page.rows.filter((row) => row.state === "loaded");
    const found = kind === "testLog"
      ? [...(await logsOf(ctx, rows)).values()]
      : await readEach(ctx, kind, rows);
    const wanted = new Set(rows.map((row) => row.targetId));
    const present = found.filter((item) => wanted.has(item.id));
    await comparePage(state, present, true);
    const there = new Set(present.map((item) => item.id));
    const missing = rows.filter((row) => !there.has(row.targetId ?? ""));
    state.tally.missing += missing.length;
    await commitPage(
      state,
      [],
      missing.map((row) => ({
        runId: ctx.run.id,
        kind,
        key: row.key,
        targetId: row.targetId,
        verdict: "missing",
        field: null,
        expected: row.detail.pid ?? row.targetId,
        actual: null,
      })),
    );
    after = page.cursor;
  } while (after !== null && !ctx.stopping());
  return !ctx.stopping();
}

async function readEach(ctx: RunContext, kind: DraftKind, rows: TargetRow[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const row of rows) {
    const item = row.targetId === null
      ? null
      : await ctx.target.read(kind, row.targetId, ctx.readSignal);
    if (item !== null) found.push(item);
  }
  return found;
}
