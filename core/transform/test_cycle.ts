/** Test cycles become test suites. @module */
import type { TestCycleRecord } from "../records/mod.ts";
import { isBlankHtml, MARKERS } from "../text/mod.ts";
import type { CyclePlan } from "./types.ts";
import { homeOf, nameOf } from "./folders.ts";
import { Ledger } from "./ledger.ts";
import { linkLines } from "./links.ts";
import { compareIds } from "./references.ts";
import type { Scope } from "./scope.ts";
import { DraftFields, line, richText } from "./scope.ts";
import { commonFields, setKey } from "./test_case.ts";

/** Suffix of names of suites and runs, where markers are texts. */
export function keySuffix(scope: Scope, key: string): string {
  return scope.context.marker === "text" ? MARKERS.suffix(key) : "";
}

/** Plans a suite; its text holds the description, plans beyond the first, and links. */
export function planTestCycle(
  scope: Scope,
  record: TestCycleRecord,
  planIds: readonly string[],
): CyclePlan {
  const ledger = new Ledger("testCycle", record.key);
  const name = nameOf(record.name, record.key, ledger, keySuffix(scope, record.key));
  const home = homeOf(scope, record.folderId, "TEST_CYCLE", ledger);
  const fields = new DraftFields(scope, "testSuite", ledger, null);
  setKey(scope, fields, record.key);
  commonFields(scope, fields, record);
  plannedDates(fields, record);
  if (record.jiraVersionId !== null) {
    const version = scope.names.jira("Jira version", record.jiraVersionId);
    fields.own("Zephyr Version", "jiraVersion", { kind: "plain", value: version });
  }
  fields.custom(record.customFields);
  const plans = planLines(scope, planIds, ledger);
  const description = richText(scope, record.description, ledger, "description");
  const html = [
    description,
    home.excluded === null ? "" : line("Folder", home.excluded),
    ...plans.lines,
    linkLines(scope, record.links, ledger).html,
  ].join("");
  setDescription(fields, html);
  return {
    draft: { kind: "testSuite", name, fields: fields.finish() },
    parentKey: home.key,
    releaseKey: plans.releaseKey,
    losses: ledger.rows,
    links: record.links.length,
  };
}

function plannedDates(fields: DraftFields, record: TestCycleRecord): void {
  const { plannedStartDate: start, plannedEndDate: end } = record;
  if (start !== null) {
    const value = { kind: "plain", value: start } as const;
    fields.system("system:plannedStart", "Planned Start Date", "plannedStartDate", value);
  }
  if (end !== null) {
    const value = { kind: "plain", value: end } as const;
    fields.system("system:plannedEnd", "Planned End Date", "plannedEndDate", value);
  }
}

function setDescription(fields: DraftFields, html: string): void {
  if (isBlankHtml(html)) return;
  const value = { kind: "html", html } as const;
  if (fields.find("system:description") !== null) {
    fields.system("system:description", "Description", "description", value);
  } else fields.own("Zephyr Description", "description", value);
}

/** The first plan is the target release; the others are named in the text. */
function planLines(
  scope: Scope,
  planIds: readonly string[],
  ledger: Ledger,
): { releaseKey: string | null; lines: string[] } {
  const { plans, include } = scope.context;
  let releaseKey: string | null = null;
  const lines: string[] = [];
  for (const id of [...new Set(planIds)].sort(compareIds)) {
    const key = include.testPlans ? plans.get(id)?.key : undefined;
    if (key !== undefined && releaseKey === null) {
      releaseKey = key;
      continue;
    }
    const rule = key !== undefined
      ? "extra-plan"
      : include.testPlans
      ? "missing-parent"
      : "not-included";
    const text = key ?? `test plan ${id}`;
    ledger.add("testPlan", rule, key ?? id, text);
    lines.push(line("Test plan", text));
  }
  return { releaseKey, lines };
}
