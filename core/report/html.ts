/** The report as one HTML file that needs nothing else: no script, no other file, no network. @module */
import { LOSS_RULES } from "../config/rules.ts";
import { PHASES } from "../ports/mod.ts";
import { RECORD_KINDS } from "../records/mod.ts";
import { barChart, stackedBars } from "./chart.ts";
import type { ReportContent } from "./content.ts";
import { escapeHtml, formatCount, formatDuration, formatRate } from "./format.ts";
import {
  COUNT_COLUMNS,
  countRows,
  OUTCOMES,
  recordsOfPhase,
  type RequestSummary,
  type Summary,
  WITHOUT_TARGET,
} from "./model.ts";
import { STYLE } from "./html_style.ts";

/** Rows of a list shown in the page; the CSV beside it holds all of them. */
const MAX_ROWS = 500;
const LEVELS = ["critical", "error", "warning", "info"] as const;
const VERDICTS: Readonly<Record<number, string>> = {
  0: "Done",
  1: "Failed",
  2: "Configuration error",
  3: "Done; some records were set aside",
  4: "Done; validation found differences",
  5: "Interrupted; it can be continued",
  6: "Pre-flight failed",
  7: "Held by another process",
  8: "Quota or budget reached; it can be continued",
};

/** Streams the page. Every value from outside is escaped; lists are cut at 500 rows with a note. */
export async function* renderHtml(content: ReportContent): AsyncIterable<string> {
  const { summary } = content;
  yield head(content);
  yield verdict(summary);
  yield counts(summary);
  yield phases(summary);
  yield requests(summary);
  yield validation(summary);
  yield lossRules(content);
  yield* rows(
    "Set aside and findings",
    ["Level", "Kind", "Key", "Reason", "Message"],
    content.issues(),
    (row) => [row.setAside ? "set aside" : row.level, row.kind, row.key, row.reason, row.message],
  );
  yield* rows(
    "Differences",
    ["Verdict", "Kind", "Key", "Field", "Expected", "Actual"],
    content.differences(),
    (row) => [row.verdict, row.kind, row.key, row.field, row.expected, row.actual],
  );
  yield* rows(
    "Losses",
    ["Rule", "Kind", "Key", "Field", "Before", "After"],
    content.losses(),
    (row) => [row.rule, row.kind, row.key, row.field, row.before, row.after],
  );
  yield "</main></body></html>\n";
}

