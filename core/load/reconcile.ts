/**
 * Settles writes whose outcome is unknown by reading the parent's list, which shows a write as soon
 * as it is committed. Found by marker → adopted. Not found before the settling time is over → looked
 * up again: a slow server may still commit. Not found after it → open again.
 * @module
 */
import type { Container, DraftKind, Found, TargetDetail, TargetRow } from "../ports/mod.ts";
import type { Settings } from "../config/types.ts";
import type { RunContext } from "../engine/stage.ts";
import { EMPTY_REFUSED_NOTE, transformOf } from "../transform/stages/context.ts";
import { isBulk } from "./bulk_view.ts";
import { keyOfFound } from "./identity.ts";
import { prepare } from "./prepare.ts";
import { setAsideRow } from "./set_aside.ts";
import { settledAtOf } from "./settling.ts";

interface Doubt {
  row: TargetRow;
  group: string;
  /** Monotonic ms of the next look-up. */
  lookAt: number;
  /** Monotonic ms after which absence is proof. */
  settledAt: number;
}

/** Who wants to know. */
export interface ReconcileListener {
  settled: (key: string, outcome: Settled) => Promise<void>;
  failed: (error: unknown) => void;
  /** A look-up is over, whatever it found. */
  looked: () => void;
}

/** First look-up after a lost answer: most lost answers are commits that are visible at once. */
const FIRST_LOOK_MS = 1_000;
/** Longest pause between two looks: what lands late is taken over soon. */
const MAX_LOOK_MS = 120_000;
/** So many times as long as to a first look-up is waited for more doubts of one parent: one look serves all. */
const GATHER = 3;
/** Answered with 5xx and proved absent so often: the record itself is the reason. */
const MAX_ANSWERED_DOUBTS = 3;
/** Look-ups at once: they share the slots with the creates that go on meanwhile. */
const MAX_LOOKS = 4;

/** When to look for the first time after a lost answer, ms. */
export function firstLookMs({ target }: Pick<Settings, "target">): number {
  return Math.min(FIRST_LOOK_MS, (target.timeoutMs + target.settleMs) / 4);
}

export type Settled = "adopted" | "absent" | "setAside";

export class Reconciler {
  readonly #ctx: RunContext;
  readonly #kind: DraftKind;
  readonly #listener: ReconcileListener;
  readonly #doubts = new Map<string, Doubt>();
  /** Groups being looked up. */
  readonly #looking = new Set<string>();

  constructor(ctx: RunContext, kind: DraftKind, listener: ReconcileListener) {
    this.#ctx = ctx;
    this.#kind = kind;
    this.#listener = listener;
  }

  get size(): number {
    return this.#doubts.size;
  }

  /** Look-ups under way. */
  get looking(): number {
    return this.#looking.size;
  }

