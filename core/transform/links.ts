/** Web links and issue links as lines of rich text. @module */
import type { LinkRecord } from "../records/mod.ts";
import { escapeAttribute, escapeHtml, neutralize, plainToHtml } from "../text/mod.ts";
import type { Ledger } from "./ledger.ts";
import type { Scope } from "./scope.ts";

export interface LinkLines {
  /** One paragraph a link, in the order of the source. */
  html: string;
  /** Issue keys that the mapping file names, each once. */
  issueKeys: string[];
}

/** Only addresses that a browser opens safely become a link; the text shows the URL always. */
function linkHtml(url: string): string {
  const text = escapeHtml(url);
  return /^(https?|ftp|mailto):/i.test(url.trim())
    ? `<a href="${escapeAttribute(url.trim())}">${text}</a>`
    : text;
}

/** Writes the links of a record as lines; rules `issue-key-unknown`, `not-included`. */
export function linkLines(scope: Scope, links: readonly LinkRecord[], ledger: Ledger): LinkLines {
  if (!scope.context.include.links) {
    for (const link of links) {
      ledger.add("link", "not-included", link.url ?? link.issueId ?? link.description, null);
    }
    return { html: "", issueKeys: [] };
  }
  const issueKeys = new Set<string>();
  const html = links.map((link) =>
    link.type === "issue" ? issueLine(scope, link, ledger, issueKeys) : webLine(link)
  );
  return { html: neutralize(html.join("")), issueKeys: [...issueKeys] };
}

function webLine(link: LinkRecord): string {
  const parts = [
    link.url === null ? "" : linkHtml(link.url),
    link.description === null || link.description.trim() === ""
      ? ""
      : `(${plainToHtml(link.description.trim())})`,
  ].filter((part) => part !== "");
  return `<p>Web link${relationHtml(link)}: ${parts.join(" ")}</p>`;
}

function relationHtml(link: LinkRecord): string {
  return link.relation === null ? "" : ` (${escapeHtml(link.relation)})`;
}

function issueLine(
  scope: Scope,
  link: LinkRecord,
  ledger: Ledger,
  issueKeys: Set<string>,
): string {
  const key = link.issueId === null ? null : scope.names.issueKey(link.issueId);
  const name = key ?? (link.issueId === null ? "issue" : `issue ${link.issueId}`);
  if (key === null) ledger.add("link", "issue-key-unknown", link.issueId ?? link.url, name);
  else issueKeys.add(key);
  const url = link.url === null ? "" : ` ${linkHtml(link.url)}`;
  return `<p>Issue link${relationHtml(link)}: ${escapeHtml(name)}${url}</p>`;
}
