/** Test runs, logs and step logs. @module */
import type { SimExecution, SimExecutionStep } from "../../../adapters/zephyr/simulator/mod.ts";
import type { QtestState } from "../../../adapters/qtest/simulator/mod.ts";
import { expectedSteps, referenceOf } from "./cases.ts";
import { isAdhoc, markedName } from "./containers.ts";
import { checkFields, isEmpty } from "./fields.ts";
import { type Line, linkLines } from "./lines.ts";
import { caseName, type Scope, statusName, targetStatus } from "./scope.ts";
import { escape, fold, richWithPictures } from "./text.ts";

type Run = NonNullable<ReturnType<QtestState["get"]>> & { kind: "test-runs" };
type Log = NonNullable<ReturnType<QtestState["get"]>> & { kind: "test-logs" };

/** Key of the run an execution belongs to: `KEY-R5/KEY-T1` or `adhoc/KEY-T1`. */
export function runKey(scope: Scope, row: SimExecution): string {
  const cycle = scope.cycles.find((item) => item.id === row.cycleId);
  return `${cycle?.key ?? "adhoc"}/${row.caseKey}`;
}

/** Checks all runs and logs, and that there are no others. */
export function checkRuns(scope: Scope, startedMs: number): void {
  const groups = new Map<string, SimExecution[]>();
  for (const row of scope.executions) {
    const key = runKey(scope, row);
    groups.set(key, [...groups.get(key) ?? [], row]);
  }
  for (const [key, rows] of groups) checkRun(scope, key, rows, startedMs);
  const { state, findings } = scope;
  findings.same("number of runs", state.table("test-runs").size, groups.size);
  const logged = scope.executions.filter((row) => targetStatus(scope, row.statusId) !== null);
  findings.same("number of logs", state.table("test-logs").size, logged.length);
}

function checkRun(scope: Scope, key: string, rows: SimExecution[], startedMs: number): void {
  const { findings, state } = scope;
  const [first] = rows;
  const run = state.get("test-runs", scope.idOf("testRun", key) ?? -1);
  if (first === undefined) return;
  if (run === undefined) return findings.fail(key, "is not there");
  findings.same(
    `${key} name`,
    run.name,
    markedName(scope, caseName(scope, first.caseKey), key),
  );
  const cycle = scope.cycles.find((item) => item.id === first.cycleId);
  const suite = scope.idOf("testSuite", isAdhoc(scope, first) ? "adhoc" : cycle?.key ?? "") ??
    scope.idOf("testSuite", String(cycle?.id));
  findings.same(`${key} suite`, [run.parentType, run.parentId], ["test-suite", suite ?? -1]);
  findings.same(`${key} case`, run.testCaseId, scope.idOf("testCase", first.caseKey) ?? -1);
  const version = state.get("test-cases", run.testCaseId)?.versions.at(-1);
  findings.same(`${key} version`, run.versionId, version?.id);
  checkFields(scope, key, { objectType: "test-runs", properties: run.properties }, {
    own: { "Zephyr Key": scope.settings.target.marker === "field" ? key : null },
    custom: {},
    kinds: new Map(),
  });
  const logged = rows.filter((row) => targetStatus(scope, row.statusId) !== null)
    .map((row) => ({ row, end: endOf(scope, row) }))
    .sort((a, b) => (a.end ?? Infinity) - (b.end ?? Infinity) || a.row.id - b.row.id);
  findings.same(
    `${key} logs in order`,
    run.logIds,
    logged.map(({ row }) => scope.idOf("testLog", String(row.id)) ?? -1),
  );
  for (const { row, end } of logged) checkLog(scope, run, row, { end, startedMs });
}

/** End of an execution in ms; null when the run's own time stands for it. */
export function endOf(scope: Scope, row: SimExecution): number | null {
  if (!isEmpty(row.actualEndDate)) return Date.parse(row.actualEndDate ?? "");
  const planned = scope.cycles.find((item) => item.id === row.cycleId)?.plannedEndDate;
  return isEmpty(planned) ? null : Date.parse(planned ?? "");
}

