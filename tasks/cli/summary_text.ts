/** The summary of a run for people. @module */
import { LOSS_RULES } from "../../core/config/mod.ts";
import { PHASES } from "../../core/ports/mod.ts";
import { RECORD_KINDS } from "../../core/records/mod.ts";
import { formatCount, formatDuration, formatRate } from "../../core/report/format.ts";
import {
  COUNT_COLUMNS,
  countRows,
  recordsOfPhase,
  type Summary,
  WITHOUT_TARGET,
} from "../../core/report/model.ts";
import { EXIT_MEANINGS } from "./help.ts";
import { type Painter, table } from "./style.ts";

/** Renders counts, artefacts, requests, validation, losses, files and the next step. */
export function summaryText(summary: Summary, paint: Painter): string {
  const parts = [
    headline(summary, paint),
    countsTable(summary),
    artefacts(summary),
    requestsTable(summary),
    validation(summary, paint) + findings(summary),
    losses(summary),
    files(summary),
    summary.next === null ? "" : `Next: ${summary.next}\n`,
  ];
  return `${parts.filter((part) => part !== "").join("\n")}`;
}

function headline(summary: Summary, paint: Painter): string {
  const { runId, state, exitCode, durationMs, phases } = summary;
  const meaning = EXIT_MEANINGS.find(([code]) => code === exitCode)?.[1] ?? "";
  const colour = exitCode === 0 ? "green" : exitCode === 3 || exitCode >= 5 ? "yellow" : "red";
  const times = PHASES.filter((phase) => phases[phase].durationMs > 0)
    .map((phase) => {
      const { durationMs } = phases[phase];
      const rate = recordsOfPhase(summary, phase) * 1_000 / durationMs;
      return `${phase} ${formatDuration(durationMs)} at ${formatRate(rate)}/s`;
    });
  const detail = times.length === 0 ? "" : ` (${times.join(", ")})`;
  return `${paint("bold", `Run ${runId}`)}: ${paint(colour, state)} in ${
    formatDuration(durationMs)
  }${detail}\nExit code ${exitCode}: ${meaning}\n`;
}

function countsTable({ counts }: Summary): string {
  const kinds = RECORD_KINDS.filter((kind) => counts[kind].extracted > 0);
  if (kinds.length === 0) return "Nothing was extracted.\n";
  const hasGaps = kinds.some((kind) => counts[kind].withoutTarget > 0);
  const note = hasGaps ? `Without target: ${WITHOUT_TARGET}; the losses below say why.\n` : "";
  return table(COUNT_COLUMNS, countRows(counts, kinds)) + note;
}

function artefacts(summary: Summary): string {
  const made = Object.entries(summary.artefacts).filter(([, n]) => n > 0);
  if (made.length === 0) return "";
  return `Created in the target: ${
    made.map(([kind, n]) => `${formatCount(n)} ${kind}`).join(", ")
  }\n`;
}

function requestsTable({ requests }: Summary): string {
  return table(
    ["Requests", "Sent", "Minimum", "Retried", "Rate limited", "Peak per minute"],
    (["source", "target"] as const).map((system) => {
      const r = requests[system];
      return [system, r.total, r.minimum, r.retried, r.rateLimited, r.peakPerMinute];
    }),
  );
}

function validation({ validation: v, phases }: Summary, paint: Painter): string {
  if (phases.validate.state !== "done" && v.checked === 0) return "";
  const problems = (["different", "missing", "extra", "duplicate"] as const)
    .filter((name) => v[name] > 0)
    .map((name) => `${formatCount(v[name])} ${name}`);
  const result = problems.length === 0
    ? paint("green", "no differences")
    : paint("red", problems.join(", "));
  return `Validation: ${formatCount(v.checked)} compared, ${
    formatCount(v.equal)
  } equal, ${result}\n`;
}

const FINDINGS = [["critical", "critical"], ["error", "error"], ["warning", "warning"], [
  "info",
  "note",
]] as const;

/** Notes and warnings of the checks; what was set aside has a column of its own. */
function findings({ issues }: Summary): string {
  const counts = FINDINGS.flatMap(([level, word]) => {
    const n = issues.filter((issue) => issue.level === level)
      .reduce((sum, { count }) => sum + count, 0);
    if (n === 0) return [];
    return [`${formatCount(n)} ${word}${n === 1 || word === "critical" ? "" : "s"}`];
  });
  return counts.length === 0 ? "" : `Findings: ${counts.join(", ")}; the report lists them\n`;
}

function losses(summary: Summary): string {
  const list = Object.entries(summary.losses).filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a);
  return list.length === 0 ? "" : lossTable("Loss rule", list);
}

/** Losses with what each rule means: its name alone tells few people anything. */
export function lossTable(title: string, losses: readonly (readonly [string, number])[]): string {
  const meaning = (rule: string): string =>
    Object.hasOwn(LOSS_RULES, rule) ? LOSS_RULES[rule] ?? "" : "";
  return table(
    [title, "Count", "Meaning"],
    losses.map(([rule, count]) => [rule, count, meaning(rule)]),
  );
}

function files({ files: { report, redirects, database } }: Summary): string {
  const lines = [["Report", report], ["Redirects", redirects], ["Database", database]]
    .filter(([, path]) => path !== null)
    .map(([name, path]) => `${`${name}:`.padEnd(11)}${path}\n`);
  return lines.join("");
}
