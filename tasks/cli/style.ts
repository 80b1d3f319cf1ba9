/** Colours, marks, numbers and tables for people. @module */
import { formatCount } from "../../core/report/format.ts";
import type { Io } from "./io.ts";

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Colour = keyof typeof CODES;

/** Paints text when the terminal takes it. */
export interface Painter {
  (colour: Colour, text: string): string;
}

/** Returns a painter; one that changes nothing when `enabled` is false. */
export function createPainter(enabled: boolean): Painter {
  return (colour, text) => enabled ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

/** Whether the surroundings want colours at all; a stream must be a terminal besides. */
export function takesColour({ env }: Pick<Io, "env">): boolean {
  return !env("NO_COLOR") && !env("CI") && env("TERM") !== "dumb";
}

/** Marks of findings; ASCII where the terminal needs it. */
export function marks(
  unicode: boolean,
): { ok: string; info: string; warning: string; error: string } {
  return unicode
    ? { ok: "✓", info: "·", warning: "!", error: "✗" }
    : { ok: "ok", info: "-", warning: "!", error: "x" };
}

/** How people call this program: the binary by its name, a checkout through its task. */
export function programName(): string {
  return Deno.build.standalone ? "ztoq" : "deno task ztoq";
}

/** Aligned columns with a header; numbers to the right, text to the left. */
export function table(header: readonly string[], rows: readonly (string | number)[][]): string {
  const cells = rows.map((row) =>
    row.map((cell) => (typeof cell === "number" ? formatCount(cell) : flatten(cell)))
  );
  const isNumber = header.map((_, column) => rows.every((row) => typeof row[column] === "number"));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => (row[column] ?? "").length))
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return isNumber[column] ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd();
  return [header, ...cells].map((row) => `${line(row)}\n`).join("");
}

/** One line without control characters: data must not steer the terminal. */
export function flatten(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\s+/g, " ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "");
}
