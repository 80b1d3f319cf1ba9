/** Whether an artefact is still what was sent. @module */
import type { Draft, Found, TargetField, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import type { Prepared } from "../load/prepare.ts";
import { compareFound } from "../validate/compare.ts";
import { hasValue } from "./usage.ts";

type Ready = Extract<Prepared, { state: "ready" }>;

/** Names of changed parts that a reason lists at most. */
const MAX_NAMED = 5;

/** Says what is different from what was sent; null when nothing is. */
export function changesOf(
  ctx: Pick<RunContext, "targetProfile">,
  row: TargetRow,
  ready: Ready,
  found: Found,
): string | null {
  const fields = editedParts(ready.draft, found);
  const names = [...fields, ...addedValues(ctx.targetProfile.fields, ready.draft, found)];
  if (names.length === 0) return null;
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
  const list = `${names.slice(0, MAX_NAMED).join(", ")}${more}`;
  // When what would be sent today is not what was sent, a difference may be of our own making.
  const isSame = row.payloadHash === null || row.payloadHash === ready.hash;
  return isSame ? `edited: ${list}` : `edited, or its source changed since: ${list}`;
}

/** Parts that differ, other than by what a site takes out of rich text of its own accord. */
function editedParts(draft: Draft, found: Found): string[] {
  const isSame = compareFound(draft, found).length === 0 ||
    compareFound(plainMarkup(draft), plainMarkup(found)).length === 0;
  return isSame ? [] : compareFound(draft, found).map((difference) => difference.field);
}

/** A copy whose rich text has no scripts, style sheets, handlers and looks: sites drop those. */
function plainMarkup<T>(value: T): T {
  return mapHtml(value, "") as T;
}

function mapHtml(value: unknown, key: string): unknown {
  if (typeof value === "string") return /html$/i.test(key) ? withoutActive(value) : value;
  if (Array.isArray(value)) return value.map((item) => mapHtml(item, key));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, mapHtml(item, name)]),
  );
}

const ACTIVE = /<(script|style)\b[^>]*>[\s\S]*?<\/\1\s*>/gi;
const LOOKS = /\s(?:on\w+|style|class|id|data-[\w-]+)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+)/gi;
const SCRIPT_ADDRESS = /\s(?:href|src)\s*=\s*(?:"\s*javascript:[^"]*"|'\s*javascript:[^']*')/gi;

function withoutActive(html: string): string {
  return html.replace(ACTIVE, "").replace(
    /<[a-z][^<>]*>/gi,
    (tag) => tag.replace(LOOKS, "").replace(SCRIPT_ADDRESS, ""),
  );
}

/** Labels of custom fields that have a value although none was sent. Options may have defaults. */
function addedValues(known: TargetField[], draft: Draft, found: Found): string[] {
  if (!("fields" in draft)) return [];
  const sent = new Set(draft.fields.map(({ field }) => field.id));
  return found.fields.flatMap(({ fieldId, label, value }) => {
    const field = known.find((each) => each.id === fieldId);
    const mayHaveDefault = field === undefined || field.isSystem || field.defaultValue !== null ||
      field.options.length > 0;
    return !mayHaveDefault && !sent.has(fieldId) && hasValue(value) ? [`field ${label}`] : [];
  });
}

/** Whether a bulk route left out what has to be compared. */
export function isPartial(draft: Draft, found: Found): boolean {
  if (draft.kind === "testLog") return draft.steps.length > 0 && found.log?.steps == null;
  return draft.kind === "testCase" && draft.steps.length > 0 && found.steps === null;
}
