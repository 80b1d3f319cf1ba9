/**
 * Sends batches of logs and follows each to its end.
 *
 * The intent of a whole batch is one commit: its rows become `sending`, and a note of the scope says
 * when it left and, later, which job carries it. A job that ended well leaves the rows `sending`
 * until their ids are read back; one that failed is settled by reading the suite. Nothing lists
 * jobs, and logs cannot be deleted: a batch whose job is not known is sent again only when its
 * markers are absent after `bulkSettleMs`.
 * @module
 */
import type { BulkJob, Change, TargetRow } from "../ports/mod.ts";
import { InDoubtError, RefusedError, SetAsideError, StopError } from "../errors.ts";
import type { RunContext } from "../engine/stage.ts";
import type { Settings } from "../config/types.ts";
import { findLogs, takeRuns } from "./bulk_look.ts";
import type { PreparedResult } from "./bulk_prepare.ts";
import type { BulkSuite } from "./bulk_suite.ts";
import { adopt, firstLookMs, reportDuplicates } from "./reconcile.ts";
import { BULK_SETTLE_MS } from "./settling.ts";

/** What is known of a batch that left; a note of the scope, gone when its logs have ids. */
export interface BatchNote {
  suiteKey: string;
  sentAt: string;
  jobId: string | null;
  /** Its job ended well. */
  done: boolean;
}

/** How a batch ended; `absent` = rows that are certainly not in the target, open again. */
export interface BatchEnd {
  how: "landed" | "failed" | "lost" | "refused" | "too-large";
  absent: TargetRow[];
  /** The vendor's words. */
  message: string | null;
}

/** First poll of a job, and what the interval grows by and to. */
const POLL_MS = 3_000;
const POLL_GROWTH = 1.5;
const MAX_POLL_MS = 30_000;
/** Longest pause between two looks for a lost batch. */
const MAX_LOOK_MS = 300_000;
/** Sleeps are cut into pieces, so that a pause or stop is seen. */
const NAP_MS = 500;

export function batchNoteName(batchId: string): string {
  return `bulk/${batchId}`;
}

/** Time from the submission of a job to the first look at it: tenants that settle fast are asked sooner. */
export function firstPollMs({ target }: Pick<Settings, "target">): number {
  return Math.min(POLL_MS, Math.max(50, target.settleMs / 10));
}

/** Sends a batch and waits for its end; null = the run is stopping first. */
export async function sendBatch(
  ctx: RunContext,
  suite: BulkSuite,
  results: PreparedResult[],
): Promise<BatchEnd | null> {
  const batch = new Batch(ctx, suite, crypto.randomUUID().slice(0, 12), results.map((r) => r.row));
  return await batch.send(results);
}

/** Goes on with a batch that an earlier process sent. */
export async function resumeBatch(
  ctx: RunContext,
  suite: BulkSuite,
  sent: { batchId: string; rows: TargetRow[] },
): Promise<BatchEnd | null> {
  const note = await ctx.store.checkpoint(ctx.scope.id, batchNoteName(sent.batchId));
  const batch = new Batch(ctx, suite, sent.batchId, sent.rows, note as BatchNote | null);
  return await batch.resume();
}

class Batch {
  readonly #ctx: RunContext;
  readonly #suite: BulkSuite;
  readonly #id: string;
  readonly #rows: TargetRow[];
  #note: BatchNote;

  constructor(
    ctx: RunContext,
    suite: BulkSuite,
    id: string,
    rows: TargetRow[],
    note: BatchNote | null = null,
  ) {
    this.#ctx = ctx;
    this.#suite = suite;
    this.#id = id;
    this.#rows = rows;
    const sentAt = rows[0]?.sentAt ?? ctx.nowIso();
    this.#note = note ?? { suiteKey: suite.row.key, sentAt, jobId: null, done: false };
  }

