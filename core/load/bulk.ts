/**
 * Writes logs in bulk: one suite's batches one after another, several suites side by side. Runs are
 * made by the jobs; their ids and those of the logs are read back.
 *
 * What cannot go this way is given to the one-by-one loaders, a run at a time so that its logs keep
 * their order: statuses without a result, cases whose automation content is not ours, logs that a
 * job refuses.
 * @module
 */
import type { TargetRow } from "../ports/mod.ts";
import { PreflightError } from "../errors.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { pool } from "../engine/stage.ts";
import { BulkCases } from "./bulk_cases.ts";
import { readLogIds } from "./bulk_ids.ts";
import { takeRuns } from "./bulk_look.ts";
import { prepareResults } from "./bulk_prepare.ts";
import type { PreparedResult } from "./bulk_prepare.ts";
import { pickTrial, Results } from "./bulk_results.ts";
import type { BatchEnd } from "./bulk_send.ts";
import { nap, resumeBatch, sendBatch } from "./bulk_send.ts";
import type { BulkRun, BulkSuite } from "./bulk_suite.ts";
import { logsInFlight, pendingLogs, readSuite, suiteRows } from "./bulk_suite.ts";
import { handOver, isBulk } from "./bulk_view.ts";

/** Logs per request; the vendor documents no limit. */
export const BATCH_LOGS = 50;
const MAX_BATCH_BYTES = 8_000_000;
/** Sent and lost so often: the rest goes one by one. */
const MAX_ATTEMPTS = 3;
/** So few logs that a job left out are sent one by one rather than in another batch. */
const FEW_ABSENT = 3;

const STAGE = "load.bulk";

/** `after`: everything that runs and logs stand on, planned and loaded. */
export function bulkStage(after: string[]): Stage {
  return { name: STAGE, phase: "load", after, run: (ctx) => new BulkLoader(ctx).run() };
}

/** A suite with work, as far as it is kept in memory for all of them. */
interface SuiteWork {
  row: TargetRow;
  /** Results that its open logs need. */
  names: Set<string>;
}

interface Sent {
  end: BatchEnd;
  rows: TargetRow[];
  /** Did not fit in. */
  rest: TargetRow[];
}

class BulkLoader {
  readonly #ctx: RunContext;
  readonly #cases: BulkCases;
  #batchLogs = BATCH_LOGS;
  #done = 0;
  #total = 0;

  constructor(ctx: RunContext) {
    this.#ctx = ctx;
    this.#cases = new BulkCases(ctx);
  }

