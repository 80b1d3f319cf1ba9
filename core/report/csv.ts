/** Lists as CSV (RFC 4180, UTF-8, CRLF). @module */
import type { LossRow, Phase } from "../ports/mod.ts";
import type { ReportContent } from "./content.ts";

type Cell = string | number | null | undefined;

/**
 * One line of CSV. Text that a spreadsheet would run as a formula gets an apostrophe in front, as
 * OWASP advises; numbers are left alone.
 */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: Cell): string {
  const raw = cell === null || cell === undefined ? "" : String(cell);
  const text = /^[=+\-@\t\r]/.test(raw) && !/^-?\d+(\.\d+)?$/.test(raw) ? `'${raw}` : raw;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Every loss of the run. */
export async function* renderLossesCsv(
  losses: AsyncIterable<LossRow & { phase: Phase }>,
): AsyncIterable<string> {
  yield csvLine(["phase", "kind", "key", "field", "rule", "before", "after"]);
  for await (const row of losses) {
    yield csvLine([row.phase, row.kind, row.key, row.field, row.rule, row.before, row.after]);
  }
}

/** Losses, issues and differences in one table; the first column says which. */
export async function* renderCsv(content: ReportContent): AsyncIterable<string> {
  yield csvLine([
    "type",
    "phase",
    "level",
    "kind",
    "key",
    "field",
    "rule",
    "before",
    "after",
    "message",
  ]);
  for await (const row of content.issues()) {
    const type = row.setAside ? "set-aside" : "finding";
    yield csvLine([
      type,
      row.phase,
      row.level,
      row.kind,
      row.key,
      "",
      row.reason,
      "",
      "",
      row.message,
    ]);
  }
  for await (const row of content.differences()) {
    const { kind, key, field, verdict, expected, actual } = row;
    yield csvLine([
      "difference",
      "validate",
      "error",
      kind,
      key,
      field,
      verdict,
      expected,
      actual,
      "",
    ]);
  }
  for await (const row of content.losses()) {
    const level = content.accepted.includes(row.rule) ? "accepted" : "warning";
    const { phase, kind, key, field, rule, before, after } = row;
    yield csvLine(["loss", phase, level, kind, key, field, rule, before, after, ""]);
  }
}

/** A record of the source and what it became. */
export interface Redirect {
  kind: string;
  /** Key people know (`SA-T1`), or the id where there is none. */
  key: string;
  sourceId: string;
  targetKind: string;
  targetId: string;
  pid: string | null;
  url: string | null;
}

/** Old key → new id, number and address. */
export async function* renderRedirectsCsv(rows: AsyncIterable<Redirect>): AsyncIterable<string> {
  yield csvLine(["kind", "key", "sourceId", "targetKind", "targetId", "pid", "url"]);
  for await (const row of rows) {
    const { kind, key, sourceId, targetKind, targetId, pid, url } = row;
    yield csvLine([kind, key, sourceId, targetKind, targetId, pid, url]);
  }
}
