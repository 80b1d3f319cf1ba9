/** Test cases, and placeholders for cases that cannot be read. @module */
import type { TestCaseRecord, TestScript } from "../records/mod.ts";
import { MARKERS } from "../text/mod.ts";
import { automationValues } from "./automation.ts";
import type { CasePlan } from "./types.ts";
import { homeOf, nameOf } from "./folders.ts";
import { Ledger } from "./ledger.ts";
import { linkLines } from "./links.ts";
import { isPriorityMerged, priorityRule } from "./priorities.ts";
import type { Scope } from "./scope.ts";
import { DraftFields, line, richText } from "./scope.ts";
import { planSteps } from "./steps.ts";

const MS_PER_MINUTE = 60_000;

/** The key as a field, where markers are fields. */
export function setKey(scope: Scope, fields: DraftFields, key: string): void {
  if (scope.context.marker !== "field") return;
  fields.own("Zephyr Key", "key", { kind: "plain", value: key });
}

/** What bulk logs find the case by. */
function setAutomation(scope: Scope, fields: DraftFields, key: string): void {
  for (const { field, value } of automationValues(scope.context, key)) fields.set(field, value);
}

/** The key as the last line of a description, where markers are texts. */
export function keyLine(scope: Scope, kind: "testCase" | "testPlan", key: string): string {
  return scope.context.marker === "text" ? MARKERS.line(kind, key) : "";
}

/** Status, owner and labels, alike for cases, cycles and plans. */
export function commonFields(
  scope: Scope,
  fields: DraftFields,
  record: { statusId: string | null; ownerId: string | null; labels?: string[] },
): void {
  if (record.statusId !== null) {
    const name = scope.names.lookup("status", record.statusId);
    fields.own("Zephyr Status", "status", { kind: "plain", value: name });
  }
  if (record.labels !== undefined && record.labels.length > 0) {
    fields.own("Labels", "labels", { kind: "plain", value: record.labels.join(", ") });
  }
  if (record.ownerId === null || record.ownerId === "") return;
  const assigned = fields.find("system:assignedTo");
  const user = scope.names.user(record.ownerId);
  if (assigned !== null && user !== null) {
    fields.set(assigned, { type: "users", ids: [user.id] });
  } else fields.own("Owner", "owner", { kind: "account", id: record.ownerId });
}

function setPriority(
  scope: Scope,
  fields: DraftFields,
  record: TestCaseRecord,
  ledger: Ledger,
): void {
  if (record.priorityId === null) return;
  const name = scope.names.lookup("priority", record.priorityId);
  const field = fields.find("system:priority");
  if (field === null) {
    fields.system("system:priority", "Priority", "priority", { kind: "plain", value: name });
    return;
  }
  const allowed = field.options.map((option) => option.label);
  const rule = priorityRule(scope.context.mapping, name, allowed);
  if (rule.label !== null) {
    fields.set(field, { type: "options", labels: [rule.label] });
    if (isPriorityMerged(name, rule.label)) {
      ledger.add("priority", "priority-merged", name, rule.label);
    }
  } else ledger.add("priority", "priority-unmapped", name, null);
}

function caseFields(
  scope: Scope,
  fields: DraftFields,
  record: TestCaseRecord,
  ledger: Ledger,
): void {
  setKey(scope, fields, record.key);
  setAutomation(scope, fields, record.key);
  setPriority(scope, fields, record, ledger);
  commonFields(scope, fields, record);
  if (record.componentId !== null) {
    const name = scope.names.jira("component", record.componentId);
    fields.own("Component", "component", { kind: "plain", value: name });
  }
  if (record.estimatedTimeMs !== null) {
    const minutes = Math.round(record.estimatedTimeMs / MS_PER_MINUTE * 100) / 100;
    fields.own("Estimated Time (min)", "estimatedTime", { kind: "plain", value: minutes });
  }
  if (record.createdOn !== null) {
    fields.own("Zephyr Created", "createdOn", { kind: "plain", value: record.createdOn });
  }
  fields.custom(record.customFields);
}

/** Plans a case with its steps. */
export function planCase(
  scope: Scope,
  record: TestCaseRecord,
  script: TestScript | null,
): CasePlan {
  const ledger = new Ledger("testCase", record.key);
  const name = nameOf(record.name, record.key, ledger);
  const home = homeOf(scope, record.folderId, "TEST_CASE", ledger);
  const objective = richText(scope, record.objective, ledger, "objective");
  const preconditionHtml = richText(scope, record.precondition, ledger, "precondition");
  const fields = new DraftFields(scope, "testCase", ledger, "line of the description");
  caseFields(scope, fields, record, ledger);
  const drafted = fields.finish();
  const links = linkLines(scope, record.links, ledger);
  const descriptionHtml = [
    objective,
    home.excluded === null ? "" : line("Folder", home.excluded),
    ...fields.lines,
    links.html,
    keyLine(scope, "testCase", record.key),
  ].join("");
  return {
    draft: {
      kind: "testCase",
      name,
      order: null,
      descriptionHtml,
      preconditionHtml,
      steps: planSteps(scope, record.key, script, ledger),
      fields: drafted,
    },
    parentKey: home.key,
    requirementKeys: links.issueKeys,
    losses: ledger.rows,
    links: record.links.length,
  };
}

/** Name of the case that stands in for one that cannot be read. */
export function placeholderName(key: string): string {
  return `${key} (archived in Zephyr)`;
}

/** Plans the stand-in for a case that executions name but that cannot be read. */
export function planPlaceholder(scope: Scope, key: string): CasePlan {
  const ledger = new Ledger("testCase", key);
  const name = placeholderName(key);
  ledger.add("testCase", "archived-case", key, name);
  const fields = new DraftFields(scope, "testCase", ledger, "line of the description");
  setKey(scope, fields, key);
  setAutomation(scope, fields, key);
  return {
    draft: {
      kind: "testCase",
      name,
      order: null,
      descriptionHtml: keyLine(scope, "testCase", key),
      preconditionHtml: "",
      steps: [],
      fields: fields.finish(),
    },
    parentKey: "archived",
    requirementKeys: [],
    losses: ledger.rows,
    links: 0,
  };
}
