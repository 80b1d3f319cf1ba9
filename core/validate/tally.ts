/** What a validation pass counted, per kind. @module */
import type { ValidationSummary } from "../report/model.ts";

export function tallyNote(kind: string): string {
  return `validate/${kind}`;
}

export const NO_TALLY: ValidationSummary = {
  checked: 0,
  equal: 0,
  different: 0,
  missing: 0,
  extra: 0,
  duplicate: 0,
};
