/** Comparison of the steps of test cases. @module */
import type { FoundStep, StepDraft } from "../ports/mod.ts";
import type { Difference } from "./compare_text.ts";
import { compareHtml, compareIdentity, difference } from "./compare_text.ts";

/** Compares steps in order: number, texts, called case. Null = the route did not tell. */
export function compareSteps(
  expected: readonly StepDraft[],
  found: readonly FoundStep[] | null,
): Difference[] {
  if (found === null) return [];
  if (expected.length !== found.length) {
    return [difference("steps", String(expected.length), String(found.length))];
  }
  const actual = [...found].sort((a, b) => a.order - b.order);
  return expected.flatMap((step, index) => {
    const other = actual[index];
    return other === undefined ? [] : compareStep(`step ${index + 1}`, step, other);
  });
}

function compareStep(name: string, expected: StepDraft, actual: FoundStep): Difference[] {
  const called = compareIdentity(
    `${name} called case`,
    expected.calledTestCaseId,
    actual.calledTestCaseId,
  );
  // The text of a call is the target's own affair.
  if (expected.calledTestCaseId !== null) return called;
  return [
    ...called,
    ...compareHtml(`${name} description`, expected.descriptionHtml, actual.descriptionHtml),
    ...compareHtml(`${name} expected`, expected.expectedHtml, actual.expectedHtml),
  ];
}