  /** Takes on a row; its absence counts from `settledAt` on, monotonic ms. */
  add(row: TargetRow, settledAt: number = settledAtOf(this.#ctx, row)): void {
    const { clock, settings } = this.#ctx;
    this.#doubts.set(row.key, {
      row,
      group: `${row.parentKind}/${row.parentKey}`,
      lookAt: clock.monotonic() + firstLookMs(settings),
      settledAt,
    });
  }

  /** Milliseconds until the next look-up, at most `maxMs`. */
  nextLookMs(maxMs: number): number {
    let next = maxMs;
    const now = this.#ctx.clock.monotonic();
    for (const [group, dueAt] of this.#dueTimes()) {
      if (!this.#looking.has(group)) next = Math.min(next, dueAt - now);
    }
    return Math.max(1, next);
  }

  /** When each group is to be looked up: with the latest doubt that follows its first one closely. */
  #dueTimes(): Map<string, number> {
    const gatherMs = GATHER * firstLookMs(this.#ctx.settings);
    const times = new Map<string, number>();
    const doubts = [...this.#doubts.values()].sort((a, b) => a.lookAt - b.lookAt);
    const firsts = new Map<string, number>();
    for (const { group, lookAt } of doubts) {
      const first = firsts.get(group) ?? lookAt;
      firsts.set(group, first);
      if (lookAt <= first + gatherMs) times.set(group, lookAt);
    }
    return times;
  }

  /** Starts looking up the groups that are due; the listener hears how each row ends. */
  lookDue(): void {
    const now = this.#ctx.clock.monotonic();
    for (const [group, dueAt] of this.#dueTimes()) {
      if (this.#ctx.signal.aborted || this.#looking.size >= MAX_LOOKS) return;
      if (dueAt > now || this.#looking.has(group)) continue;
      this.#looking.add(group);
      this.#settleGroup(group)
        .catch((error) => this.#listener.failed(error))
        .finally(() => {
          this.#looking.delete(group);
          this.#listener.looked();
        });
    }
  }

  async #settleGroup(group: string): Promise<void> {
    const doubts = [...this.#doubts.values()].filter((doubt) => doubt.group === group);
    // Absence counts only for a look that began after the settling time.
    const lookedAt = this.#ctx.clock.monotonic();
    if (await this.#isParentInDoubt(doubts[0]?.row)) {
      const lookAt = lookedAt + firstLookMs(this.#ctx.settings);
      for (const doubt of doubts) doubt.lookAt = lookAt;
      return;
    }
    const found = await this.#look(doubts.map((doubt) => doubt.row));
    for (const doubt of doubts) {
      const outcome = await this.#settle(doubt, found.get(doubt.row.key) ?? [], lookedAt);
      if (outcome === null) continue;
      this.#doubts.delete(doubt.row.key);
      await this.#listener.settled(doubt.row.key, outcome);
    }
  }

  /** Jobs make runs together with their logs: where nobody knows of the run, no log can be looked for. */
  async #isParentInDoubt(row: TargetRow | undefined): Promise<boolean> {
    if (row === undefined || !isBulk(row) || row.parentKind === null) return false;
    const { store, scope } = this.#ctx;
    const key = row.parentKey ?? "";
    const state = (await store.targetsByKey(scope.id, row.parentKind, [key])).get(key)?.state;
    return state === "sending" || state === "inDoubt";
  }

  async #look(rows: TargetRow[]): Promise<Map<string, Found[]>> {
    return await findByMarker(this.#ctx, this.#kind, rows);
  }

  async #settle(doubt: Doubt, found: Found[], lookedAt: number): Promise<Settled | null> {
    const { row } = doubt;
    const { clock } = this.#ctx;
    const [first, ...others] = found;
    if (first !== undefined) {
      await adopt(this.#ctx, row, first);
      if (others.length > 0) await reportDuplicates(this.#ctx, row, others);
      return "adopted";
    }
    if (lookedAt < doubt.settledAt) {
      const nextAt = Math.min(doubt.settledAt + 50, clock.monotonic() + MAX_LOOK_MS);
      doubt.lookAt = Math.max(clock.monotonic() + 100, nextAt);
      return null;
    }
    if (Number(row.detail.doubts ?? 0) >= MAX_ANSWERED_DOUBTS) {
      const why = row.lastError ?? "the target answered with a server error";
      await setAsideRow(this.#ctx, row, "refused", `${why} (${row.attempt} times)`, null);
      return "setAside";
    }
    await this.#ctx.commit([{
      op: "targets",
      // Looked up once more at the end: it may still land, however late.
      rows: [{ kind: row.kind, key: row.key, state: "pending", everInDoubt: true }],
    }]);
    return "absent";
  }
}

/** Reads the parent's list of rows that share one parent and returns what carries their markers. */
export async function findByMarker(
  ctx: RunContext,
  kind: DraftKind,
  rows: TargetRow[],
): Promise<Map<string, Found[]>> {
  const parent = await parentRef(ctx, kind, rows[0]);
  const found = new Map<string, Found[]>();
  if (parent === undefined) return found;
  const { context } = await transformOf(ctx);
  const wanted = new Set(rows.map((row) => row.key));
  const nameless: Found[] = [];
  // What was sent once is there once: no need to read on for copies.
  const maybeCopied = rows.some((row) => row.attempt > 1);
  for await (const page of ctx.target.children(kind, parent, ctx.readSignal)) {
    for (const item of page) {
      const key = keyOfFound(item, context);
      if (key === null) nameless.push(item);
      else if (wanted.has(key)) found.set(key, [...found.get(key) ?? [], item]);
    }
    if (!maybeCopied && found.size === wanted.size) break;
  }
  if (context.marker === "none") await matchByName(ctx, kind, rows, nameless, found);
  for (const list of found.values()) list.sort((a, b) => Number(a.id) - Number(b.id));
  return found;
}

/** Without markers only a name that one unmapped artefact has can be told. */
async function matchByName(
  ctx: RunContext,
  kind: DraftKind,
  rows: TargetRow[],
  candidates: Found[],
  found: Map<string, Found[]>,
): Promise<void> {
  const mapped = await ctx.store.targetsById(ctx.scope.id, kind, candidates.map((item) => item.id));
  const free = candidates.filter((item) => !mapped.has(item.id));
  const prepared = await prepare(ctx, kind, rows);
  const claimed = new Set<string>();
  for (const row of rows) {
    const ready = prepared.get(row.key);
    if (ready?.state !== "ready" || !("name" in ready.draft)) continue;
    const { name } = ready.draft;
    const same = free.filter((item) => item.name === name && !claimed.has(item.id));
    const only = same[0];
    if (only === undefined || same.length > 1) continue;
    claimed.add(only.id);
    found.set(row.key, [only]);
  }
}

/** The parent in the words of the target; undefined while it has no id. */
async function parentRef(
  ctx: RunContext,
  kind: DraftKind,
  row: TargetRow | undefined,
): Promise<Container | string | null | undefined> {
  if (row === undefined) return undefined;
  if (row.parentKind === null || row.parentKey === null) {
    return kind === "testCycle" || kind === "testSuite" ? { type: "root", id: null } : null;
  }
  const rows = await ctx.store.targetsByKey(ctx.scope.id, row.parentKind, [row.parentKey]);
  const id = rows.get(row.parentKey)?.targetId ?? null;
  if (id === null) return undefined;
  if (kind === "testCycle" || kind === "testSuite") return { type: "testCycle", id };
  return kind === "testRun" ? { type: "testSuite", id } : id;
}

/** Takes an artefact that is in the target into the map. */
export async function adopt(ctx: RunContext, row: TargetRow, found: Found): Promise<void> {
  let whole = found;
  const needsSteps = row.kind === "testCase" && (found.steps === null || found.versionId === null);
  if (needsSteps) whole = await ctx.target.read("testCase", found.id, ctx.readSignal) ?? found;
  const wasDashed = row.detail.dashed === true;
  await ctx.commit([...(wasDashed ? [ctx.noteChange(EMPTY_REFUSED_NOTE, true)] : []), {
    op: "targets",
    rows: [{
      kind: row.kind,
      key: row.key,
      state: "loaded",
      targetId: whole.id,
      everInDoubt: true,
      // Sent by us before the answer was lost: it counts as created.
      origin: row.attempt > 0 ? "created" : "adopted",
      runId: ctx.run.id,
      lastError: null,
      detail: foundDetail(whole),
    }],
  }]);
}

/** What later stages need of an artefact that was found rather than created. */
export function foundDetail(found: Found): TargetDetail {
  const detail: TargetDetail = {
    pid: found.pid,
    webUrl: found.webUrl,
    versionId: found.versionId,
  };
  if (found.kind === "testCase" && found.steps !== null) {
    detail.stepIds = found.steps.toSorted((a, b) => a.order - b.order).map((step) => step.id);
  }
  // Approving it once more would make yet another version, which its runs do not name.
  if (found.isApproved === true) Object.assign(detail, { approved: true, approvedBefore: true });
  if (found.kind === "testLog" && found.log?.end) detail.end = found.log.end;
  if (found.kind === "testLog" && found.log?.steps) {
    detail.stepIds = found.log.steps.map((step) => step.id ?? "");
  }
  return detail;
}

export async function reportDuplicates(
  ctx: RunContext,
  row: TargetRow,
  others: Found[],
): Promise<void> {
  await ctx.commit([{
    op: "issue",
    runId: ctx.run.id,
    row: {
      phase: "load",
      kind: row.recordKind ?? row.kind,
      key: row.key,
      level: "error",
      reason: "duplicate",
      message: `${row.kind} "${row.key}" stands ${others.length + 1} times in the target: also ${
        others.map((other) => other.pid ?? other.id).join(", ")
      }`,
      payload: null,
      setAside: false,
      attempts: row.attempt,
      at: ctx.nowIso(),
    },
  }]);
}