  async run(): Promise<boolean> {
    const ctx = this.#ctx;
    const results = await Results.load(ctx);
    const suites = await this.#survey(results);
    if (suites === null || !await this.#tryResults(suites, results)) return false;
    const { concurrency } = ctx.settings.target;
    await pool(suites, concurrency, ctx.stopping, ({ row }) => this.#loadSuite(row, results));
    if (ctx.stopping()) return false;
    return await readLogIds(ctx);
  }

  /** Suites with anything left to do; null = stopping. */
  async #survey(results: Results): Promise<SuiteWork[] | null> {
    const suites: SuiteWork[] = [];
    for await (const row of suiteRows(this.#ctx)) {
      if (this.#ctx.stopping()) return null;
      const suite = await readSuite(this.#ctx, row);
      await this.#dropUnfit(suite, results);
      if (suite.runs.size === 0) continue;
      const names = new Set<string>();
      for (const run of suite.runs.values()) {
        this.#total += run.logs.length;
        for (const log of run.logs) for (const name of results.namesOf(log) ?? []) names.add(name);
      }
      suites.push({ row, names });
    }
    this.#report(0);
    return suites;
  }

  #report(more: number): void {
    this.#done += more;
    this.#ctx.progress(STAGE, {
      done: this.#done,
      total: Math.max(this.#done, this.#total),
      waiting: null,
    });
  }

  /** Runs that are not under way and cannot go in bulk are given up. */
  async #dropUnfit(suite: BulkSuite, results: Results): Promise<void> {
    for (const run of [...suite.runs.values()]) {
      const isUntouched = run.logs.every((row) => row.state === "pending");
      if (!isUntouched || run.row.state === "sending") continue;
      const why = suite.row.state !== "loaded"
        ? `suite ${suite.row.key} is not loaded`
        : run.logs.length === 0
        ? "the run has no logs left"
        : !results.takes(run)
        ? "a status of the run has no automation result"
        : await this.#cases.reasonAgainst(run.testCase);
      if (why !== null) await this.#giveUp(suite, run, why);
    }
  }

  /** Gives a run to the one-by-one loaders. */
  async #giveUp(suite: BulkSuite, run: BulkRun, why: string | null): Promise<void> {
    // An earlier batch may have made it.
    if (run.row.state === "sending" || run.row.state === "inDoubt") {
      await takeRuns(this.#ctx, suite);
    }
    const open = run.logs.filter((row) => row.state === "pending");
    await this.#ctx.commit([handOver(run.row, open, why)]);
    suite.runs.delete(run.row.key);
    this.#ctx.topics.bump(STAGE);
  }

  /**
   * Sends one log per result that no batch has proved yet and waits for its end, suite by suite:
   * the one with most of them first.
   */
  async #tryResults(suites: SuiteWork[], results: Results): Promise<boolean> {
    for (;;) {
      if (this.#ctx.stopping()) return false;
      const openOf = (work: SuiteWork): number =>
        [...work.names].filter((name) => results.isOpen(name)).length;
      const best = suites.toSorted((a, b) => openOf(b) - openOf(a))[0];
      if (best === undefined || openOf(best) === 0) break;
      const suite = await readSuite(this.#ctx, best.row);
      await this.#dropUnfit(suite, results);
      if (!await this.#settleInFlight(suite, results)) return false;
      const rows = pickTrial(suite, results, this.#batchLogs);
      // Nothing left to try them with: what needs them has gone another way.
      if (rows.length === 0) best.names.clear();
      else if (!await this.#trial(suite, rows, results)) return false;
    }
    await results.save();
    return true;
  }

  async #trial(suite: BulkSuite, rows: TargetRow[], results: Results): Promise<boolean> {
    const sent = await this.#send(suite, rows, results);
    if (sent === null) return false;
    const { end } = sent;
    const absent = end.absent.filter((row) => isBulk(row));
    results.prove(sent.rows.filter((row) => !end.absent.includes(row)));
    if (end.how === "landed") return true;
    if (end.how === "lost" || end.how === "too-large" || absent.length === 0) {
      await this.#next(suite, sent);
      return true;
    }
    if (absent.length === 1 && absent[0] !== undefined) {
      await this.#judge(suite, absent[0], end, results);
      return true;
    }
    for (const row of absent) {
      if (row.state !== "pending" || !isBulk(row)) continue;
      if (!await this.#trial(suite, [row], results)) return false;
    }
    return true;
  }

  /** What a lone trial log that was refused tells. */
  async #judge(
    suite: BulkSuite,
    row: TargetRow,
    end: BatchEnd,
    results: Results,
  ): Promise<void> {
    const message = end.message ?? "";
    if (results.openOf(row).length === 0) return await this.#giveUpOn(suite, [row], message);
    if (/version/i.test(message) && !results.withoutVersion) {
      results.withoutVersion = true;
      return;
    }
    if (results.refuse(row, message)) return await this.#dropUnfit(suite, results);
    throw new PreflightError(
      `Cannot write logs in bulk: the first batch was refused with "${message.slice(0, 300)}"`,
      { hint: "Put it right in the project's Automation Settings, or set target.logs to manual." },
    );
  }

  /** Batches of a suite that an earlier process sent; false = stopping. */
  async #settleInFlight(suite: BulkSuite, results: Results): Promise<boolean> {
    for (const [batchId, rows] of logsInFlight(suite)) {
      const end = await resumeBatch(this.#ctx, suite, { batchId, rows });
      if (end === null) return false;
      results.prove(rows.filter((row) => !end.absent.includes(row)));
      this.#report(rows.length - end.absent.length);
    }
    return true;
  }

  async #loadSuite(row: TargetRow, results: Results): Promise<void> {
    const ctx = this.#ctx;
    const suite = await readSuite(ctx, row);
    await this.#dropUnfit(suite, results);
    if (!await this.#settleInFlight(suite, results)) return;
    await this.#dropUnfit(suite, results);
    let pieces: TargetRow[][] = [];
    let rest = pendingLogs(suite);
    while (pieces.length > 0 || rest.length > 0) {
      if (ctx.stopping()) return;
      const first = pieces.shift();
      const rows = (first ?? rest.slice(0, this.#batchLogs))
        .filter((log) => log.state === "pending" && isBulk(log));
      if (first === undefined) rest = rest.slice(this.#batchLogs);
      if (rows.length === 0) continue;
      const sent = await this.#send(suite, rows, results);
      if (sent === null) return;
      pieces = [...await this.#next(suite, sent), sent.rest, ...pieces]
        .filter((piece) => piece.length > 0);
    }
    await takeRuns(ctx, suite);
    ctx.topics.bump("load.testRun");
  }

  /** Prepares and sends as many of the rows as fit into a request; null = stopping. */
  async #send(suite: BulkSuite, rows: TargetRow[], results: Results): Promise<Sent | null> {
    // The end of a budget: its last seconds start nothing.
    while (this.#ctx.noMoreCreates()) if (!await nap(this.#ctx, 200)) return null;
    const prepared = await prepareResults(this.#ctx, suite.row.key, rows);
    const unfit = rows.filter((row) => !prepared.has(row.key));
    await this.#giveUpOn(suite, unfit, "the log cannot be told to a job");
    const fit = rows.flatMap((row) => {
      const result = isBulk(row) ? prepared.get(row.key) : undefined;
      return result === undefined ? [] : [result];
    });
    const count = countFitting(fit);
    const batch = fit.slice(0, count);
    const rest = fit.slice(count).map((result) => result.row);
    if (batch.length === 0) {
      return { end: { how: "landed", absent: [], message: null }, rows: [], rest };
    }
    if (results.withoutVersion) { for (const { draft } of batch) draft.testCaseVersionId = null; }
    const end = await sendBatch(this.#ctx, suite, batch);
    if (end === null) return null;
    this.#report(batch.length - end.absent.length);
    return { end, rows: batch.map((result) => result.row), rest };
  }

  /** What is to be sent next of a batch that did not land as a whole. */
  async #next(suite: BulkSuite, { end, rows }: Sent): Promise<TargetRow[][]> {
    const { absent, message } = end;
    if (absent.length === 0) return [];
    if (end.how === "lost") {
      const tired = absent.filter((row) => row.attempt >= MAX_ATTEMPTS);
      await this.#giveUpOn(suite, tired, message);
      return [absent.filter((row) => isBulk(row))];
    }
    if (end.how === "too-large") {
      this.#batchLogs = Math.max(1, Math.min(this.#batchLogs, half(rows)));
    }
    if (absent.length > 1 && (absent.length === rows.length || absent.length > FEW_ABSENT)) {
      const middle = half(absent);
      return [absent.slice(0, middle), absent.slice(middle)];
    }
    if (end.how === "too-large" && await this.#sendFilesAlone(absent)) return [absent];
    await this.#giveUpOn(suite, absent, message);
    return [];
  }

  async #giveUpOn(suite: BulkSuite, rows: TargetRow[], why: string | null): Promise<void> {
    for (const row of rows) {
      const run = suite.runs.get(row.parentKey ?? "");
      if (run !== undefined) await this.#giveUp(suite, run, why);
    }
  }

  /** Too large with its files inside: they follow on their own. */
  async #sendFilesAlone(rows: TargetRow[]): Promise<boolean> {
    const keys = rows.map((row) => row.key);
    const files = await this.#ctx.store.targetChildren(
      this.#ctx.scope.id,
      "attachment",
      "testLog",
      keys,
    );
    const inside = files.filter((file) => file.detail.inlined === true);
    if (inside.length === 0) return false;
    await this.#ctx.commit([{
      op: "targets",
      rows: inside.map(({ kind, key }) => ({ kind, key, detail: { inlined: false, alone: true } })),
    }]);
    return true;
  }
}

function half(rows: readonly unknown[]): number {
  return Math.floor(rows.length / 2);
}

/** How many results fit into one request, at least one. */
function countFitting(results: PreparedResult[]): number {
  let bytes = 0;
  const at = results.findIndex((result, index) => {
    bytes += result.bytes;
    return index > 0 && bytes > MAX_BATCH_BYTES;
  });
  return at < 0 ? results.length : at;
}
