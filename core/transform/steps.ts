/** The script of a case as steps of the target. @module */
import type { StepRecord, TestScript } from "../records/mod.ts";
import { keyNumber } from "../records/mod.ts";
import { escapeHtml, isBlankHtml, neutralize, plainToHtml } from "../text/mod.ts";
import { isEmptyValue } from "./fields_values.ts";
import type { Ledger } from "./ledger.ts";
import type { Scope } from "./scope.ts";
import { customHtml, richText } from "./scope.ts";

/** A step before its called case has a target id. */
export interface PlannedStep {
  descriptionHtml: string;
  expectedHtml: string;
  /** Key of the called case. */
  callKey: string | null;
}

/** An unset checkbox reads false, so false says nothing here. */
function isEmptyStep(step: StepRecord): boolean {
  return step.call === null && isBlankHtml(step.description) && isBlankHtml(step.testData) &&
    isBlankHtml(step.expectedResult) &&
    Object.values(step.customFields).every((value) => value === false || isEmptyValue(value));
}

/** Turns a script into steps, in order; an empty script and a lone empty step are none. */
export function planSteps(
  scope: Scope,
  caseKey: string,
  script: TestScript | null,
  ledger: Ledger,
): PlannedStep[] {
  const steps = stepsOf(scope, caseKey, script, ledger);
  if (!scope.context.emptyExpectedRefused) return steps;
  return steps.map((step, index) => fillEmpty(step, index + 1, ledger));
}

function stepsOf(
  scope: Scope,
  caseKey: string,
  script: TestScript | null,
  ledger: Ledger,
): PlannedStep[] {
  if (script === null || script.type === "none") return [];
  if (script.type === "steps") {
    const [first] = script.steps;
    if (script.steps.length === 1 && first !== undefined && isEmptyStep(first)) return [];
    return script.steps.map((step, index) => {
      const field = `step ${index + 1}`;
      return step.call === null
        ? ownStep(scope, step, field, ledger)
        : callStep(scope, caseKey, step.call, field, ledger);
    });
  }
  const text = script.text ?? "";
  if (script.type === "plain") {
    if (isBlankHtml(text)) return [];
    return [single(richText(scope, text, ledger, "script"))];
  }
  return text.trim() === "" ? [] : [single(neutralize(`<pre>${escapeHtml(text)}</pre>`))];
}

function single(descriptionHtml: string): PlannedStep {
  return { descriptionHtml, expectedHtml: "", callKey: null };
}

/** Test data has no slot in the target: a labelled paragraph after the description. */
export function withTestData(descriptionHtml: string, testDataHtml: string): string {
  return isBlankHtml(testDataHtml)
    ? descriptionHtml
    : `${descriptionHtml}<p><strong>Test data:</strong> ${testDataHtml}</p>`;
}

function ownStep(scope: Scope, step: StepRecord, field: string, ledger: Ledger): PlannedStep {
  const text = (html: string | null, part: string): string =>
    richText(scope, html, ledger, `${field} ${part}`);
  const description = withTestData(
    text(step.description, "description"),
    text(step.testData, "test data"),
  );
  const custom = Object.entries(step.customFields)
    .filter(([, value]) => !isEmptyValue(value))
    .map(([name, value]) => {
      const html = customHtml(scope, value, ledger, `${field} ${name}`);
      return `<p><strong>${neutralize(escapeHtml(name))}:</strong> ${html}</p>`;
    });
  return {
    descriptionHtml: description + custom.join(""),
    expectedHtml: text(step.expectedResult, "expected result"),
    callKey: null,
  };
}

/**
 * Only calls to lower keys stay calls: cases are made in the order of their keys, so the called one
 * is there by then and no ring of calls can arise.
 */
export function mayCall(caseKey: string, called: string): boolean {
  return called.replace(/-T\d+$/, "") === caseKey.replace(/-T\d+$/, "") &&
    keyNumber(called) < keyNumber(caseKey);
}

function callStep(
  scope: Scope,
  caseKey: string,
  call: NonNullable<StepRecord["call"]>,
  field: string,
  ledger: Ledger,
): PlannedStep {
  const parameters = call.parameters.map(({ name, value }) => `${name} = ${value ?? ""}`.trimEnd());
  const list = parameters.join(", ");
  const text = `Call to test ${call.key}${list === "" ? "" : ` (${list})`}`;
  const descriptionHtml = neutralize(`<p>${plainToHtml(text)}</p>`);
  if (mayCall(caseKey, call.key) && scope.context.isMigratedCase(call.key)) {
    // A called case has no slot for parameters, and targets may hide the text of such a step.
    if (list !== "") ledger.add(field, "call-parameters", list, text);
    return { descriptionHtml, expectedHtml: "", callKey: call.key };
  }
  ledger.add(field, "call-inlined", call.key, text);
  return { descriptionHtml, expectedHtml: "", callKey: null };
}

function fillEmpty(step: PlannedStep, number: number, ledger: Ledger): PlannedStep {
  if (step.callKey !== null) return step;
  const fill = (html: string, part: string): string => {
    if (html.trim() !== "") return html;
    ledger.add(`step ${number} ${part}`, "empty-expected", "", "-");
    return "-";
  };
  return {
    ...step,
    descriptionHtml: fill(step.descriptionHtml, "description"),
    expectedHtml: fill(step.expectedHtml, "expected result"),
  };
}
