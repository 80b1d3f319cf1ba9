/** Progress on stderr: one rewritten line per phase on a terminal, a plain line every 5 s elsewhere. @module */
import { type Phase, PHASES, type Progress } from "../../core/ports/mod.ts";
import { formatCount, formatDuration } from "../../core/report/format.ts";
import type { Io } from "./io.ts";

const PLAIN_EVERY_MS = 5_000;
const REDRAW_EVERY_MS = 100;
const CLEAR_LINE = "\r\u001b[2K";
const LINE_UP = "\u001b[1A";

/** Shows progress; every other writer to stderr goes through {@linkcode ProgressView.above}. */
export class ProgressView {
  readonly #io: Io;
  readonly #rewrite: boolean;
  readonly #enabled: boolean;
  /** Newest state of each phase; phases overlap. */
  readonly #newest = new Map<Phase, Progress>();
  /** Stages of each phase that are under way, side by side. */
  readonly #open = new Map<string, Progress>();
  /** When a phase was last printed, for plain lines. */
  readonly #printedAt = new Map<Phase, number>();
  #drawnLines = 0;
  #drawnAt = 0;

  /** `rewrite`: the terminal understands rewritten lines; false in CI and pipes. */
  constructor(io: Io, options: { enabled: boolean; rewrite: boolean }) {
    this.#io = io;
    this.#enabled = options.enabled;
    this.#rewrite = options.rewrite;
  }

  /** Takes the newest state of a phase; draws as often as the surroundings deserve. */
  show(progress: Progress): void {
    if (!this.#enabled) return;
    const isNew = !this.#newest.has(progress.phase);
    const { at } = progress;
    const shown = this.#longest(progress);
    this.#newest.set(progress.phase, shown);
    if (!this.#rewrite) return this.#print(shown, at);
    if (!isNew && at - this.#drawnAt < REDRAW_EVERY_MS) return;
    this.#drawnAt = at;
    this.#clear();
    this.#draw();
  }

  /** Of the stages of a phase, the one with most left: a line that jumps between them tells nothing. */
  #longest(progress: Progress): Progress {
    const left = ({ done, total }: Progress): number => total === null ? 0 : total - done;
    if (left(progress) > 0) this.#open.set(progress.stage, progress);
    else this.#open.delete(progress.stage);
    return [...this.#open.values()].filter(({ phase }) => phase === progress.phase)
      .sort((a, b) => left(b) - left(a))[0] ?? progress;
  }

  /** Prints text above the progress lines. */
  above(text: string): void {
    if (this.#drawnLines === 0) return this.#io.err(text);
    this.#clear();
    this.#io.err(text.endsWith("\n") ? text : `${text}\n`);
    this.#draw();
  }

  /** Leaves the last state on the screen and starts afresh. */
  end(): void {
    if (this.#drawnLines > 0) {
      this.#clear();
      this.#draw();
      this.#io.err("\n");
    } else if (this.#enabled && !this.#rewrite) this.#printRest();
    this.#drawnLines = 0;
    this.#newest.clear();
    this.#open.clear();
    this.#printedAt.clear();
  }

  #clear(): void {
    if (this.#drawnLines === 0) return;
    this.#io.err(CLEAR_LINE + (LINE_UP + CLEAR_LINE).repeat(this.#drawnLines - 1));
    this.#drawnLines = 0;
  }

  #draw(): void {
    const lines = PHASES.flatMap((phase) => {
      const progress = this.#newest.get(phase);
      return progress === undefined ? [] : [progressLine(progress).slice(0, this.#io.columns - 1)];
    });
    this.#io.err(lines.join("\n"));
    this.#drawnLines = lines.length;
  }

  #print(progress: Progress, at: number): void {
    const before = this.#printedAt.get(progress.phase);
    if (before !== undefined && at - before < PLAIN_EVERY_MS) return;
    this.#printedAt.set(progress.phase, at);
    this.#io.err(`${progressLine(progress)}\n`);
  }

  #printRest(): void {
    for (const progress of this.#newest.values()) {
      if (this.#printedAt.get(progress.phase) !== progress.at) {
        this.#io.err(`${progressLine(progress)}\n`);
      }
    }
  }
}

/** One line for people: phase, counts, rate, time left, and why nothing moves. */
export function progressLine(progress: Progress): string {
  const stage = progress.stage.startsWith(`${progress.phase}.`)
    ? progress.stage.slice(progress.phase.length + 1)
    : progress.stage;
  const parts = [`${progress.phase.padEnd(9)} ${stage.padEnd(14)} ${amount(progress)}`];
  if (progress.rate > 0) parts.push(`${progress.rate.toFixed(progress.rate < 10 ? 1 : 0)}/s`);
  if (progress.etaMs !== null && progress.etaMs > 0) {
    parts.push(`${formatDuration(progress.etaMs)} left`);
  }
  if (progress.waiting !== null) parts.push(`waiting: ${progress.waiting}`);
  return parts.join(" · ");
}

function amount({ done, total }: Progress): string {
  if (total === null) return formatCount(done);
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
  return `${formatCount(done)} of ${formatCount(total)} (${percent} %)`;
}
