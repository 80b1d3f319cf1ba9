/** Which row of the target map an artefact belongs to, by the marker it carries. @module */
import type { FieldObject, Found } from "../ports/mod.ts";
import type { MarkerKind } from "../text/mod.ts";
import { findMarkerLine, normalizeText, splitNameMarker } from "../text/mod.ts";
import type { TransformContext } from "../transform/types.ts";

const LINE_KINDS: Partial<Record<Found["kind"], readonly MarkerKind[]>> = {
  module: ["project", "folder", "archived"],
  testCycle: ["project", "folder"],
  testCase: ["testCase"],
  release: ["testPlan"],
  testLog: ["execution"],
};

/** Returns the key of the row, or null for artefacts that are not ours. */
export function keyOfFound(
  found: Found,
  context: Pick<TransformContext, "projectKey" | "marker" | "field" | "leftAlone">,
): string | null {
  if (context.leftAlone?.has(`${found.kind}/${found.id}`)) return null;
  const lineKinds = LINE_KINDS[found.kind];
  const byField = found.kind === "testCase" || found.kind === "release" ||
    found.kind === "testSuite" || found.kind === "testRun";
  if (byField) {
    const key = fieldKey(found, found.kind as FieldObject, context);
    if (key !== null) return key;
    if (lineKinds === undefined) return splitNameMarker(found.name).key;
  }
  const html = found.kind === "testLog" ? found.log?.noteHtml ?? null : found.descriptionHtml;
  const marker = findMarkerLine(html, lineKinds ?? []);
  if (marker === null) return null;
  if (marker.kind === "project") return marker.key === context.projectKey ? "root" : null;
  if (marker.kind === "archived") return marker.key === context.projectKey ? "archived" : null;
  return marker.key;
}

function fieldKey(
  found: Found,
  object: FieldObject,
  context: Pick<TransformContext, "field">,
): string | null {
  const field = context.field(object, "own:Zephyr Key");
  const value = found.fields.find((entry) =>
    field === null ? entry.label === "Zephyr Key" : entry.fieldId === field.id
  )?.value;
  const text = value?.type === "text" ? normalizeText(value.text) : "";
  return text === "" ? null : text;
}
