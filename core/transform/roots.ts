/** Artefacts that stand for no single record: roots, the archive, the suite of ad hoc executions. @module */
import type { TestSuiteDraft } from "../ports/mod.ts";
import { cleanName } from "../text/mod.ts";
import type { ContainerDraft } from "./folders.ts";
import { Ledger } from "./ledger.ts";
import type { Scope } from "./scope.ts";
import { DraftFields, markerLine } from "./scope.ts";
import { setKey } from "./test_case.ts";
import { keySuffix } from "./test_cycle.ts";

/** Key of the suite of executions without cycle. */
export const ADHOC_KEY = "adhoc";
/** Name of the suite of executions without cycle. */
export const ADHOC_NAME = "Ad hoc executions";

export interface RootPlans {
  module: ContainerDraft;
  cycle: ContainerDraft;
  /** Holds placeholders; stands under the root module. */
  archivedModule: ContainerDraft;
  /** Holds runs of executions without cycle; stands under the root cycle. */
  adhocSuite: Omit<TestSuiteDraft, "parent" | "targetReleaseId">;
}

/** Plans the artefacts every project may need. */
export function planRoots(scope: Scope): RootPlans {
  const { projectKey, rootName } = scope.context;
  const name = cleanName(rootName).name;
  const root = { name, descriptionHtml: markerLine(scope, "project", projectKey) };
  const fields = new DraftFields(scope, "testSuite", new Ledger("testSuite", ADHOC_KEY), null);
  setKey(scope, fields, ADHOC_KEY);
  return {
    module: root,
    cycle: root,
    archivedModule: {
      name: "Archived",
      descriptionHtml: markerLine(scope, "archived", projectKey),
    },
    adhocSuite: {
      kind: "testSuite",
      name: `${ADHOC_NAME}${keySuffix(scope, ADHOC_KEY)}`,
      fields: fields.finish(),
    },
  };
}
