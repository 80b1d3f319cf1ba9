/** Rich texts that the migration appends lines to. @module */
import type { SimIssueLink, SimWebLink } from "../../../adapters/zephyr/simulator/mod.ts";
import type { Scope } from "./scope.ts";
import { fold, richWithPictures } from "./text.ts";

/** A line that has to be there: all of these texts in it. */
export type Line = string[];

/** Lines for links: the URL, and whatever else the source says of the link. */
export function linkLines(
  scope: Scope,
  row: { issues: SimIssueLink[]; webLinks?: SimWebLink[] },
): Line[] {
  if (!scope.settings.include.links) return [];
  const issues = row.issues.map((link): Line => {
    const known = scope.mapping.issues[String(link.issueId)];
    const url = `https://site.atlassian.net/rest/api/2/issue/${link.issueId}`;
    return [url, known ?? `issue ${link.issueId}`, link.type];
  });
  const web = (row.webLinks ?? []).map((link): Line => [
    link.url,
    ...(typeof link.description === "string" && link.description !== ""
      ? [fold(link.description)]
      : []),
    link.type,
  ]);
  return [...issues, ...web];
}

/** Lines for references to kinds that are switched off. */
export function absentLines(
  scope: Scope,
  row: {
    folderId: number | null;
    plans?: { planId: number }[];
    cycles?: { cycleId: number }[];
  },
): Line[] {
  const { folders, testPlans, testCycles } = scope.settings.include;
  return [
    ...(folders || row.folderId === null ? [] : [[`folder ${row.folderId}`]]),
    ...(testPlans ? [] : row.plans ?? []).map((plan) => [`test plan ${plan.planId}`]),
    ...(testCycles ? [] : row.cycles ?? []).map((cycle) => [`test cycle ${cycle.cycleId}`]),
  ];
}

/** Line with the key of an artefact, for `marker: "text"`. */
export function markerLine(scope: Scope, key: string): Line[] {
  return scope.settings.target.marker === "text" ? [["zephyr:", key]] : [];
}

/** Compares a rich text: source HTML first, then exactly these lines, one paragraph each. */
export function checkLines(
  scope: Scope,
  where: string,
  html: string,
  expected: { start: string | null | undefined; lines: Line[] },
): void {
  const { findings } = scope;
  const text = richWithPictures(html);
  const start = richWithPictures(expected.start ?? "");
  if (!text.startsWith(start)) {
    return findings.same(where, text, start);
  }
  findings.compared++;
  const rest = text.slice(start.length).trim();
  const found = Array.from(rest.matchAll(/⟨p⟩(.*?)⟨\/p⟩/g), (match) => match[1] ?? "");
  if (found.map((line) => `⟨p⟩${line}⟨/p⟩`).join("") !== rest) {
    findings.fail(where, `more than lines after the text: ${rest.slice(0, 300)}`);
  }
  const last = expected.lines.at(-1);
  if (last?.[0] === "zephyr:" && !(found.at(-1) ?? "").startsWith("zephyr:")) {
    findings.fail(where, `last line is no marker: ${found.at(-1)}`);
  }
  const open = [...found];
  for (const line of expected.lines) {
    const at = open.findIndex((text) => line.every((part) => text.includes(part)));
    if (at < 0) findings.fail(where, `no line with ${JSON.stringify(line)} in ${rest}`);
    else open.splice(at, 1);
  }
  if (open.length > 0) findings.fail(where, `unexpected lines ${JSON.stringify(open)}`);
}
