/** Releases and suites. @module */
import type { SimCycle, SimPlan } from "../../../adapters/zephyr/simulator/mod.ts";
import { systemValue } from "./actual.ts";
import { referenceOf } from "./cases.ts";
import { checkFields, inferKinds, isEmpty, type Kind, ownDescription } from "./fields.ts";
import { absentLines, checkLines, type Line, linkLines, markerLine } from "./lines.ts";
import { accountOf, plainName, plansOf, type Scope, statusName, userOf } from "./scope.ts";
import { placeOf, rootId } from "./structure.ts";

/** Checks releases and suites, and that there are no others. */
export function checkContainers(scope: Scope): void {
  const planKinds = inferKinds(scope, scope.plans.map((row) => row.customFields));
  for (const row of scope.plans) checkRelease(scope, row, planKinds);
  const cycleKinds = inferKinds(scope, scope.cycles.map((row) => row.customFields));
  for (const row of scope.cycles) checkSuite(scope, row, cycleKinds);
  const { state, findings } = scope;
  const releases = [...state.table("releases").values()].filter((row) => !row.closed);
  findings.same("number of releases", releases.length, scope.plans.length);
  const adhoc = scope.executions.some((row) => isAdhoc(scope, row)) ? 1 : 0;
  findings.same("number of suites", state.table("test-suites").size, scope.cycles.length + adhoc);
  const suites = state.children("test-suites", "test-cycle", rootId(scope, "testCycle"));
  findings.same(
    "suite of ad hoc executions",
    suites.filter((row) => row.name.startsWith("Ad hoc executions")).length,
    adhoc,
  );
}

/** Whether an execution has no cycle that is moved. */
export function isAdhoc(scope: Scope, row: { cycleId: number | null }): boolean {
  return !scope.cycles.some((cycle) => cycle.id === row.cycleId);
}

/** A name that carries its key at the end, for `marker: "text"`. */
export function markedName(scope: Scope, name: string, key: string): string {
  if (scope.settings.target.marker !== "text") return name;
  const mark = ` [${key}]`;
  return `${name.slice(0, 500 - mark.length)}${mark}`;
}

function checkRelease(scope: Scope, row: SimPlan, kinds: Map<string, Kind>): void {
  const { findings } = scope;
  const target = scope.state.get("releases", scope.idOf("release", String(row.id)) ?? -1) ??
    scope.state.get("releases", scope.idOf("release", row.key) ?? -1);
  if (target === undefined) return findings.fail(row.key, "is not there");
  findings.same(`${row.key} name`, target.name, plainName(row.name));
  checkLines(scope, `${row.key} description`, target.description, {
    start: row.objective,
    lines: [
      ...folderPath(scope, row.folderId),
      ...absentLines(scope, row),
      ...linkLines(scope, row),
      ...markerLine(scope, row.key),
    ],
  });
  checkFields(scope, row.key, { objectType: "releases", properties: target.properties }, {
    own: {
      "Zephyr Key": scope.settings.target.marker === "field" ? row.key : null,
      "Zephyr Status": statusName(scope, row.statusId),
      Labels: row.labels.join(", "),
      // Releases have no system field for a person.
      Owner: accountOf(row.owner),
    },
    custom: row.customFields,
    kinds,
  });
}

function folderPath(scope: Scope, folderId: number | null): Line[] {
  if (folderId === null || !scope.settings.include.folders) return [];
  const names: string[] = [];
  const byId = new Map(scope.folders.map((row) => [row.id, row]));
  for (
    let at = byId.get(folderId);
    at !== undefined && names.length < 20;
    at = byId.get(at.parentId ?? -1)
  ) {
    names.unshift(plainName(at.name));
  }
  return [names];
}

function checkSuite(scope: Scope, row: SimCycle, kinds: Map<string, Kind>): void {
  const { findings, state } = scope;
  const target = state.get("test-suites", scope.idOf("testSuite", String(row.id)) ?? -1) ??
    state.get("test-suites", scope.idOf("testSuite", row.key) ?? -1);
  if (target === undefined) return findings.fail(row.key, "is not there");
  const where = row.key;
  findings.same(`${where} name`, target.name, markedName(scope, plainName(row.name), row.key));
  findings.same(
    `${where} parent`,
    [target.parentType, target.parentId],
    ["test-cycle", placeOf(scope, "testCycle", row.folderId)],
  );
  const [first, ...further] = plansOf(scope, row);
  const release = first === undefined
    ? null
    : scope.idOf("release", String(first.id)) ?? scope.idOf("release", first.key) ?? -1;
  findings.same(`${where} release`, target.targetReleaseId, release);
  const system = (name: string): string | null =>
    systemValue(scope, "test-suites", target.properties, name);
  const user = userOf(scope, accountOf(row.owner));
  findings.same(
    `${where} Assigned To`,
    system("AssignedToTestSuite"),
    user === null ? null : String(user),
  );
  for (
    const [name, date] of [
      ["PlannedStartDateTestSuite", row.plannedStartDate],
      ["PlannedEndDateTestSuite", row.plannedEndDate],
    ] as const
  ) {
    const value = system(name);
    findings.same(
      `${where} ${name}`,
      value === null ? null : Date.parse(value),
      isEmpty(date) ? null : Date.parse(date ?? ""),
    );
  }
  checkSuiteTexts(scope, row, target.properties, kinds, further);
}

function checkSuiteTexts(
  scope: Scope,
  row: SimCycle,
  properties: Map<number, string | number[]>,
  kinds: Map<string, Kind>,
  further: SimPlan[],
): void {
  const lines: Line[] = [
    ...further.map((plan) => [plan.key]),
    ...absentLines(scope, row),
    ...linkLines(scope, row),
  ];
  const { html, rest } = ownDescription(scope, properties);
  checkLines(scope, `${row.key} Zephyr Description`, html, { start: row.description, lines });
  const user = userOf(scope, accountOf(row.owner));
  checkFields(scope, row.key, { objectType: "test-suites", properties: rest }, {
    own: {
      "Zephyr Key": scope.settings.target.marker === "field" ? row.key : null,
      "Zephyr Status": statusName(scope, row.statusId),
      "Zephyr Version": referenceOf(scope, "Jira version", row.jiraVersionId),
      Owner: user === null ? accountOf(row.owner) : null,
    },
    custom: row.customFields,
    kinds,
  });
}
