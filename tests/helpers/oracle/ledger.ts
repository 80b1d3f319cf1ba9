/** The loss ledger: which records have which rule. @module */
import type { SimCase } from "../../../adapters/zephyr/simulator/mod.ts";
import { LOSS_RULES } from "../../../core/config/mod.ts";
import { inferKinds, labelOf } from "./fields.ts";
import { expectedSteps, priorityOf } from "./cases.ts";
import { absentLines } from "./lines.ts";
import { plannedFiles } from "./files.ts";
import { areStepLogs, readSteps } from "./runs.ts";
import { isRealCall, plansOf, type Scope, statusName, targetStatus } from "./scope.ts";
import { lostFolders } from "./structure.ts";
import { decode, pictures } from "./text.ts";

/** Rules and keys that must be in the ledger, and, for these rules, no others. */
export function checkLedger(scope: Scope): void {
  const expected = new Map<string, Set<string>>();
  const add = (rule: string, key: string | number): void => {
    expected.set(rule, (expected.get(rule) ?? new Set()).add(String(key)));
  };
  for (const rule of RULES) expected.set(rule, new Set());
  expectStructure(scope, add);
  expectCases(scope, add);
  expectExecutions(scope, add);
  for (const { file, place } of plannedFiles(scope)) {
    const isKept = scope.state.switches.filenamePercentDecoded ||
      /^[\x20-\x7e\xa0-\xff]*$/.test(file.name) && file.name.trim() === file.name;
    const key = `${file.owner.kind}/${file.owner.id}#${file.id}`;
    if (!isKept && typeof place !== "string") add("file-name-encoded", key);
    if (typeof place === "string") add(place, `${file.owner.kind}/${file.owner.id}#${file.id}`);
  }
  for (const { rule } of scope.losses) {
    if (!(rule in LOSS_RULES)) scope.findings.fail("losses", `no rule is called ${rule}`);
  }
  for (const [rule, keys] of expected) {
    const actual = new Set(
      scope.losses.filter((row) => row.rule === rule).map((row) => plainKey(row.key)),
    );
    scope.findings.same(`losses ${rule}`, [...actual].sort(), [...keys].map(plainKey).sort());
  }
}

const RULES = [
  "plan-folder",
  "extra-plan",
  "no-log",
  "old-version",
  "steps-in-note",
  "cycle-attachment",
  "no-log-attachment",
  "attachment-too-large",
  "issue-key-unknown",
  "archived-case",
  "missing-parent",
  "name-cut",
  "empty-expected",
  "call-inlined",
  "no-end-date",
  "executor-as-text",
  "label-taken",
  "image-unreachable",
  "not-included",
  "file-name-encoded",
  "status-merged",
  "priority-merged",
];

type Add = (rule: string, key: string | number) => void;

