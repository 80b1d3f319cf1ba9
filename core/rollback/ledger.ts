/** What becomes of rows whose artefact is gone, and how many of each kind are. @module */
import type { RunContext } from "../engine/stage.ts";
import type { Change, TargetKind, TargetRow } from "../ports/mod.ts";
import { rowsBelow } from "./doomed.ts";
import { ROLLBACK_NOTE } from "./types.ts";
import type { RollbackNote } from "./types.ts";

/** Facts of an artefact that say nothing any more once it is gone. */
const NO_DETAIL = {
  pid: null,
  webUrl: null,
  versionId: null,
  stepIds: null,
  approved: null,
  approvedBefore: null,
  end: null,
  doubts: null,
  inlined: null,
};
const ROWS_PER_COMMIT = 500;

/** Keeps the map in step with the target: rows of deleted artefacts go, or are planned again. */
export class RollbackLedger {
  readonly #ctx: RunContext;
  readonly #note: RollbackNote;
  /** Rows stay, as if nothing was sent yet. */
  readonly #plansAgain: boolean;

  constructor(ctx: RunContext, note: RollbackNote, plansAgain: boolean) {
    this.#ctx = ctx;
    this.#note = note;
    this.#plansAgain = plansAgain;
  }

  get deleted(): RollbackNote["deleted"] {
    return this.#note.deleted;
  }

  /** The artefacts of these rows are gone and took everything below them along. */
  async goneWithContent(rows: TargetRow[]): Promise<void> {
    for (let start = 0; start < rows.length; start += 100) {
      const chunk = rows.slice(start, start + 100);
      const below = (await rowsBelow(this.#ctx, chunk)).filter((row) =>
        row.targetId !== null || row.state === "loaded"
      );
      if (below.length > 0) await this.goneWithContent(below);
      await this.gone(chunk);
    }
  }

  /** The artefacts of these rows are gone. */
  async gone(rows: TargetRow[]): Promise<void> {
    for (let start = 0; start < rows.length; start += ROWS_PER_COMMIT) {
      const chunk = rows.slice(start, start + ROWS_PER_COMMIT);
      for (const { kind } of chunk) this.#count(kind);
      await this.#ctx.commit([...this.#changes(chunk), this.noteChange()]);
    }
    const total = Object.values(this.deleted).reduce((sum, count) => sum + (count ?? 0), 0);
    this.#ctx.progress("rollback.delete", { done: total });
  }

  noteChange(): Change {
    return this.#ctx.noteChange(ROLLBACK_NOTE, this.#note);
  }

  #count(kind: TargetKind): void {
    this.#note.deleted[kind] = (this.#note.deleted[kind] ?? 0) + 1;
  }

  #changes(rows: TargetRow[]): Change[] {
    const isPlanned = (row: TargetRow): boolean =>
      this.#plansAgain && row.kind !== "field" && row.kind !== "requirementLink";
    const again = rows.filter(isPlanned);
    const over = rows.filter((row) => !isPlanned(row));
    const changes: Change[] = [];
    if (again.length > 0) changes.push({ op: "targets", rows: again.map(plannedAgain) });
    if (over.length > 0) {
      changes.push({ op: "removeTargets", rows: over.map(({ kind, key }) => ({ kind, key })) });
    }
    return changes;
  }
}

function plannedAgain(
  { kind, key }: TargetRow,
): Extract<Change, { op: "targets" }>["rows"][number] {
  return {
    kind,
    key,
    state: "pending",
    targetId: null,
    origin: null,
    runId: null,
    attempt: 0,
    sentAt: null,
    everInDoubt: false,
    lastError: null,
    detail: { ...NO_DETAIL },
  };
}