  async send(results: PreparedResult[]): Promise<BatchEnd | null> {
    const { target, signal } = this.#ctx;
    if (target.submitLogs === undefined) throw new TypeError("The target knows no bulk logs");
    let intended = false;
    let vetoed = false;
    const intent = async (): Promise<void> => {
      try {
        this.#ctx.assertMayWrite();
        await this.#ctx.commit(this.#intent(results, !intended));
        intended = true;
        this.#ctx.assertStillHeld();
      } catch (error) {
        vetoed = true;
        throw error;
      }
    };
    const suiteId = this.#suite.row.targetId ?? "";
    const logs = results.map((result) => result.draft);
    let jobId: string;
    try {
      ({ jobId } = await target.submitLogs({ suiteId, logs }, { signal, intent }));
    } catch (error) {
      if (error instanceof InDoubtError) return await this.#doubt(error.message);
      if (error instanceof SetAsideError) {
        // A value that cannot be written: no byte left.
        return { how: "refused", absent: this.#rows, message: error.message };
      }
      if (error instanceof RefusedError) {
        await this.#reopen(this.#rows, {});
        const how = error.status === 413 ? "too-large" : "refused";
        return { how, absent: this.#rows, message: error.answer || error.message };
      }
      // Nothing left this process, or the vendor said it did nothing.
      if (intended && (vetoed || error instanceof StopError)) {
        await this.#reopen(this.#rows, {}).catch(() => {
          // The store is gone or the lease is lost: the next start looks the batch up instead.
        });
      }
      throw error;
    }
    await this.#keepNote({ jobId });
    return await this.#follow(jobId, firstPollMs(this.#ctx.settings));
  }