/** Step files are keyed by their step as well. */
function plainKey(key: string): string {
  return key.replace(/^((?:testStep|executionStep)\/[^/#]+)\/[^#]+#/, "$1#");
}

function expectStructure(scope: Scope, add: Add): void {
  const { lost, inLoops } = lostFolders(scope);
  for (const folder of scope.folders) {
    if (folder.folderType === "TEST_PLAN") add("plan-folder", folder.id);
    if (lost.has(folder.id)) add("missing-parent", folder.id);
  }
  // One folder of a loop goes under the root; which one is free.
  for (const row of scope.losses) {
    if (row.rule === "missing-parent" && inLoops.has(Number(row.key))) {
      add("missing-parent", row.key);
    }
  }
  const known = new Set(scope.folders.map((row) => row.id));
  const isLost = (id: number | null): boolean =>
    scope.settings.include.folders && id !== null && !known.has(id);
  for (const row of [...scope.cases.values(), ...scope.cycles, ...scope.plans]) {
    if (isLost(row.folderId)) add("missing-parent", row.key);
    if (decode(row.name).trim().length > 500) add("name-cut", row.key);
    if (scope.settings.include.links && hasUnknownIssue(scope, row)) {
      add("issue-key-unknown", row.key);
    }
  }
  const { include } = scope.settings;
  for (const row of [...scope.cases.values(), ...scope.cycles, ...scope.plans]) {
    const isLinked = row.issues.length + row.webLinks.length > 0;
    const isAbsent = absentLines(scope, row).length > 0;
    if (isAbsent || (isLinked && !include.links)) add("not-included", row.key);
  }
  for (const row of scope.cycles) if (plansOf(scope, row).length > 1) add("extra-plan", row.key);
  expectLabels(scope, add);
}

function expectLabels(scope: Scope, add: Add): void {
  const objects = [
    ["test-cases", "testCase", [...scope.cases.values()]],
    ["test-suites", "testSuite", scope.cycles],
    ["releases", "release", scope.plans],
  ] as const;
  for (const [objectType, kind, rows] of objects) {
    for (const name of inferKinds(scope, rows.map((row) => row.customFields)).keys()) {
      if (labelOf(scope, objectType, name) !== name) add("label-taken", `${kind}/${name}`);
    }
  }
}

function hasUnknownIssue(scope: Scope, row: { issues: { issueId: number }[] }): boolean {
  const requirements = [...scope.state.table("requirements").values()];
  return row.issues.some(({ issueId }) => {
    const key = scope.mapping.issues[String(issueId)];
    const isCase = "scriptKind" in row;
    return key === undefined ||
      (isCase && !requirements.some((item) => item.externalId === key));
  });
}

function expectCases(scope: Scope, add: Add): void {
  for (const key of scope.placeholders) add("archived-case", key);
  const refuses = scope.state.switches.emptyExpected === "refuse";
  for (const row of scope.cases.values()) {
    const steps = expectedSteps(scope, row);
    const isDashed = (step: { called: string | null; description: string; expected: string }) =>
      step.called === null && (step.description.trim() === "" || step.expected.trim() === "");
    if (refuses && steps.some(isDashed)) add("empty-expected", row.key);
    const calls = scope.dataset.script(row.key).steps.filter((step) => step.call !== null);
    if (calls.some((step) => !isRealCall(scope, row.key, step.call?.key ?? ""))) {
      add("call-inlined", row.key);
    }
    if (isPriorityLost(scope, row)) add("priority-merged", row.key);
    const values = Object.values(row.customFields).filter((value) => typeof value === "string");
    const texts = [row.objective, row.precondition, ...values];
    const stepTexts = steps.flatMap((step) => [step.description, step.expected]);
    if ([...texts, ...stepTexts].some((text) => pictures(text ?? "").length > 0)) {
      add("image-unreachable", row.key);
    }
  }
  for (const row of [...scope.cycles, ...scope.plans]) {
    const text = "description" in row ? row.description : row.objective;
    const values = Object.values(row.customFields).filter((value) => typeof value === "string");
    if ([text, ...values].some((html) => pictures(html ?? "").length > 0)) {
      add("image-unreachable", row.key);
    }
  }
}

const SAME: Record<string, string[]> = {
  Passed: ["pass", "passed"],
  Failed: ["fail", "failed"],
  Blocked: ["blocked"],
  Incomplete: ["in progress", "incomplete"],
  Unexecuted: ["not executed", "unexecuted"],
};

/** Whether a status keeps less of its name in the target than the source says. */
function isMerged(scope: Scope, statusId: number): boolean {
  const target = targetStatus(scope, statusId) ?? "Unexecuted";
  return !(SAME[target] ?? []).includes(statusName(scope, statusId).toLowerCase());
}

/** Priorities that share a label of the target with another one, and those nobody listed. */
function isPriorityLost(scope: Scope, row: SimCase): boolean {
  const name = scope.dataset.priorities.find((item) => item.id === row.priorityId)?.name ?? "";
  const label = priorityOf(scope, row.priorityId);
  const kept: Record<string, string> = {
    Highest: "Urgent",
    High: "High",
    Normal: "Medium",
    Low: "Low",
  };
  return label !== null && kept[name] !== label;
}

function expectExecutions(scope: Scope, add: Add): void {
  for (const row of scope.executions) {
    if (targetStatus(scope, row.statusId) === null) {
      add("no-log", row.id);
      continue;
    }
    const current = scope.cases.get(row.caseKey);
    if (current !== undefined && row.version < current.versionIds.length) {
      add("old-version", row.id);
    }
    if (!row.actualEndDate) add("no-end-date", row.id);
    if (row.executedById) add("executor-as-text", row.id);
    if (scope.settings.include.links && row.issues.length > 0 && hasUnknownIssue(scope, row)) {
      add("issue-key-unknown", row.id);
    }
    const isAbsent = row.cycleId !== null && !scope.settings.include.testCycles;
    if (isAbsent || (row.issues.length > 0 && !scope.settings.include.links)) {
      add("not-included", row.id);
    }
    const steps = readSteps(scope, row);
    const isLess = isMerged(scope, row.statusId) ||
      (areStepLogs(scope, row, steps) && steps.some((step) => isMerged(scope, step.statusId)));
    if (isLess) add("status-merged", row.id);
    const asTable = steps.length > 0 && !areStepLogs(scope, row, steps);
    if (asTable) add("steps-in-note", row.id);
    const stepTexts = steps.flatMap((step) => [
      step.description,
      step.testData,
      step.actualResult,
    ]);
    if ([row.comment, ...stepTexts].some((text) => pictures(text ?? "").length > 0)) {
      add("image-unreachable", row.id);
    }
  }
}
