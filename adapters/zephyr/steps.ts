/** Rows of the two step lists → canonical steps, and the body of the script route. @module */
import type { ExecutionStepRecord, StepRecord, TestScript } from "../../core/records/mod.ts";
import {
  asArray,
  asObject,
  decodePart,
  pathOf,
  toCustomFields,
  toId,
  toNumber,
  toRefId,
  toText,
} from "./values.ts";

/** Reads a step of a case: own text, or a call whose `inline` is null. Throws when it is neither. */
export function toStep(row: unknown): StepRecord {
  const step = asObject(row);
  if (step === null) throw new TypeError("step is no object");
  const inline = asObject(step.inline) ?? {};
  return {
    id: toId(step.id),
    description: toText(inline.description),
    testData: toText(inline.testData),
    expectedResult: toText(inline.expectedResult),
    customFields: toCustomFields(inline.customFields),
    call: toCall(step.testCase),
  };
}

function toCall(value: unknown): StepRecord["call"] {
  const called = asObject(value);
  if (called === null) return null;
  const part = /\/testcases\/([^/]+)/.exec(pathOf(called.self))?.[1];
  const key = toId(called.testCaseKey) ?? (part === undefined ? null : decodePart(part));
  if (key === null) throw new TypeError("testCase.testCaseKey: the called case has no key");
  return { key, parameters: asArray(called.parameters).flatMap(toParameter) };
}

function toParameter(value: unknown): { name: string; value: string | null }[] {
  const parameter = asObject(value);
  const name = toText(parameter?.name);
  return parameter === null || name === null ? [] : [{ name, value: toText(parameter.value) }];
}

/** Reads a step of an execution. Throws when the row is no object. */
export function toExecutionStep(row: unknown): ExecutionStepRecord {
  const step = asObject(row);
  if (step === null) throw new TypeError("step is no object");
  const inline = asObject(step.inline) ?? {};
  return {
    id: toId(step.id),
    description: toText(inline.description),
    testData: toText(inline.testData),
    expectedResult: toText(inline.expectedResult),
    actualResult: toText(inline.actualResult),
    dataRow: toNumber(inline.testDataRowNumber),
    statusId: toRefId(inline.status),
  };
}

/** Reads the body of the script route, `{type: "plain"|"bdd", text}`. */
export function toScript(body: unknown): TestScript {
  const script = asObject(body) ?? {};
  const text = toText(script.text);
  const type = (toText(script.type) ?? "").toLowerCase();
  if (type === "bdd") return { type: "bdd", text, steps: [] };
  return { type: type === "" && text === null ? "none" : "plain", text, steps: [] };
}