function checkLog(
  scope: Scope,
  run: Run,
  row: SimExecution,
  times: { end: number | null; startedMs: number },
): void {
  const { findings, state } = scope;
  const where = `execution ${row.id}`;
  const log = state.get("test-logs", scope.idOf("testLog", String(row.id)) ?? -1);
  if (log === undefined) return findings.fail(where, "has no log");
  findings.same(`${where} run`, log.runId, run.id);
  findings.same(`${where} version`, log.versionId, run.versionId);
  findings.same(
    `${where} status`,
    state.statuses.find((item) => item.id === log.statusId)?.name,
    targetStatus(scope, row.statusId),
  );
  if (times.end === null && !(log.endAt >= times.startedMs - 1000 && log.endAt <= Date.now())) {
    findings.fail(where, `ends at ${new Date(log.endAt).toISOString()}, not while the run worked`);
  }
  const end = times.end ?? log.endAt;
  findings.same(`${where} end`, log.endAt, Math.floor(end / 1000) * 1000);
  const start = Math.floor((end - (row.executionTime ?? 0)) / 1000) * 1000;
  findings.same(`${where} start`, log.startAt, start);
  checkNote(scope, where, row, log);
  checkStepLogs(scope, where, row, log);
}

/** Steps of an execution that this run reads; none when its settings leave them out. */
export function readSteps(scope: Scope, row: SimExecution): SimExecutionStep[] {
  const status = targetStatus(scope, row.statusId);
  switch (scope.settings.include.executionSteps) {
    case "none":
      return [];
    case "failed":
      return status === "Failed" ? scope.dataset.executionSteps(row) : [];
    case "executed":
      return status === null ? [] : scope.dataset.executionSteps(row);
    default:
      return scope.dataset.executionSteps(row);
  }
}

/** Whether the steps of an execution match the loaded case's one to one. */
export function areStepLogs(
  scope: Scope,
  row: SimExecution,
  steps: SimExecutionStep[],
): boolean {
  const testCase = scope.cases.get(row.caseKey);
  const own = testCase === undefined ? [] : expectedSteps(scope, testCase);
  // A call that became a line counts too: the executed steps are those of the other case.
  const calls = scope.dataset.script(row.caseKey).steps.some((step) => step.call !== null);
  return steps.length > 0 && own.length === steps.length && !calls &&
    steps.every((step) => step.dataRow === null);
}

function checkNote(scope: Scope, where: string, row: SimExecution, log: Log): void {
  const { findings, settings } = scope;
  let text = richWithPictures(log.note);
  const marker = `⟨p⟩zephyr:execution:${row.id}⟨/p⟩`;
  if (settings.target.marker !== "none") {
    if (!text.endsWith(marker)) return findings.fail(where, `note ends without marker: ${text}`);
    text = text.slice(0, -marker.length);
  } else if (text.includes("zephyr:")) findings.fail(where, "note has a marker");
  const comment = richWithPictures(row.comment ?? "");
  if (!text.startsWith(comment)) return findings.same(`${where} comment`, text, comment);
  text = text.slice(comment.length).trim();
  const steps = readSteps(scope, row);
  const table = text.indexOf("⟨table⟩");
  const hasTable = steps.length > 0 && !areStepLogs(scope, row, steps);
  findings.same(`${where} table`, table >= 0, hasTable);
  if (table >= 0) {
    checkTable(scope, `${where} table`, steps, text.slice(table));
    text = text.slice(0, table);
  }
  const found = Array.from(text.matchAll(/⟨p⟩(.*?)⟨\/p⟩/g), (match) => match[1] ?? "");
  findings.same(`${where} note`, text, found.map((line) => `⟨p⟩${line}⟨/p⟩`).join(""));
  const plain = noteLines(scope, row);
  findings.same(`${where} note`, found.slice(0, plain.length), plain);
  checkRest(scope, where, found.slice(plain.length), linkLines(scope, row));
}

