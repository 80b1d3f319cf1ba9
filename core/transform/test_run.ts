/** Test runs: one case planned once in a suite. @module */
import type { TestCycleRecord } from "../records/mod.ts";
import type { RunPlan } from "./types.ts";
import { nameOf } from "./folders.ts";
import { Ledger } from "./ledger.ts";
import { ADHOC_KEY } from "./roots.ts";
import type { Scope } from "./scope.ts";
import { DraftFields } from "./scope.ts";
import { placeholderName, setKey } from "./test_case.ts";
import { keySuffix } from "./test_cycle.ts";

/** `KEY-R5/KEY-T1`, `adhoc/KEY-T1`. */
export function runKey(cycle: Pick<TestCycleRecord, "key"> | null, caseKey: string): string {
  return `${cycle?.key ?? ADHOC_KEY}/${caseKey}`;
}

/**
 * Plans a run. `caseName` is the name as in the record (not decoded yet); undefined = the case is a
 * placeholder.
 */
export function planRun(
  scope: Scope,
  cycle: TestCycleRecord | null,
  caseName: string | null | undefined,
  caseKey: string,
): RunPlan {
  const key = runKey(cycle, caseKey);
  const ledger = new Ledger("testRun", key);
  const suffix = keySuffix(scope, key);
  const name = nameOf(
    caseName === undefined ? placeholderName(caseKey) : caseName,
    caseKey,
    ledger,
    suffix,
  );
  const fields = new DraftFields(scope, "testRun", ledger, null);
  setKey(scope, fields, key);
  return {
    draft: { kind: "testRun", name, fields: fields.finish() },
    losses: ledger.rows,
    links: 0,
  };
}
