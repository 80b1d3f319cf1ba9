/**
 * Before anything is deleted: everything in the target is read and held against the ledger. What
 * people edited stays, and so does what holds or carries something that is not to be deleted. What a
 * bulk route shows as changed or strange counts only after a direct read: search indexes lag behind.
 * @module
 */
import type { DraftKind, Found, TargetKind, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { DRAFT_KINDS } from "../load/adopt.ts";
import { prepare } from "../load/prepare.ts";
import { PASS_NOTE } from "../validate/stages.ts";
import { targetPages } from "./basis.ts";
import type { Doom, Left } from "./doomed.ts";
import { changesOf, isPartial } from "./edits.ts";
import type { FieldUsage } from "./usage.ts";

export interface SurveyParts {
  ctx: RunContext;
  doom: Doom;
  left: Left;
  usage: FieldUsage;
}

/** Up to so many runs are read one by one rather than with every log of the project. */
const MAX_SINGLE_RUNS = 200;
/** What may hold artefacts of a kind, to read it part by part. */
const HOLDERS: Record<DraftKind, readonly ("module" | "testCycle" | "testSuite" | "testRun")[]> = {
  module: ["module"],
  testCycle: ["testCycle"],
  release: [],
  testCase: ["module"],
  testSuite: ["testCycle"],
  testRun: ["testSuite", "testCycle"],
  testLog: ["testRun"],
};
const USUAL_HOLDER: Partial<Record<DraftKind, TargetKind>> = {
  module: "module",
  testCase: "module",
  testCycle: "testCycle",
  testSuite: "testCycle",
  testRun: "testSuite",
  testLog: "testRun",
};

/** Looks the target through; false when stopped before the end. */
export async function surveyArtefacts(parts: SurveyParts): Promise<boolean> {
  const { ctx } = parts;
  const pass = Math.max(
    Math.floor(ctx.clock.now() / 1000),
    await ctx.note<number>(PASS_NOTE) ?? 0,
  ) + 1;
  ctx.progress("rollback.survey", { waiting: "letting the last writes settle" });
  await ctx.clock.sleep(ctx.settings.target.settleMs, ctx.readSignal);
  ctx.progress("rollback.survey", { waiting: null });
  for (const kind of DRAFT_KINDS) {
    if (!await new KindSurvey(parts, kind, pass).run()) return false;
  }
  return true;
}

class KindSurvey {
  readonly #parts: SurveyParts;
  readonly #kind: DraftKind;
  readonly #pass: number;
  /** A bulk route did not say where something stands. */
  #hasHomeless = false;
  #done = 0;

  constructor(parts: SurveyParts, kind: DraftKind, pass: number) {
    this.#parts = parts;
    this.#kind = kind;
    this.#pass = pass;
  }

  async run(): Promise<boolean> {
    const { ctx } = this.#parts;
    if (this.#kind !== "testLog" || await this.#hasManyRuns()) {
      for await (const page of ctx.target.sweep(this.#kind, ctx.readSignal)) {
        await this.#look(page, false);
        if (ctx.stopping()) return false;
      }
    } else this.#hasHomeless = true;
    if (this.#hasHomeless && !await this.#lookInside()) return false;
    return await this.#lookForUnseen();
  }

  async #hasManyRuns(): Promise<boolean> {
    let count = 0;
    for await (const rows of targetPages(this.#parts.ctx, "testRun")) {
      count += rows.filter((row) => this.#parts.doom.has(row)).length;
      if (count > MAX_SINGLE_RUNS) return true;
    }
    return false;
  }

  /** Reads what stands in each doomed holder. */
  async #lookInside(): Promise<boolean> {
    const { ctx, doom } = this.#parts;
    for (const holder of HOLDERS[this.#kind]) {
      for await (const rows of targetPages(ctx, holder)) {
        for (const row of rows) {
          if (!doom.has(row) || row.targetId === null) continue;
          if (ctx.stopping()) return false;
          const isContainer = holder === "testCycle" || holder === "testSuite";
          const parent = isContainer ? { type: holder, id: row.targetId } : row.targetId;
          try {
            for await (const page of ctx.target.children(this.#kind, parent, ctx.readSignal)) {
              await this.#look(page, true);
            }
          } catch (error) {
            if (!await isGone(ctx, holder, row, error)) throw error;
          }
        }
      }
    }
    return true;
  }

  /** Rows that no page held: read on their own; what is not there is gone already. */
  async #lookForUnseen(): Promise<boolean> {
    const { ctx, doom } = this.#parts;
    let after: string | null = null;
    do {
      const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.unseen(
        ctx.scope.id,
        this.#kind,
        this.#pass,
        { after, limit: 200 },
      );
      const rows = page.rows.filter((row) => doom.has(row));
      const fresh = await this.#readFresh(rows);
      await this.#look([...fresh.values()], true);
      after = page.cursor;
    } while (after !== null && !ctx.stopping());
    return !ctx.stopping();
  }

  async #look(page: Found[], isDirect: boolean): Promise<void> {
    const { ctx, doom, usage } = this.#parts;
    const ids = page.map((found) => found.id);
    const rows = await ctx.store.targetsById(ctx.scope.id, this.#kind, ids);
    const mine: { row: TargetRow; found: Found }[] = [];
    const strangers: Found[] = [];
    for (const found of page) {
      const row = rows.get(found.id);
      if (row !== undefined && doom.has(row)) mine.push({ row, found });
      else strangers.push(found);
    }
    for (const found of strangers) {
      usage.learn(found);
      if (isHomeless(found)) this.#hasHomeless = true;
    }
    await this.#keepHolders(
      strangers,
      isDirect,
      (found) =>
        `holds or is used by ${found.kind} ${found.pid ?? found.id}, which is not to be deleted`,
    );
    await this.#compare(mine, isDirect);
    const keys = mine.map(({ row }) => row.key);
    if (keys.length > 0) {
      await ctx.commit([{ op: "seen", kind: this.#kind, keys, pass: this.#pass }]);
    }
    this.#done += page.length;
    ctx.progress(`rollback.survey.${this.#kind}`, { done: this.#done });
  }

  /** Keeps what the artefacts stand in or stand on, in the target as it is now. */
  async #keepHolders(
    items: Found[],
    isDirect: boolean,
    reason: (found: Found) => string,
  ): Promise<void> {
    const { left } = this.#parts;
    for (const [found, holders] of await this.#holdersOf(items)) {
      const current = isDirect ? found : await this.#readStranger(found);
      if (current === null) continue;
      const known = current === found
        ? holders
        : [...(await this.#holdersOf([current])).values()].flat();
      for (const row of known) await left.keep(row, reason(current));
    }
  }

  /** The artefact as it is now; a log whose run is not told can only be taken as found. */
  async #readStranger(found: Found): Promise<Found | null> {
    const { ctx } = this.#parts;
    if (found.kind !== "testLog") {
      return await ctx.target.read(found.kind, found.id, ctx.readSignal);
    }
    if (found.parentId === null) return found;
    return await ctx.target.read("testLog", `${found.parentId}/${found.id}`, ctx.readSignal);
  }

  /** Doomed rows that each artefact stands in or points at; artefacts without any are left out. */
  async #holdersOf(items: Found[]): Promise<Map<Found, TargetRow[]>> {
    const { ctx, doom } = this.#parts;
    const idsByKind = new Map<TargetKind, Set<string>>();
    for (const { kind, id } of items.flatMap(refsOf)) {
      idsByKind.set(kind, (idsByKind.get(kind) ?? new Set()).add(id));
    }
    const rows = new Map<string, TargetRow>();
    for (const [kind, ids] of idsByKind) {
      for (const [id, row] of await ctx.store.targetsById(ctx.scope.id, kind, [...ids])) {
        if (doom.has(row)) rows.set(`${kind}/${id}`, row);
      }
    }
    const holders = new Map<Found, TargetRow[]>();
    for (const found of items) {
      const own = refsOf(found).flatMap(({ kind, id }) => rows.get(`${kind}/${id}`) ?? []);
      if (own.length > 0) holders.set(found, own);
    }
    return holders;
  }

  async #compare(
    items: { row: TargetRow; found: Found }[],
    isDirect: boolean,
  ): Promise<void> {
    const { ctx } = this.#parts;
    const prepared = await prepare(ctx, this.#kind, items.map(({ row }) => row));
    const doubtful: TargetRow[] = [];
    for (const { row, found } of items) {
      const ready = prepared.get(row.key);
      const isUnclear = ready?.state !== "ready" || isPartial(ready.draft, found) ||
        changesOf(ctx, row, ready, found) !== null;
      if (!isUnclear) continue;
      if (isDirect) await this.#keepEdited(row, found);
      else doubtful.push(row);
    }
    const fresh = await this.#readFresh(doubtful);
    for (const row of doubtful) {
      const found = fresh.get(row.targetId ?? "");
      if (found !== undefined) await this.#keepEdited(row, found);
    }
  }

  /** Keeps a row unless it is, read directly, what was sent. */
  async #keepEdited(row: TargetRow, found: Found): Promise<void> {
    const { ctx, left } = this.#parts;
    const ready = (await prepare(ctx, this.#kind, [row])).get(row.key);
    const reason = ready?.state === "ready"
      ? changesOf(ctx, row, ready, found)
      : "cannot be compared: what it was made from is no longer stored";
    if (reason === null) return;
    await left.keep(row, reason);
    // It may have been moved: where it stands now has to stay as well.
    await this.#keepHolders([found], true, () => `${found.kind} ${found.id} stays and needs it`);
  }

  /** Rows read directly, by target id; logs with one read per run. */
  async #readFresh(rows: TargetRow[]): Promise<Map<string, Found>> {
    const { ctx } = this.#parts;
    const fresh = new Map<string, Found>();
    if (this.#kind === "testLog") {
      const wanted = new Set(rows.map((row) => row.targetId));
      const runKeys = [...new Set(rows.flatMap((row) => row.parentKey ?? []))];
      const runs = await ctx.store.targetsByKey(ctx.scope.id, "testRun", runKeys);
      for (const run of runs.values()) {
        for (const found of await logsOf(ctx, run)) {
          if (wanted.has(found.id)) fresh.set(found.id, found);
        }
      }
      return fresh;
    }
    for (const { targetId } of rows) {
      const found = targetId === null
        ? null
        : await ctx.target.read(this.#kind, targetId, ctx.readSignal);
      if (found !== null) fresh.set(found.id, found);
    }
    return fresh;
  }
}

/** Logs of a run; none when it is gone. */
async function logsOf(ctx: RunContext, run: TargetRow): Promise<Found[]> {
  if (run.targetId === null) return [];
  const logs: Found[] = [];
  try {
    for await (const page of ctx.target.children("testLog", run.targetId, ctx.readSignal)) {
      logs.push(...page);
    }
  } catch (error) {
    if (!await isGone(ctx, "testRun", run, error)) throw error;
  }
  return logs;
}

/** Whether a list could not be read because its holder is no longer there. */
async function isGone(
  ctx: RunContext,
  kind: DraftKind,
  row: TargetRow,
  error: unknown,
): Promise<boolean> {
  if (ctx.readSignal.aborted || !(error instanceof Error) || row.targetId === null) return false;
  return await ctx.target.read(kind, row.targetId, ctx.readSignal) === null;
}

/** What an artefact stands in and points at. */
function refsOf(found: Found): { kind: TargetKind; id: string }[] {
  const refs: { kind: TargetKind; id: string }[] = [];
  const holder = holderKind(found);
  if (holder !== null && found.parentId !== null) refs.push({ kind: holder, id: found.parentId });
  if (found.kind === "testRun" && found.testCaseId !== null) {
    refs.push({ kind: "testCase", id: found.testCaseId });
  }
  if (found.targetReleaseId !== null) refs.push({ kind: "release", id: found.targetReleaseId });
  for (const step of found.steps ?? []) {
    if (step.calledTestCaseId !== null) refs.push({ kind: "testCase", id: step.calledTestCaseId });
  }
  return refs;
}

function holderKind(found: Found): TargetKind | null {
  if (found.parentType === "root") return null;
  return found.parentType ?? USUAL_HOLDER[found.kind] ?? null;
}

/** Whether a route that should have named the parent did not. */
function isHomeless(found: Found): boolean {
  return found.parentId === null && found.parentType === null && found.kind !== "release" &&
    found.kind !== "module";
}
