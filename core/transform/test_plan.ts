/** Test plans become releases. @module */
import type { TestPlanRecord } from "../records/mod.ts";
import type { PlanPlan } from "./types.ts";
import { folderPath, homeOf, nameOf } from "./folders.ts";
import { Ledger } from "./ledger.ts";
import { linkLines } from "./links.ts";
import { compareIds } from "./references.ts";
import type { Scope } from "./scope.ts";
import { DraftFields, line, richText } from "./scope.ts";
import { commonFields, keyLine, setKey } from "./test_case.ts";

/** Plans a release: objective, then lines for folder path, what has no field, and links. */
export function planTestPlan(scope: Scope, record: TestPlanRecord): PlanPlan {
  const ledger = new Ledger("testPlan", record.key);
  const name = nameOf(record.name, record.key, ledger);
  const objective = richText(scope, record.objective, ledger, "objective");
  const home = homeOf(scope, record.folderId, "TEST_PLAN", ledger);
  const path = home.folder === null ? null : folderPath(scope, home.folder).join(" / ");
  const folder = path ?? home.excluded;
  const fields = new DraftFields(scope, "release", ledger, "line of the description");
  setKey(scope, fields, record.key);
  commonFields(scope, fields, record);
  fields.custom(record.customFields);
  const drafted = fields.finish();
  const links = linkLines(scope, record.links, ledger);
  return {
    draft: {
      kind: "release",
      name,
      descriptionHtml: [
        objective,
        folder === null ? "" : line("Folder", folder),
        links.html,
        ...fields.lines,
        ...excludedCycles(scope, record, ledger),
        keyLine(scope, "testPlan", record.key),
      ].join(""),
      fields: drafted,
    },
    losses: ledger.rows,
    links: record.links.length,
  };
}

/** Without cycles in the run, the plan's links to them stay as text. */
function excludedCycles(scope: Scope, record: TestPlanRecord, ledger: Ledger): string[] {
  if (scope.context.include.testCycles) return [];
  return [...record.cycleIds].sort(compareIds).map((id) => {
    const text = `test cycle ${id}`;
    ledger.add("testCycle", "not-included", id, text);
    return line("Test cycle", text);
  });
}
