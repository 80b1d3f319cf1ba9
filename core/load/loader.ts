/**
 * Creates artefacts of one kind, each exactly once.
 *
 * A row goes `pending → sending → loaded`. `sending` is committed after a slot was granted and
 * immediately before the request leaves, so a crash leaves either "certainly not sent" or "look it
 * up". Unknown outcomes become `inDoubt` and are settled by {@linkcode Reconciler}, never by sending
 * again on suspicion.
 * @module
 */
import type { Change, Created, DraftKind, TargetRow } from "../ports/mod.ts";
import { InDoubtError, RefusedError, SetAsideError, StopError } from "../errors.ts";
import type { RunContext } from "../engine/stage.ts";
import { unit } from "../engine/stage.ts";
import type { Prepared } from "./prepare.ts";
import { numberedName, prepare } from "./prepare.ts";
import { adopt, findByMarker, Reconciler } from "./reconcile.ts";
import type { Settled } from "./reconcile.ts";
import { inlineNote } from "./inline_files.ts";
import type { InlineKind } from "./inline_files.ts";
import { setAsideRow } from "./set_aside.ts";
import { EMPTY_REFUSED_NOTE, forgetTransform } from "../transform/stages/context.ts";

export interface LoaderOptions {
  stage: string;
  kind: DraftKind;
  /** Children of one parent one after another, in order: siblings keep their order, logs their time. */
  serial: boolean;
  /** Stages that plan rows of this kind; when they are done and no row is open, the loader is done. */
  planners: string[];
  /** Stages whose progress can make a waiting row ready. */
  wakeOn: string[];
}

type Ready = Extract<Prepared, { state: "ready" }>;
interface Entry {
  row: TargetRow;
  group: string;
  state: "idle" | "waiting" | "busy" | "doubt";
  /** Version of the topics at which it was last seen to wait. */
  checkedAt: number;
  /** Was sent a second time with dashes for empty texts. */
  dashed: boolean;
}

/** Rows looked at at once; more when all of them wait for rows behind them. */
const WINDOW = 128;
const PULL = 64;
/** So many equal refusals in a row mean that the fault is not in the records. */
const MAX_EQUAL_REFUSALS = 10;
/** How tenants word that siblings may not share a name. */
const NAME_TAKEN = /already (exists|in use|taken)|duplicate|must be unique|not unique/i;
const MAX_NAME_NUMBER = 50;

export class Loader {
  readonly #ctx: RunContext;
  readonly #options: LoaderOptions;
  readonly #window = new Map<string, Entry>();
  readonly #reconciler: Reconciler;
  /** Rows that came to an end since the last read of open rows began: what it says of them is old. */
  readonly #ended = new Set<string>();
  #windowSize = WINDOW;
  #cursor: string | null = null;
  #scan = { admitted: 0, planned: false, at: 0 };
  #scanEndedAt: number | null = null;
  #cleanScan = false;
  #busy = 0;
  #done = 0;
  #total: number | null = null;
  #failure: unknown = null;
  #lastRefusal = "";
  #equalRefusals = 0;
  #wake: (() => void) | null = null;
  #woken = false;

