import { assertEquals } from "@std/assert";
import { withDashes } from "../../core/load/refusals.ts";
import type { StepDraft, TestCaseDraft } from "../../core/ports/mod.ts";

function caseOf(steps: StepDraft[]): TestCaseDraft {
  return {
    kind: "testCase",
    parentId: "10",
    name: "Log in",
    order: null,
    descriptionHtml: "",
    preconditionHtml: "",
    steps,
    fields: [],
    attachments: [],
  };
}

function step(descriptionHtml: string, expectedHtml: string, called: string | null): StepDraft {
  return { descriptionHtml, expectedHtml, calledTestCaseId: called };
}

Deno.test("withDashes() fills texts of white space alone, and leaves called cases as they are", () => {
  const draft = withDashes(caseOf([step("  ", "<br>", null), step("Call", "", "5")]));
  assertEquals(draft?.kind === "testCase" && draft.steps, [
    step("-", "<br>", null),
    step("Call", "", "5"),
  ]);
});

Deno.test("withDashes() has nothing to offer, when no text of the case's own is empty", () => {
  assertEquals(withDashes(caseOf([step("do", "see", null), step("", "", "5")])), null);
});