/** People by the name the mapping file gives, the account id behind it. */
function nameOf(scope: Scope, account: string): string {
  const username = scope.mapping.users[account];
  return username === undefined ? account : `${username} (${account})`;
}

function noteLines(scope: Scope, row: SimExecution): string[] {
  const person = (id: string | null | undefined): string | null =>
    isEmpty(id) ? null : nameOf(scope, id ?? "");
  const cycle = scope.settings.include.testCycles ? null : row.cycleId;
  const environment = scope.dataset.environments.find((item) => item.id === row.environmentId);
  const lines: [string, unknown][] = [
    ["Executed by", person(row.executedById)],
    ["Assigned to", person(row.assignedToId)],
    ["Environment", environment?.name],
    ["Jira version", referenceOf(scope, "Jira version", row.jiraVersionId)],
    ["Automated", row.automated ? "yes" : null],
    ["Test cycle", cycle === null ? null : `test cycle ${cycle}`],
  ];
  // A value with a tag or line break comes from a multi-line field, which is HTML by definition.
  const custom = Object.entries(row.customFields).filter(([, value]) => !isEmpty(value))
    .map(([name, value]) => {
      const text = [value].flat().join(", ");
      const isHtml = typeof value === "string" && /[\r\n]|<\/?[a-z][^<>]*>/i.test(value);
      return richWithPictures(`${escape(name)}: ${isHtml ? text : escape(text)}`);
    });
  const plain = lines.filter(([, value]) => !isEmpty(value))
    .map(([name, value]) => fold(`${name}: ${value}`));
  return [...plain, ...custom];
}

function checkRest(scope: Scope, where: string, found: string[], lines: Line[]): void {
  scope.findings.same(`${where} number of link lines`, found.length, lines.length);
  lines.forEach((line, index) => {
    const is = found[index] ?? "";
    if (!line.every((part) => is.includes(part))) {
      scope.findings.fail(where, `link line is ${is}, should hold ${JSON.stringify(line)}`);
    }
  });
}

/** Every value of every row in order, whatever the layout between them. */
function checkTable(
  scope: Scope,
  where: string,
  steps: SimExecutionStep[],
  table: string,
): void {
  let at = 0;
  const expectNext = (text: string): void => {
    const next = table.indexOf(text, at);
    if (next < 0) return scope.findings.fail(where, `lacks ${text.slice(0, 300)}`);
    at = next + text.length;
  };
  for (const step of steps) {
    scope.findings.compared++;
    if (step.dataRow !== null) expectNext(`⟨td⟩${step.dataRow}⟨/td⟩`);
    expectNext(richWithPictures(step.description ?? ""));
    expectNext(richWithPictures(step.testData ?? ""));
    expectNext(`⟨td⟩${statusName(scope, step.statusId)}⟨/td⟩`);
    expectNext(richWithPictures(step.actualResult ?? ""));
  }
}

function checkStepLogs(scope: Scope, where: string, row: SimExecution, log: Log): void {
  const { findings, state } = scope;
  const steps = readSteps(scope, row);
  const expected = areStepLogs(scope, row, steps) ? steps : [];
  findings.same(`${where} number of step logs`, log.stepLogs.length, expected.length);
  const own = state.get("test-cases", scope.idOf("testCase", row.caseKey) ?? -1)?.versions
    .find((version) => version.id === log.versionId)?.steps ?? [];
  expected.forEach((step, index) => {
    const is = log.stepLogs[index];
    if (is === undefined) return;
    const at = `${where} step ${index + 1}`;
    findings.same(`${at} order`, [is.order, is.stepId], [index + 1, own[index]?.id]);
    findings.same(
      `${at} status`,
      state.statuses.find((item) => item.id === is.statusId)?.name,
      targetStatus(scope, step.statusId) ?? "Unexecuted",
    );
    findings.same(
      `${at} actual`,
      richWithPictures(is.actual),
      richWithPictures(step.actualResult ?? ""),
    );
  });
}