  constructor(ctx: RunContext, options: LoaderOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#reconciler = new Reconciler(ctx, options.kind, {
      settled: (key, outcome) => this.#settled(key, outcome),
      failed: (error) => this.#fail(error),
      looked: () => this.#signal(),
    });
  }

  /** Works until every planned row is loaded, set aside, or the run is stopping. */
  async run(): Promise<boolean> {
    const { topics } = this.#ctx;
    await this.#countTotal();
    for (;;) {
      const since = topics.version;
      if (this.#failure !== null || this.#ctx.stopping()) {
        await this.#drain();
        if (this.#failure !== null) throw this.#failure;
        return false;
      }
      await this.#refill();
      await this.#startReady(since);
      this.#reconciler.lookDue();
      if (this.#isFinished()) return true;
      if (await this.#giveUpOnDeadlock(since)) continue;
      await this.#pause(since);
    }
  }

  #isPlanned(): boolean {
    return this.#options.planners.every((stage) => this.#ctx.isDone(stage));
  }

  /** One scan from the start found no open row, and nothing is planned any more. */
  #isFinished(): boolean {
    return this.#cleanScan && this.#window.size === 0 && this.#busy === 0 &&
      this.#reconciler.looking === 0;
  }

  async #countTotal(): Promise<void> {
    const counts = await this.#ctx.store.countTargets(this.#ctx.scope.id);
    const own = counts.filter((count) => count.kind === this.#options.kind);
    this.#total = own.reduce((sum, row) => sum + row.count, 0);
    this.#done = own.filter((row) => ["loaded", "setAside", "withoutTarget"].includes(row.state))
      .reduce((sum, row) => sum + row.count, 0);
    this.#report();
  }

  #report(): void {
    this.#ctx.progress(this.#options.stage, {
      done: this.#done,
      total: Math.max(this.#total ?? 0, this.#done),
    });
  }

  /**
   * Pulls open rows, window by window. At the end the scan starts again from the front: rows may have
   * been planned behind the cursor (stand-ins for archived cases), and loaded rows do not come again.
   */
  async #refill(): Promise<void> {
    if (this.#window.size >= this.#windowSize / 2) return;
    const { topics } = this.#ctx;
    if (
      this.#scanEndedAt !== null && this.#window.size > 0 &&
      !topics.movedSince(this.#options.planners, this.#scanEndedAt)
    ) return;
    while (this.#window.size < this.#windowSize) {
      if (this.#cursor === null) {
        this.#scan = { admitted: 0, planned: this.#isPlanned(), at: topics.version };
      }
      this.#ended.clear();
      const page = await this.#ctx.store.targets(this.#ctx.scope.id, this.#options.kind, {
        after: this.#cursor,
        limit: PULL,
        states: ["pending", "sending", "inDoubt"],
      });
      for (const row of page.rows) this.#admit(row);
      this.#cursor = page.cursor;
      if (page.cursor === null) {
        this.#scanEndedAt = this.#scan.at;
        this.#cleanScan = this.#scan.planned && this.#scan.admitted === 0;
        return;
      }
    }
    this.#scanEndedAt = null;
  }

  #admit(row: TargetRow): void {
    if (this.#window.has(row.key) || this.#ended.has(row.key)) return;
    this.#scan.admitted++;
    const group = this.#options.serial ? `${row.parentKey}` : row.key;
    const entry: Entry = {
      row,
      group,
      state: row.state === "pending" ? "idle" : "doubt",
      checkedAt: -1,
      dashed: false,
    };
    this.#window.set(row.key, entry);
    if (entry.state === "doubt") this.#reconciler.add(row);
  }

  /** Starts what is ready, as far as the concurrency allows. */
  async #startReady(since: number): Promise<void> {
    const { ctx, limit } = { ctx: this.#ctx, limit: this.#concurrency() };
    // Starting a few at a time lets them share reads and commits.
    if (this.#busy > limit / 2 || ctx.noMoreCreates()) return;
    const candidates = this.#candidates(since).slice(0, limit);
    if (candidates.length === 0) return;
    const prepared = await prepare(ctx, this.#options.kind, candidates.map((entry) => entry.row));
    for (const entry of candidates) {
      const result = prepared.get(entry.row.key);
      if (result === undefined) await this.#setAsideOrphan(entry);
      else if (result.state === "wait") {
        Object.assign(entry, { state: "waiting", checkedAt: since });
      } else if (result.state === "setAside") await this.#setAsideChild(entry, result.parent);
      else if (this.#busy < limit) this.#start(entry, result);
    }
  }

  /**
   * Entries whose turn it is and that were not looked at since: those known to wait come last and in
   * turns, so that they hold up nobody.
   */
  #candidates(since: number): Entry[] {
    const blocked = new Set<string>();
    const idle: Entry[] = [];
    const waiting: Entry[] = [];
    for (const entry of this.#window.values()) {
      if (blocked.has(entry.group)) continue;
      if (this.#options.serial || entry.state !== "idle") blocked.add(entry.group);
      if (entry.state === "idle") idle.push(entry);
      else if (entry.state === "waiting" && entry.checkedAt !== since) waiting.push(entry);
    }
    return [...idle, ...waiting.sort((a, b) => a.checkedAt - b.checkedAt)];
  }

  #concurrency(): number {
    return this.#ctx.settings.target.concurrency * 2;
  }

  async #setAsideChild(entry: Entry, parent: string): Promise<void> {
    await setAsideRow(
      this.#ctx,
      entry.row,
      "parent-set-aside",
      `${this.#options.kind} "${entry.row.key}" waits for ${parent}, which is set aside`,
      null,
    );
    this.#finish(entry);
  }

  async #setAsideOrphan(entry: Entry): Promise<void> {
    const { row } = entry;
    const why = `${row.kind} "${row.key}" is planned but its source record is no longer stored`;
    await setAsideRow(this.#ctx, row, "record-missing", why, null);
    this.#finish(entry);
  }

  /** Rows that wait for something that will never come are set aside: a run always ends. */
  async #giveUpOnDeadlock(since: number): Promise<boolean> {
    const { isDone, noMoreCreates, topics } = this.#ctx;
    const mayMove = this.#busy > 0 || this.#reconciler.size > 0 || topics.version !== since ||
      !this.#isPlanned() || !this.#options.wakeOn.every((stage) => isDone(stage)) ||
      noMoreCreates() || this.#candidates(since).length > 0;
    if (mayMove) return false;
    const waiting = [...this.#window.values()].filter((entry) => entry.state === "waiting");
    if (waiting.length > 0 && this.#scanEndedAt === null) {
      // What they wait for may be a row of this kind further on.
      this.#windowSize = waiting.length * 2 + WINDOW;
      return true;
    }
    for (const entry of waiting) {
      const why = `${entry.row.kind} "${entry.row.key}" waits for something that is not there`;
      await setAsideRow(this.#ctx, entry.row, "dependency-missing", why, null);
      this.#finish(entry);
    }
    return waiting.length > 0;
  }

  #start(entry: Entry, ready: Ready): void {
    entry.state = "busy";
    this.#busy++;
    unit(this.#ctx, this.#options.stage, entry.row.key, () => this.#send(entry, ready))
      .catch((error) => {
        this.#fail(error);
        if (entry.state === "busy") entry.state = "idle";
      })
      .finally(() => {
        this.#busy--;
        this.#signal();
      });
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#signal();
  }

  /** One create from intent to outcome. */
  async #send(entry: Entry, ready: Ready): Promise<void> {
    const { row } = entry;
    let intended = false;
    const intent = async (): Promise<void> => {
      this.#ctx.assertMayWrite();
      if (!intended) row.attempt++;
      intended = true;
      row.sentAt = this.#ctx.nowIso();
      row.state = "sending";
      await this.#ctx.commit([
        {
          op: "targets",
          rows: [{
            kind: row.kind,
            key: row.key,
            state: "sending",
            attempt: row.attempt,
            sentAt: row.sentAt,
            payloadHash: ready.hash,
            ...(row.kind === "testCase" ? { detail: { dashed: entry.dashed || null } } : {}),
          }],
        },
        ...this.#inlineIntent(ready),
        ...lossesOf(row, ready),
      ]);
      // The commit may have taken long enough for another owner to step in.
      this.#ctx.assertStillHeld();
    };
    let created: Created;
    try {
      created = await this.#ctx.target.create(ready.draft, { signal: this.#ctx.signal, intent });
    } catch (error) {
      return await this.#failed(entry, ready, error, intended);
    }
    // When this cannot be kept the row stays "sending": it is there, and the next start finds it.
    await this.#loaded(entry, ready, created);
  }

  /** Inline files may arrive with their parent whatever the answer says: they are looked up, not resent. */
  #inlineIntent(ready: Ready): Change[] {
    if (ready.inline.length === 0) return [];
    return [{
      op: "targets",
      rows: ready.inline.map((key) => ({ kind: "attachment", key, detail: { inlined: true } })),
    }];
  }

  async #loaded(entry: Entry, ready: Ready, created: Created): Promise<void> {
    const { row } = entry;
    const changes: Change[] = [{
      op: "targets",
      rows: [{
        kind: row.kind,
        key: row.key,
        state: "loaded",
        targetId: created.id,
        origin: "created",
        runId: this.#ctx.run.id,
        lastError: null,
        detail: {
          pid: created.pid,
          webUrl: created.webUrl,
          versionId: created.versionId,
          stepIds: created.stepIds,
        },
      }],
    }, ...await this.#confirmInline(ready, created)];
    // Kept together: without the note the comparison would look for empty texts.
    if (entry.dashed) changes.push(this.#ctx.noteChange(EMPTY_REFUSED_NOTE, true));
    if (row.lastError !== null) {
      changes.push({ op: "clearIssues", phase: "load", kind: row.kind, key: row.key });
    }
    await this.#ctx.commit(changes);
    this.#lastRefusal = "";
    this.#equalRefusals = 0;
    this.#finish(entry);
  }

  /** Files that the answer names are done; what it does not name is looked up by the upload stage. */
  async #confirmInline(ready: Ready, created: Created): Promise<Change[]> {
    if (ready.inline.length === 0 || created.attachments === null) return [];
    const draft = ready.draft;
    if (draft.kind !== "testCase" && draft.kind !== "testLog") return [];
    const byName = new Map(created.attachments.map((file) => [file.name, file.id]));
    const rows = ready.inline.flatMap((key, index) => {
      const id = byName.get(draft.attachments[index]?.name ?? "");
      return id === undefined ? [] : [{
        kind: "attachment" as const,
        key,
        state: "loaded" as const,
        targetId: id,
        origin: "created" as const,
        runId: this.#ctx.run.id,
      }];
    });
    const note = inlineNote(draft.kind as InlineKind);
    if (rows.length === 0) return [];
    const known = await this.#ctx.note<boolean>(note);
    return [{ op: "targets", rows }, ...(known === null ? [this.#ctx.noteChange(note, true)] : [])];
  }

  async #failed(entry: Entry, ready: Ready, error: unknown, intended: boolean): Promise<void> {
    const { row } = entry;
    if (error instanceof InDoubtError) {
      row.state = "inDoubt";
      row.everInDoubt = true;
      row.lastError = error.message;
      row.detail = {
        ...row.detail,
        doubts: Number(row.detail.doubts ?? 0) + (error.answered ? 1 : 0),
      };
      await this.#ctx.commit([{
        op: "targets",
        rows: [{
          kind: row.kind,
          key: row.key,
          state: "inDoubt",
          everInDoubt: true,
          lastError: error.message,
          detail: { doubts: row.detail.doubts },
        }],
      }]);
      entry.state = "doubt";
      this.#reconciler.add(row);
      return;
    }
    if (error instanceof RefusedError) return await this.#refused(entry, ready, error);
    if (error instanceof SetAsideError) {
      await setAsideRow(this.#ctx, row, error.reason, error.message, payloadText(ready.draft));
      return this.#finish(entry);
    }
    if (intended && !(error instanceof StopError)) throw error;
    // Nothing left this process, or the vendor said it did nothing: the row is open again.
    if (row.state === "sending" && error instanceof StopError) {
      await this.#reopen(row).catch(() => {
        // The store is gone or the lease is lost: the next start looks the row up instead.
      });
    }
    throw error;
  }

  async #reopen(row: TargetRow): Promise<void> {
    await this.#ctx.commit([{
      op: "targets",
      rows: [{ kind: row.kind, key: row.key, state: "pending" }],
    }]);
    row.state = "pending";
  }

  async #refused(entry: Entry, ready: Ready, error: RefusedError): Promise<void> {
    const { row } = entry;
    const hasInline = ready.inline.length > 0;
    if (error.status === 413 && hasInline) {
      // Too large with its files inside: they follow on their own.
      await this.#ctx.commit([{
        op: "targets",
        rows: [
          { kind: row.kind, key: row.key, state: "pending" },
          ...ready.inline.map((key) => ({
            kind: "attachment" as const,
            key,
            detail: { inlined: false, object: `${row.kind}`, alone: true },
          })),
        ],
      }]);
      row.state = "pending";
      entry.state = "idle";
      return;
    }
    if (await this.#sendWithoutEmptyTexts(entry, ready)) return;
    if (await this.#takeAnotherName(entry, ready, error)) return;
    const signature = `${error.status} ${error.answer.replace(/\d+/g, "#")}`;
    this.#equalRefusals = signature === this.#lastRefusal ? this.#equalRefusals + 1 : 1;
    this.#lastRefusal = signature;
    await setAsideRow(
      this.#ctx,
      row,
      "refused",
      error.message,
      payloadText(ready.draft),
    );
    this.#finish(entry);
    if (this.#equalRefusals < MAX_EQUAL_REFUSALS) return;
    throw new StopError(
      1,
      `Cannot go on: the target refused ${MAX_EQUAL_REFUSALS} ${this.#options.kind} in a row with "${
        error.answer.slice(0, 200)
      }"`,
      { hint: "Put it right, then run `ztoq errors retry` and the same command again." },
    );
  }

  /**
   * Some tenants refuse a step without expected result. The refused case is sent once more with a
   * dash in place of each empty text; when that helps, it is how all further cases are sent.
   */
  async #sendWithoutEmptyTexts(entry: Entry, ready: Ready): Promise<boolean> {
    const { draft } = ready;
    if (draft.kind !== "testCase" || entry.dashed) return false;
    const isEmpty = (text: string): boolean => text === "";
    if (!draft.steps.some((step) => isEmpty(step.expectedHtml) || isEmpty(step.descriptionHtml))) {
      return false;
    }
    entry.dashed = true;
    entry.row.detail = { ...entry.row.detail, dashed: true };
    const steps = draft.steps.map((step) => ({
      ...step,
      expectedHtml: step.expectedHtml || "-",
      descriptionHtml: step.descriptionHtml || "-",
    }));
    await this.#send(entry, { ...ready, draft: { ...draft, steps } });
    if (!this.#window.has(entry.row.key) && await this.#isLoaded(entry.row)) {
      await this.#keepDashes(entry.row);
    }
    return true;
  }

  /** The dashes helped: they are how all further cases are sent, and what is compared later. */
  async #keepDashes(row: TargetRow): Promise<void> {
    await this.#ctx.commit([this.#ctx.noteChange(EMPTY_REFUSED_NOTE, true)]);
    forgetTransform(this.#ctx);
    const again = (await prepare(this.#ctx, "testCase", [row])).get(row.key);
    if (again?.state !== "ready" || again.losses === null) return;
    const { kind, rows } = again.losses;
    await this.#ctx.commit([{ op: "losses", phase: "transform", kind, key: row.key, rows }]);
  }

  /** A tenant that wants sibling names unique: the later one gets a number, as people would do it. */
  async #takeAnotherName(entry: Entry, ready: Ready, error: RefusedError): Promise<boolean> {
    const { row } = entry;
    const { draft } = ready;
    const isAboutName = error.status === 400 && NAME_TAKEN.test(error.answer);
    if (!isAboutName || !("name" in draft)) return false;
    if (await this.#isTakenByItself(entry)) return true;
    const number = Number(row.detail.nameNumber ?? 1) + 1;
    if (number > MAX_NAME_NUMBER) return false;
    const kind = row.recordKind ?? row.kind;
    const original = number === 2 ? draft.name : String(row.detail.originalName ?? draft.name);
    row.detail = { ...row.detail, nameNumber: number, originalName: original };
    await this.#ctx.commit([
      {
        op: "targets",
        rows: [{ kind: row.kind, key: row.key, state: "pending", detail: row.detail }],
      },
      {
        op: "losses",
        phase: "load",
        kind,
        key: row.key,
        rows: [{
          kind,
          key: row.key,
          field: "name",
          rule: "name-taken",
          before: original,
          after: numberedName(original, number),
        }],
      },
    ]);
    row.state = "pending";
    entry.state = "idle";
    this.#signal();
    return true;
  }

  /** A name may be taken by what was sent earlier and landed after all waiting. */
  async #isTakenByItself(entry: Entry): Promise<boolean> {
    const { row } = entry;
    if (row.attempt < 2) return false;
    const [found] = (await findByMarker(this.#ctx, this.#options.kind, [row])).get(row.key) ?? [];
    if (found === undefined) return false;
    await adopt(this.#ctx, row, found);
    this.#finish(entry);
    return true;
  }

  async #isLoaded(row: TargetRow): Promise<boolean> {
    const rows = await this.#ctx.store.targetsByKey(this.#ctx.scope.id, row.kind, [row.key]);
    return rows.get(row.key)?.state === "loaded";
  }

  #finish(entry: Entry): void {
    this.#window.delete(entry.row.key);
    this.#ended.add(entry.row.key);
    this.#done++;
    this.#report();
    this.#ctx.topics.bump(this.#options.stage);
    this.#signal();
  }

  async #settled(key: string, outcome: Settled): Promise<void> {
    const entry = this.#window.get(key);
    if (entry === undefined) return;
    if (outcome === "absent") {
      entry.row.state = "pending";
      entry.state = "idle";
      entry.dashed = false;
      entry.row.detail = { ...entry.row.detail, dashed: false };
      return;
    }
    this.#finish(entry);
    const isDashed = entry.dashed || entry.row.detail.dashed === true;
    if (outcome === "adopted" && isDashed) await this.#keepDashes(entry.row);
  }

  #signal(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Waits for an outcome, for another stage, or for the next look-up. */
  async #pause(since: number): Promise<void> {
    const isUnchecked = this.#busy === 0 && !this.#ctx.noMoreCreates() &&
      this.#candidates(since).length > 0;
    if (this.#woken || isUnchecked) {
      this.#woken = false;
      // Let outcomes that are due in this turn arrive together.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#woken = false;
      return;
    }
    const own = new Promise<void>((resolve) => this.#wake = resolve);
    const hasWaiting = this.#busy < this.#concurrency();
    const others = this.#ctx.topics.wait(
      hasWaiting ? [...this.#options.wakeOn, ...this.#options.planners, this.#options.stage] : [],
      since,
      this.#reconciler.nextLookMs(1_000),
    );
    await Promise.race([own, others]);
    this.#wake = null;
    this.#woken = false;
  }

  /** Waits for the creates and look-ups in flight. */
  async #drain(): Promise<void> {
    while (this.#busy > 0 || this.#reconciler.looking > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, 100);
      });
    }
  }
}

/** The draft as people may read it; file bytes stay out. */
function payloadText(draft: Ready["draft"]): string {
  return JSON.stringify(draft, (key, value) => key === "bytes" ? undefined : value);
}

/** Losses of what is sent, kept with its hash: after a lost answer nobody would tell them. */
function lossesOf(row: TargetRow, ready: Ready): Change[] {
  if (ready.losses === null) return [];
  const { kind, rows } = ready.losses;
  return [{ op: "losses", phase: "transform", kind, key: row.key, rows }];
}