function head({ summary, source, target, generatedAt }: ReportContent): string {
  const title = `Migration of ${source}`;
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>
<h1>${escapeHtml(title)}</h1>
<p class="quiet">to ${escapeHtml(target)} · run ${escapeHtml(summary.runId)} · written ${
    escapeHtml(generatedAt)
  }</p>
`;
}

function verdict(summary: Summary): string {
  const { exitCode, state, next } = summary;
  const kind = exitCode === 0 ? "good" : exitCode === 3 || exitCode >= 5 ? "fair" : "bad";
  const words = state === "completed" || exitCode !== 0
    ? VERDICTS[exitCode] ?? "Unknown result"
    : `In progress: ${state}`;
  const then = next === null ? "" : `<p>${escapeHtml(next)}</p>`;
  return `<section class="verdict ${kind}"><p><strong>${escapeHtml(words)}</strong> · state ${
    escapeHtml(state)
  } · exit code ${exitCode} · ${formatDuration(summary.durationMs)}</p>${then}</section>\n`;
}

function counts(summary: Summary): string {
  const bars = RECORD_KINDS.filter((kind) => summary.counts[kind].extracted > 0).map((kind) => ({
    label: kind,
    parts: OUTCOMES.map((outcome) => ({ name: outcome, value: summary.counts[kind][outcome] })),
  }));
  const artefacts = Object.entries(summary.artefacts).filter(([, value]) => value > 0);
  return section(
    "Records",
    table(COUNT_COLUMNS, countRows(summary.counts, RECORD_KINDS)) + withoutTargetNote(summary) +
      stackedBars("Outcome per kind, share of each", bars) +
      (artefacts.length === 0
        ? ""
        : `<h3>Created in the target</h3>${table(["Artefact", "Count"], artefacts)}`),
  );
}

function withoutTargetNote({ counts }: Summary): string {
  if (RECORD_KINDS.every((kind) => counts[kind].withoutTarget === 0)) return "";
  return `<p class="quiet">Without target: ${WITHOUT_TARGET}; the losses below say why.</p>`;
}

function phases(summary: Summary): string {
  const rates = PHASES.map((phase) => {
    const { state, durationMs } = summary.phases[phase];
    const records = recordsOfPhase(summary, phase);
    const perMinute = durationMs === 0 ? null : records * 60_000 / durationMs;
    return [
      phase,
      state,
      formatDuration(durationMs),
      records,
      perMinute === null ? "" : formatRate(perMinute / 60),
      perMinute === null ? "" : formatRate(perMinute),
    ];
  });
  const header = ["Phase", "State", "Time", "Records", "Records/s", "Records/min"];
  const bars = PHASES.map((phase) => ({
    label: phase,
    value: summary.phases[phase].durationMs,
    text: `${formatDuration(summary.phases[phase].durationMs)} (${summary.phases[phase].state})`,
  }));
  return section(
    "Phases",
    table(header, rates) + barChart("Time per phase; phases may overlap", bars),
  );
}

function requests(summary: Summary): string {
  const systems = [["Source", summary.requests.source], [
    "Target",
    summary.requests.target,
  ]] as const;
  const header = ["System", "Sent", "Minimum", "Retried", "Rate limited", "Peak per minute"];
  const body = systems.map((
    [name, r],
  ) => [name, r.total, r.minimum, r.retried, r.rateLimited, r.peakPerMinute]);
  return section(
    "Requests",
    table(header, body) + systems.map(([name, stats]) => routes(name, stats)).join(""),
  );
}

function routes(name: string, stats: RequestSummary): string {
  const list = Object.entries(stats.byRoute).sort(([, a], [, b]) => b - a);
  if (list.length === 0) return "";
  return `<details><summary>${name}: ${list.length} routes</summary>${
    table(["Route", "Sent"], list)
  }</details>`;
}

function validation({ validation: v, issues }: Summary): string {
  return section(
    "Validation",
    table(["Checked", "Equal", "Different", "Missing", "Extra", "Duplicate"], [
      [v.checked, v.equal, v.different, v.missing, v.extra, v.duplicate],
    ]) + findingCounts(issues),
  );
}

/** How many findings of each level the checks of each phase made. */
function findingCounts(issues: Summary["issues"]): string {
  if (issues.length === 0) return "";
  const body = PHASES.map((phase) => [
    phase,
    ...LEVELS.map((level) =>
      issues.filter((issue) => issue.phase === phase && issue.level === level)
        .reduce((sum, { count }) => sum + count, 0)
    ),
  ]);
  return `<h3>Findings of the checks</h3>${
    table(["Phase", "Critical", "Error", "Warning", "Info"], body)
  }`;
}

function lossRules({ summary, accepted }: ReportContent): string {
  const list = Object.entries(summary.losses).sort(([, a], [, b]) => b - a);
  if (list.length === 0) return section("Losses by rule", "<p>None.</p>");
  const body = list.map(([rule, n]) => [
    rule,
    n,
    accepted.includes(rule) ? "accepted" : "",
    LOSS_RULES[rule] ?? "",
  ]);
  const bars = list.slice(0, 12).map(([label, value]) => ({
    label,
    value,
    text: formatCount(value),
  }));
  return section(
    "Losses by rule",
    table(["Rule", "Count", "", "Meaning"], body) + barChart("Losses by rule", bars),
  );
}

async function* rows<T>(
  title: string,
  header: string[],
  list: AsyncIterable<T>,
  cells: (row: T) => (string | null)[],
): AsyncIterable<string> {
  let shown = 0;
  for await (const row of list) {
    if (shown === 0) {
      yield `<section><h2>${title}</h2><div class="wide"><table>${tableHead(header)}<tbody>`;
    }
    if (shown === MAX_ROWS) {
      yield `</tbody></table></div><p class="quiet">Only the first ${MAX_ROWS} are shown; <code>ztoq report --format csv</code> has all of them.</p></section>\n`;
      return;
    }
    shown++;
    yield `<tr>${
      cells(row).map((cell) => `<td>${escapeHtml(shorten(cell ?? ""))}</td>`).join("")
    }</tr>\n`;
  }
  if (shown > 0) yield "</tbody></table></div></section>\n";
}

function shorten(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

function section(title: string, body: string): string {
  return `<section><h2>${title}</h2>${body}</section>\n`;
}

function tableHead(
  header: readonly string[],
  isNumeric: (column: number) => boolean = () => false,
): string {
  return `<thead><tr>${
    header.map((cell, column) =>
      `<th scope="col"${isNumeric(column) ? ' class="n"' : ""}>${escapeHtml(cell)}</th>`
    ).join("")
  }</tr></thead>`;
}

/** Columns of figures stand to the right, their heads too. */
function table(header: readonly string[], body: readonly (string | number)[][]): string {
  const isFigure = (cell: string | number | undefined): boolean =>
    typeof cell === "number" || /^\d{1,3}(,\d{3})*(\.\d+)?$/.test(cell ?? "");
  const isNumeric = (column: number): boolean =>
    body.length > 0 && body.every((row) => isFigure(row[column]));
  const lines = body.map((row) => {
    const cells = row.map((cell, column) => {
      const text = typeof cell === "number" ? formatCount(cell) : escapeHtml(cell);
      return isNumeric(column) ? `<td class="n">${text}</td>` : `<td>${text}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<div class="wide"><table>${tableHead(header, isNumeric)}<tbody>${
    lines.join("\n")
  }</tbody></table></div>`;
}
