/** Comparison of test logs. @module */
import type { Found, FoundLog, TestLogDraft } from "../ports/mod.ts";
import { isBlankHtml } from "../text/mod.ts";
import type { Difference } from "./compare_text.ts";
import { compareHtml, compareIdentity, difference } from "./compare_text.ts";

function compareInstant(field: string, expected: string, actual: string | null): Difference[] {
  const [a, b] = [Date.parse(expected), Date.parse(actual ?? "")];
  return Math.floor(a / 1000) === Math.floor(b / 1000)
    ? []
    : [difference(field, expected, actual ?? "")];
}

/** Compares status, times, note, run, and step logs where the route told of them. */
export function compareLog(expected: TestLogDraft, found: Found): Difference[] {
  const { log } = found;
  if (log === null) return [difference("log", "a test log", "")];
  return [
    ...(found.parentId === null ? [] : compareIdentity("run", expected.runId, found.parentId)),
    ...compareIdentity("status", expected.statusId, log.statusId),
    ...compareInstant("start", expected.start, log.start),
    ...compareInstant("end", expected.end, log.end),
    ...compareHtml("note", expected.noteHtml, log.noteHtml),
    ...compareStepLogs(expected, log),
  ];
}

function compareStepLogs(expected: TestLogDraft, log: FoundLog): Difference[] {
  if (log.steps === null) return [];
  const actual = [...log.steps].sort((a, b) => a.order - b.order);
  // A log sent without steps may come back with untouched ones that the target made itself.
  if (expected.steps.length === 0 && actual.every((step) => isBlankHtml(step.actualHtml))) {
    return [];
  }
  if (actual.length !== expected.steps.length) {
    return [difference("step logs", String(expected.steps.length), String(actual.length))];
  }
  const wanted = [...expected.steps].sort((a, b) => a.order - b.order);
  return wanted.flatMap((step, index) => {
    const other = actual[index];
    if (other === undefined) return [];
    const name = `step log ${index + 1}`;
    return [
      ...(step.testStepId === null || other.testStepId === null
        ? []
        : compareIdentity(`${name} step`, step.testStepId, other.testStepId)),
      ...compareIdentity(`${name} status`, step.statusId, other.statusId),
      ...compareHtml(`${name} actual`, step.actualHtml, other.actualHtml),
    ];
  });
}
