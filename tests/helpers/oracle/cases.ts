/** Test cases with their steps, and placeholders. @module */
import type { SimCase, SimStep } from "../../../adapters/zephyr/simulator/mod.ts";
import { systemValue } from "./actual.ts";
import { checkFields, inferKinds, isEmpty, type Kind } from "./fields.ts";
import { absentLines, checkLines, linkLines, markerLine } from "./lines.ts";
import { accountOf, caseName, isRealCall, type Scope, statusName, userOf } from "./scope.ts";
import { placeOf, rootId } from "./structure.ts";
import { escape, richWithPictures } from "./text.ts";

type Target = NonNullable<ReturnType<Scope["state"]["get"]>>;

/** Checks every case, every placeholder, and that there are no others. */
export function checkCases(scope: Scope): void {
  const kinds = inferKinds(scope, [...scope.cases.values()].map((row) => row.customFields));
  for (const row of scope.cases.values()) checkCase(scope, row, kinds);
  const archive = scope.state.children("modules", "module", rootId(scope, "module"))
    .filter((row) => row.name === "Archived");
  scope.findings.same("module Archived", archive.length, scope.placeholders.size > 0 ? 1 : 0);
  for (const key of scope.placeholders) checkPlaceholder(scope, key, archive[0]?.id ?? -1);
  const total = scope.cases.size + scope.placeholders.size;
  scope.findings.same("number of cases", scope.state.table("test-cases").size, total);
}

function caseOf(
  scope: Scope,
  key: string,
): Extract<Target, { kind: "test-cases" }> | undefined {
  const found = scope.state.get("test-cases", scope.idOf("testCase", key) ?? -1);
  if (found === undefined) scope.findings.fail(key, "is not there");
  return found;
}

function checkCase(scope: Scope, row: SimCase, kinds: Map<string, Kind>): void {
  const { findings, settings } = scope;
  const target = caseOf(scope, row.key);
  const version = target?.versions.at(-1);
  if (target === undefined || version === undefined) return;
  const where = row.key;
  findings.same(`${where} name`, version.name, caseName(scope, row.key));
  findings.same(`${where} module`, target.parentId, placeOf(scope, "module", row.folderId));
  checkLines(scope, `${where} description`, version.description, {
    start: row.objective,
    lines: [...absentLines(scope, row), ...linkLines(scope, row), ...markerLine(scope, row.key)],
  });
  findings.same(
    `${where} precondition`,
    richWithPictures(version.precondition),
    richWithPictures(row.precondition ?? ""),
  );
  const user = userOf(scope, accountOf(row.owner));
  const system = (name: string): string | null =>
    systemValue(scope, "test-cases", target.properties, name);
  findings.same(`${where} Priority`, system("PriorityTestCase"), priorityOf(scope, row.priorityId));
  findings.same(
    `${where} Assigned To`,
    system("AssignedToTestCase"),
    user === null ? null : String(user),
  );
  findings.same(`${where} approved`, version.approved, settings.target.approve);
  checkFields(scope, where, { objectType: "test-cases", properties: target.properties }, {
    own: {
      "Zephyr Key": settings.target.marker === "field" ? row.key : null,
      "Zephyr Status": statusName(scope, row.statusId),
      Labels: row.labels.join(", "),
      Component: referenceOf(scope, "component", row.componentId),
      Owner: user === null ? accountOf(row.owner) : null,
      "Estimated Time (min)": typeof row.estimatedTime === "number"
        ? Math.round(row.estimatedTime / 600) / 100
        : null,
      "Zephyr Created": row.createdOn,
    },
    custom: row.customFields,
    kinds,
  });
  checkSteps(scope, row, version.steps);
}

/** What only Jira can name. */
export function referenceOf(
  scope: Scope,
  kind: string,
  id: number | null | undefined,
): string | null {
  if (id === null || id === undefined) return null;
  return scope.mapping.names[`${kind} ${id}`] ?? `${kind} ${id}`;
}

const PRIORITIES: Record<string, string[]> = {
  Critical: ["highest", "blocker", "critical"],
  High: ["high", "major"],
  Medium: ["normal", "medium"],
  Low: ["low", "minor"],
  Trivial: ["lowest", "trivial"],
};
const RANKS = [["Critical", "Urgent"], ["High"], ["Medium"], ["Low"], ["Trivial"]];

