/**
 * Markers: how a created artefact is found again when its id is not known.
 * @module
 */
import { normalizeText } from "./normalize.ts";
import { htmlLines } from "./html.ts";

/** Source words in marker lines. */
export type MarkerKind =
  | "project"
  | "folder"
  | "archived"
  | "execution"
  | "testCase"
  | "testPlan";

/** Builders of markers; `line` is rich text, the others are plain. */
export const MARKERS = {
  /** `zephyr:folder:12` */
  text(kind: MarkerKind, key: string): string {
    return `zephyr:${kind}:${key}`;
  },
  /** The marker as a line of its own, to stand at the end of rich text. */
  line(kind: MarkerKind, key: string): string {
    return `<p>${MARKERS.text(kind, key)}</p>`;
  },
  /** ` [KEY-R5]`, at the end of the name of suites and runs. */
  suffix(key: string): string {
    return ` [${key}]`;
  },
} as const;

const LINE = /^zephyr:(project|folder|archived|execution|testCase|testPlan):(\S+)$/;
/** For targets that drop the tags between the text and the marker, or that show them as text. */
const TAIL =
  /zephyr:(project|folder|archived|execution|testCase|testPlan):([^\s<]+)(?:<\/[a-z]+>)*$/;
const SUFFIX = / \[((?:adhoc|[^\s\[\]/]+-[RC]\d+)(?:\/[^\s\[\]/]+-T\d+)?)\]$/;

/** Finds the last marker line of rich text, null when there is none of these kinds. */
export function findMarkerLine(
  html: string | null,
  kinds: readonly MarkerKind[],
): { kind: MarkerKind; key: string } | null {
  if (html === null || !html.includes("zephyr:")) return null;
  const lines = htmlLines(html);
  const found =
    lines.map((line) => LINE.exec(line)).findLast((m) =>
      m !== null && kinds.includes(m[1] as MarkerKind)
    ) ?? TAIL.exec(lines.at(-1) ?? "");
  const kind = found?.[1] as MarkerKind | undefined;
  const key = found?.[2];
  return kind !== undefined && key !== undefined && kinds.includes(kind) ? { kind, key } : null;
}

/** Splits a name of a suite or run into the name people gave and the key in its suffix. */
export function splitNameMarker(name: string): { name: string; key: string | null } {
  const plain = normalizeText(name);
  const match = SUFFIX.exec(plain);
  return match === null
    ? { name: plain, key: null }
    : { name: plain.slice(0, match.index), key: match[1] ?? null };
}
