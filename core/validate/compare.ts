/**
 * Compares what was sent with what is read back: every field, in normal form, never bytes.
 * @module
 */
import type { Container, Draft, DraftKind, Found } from "../ports/mod.ts";
import type { MarkerKind } from "../text/mod.ts";
import { findMarkerLine, htmlToText, normalizeText, splitNameMarker } from "../text/mod.ts";
import { compareSteps } from "./compare_case.ts";
import { compareFields } from "./compare_fields.ts";
import { compareLog } from "./compare_log.ts";
import type { Difference } from "./compare_text.ts";
import { compareHtml, compareIdentity, comparePlain, difference } from "./compare_text.ts";

export type { Difference } from "./compare_text.ts";

function compareContainer(expected: Container, found: Found): Difference[] {
  const isRoot = expected.type === "root" || expected.id === null;
  if (found.parentId === null || found.parentId === "0") {
    // Without a type the route did not tell at all.
    return isRoot || found.parentType === null
      ? []
      : [difference("parent", `${expected.type} ${expected.id}`, "root")];
  }
  const type = isRoot ? "root" : expected.type;
  const isSameType = found.parentType === null || found.parentType === type;
  return !isRoot && isSameType && expected.id === found.parentId ? [] : [
    difference(
      "parent",
      isRoot ? "root" : `${type} ${expected.id}`,
      `${found.parentType ?? type} ${found.parentId}`,
    ),
  ];
}

function compareModuleParent(expected: string | null, found: Found): Difference[] {
  return expected !== null && found.parentId === null && found.parentType === null
    ? []
    : compareIdentity("parent", expected, found.parentId);
}

/** Names of suites and runs without the marker that text markers put at their end. */
function compareMarkedName(expected: string, actual: string): Difference[] {
  return comparePlain("name", splitNameMarker(expected).name, splitNameMarker(actual).name);
}

/**
 * Lists the places where an artefact differs from its draft (with target ids put in). Unset and
 * empty are equal; options and users compare as sets, numbers as numbers, times as instants of one
 * second. What a route does not tell (null steps, unknown parent) is not compared.
 */
export function compareFound(expected: Draft, found: Found): Difference[] {
  if (expected.kind !== found.kind) return [difference("kind", expected.kind, found.kind)];
  switch (expected.kind) {
    case "module":
      return [
        ...comparePlain("name", expected.name, found.name),
        ...compareHtml("description", expected.descriptionHtml, found.descriptionHtml),
        ...compareModuleParent(expected.parentId, found),
      ];
    case "release":
      return [
        ...comparePlain("name", expected.name, found.name),
        ...compareHtml("description", expected.descriptionHtml, found.descriptionHtml),
        ...compareFields(expected.fields, found),
      ];
    case "testCycle":
      return [
        ...comparePlain("name", expected.name, found.name),
        ...compareHtml("description", expected.descriptionHtml, found.descriptionHtml),
        ...compareContainer(expected.parent, found),
      ];
    case "testCase":
      return [
        ...comparePlain("name", expected.name, found.name),
        ...compareHtml("description", expected.descriptionHtml, found.descriptionHtml),
        ...compareHtml("precondition", expected.preconditionHtml, found.preconditionHtml),
        ...compareModuleParent(expected.parentId, found),
        ...compareSteps(expected.steps, found.steps),
        ...compareFields(expected.fields, found),
      ];
    case "testSuite":
      return [
        ...compareMarkedName(expected.name, found.name),
        ...compareContainer(expected.parent, found),
        ...compareIdentity("release", expected.targetReleaseId, found.targetReleaseId),
        ...compareFields(expected.fields, found),
      ];
    case "testRun":
      return [
        ...compareMarkedName(expected.name, found.name),
        ...compareContainer(expected.parent, found),
        ...compareIdentity("test case", expected.testCaseId, found.testCaseId),
        ...compareFields(expected.fields, found),
      ];
    case "testLog":
      return compareLog(expected, found);
  }
}

const LINE_KINDS: Record<DraftKind, readonly MarkerKind[]> = {
  module: ["project", "folder", "archived"],
  testCycle: ["project", "folder"],
  testCase: ["testCase"],
  release: ["testPlan"],
  testSuite: [],
  testRun: [],
  testLog: ["execution"],
};

/**
 * Reads the marker of an artefact: from the key field, else from the last marker line of its
 * description or note, else from the end of its name. Returns the source key as the target map has
 * it (`SA-T1`, `SA-R5`, `adhoc/SA-T1`, a folder or execution id), `project:KEY` for roots and
 * `archived:KEY` for the module of placeholders; null for artefacts that are not ours.
 */
export function markerOf(found: Found, keyFieldId: string | null, kind: DraftKind): string | null {
  return fieldMarker(found, keyFieldId) ?? lineMarker(found, kind) ??
    (kind === "testSuite" || kind === "testRun" ? splitNameMarker(found.name).key : null);
}

function fieldMarker(found: Found, keyFieldId: string | null): string | null {
  if (keyFieldId === null) return null;
  const value = found.fields.find((field) => field.fieldId === keyFieldId)?.value;
  const text = value?.type === "text"
    ? value.text
    : value?.type === "richText"
    ? htmlToText(value.html)
    : "";
  return normalizeText(text) || null;
}

function lineMarker(found: Found, kind: DraftKind): string | null {
  const html = kind === "testLog" ? found.log?.noteHtml ?? null : found.descriptionHtml;
  const marker = findMarkerLine(html, LINE_KINDS[kind]);
  if (marker === null) return null;
  return marker.kind === "project" || marker.kind === "archived"
    ? `${marker.kind}:${marker.key}`
    : marker.key;
}
