/**
 * What the project's automation settings are known to accept. No result is sent to many before one
 * log of it has gone through; one that is refused sends its runs the one-by-one way.
 * @module
 */
import type { TargetRow } from "../ports/mod.ts";
import { PreflightError } from "../errors.ts";
import type { RunContext } from "../engine/stage.ts";
import { automationResult, statusesOfResult } from "../transform/automation.ts";
import { transformOf } from "../transform/stages/context.ts";
import type { TransformContext } from "../transform/types.ts";
import type { BulkRun, BulkSuite } from "./bulk_suite.ts";

interface ResultsNote {
  proven: string[];
  refused: string[];
  /** The tenant refuses version ids in batches. */
  withoutVersion: boolean;
}

const NOTE = "bulk/results";

export class Results {
  readonly #ctx: RunContext;
  readonly #context: TransformContext;
  readonly #proven: Set<string>;
  readonly #refused = new Map<string, string>();
  withoutVersion: boolean;

  static async load(ctx: RunContext): Promise<Results> {
    const { context } = await transformOf(ctx);
    const note = await ctx.note<ResultsNote>(NOTE);
    return new Results(ctx, context, note ?? { proven: [], refused: [], withoutVersion: false });
  }

  private constructor(ctx: RunContext, context: TransformContext, note: ResultsNote) {
    this.#ctx = ctx;
    this.#context = context;
    this.#proven = new Set(note.proven);
    for (const name of note.refused) this.#refused.set(name, "");
    this.withoutVersion = note.withoutVersion;
  }

  /** Results that a log and its steps need; null when a status has none, or one that was refused. */
  namesOf(row: TargetRow): string[] | null {
    const { statusIds } = row.detail;
    if (!Array.isArray(statusIds)) return null;
    const names = statusIds.map((id) => automationResult(this.#context, String(id)));
    return names.every((name) => name !== null && !this.#refused.has(name))
      ? names as string[]
      : null;
  }

  /** Whether every log of a run can be told to a job. */
  takes(run: BulkRun): boolean {
    return run.logs.every((row) => this.namesOf(row) !== null);
  }

  isOpen(name: string): boolean {
    return !this.#proven.has(name) && !this.#refused.has(name);
  }

  openOf(row: TargetRow): string[] {
    return (this.namesOf(row) ?? []).filter((name) => this.isOpen(name));
  }

  prove(rows: TargetRow[]): void {
    for (const row of rows) for (const name of this.namesOf(row) ?? []) this.#proven.add(name);
  }

  /**
   * Takes a lone log that the job refused as the word on its results. Returns false when the fault
   * is not in them.
   */
  refuse(row: TargetRow, message: string): boolean {
    const open = this.openOf(row);
    const named = open.filter((name) => message.toLowerCase().includes(name.toLowerCase()));
    const blamed = named.length > 0 ? named : /status|result|map/i.test(message) ? open : [];
    for (const name of blamed) this.#refused.set(name, message);
    return blamed.length > 0;
  }

  /** Keeps what was found out. @throws {PreflightError} when nothing is accepted at all */
  async save(): Promise<void> {
    if (this.#proven.size === 0 && this.#refused.size > 0) throw this.#nothingTaken();
    const refused = [...this.#refused.keys()];
    const { withoutVersion } = this;
    const note: ResultsNote = { proven: [...this.#proven], refused, withoutVersion };
    await this.#ctx.commit([
      this.#ctx.noteChange(NOTE, note),
      ...refused.map((name) => ({
        op: "issue" as const,
        runId: this.#ctx.run.id,
        row: {
          phase: "load" as const,
          kind: "testLog",
          key: `result ${name}`,
          level: "warning" as const,
          reason: "automation-status",
          message: `The project's automation settings do not know the result "${name}": its logs ` +
            `go one by one. ${this.#fix([name])}`,
          payload: this.#refused.get(name) || null,
          setAside: false,
          attempts: 1,
          at: this.#ctx.nowIso(),
        },
      })),
    ]);
  }

  #nothingTaken(): PreflightError {
    const names = [...this.#refused.keys()];
    const [message = ""] = this.#refused.values();
    return new PreflightError(
      `Cannot write logs in bulk: the project's automation settings do not know ${
        names.map((name) => `"${name}"`).join(", ")
      } (${message.slice(0, 300)})`,
      { hint: this.#fix(names) },
    );
  }

  #fix(names: string[]): string {
    const keys = names.flatMap((name) => statusesOfResult(this.#context, name))
      .map((status) => `automationStatuses["${status}"]`);
    return `Set ${keys.join(", ")} in the mapping file to the names in the project's Automation ` +
      "Settings, or set target.logs to manual.";
  }
}

/**
 * Logs to try the results of a suite with: one for each result not known yet, with the logs that
 * stand before it in its run.
 */
export function pickTrial(suite: BulkSuite, results: Results, max: number): TargetRow[] {
  const runs = [...suite.runs.values()].filter((run) => results.takes(run));
  const picked = new Map<BulkRun, number>();
  const covered = new Set<string>();
  const wanted = new Set(
    runs.flatMap((run) => openLogs(run).flatMap((row) => results.openOf(row))),
  );
  for (const name of wanted) {
    if (covered.has(name)) continue;
    let best: { run: BulkRun; count: number } | null = null;
    for (const run of runs) {
      if (picked.has(run)) continue;
      const at = openLogs(run).findIndex((row) => results.openOf(row).includes(name));
      if (at >= 0 && (best === null || at + 1 < best.count)) best = { run, count: at + 1 };
      if (best?.count === 1) break;
    }
    if (best === null) continue;
    picked.set(best.run, best.count);
    for (const row of openLogs(best.run).slice(0, best.count)) {
      for (const own of results.openOf(row)) covered.add(own);
    }
  }
  return [...picked].flatMap(([run, count]) => openLogs(run).slice(0, count)).slice(0, max);
}

function openLogs(run: BulkRun): TargetRow[] {
  return run.logs.filter((row) => row.state === "pending");
}