/** Label of the target for a priority of the source. */
export function priorityOf(scope: Scope, id: number): string | null {
  const name = scope.dataset.priorities.find((row) => row.id === id)?.name ?? "";
  const { priorities, defaults } = scope.mapping;
  const wanted = priorities[name] ??
    Object.entries(PRIORITIES).find(([, names]) => names.includes(name.toLowerCase()))?.[0] ??
    defaults.priority ?? null;
  const options = scope.state.fieldByName("test-cases", "PriorityTestCase")?.options ?? [];
  const offered = options.filter((row) => row.isActive).map((row) => row.label);
  if (wanted === null || offered.includes(wanted)) return wanted;
  const ranked = RANKS.flatMap((names) => names.filter((label) => offered.includes(label)));
  return (wanted === "Critical" ? ranked[0] : ranked.at(-1)) ?? null;
}

interface ExpectedStep {
  called: string | null;
  description: string;
  expected: string;
}

/** Steps of a case as the target should hold them. */
export function expectedSteps(scope: Scope, row: SimCase): ExpectedStep[] {
  const script = scope.dataset.script(row.key);
  if (script.kind !== "steps") {
    if (script.text === "") return [];
    const description = script.kind === "plain" ? script.text : `<pre>${escape(script.text)}</pre>`;
    return [{ called: null, description, expected: "" }];
  }
  if (script.steps.length === 1 && script.steps.every(isBlank)) return [];
  return script.steps.map((step) => expectedStep(scope, row, step));
}

function isBlank(step: SimStep): boolean {
  return step.call === null &&
    [step.description, step.testData, step.expectedResult].every(isEmpty) &&
    Object.values(step.customFields ?? {}).every((value) => value === false || isEmpty(value));
}

function expectedStep(scope: Scope, row: SimCase, step: SimStep): ExpectedStep {
  if (step.call !== null) {
    const { key, parameters } = step.call;
    const values = parameters.map(({ name, value }) => `${name} = ${value}`.trim()).join(", ");
    const text = `Call to test ${key}${values === "" ? "" : ` (${values})`}`;
    const called = isRealCall(scope, row.key, key) ? key : null;
    return { called, description: `<p>${escape(text).replaceAll("\n", "<br>")}</p>`, expected: "" };
  }
  const line = (label: string, html: string): string =>
    `<p><strong>${escape(label)}:</strong> ${html}</p>`;
  const lines = isEmpty(step.testData) ? [] : [line("Test data", step.testData ?? "")];
  for (const [name, value] of Object.entries(step.customFields ?? {})) {
    if (!isEmpty(value)) lines.push(line(name, escape([value].flat().join(", "))));
  }
  return {
    called: null,
    description: `${step.description ?? ""}${lines.join("")}`,
    expected: step.expectedResult ?? "",
  };
}

function checkSteps(
  scope: Scope,
  row: SimCase,
  actual: readonly { description: string; expected: string; calledTestCaseId: number | null }[],
): void {
  const { findings, state } = scope;
  const expected = expectedSteps(scope, row);
  findings.same(`${row.key} number of steps`, actual.length, expected.length);
  // What the tenant refuses when empty is a dash there.
  const dash = (html: string): string =>
    html.trim() === "" && state.switches.emptyExpected === "refuse" ? "-" : html;
  expected.forEach((should, index) => {
    const is = actual[index];
    if (is === undefined) return;
    const where = `${row.key} step ${index + 1}`;
    const called = should.called === null ? null : scope.idOf("testCase", should.called) ?? -1;
    findings.same(`${where} call`, is.calledTestCaseId, called);
    if (called !== null) {
      const text = richWithPictures(is.description);
      findings.same(`${where} call text`, text, richWithPictures(should.description));
      return;
    }
    for (const member of ["description", "expected"] as const) {
      findings.same(
        `${where} ${member}`,
        richWithPictures(is[member]),
        richWithPictures(dash(should[member])),
      );
    }
  });
}

function checkPlaceholder(scope: Scope, key: string, archive: number): void {
  const target = caseOf(scope, key);
  const version = target?.versions.at(-1);
  if (target === undefined || version === undefined) return;
  const { findings, settings } = scope;
  findings.same(`${key} name`, version.name, caseName(scope, key));
  findings.same(`${key} module`, target.parentId, archive);
  findings.same(`${key} steps`, version.steps.length, 0);
  findings.same(`${key} approved`, version.approved, settings.target.approve);
  checkFields(scope, key, { objectType: "test-cases", properties: target.properties }, {
    own: { "Zephyr Key": settings.target.marker === "field" ? key : null },
    custom: {},
    kinds: new Map(),
  });
}