  async resume(): Promise<BatchEnd | null> {
    if (this.#note.done) return { how: "landed", absent: [], message: null };
    const { jobId } = this.#note;
    return jobId === null
      ? await this.#settleLost("the answer was lost")
      : await this.#follow(jobId, 0);
  }

  #intent(results: PreparedResult[], isFirst: boolean): Change[] {
    const sentAt = this.#ctx.nowIso();
    this.#note.sentAt = sentAt;
    const rows = results.map(({ row, hash }) => {
      if (isFirst) row.attempt++;
      Object.assign(row, { state: "sending", sentAt });
      row.detail = { ...row.detail, batch: this.#id };
      const { kind, key, attempt } = row;
      const detail = { batch: this.#id };
      return { kind, key, state: "sending" as const, attempt, sentAt, payloadHash: hash, detail };
    });
    const runs = this.#runs().filter((row) => row.state !== "loaded").map((row) => {
      if (isFirst) row.attempt++;
      Object.assign(row, { state: "sending", sentAt });
      const { kind, key, attempt } = row;
      return { kind, key, state: "sending" as const, attempt, sentAt };
    });
    const inline = results.flatMap((result) => result.inline).map((key) => ({
      kind: "attachment" as const,
      key,
      detail: { inlined: true },
    }));
    const losses = results.filter((result) => result.losses.length > 0).map((result): Change => ({
      op: "losses",
      phase: "load",
      kind: "execution",
      key: result.row.key,
      rows: result.losses,
    }));
    return [{ op: "targets", rows: [...runs, ...rows, ...inline] }, ...losses, this.#noteChange()];
  }

  /** Rows of the runs that the batch's logs belong to. */
  #runs(): TargetRow[] {
    const keys = new Set(this.#rows.map((row) => row.parentKey ?? ""));
    return [...keys].flatMap((key) => this.#suite.runs.get(key)?.row ?? []);
  }

  #noteChange(): Change {
    return { op: "checkpoint", name: batchNoteName(this.#id), value: { ...this.#note } };
  }

  async #keepNote(set: Partial<BatchNote>): Promise<void> {
    Object.assign(this.#note, set);
    await this.#ctx.commit([this.#noteChange()]);
  }

  /** None of its rows is without an outcome any more. */
  async #forget(): Promise<void> {
    await this.#ctx.commit([{ op: "checkpoint", name: batchNoteName(this.#id), value: null }]);
  }

  /** Polls the job, ever more seldom, until it ends. */
  async #follow(jobId: string, firstMs: number): Promise<BatchEnd | null> {
    const ctx = this.#ctx;
    let waitMs = firstPollMs(ctx.settings);
    if (!await nap(ctx, firstMs)) return null;
    for (;;) {
      const job = await ctx.target.bulkJob?.(jobId, ctx.readSignal) ?? null;
      if (job === null) return await this.#settleLost(`the target no longer knows job ${jobId}`);
      if (job.state === "succeeded") {
        await this.#keepNote({ done: true });
        return { how: "landed", absent: [], message: null };
      }
      if (job.state === "failed") return await this.#settleFailed(job);
      ctx.progress("load.bulk", { waiting: `bulk job ${jobId} is ${job.word || "under way"}` });
      if (!await nap(ctx, waitMs)) return null;
      waitMs = Math.min(waitMs * POLL_GROWTH, MAX_POLL_MS);
    }
  }

  /** A job that failed may have done a part: what its suite holds decides. */
  async #settleFailed(job: BulkJob): Promise<BatchEnd | null> {
    const { message } = job;
    if (!await nap(this.#ctx, firstPollMs(this.#ctx.settings))) return null;
    const absent = await this.#adoptFound();
    await this.#reopen(absent, { everInDoubt: true, lastError: message });
    await this.#forget();
    return { how: "failed", absent, message };
  }

  async #doubt(message: string): Promise<BatchEnd | null> {
    const doubt = { state: "inDoubt" as const, everInDoubt: true, lastError: message };
    for (const row of this.#rows) Object.assign(row, doubt);
    await this.#ctx.commit([{
      op: "targets",
      rows: this.#rows.map(({ kind, key }) => ({ kind, key, ...doubt })),
    }]);
    return await this.#settleLost(message);
  }

  /** Looks for the markers until all are there or the batch can no longer land. */
  async #settleLost(message: string): Promise<BatchEnd | null> {
    const ctx = this.#ctx;
    const { settings, clock } = ctx;
    const now = clock.now();
    const settleMs = settings.target.timeoutMs +
      (settings.target.bulkSettleMs ?? BULK_SETTLE_MS);
    // A wall clock that jumped back must not stretch the wait.
    const leftMs = Math.min(Date.parse(this.#note.sentAt), now) + settleMs - now;
    const settledAt = clock.monotonic() + leftMs;
    let waitMs = firstLookMs(settings);
    for (;;) {
      const leftNow = settledAt - clock.monotonic();
      // Told at every look: such a wait may be long, and nothing else moves meanwhile.
      ctx.progress("load.bulk", { waiting: lostText(leftNow) });
      const until = leftNow > 0 ? Math.min(waitMs, leftNow + 50) : waitMs;
      if (!await nap(ctx, until)) return null;
      // Absence counts only for a look that began after the settling time.
      const isSettled = clock.monotonic() >= settledAt;
      const absent = await this.#adoptFound();
      if (absent.length === 0 || isSettled) {
        await this.#reopen(absent, { everInDoubt: true, lastError: message });
        await this.#forget();
        return { how: absent.length === 0 ? "landed" : "lost", absent, message };
      }
      waitMs = Math.min(waitMs * 2, MAX_LOOK_MS);
    }
  }

  /** Takes what is there into the map and returns the rows that are not. */
  async #adoptFound(): Promise<TargetRow[]> {
    const open = this.#rows.filter((row) => row.state !== "loaded");
    await takeRuns(this.#ctx, this.#suite);
    const runs = new Map(this.#runs().map((row) => [row.key, row]));
    const found = await findLogs(this.#ctx, open, runs);
    for (const row of open) {
      const [first, ...copies] = found.get(row.key) ?? [];
      if (first === undefined) continue;
      await adopt(this.#ctx, row, first);
      row.state = "loaded";
      if (copies.length > 0) await reportDuplicates(this.#ctx, row, copies);
    }
    return open.filter((row) => row.state !== "loaded");
  }

  /** Opens rows that are certainly not in the target, with the runs that only they would have made. */
  async #reopen(
    rows: TargetRow[],
    set: { everInDoubt?: boolean; lastError?: string | null },
  ): Promise<void> {
    const runs = this.#runs().filter((row) =>
      row.state !== "loaded" &&
      !this.#suite.runs.get(row.key)?.logs.some((log) =>
        log.state === "sending" && !rows.includes(log)
      )
    );
    const all = [...rows, ...runs];
    for (const row of all) Object.assign(row, { state: "pending", ...set });
    if (all.length === 0) return;
    await this.#ctx.commit([{
      op: "targets",
      rows: all.map(({ kind, key }) => ({
        kind,
        key,
        state: "pending",
        ...set,
        detail: { batch: null },
      })),
    }]);
  }
}

function lostText(leftMs: number): string {
  const minutes = Math.max(1, Math.ceil(leftMs / 60_000));
  return `looking for logs whose job is not known, for up to ${minutes} min more (target.bulkSettleMs)`;
}

/** Sleeps; false as soon as the run is stopping. */
export async function nap(ctx: RunContext, ms: number): Promise<boolean> {
  const until = ctx.clock.monotonic() + ms;
  for (;;) {
    if (ctx.stopping()) return false;
    const left = until - ctx.clock.monotonic();
    if (left <= 0) return true;
    await ctx.clock.sleep(Math.min(left, NAP_MS), ctx.readSignal);
  }
}
