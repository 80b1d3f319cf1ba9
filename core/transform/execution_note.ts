/** The note of a test log: everything of an execution that has no slot. @module */
import type { ExecutionRecord, ExecutionStepRecord } from "../records/mod.ts";
import { MARKERS } from "../text/mod.ts";
import { isEmptyValue } from "./fields_values.ts";
import type { Ledger } from "./ledger.ts";
import { linkLines } from "./links.ts";
import type { Scope } from "./scope.ts";
import { customHtml, htmlLine, line, richText } from "./scope.ts";
import { plainToHtml } from "../text/mod.ts";
import { withTestData } from "./steps.ts";

function personLines(scope: Scope, record: ExecutionRecord, ledger: Ledger): string[] {
  const lines: string[] = [];
  if (record.executedById !== null) {
    const text = scope.names.userText(record.executedById);
    ledger.add("executedBy", "executor-as-text", record.executedById, `Executed by: ${text}`);
    lines.push(line("Executed by", text));
  }
  if (record.assignedToId !== null) {
    lines.push(line("Assigned to", scope.names.userText(record.assignedToId)));
  }
  return lines;
}

function placeLines(scope: Scope, record: ExecutionRecord, ledger: Ledger): string[] {
  const lines: string[] = [];
  if (record.environmentId !== null) {
    lines.push(line("Environment", scope.names.lookup("environment", record.environmentId)));
  }
  if (record.jiraVersionId !== null) {
    lines.push(line("Jira version", scope.names.jira("Jira version", record.jiraVersionId)));
  }
  if (record.automated) lines.push(line("Automated", "yes"));
  if (record.cycleId !== null && !scope.context.include.testCycles) {
    const text = `test cycle ${record.cycleId}`;
    ledger.add("testCycle", "not-included", record.cycleId, text);
    lines.push(line("Test cycle", text));
  }
  return lines;
}

/** Builds the note: comment, lines, links, a table of steps where there are no step logs, marker. */
export function noteOf(
  scope: Scope,
  record: ExecutionRecord,
  tableSteps: ExecutionStepRecord[] | null,
  ledger: Ledger,
): string {
  const comment = richText(scope, record.comment, ledger, "comment");
  const custom = Object.entries(record.customFields)
    .filter(([, value]) => !isEmptyValue(value))
    .map(([name, value]) => htmlLine(name, customHtml(scope, value, ledger, name)));
  return [
    comment,
    ...personLines(scope, record, ledger),
    ...placeLines(scope, record, ledger),
    ...custom,
    linkLines(scope, record.links, ledger).html,
    tableSteps === null ? "" : stepTable(scope, tableSteps, ledger),
    scope.context.marker === "none" ? "" : MARKERS.line("execution", record.id),
  ].join("");
}

/** Steps as a table: data row, step, status, actual result. */
function stepTable(scope: Scope, steps: ExecutionStepRecord[], ledger: Ledger): string {
  const cell = (html: string): string => `<td>${html}</td>`;
  let ordinal = 0;
  let dataRow: number | null = null;
  const rows = steps.map((step) => {
    ordinal = step.dataRow === dataRow ? ordinal + 1 : 1;
    dataRow = step.dataRow;
    const text = (html: string | null, part: string): string =>
      richText(scope, html, ledger, `step ${ordinal} ${part}`);
    const description = withTestData(
      text(step.description, "description"),
      text(step.testData, "test data"),
    );
    const status = step.statusId === null ? "" : scope.names.lookup("status", step.statusId);
    return `<tr>${cell(step.dataRow === null ? "" : String(step.dataRow))}${
      cell(`${ordinal}. ${description}`)
    }${cell(plainToHtml(status))}${cell(text(step.actualResult, "actual result"))}</tr>`;
  });
  const head = ["Row", "Step", "Status", "Actual result"].map((name) => `<th>${name}</th>`).join(
    "",
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
