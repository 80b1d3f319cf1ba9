/**
 * The rows a loader looks at: pulled from the store window by window, in order, each at most once at
 * a time, so that memory does not grow with the project.
 * @module
 */
import type { DraftKind, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";

/** An open row and what is being done with it. */
export interface Entry {
  row: TargetRow;
  /** Only the first entry of a group may be sent. */
  group: string;
  state: "idle" | "waiting" | "busy" | "doubt";
  /** Version of the topics at which it was last seen to wait. */
  checkedAt: number;
  /** Was sent a second time with dashes for empty texts. */
  dashed: boolean;
}

export interface WindowOptions {
  kind: DraftKind;
  /** Children of one parent one after another. */
  serial: boolean;
  /** Stages that plan rows of this kind. */
  planners: string[];
}

/** Rows looked at at once; more when all of them wait for rows behind them. */
const WINDOW = 128;
const PULL = 64;

export class RowWindow {
  readonly #ctx: RunContext;
  readonly #options: WindowOptions;
  readonly #entries = new Map<string, Entry>();
  /** Rows that came to an end since the last read of open rows began: what it says of them is old. */
  readonly #ended = new Set<string>();
  #size = WINDOW;
  #cursor: string | null = null;
  #scan = { admitted: 0, planned: false, at: 0 };
  #scanEndedAt: number | null = null;
  #cleanScan = false;

  constructor(ctx: RunContext, options: WindowOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /** One scan from the start found no open row, and nothing was being planned any more. */
  get isExhausted(): boolean {
    return this.#cleanScan && this.#entries.size === 0;
  }

  isPlanned(): boolean {
    return this.#options.planners.every((stage) => this.#ctx.isDone(stage));
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  waiting(): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.state === "waiting");
  }

  /** The row came to its end. */
  end(key: string): void {
    this.#entries.delete(key);
    this.#ended.add(key);
  }

  /** Looks further ahead when all rows wait; false when there is nothing further on. */
  widen(): boolean {
    if (this.#scanEndedAt !== null) return false;
    this.#size = this.waiting().length * 2 + WINDOW;
    return true;
  }

  /**
   * Pulls open rows; returns those whose last write is in doubt. At the end the scan starts again from
   * the front: rows may have been planned behind the cursor (stand-ins for archived cases), and loaded
   * rows do not come again.
   */
  async refill(): Promise<TargetRow[]> {
    const doubts: TargetRow[] = [];
    if (this.#entries.size >= this.#size / 2 || this.#knowsAll()) return doubts;
    while (this.#entries.size < this.#size) {
      if (this.#cursor === null) {
        this.#scan = { admitted: 0, planned: this.isPlanned(), at: this.#ctx.topics.version };
      }
      this.#ended.clear();
      const page = await this.#ctx.store.targets(this.#ctx.scope.id, this.#options.kind, {
        after: this.#cursor,
        limit: PULL,
        states: ["pending", "sending", "inDoubt"],
      });
      for (const row of page.rows) {
        if (this.#admit(row)?.state === "doubt") doubts.push(row);
      }
      this.#cursor = page.cursor;
      if (page.cursor === null) {
        this.#scanEndedAt = this.#scan.at;
        this.#cleanScan = this.#scan.planned && this.#scan.admitted === 0;
        return doubts;
      }
    }
    this.#scanEndedAt = null;
    return doubts;
  }

  /** The last scan reached the end, and nothing was planned since. */
  #knowsAll(): boolean {
    return this.#scanEndedAt !== null && this.#entries.size > 0 &&
      !this.#ctx.topics.movedSince(this.#options.planners, this.#scanEndedAt);
  }

  #admit(row: TargetRow): Entry | null {
    if (this.#entries.has(row.key) || this.#ended.has(row.key)) return null;
    this.#scan.admitted++;
    const entry: Entry = {
      row,
      group: this.#options.serial ? `${row.parentKey}` : row.key,
      state: row.state === "pending" ? "idle" : "doubt",
      checkedAt: -1,
      dashed: false,
    };
    this.#entries.set(row.key, entry);
    return entry;
  }

  /**
   * Entries whose turn it is and that were not looked at since: those known to wait come last and in
   * turns, so that they hold up nobody.
   */
  candidates(since: number): Entry[] {
    const blocked = new Set<string>();
    const idle: Entry[] = [];
    const waiting: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (blocked.has(entry.group)) continue;
      if (this.#options.serial || entry.state !== "idle") blocked.add(entry.group);
      if (entry.state === "idle") idle.push(entry);
      else if (entry.state === "waiting" && entry.checkedAt !== since) waiting.push(entry);
    }
    return [...idle, ...waiting.sort((a, b) => a.checkedAt - b.checkedAt)];
  }
}
