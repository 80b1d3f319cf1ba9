/** Reports: the model, and renderers that stream. @module */
import type { ReportContent, ReportFormat } from "./content.ts";
import { renderCsv } from "./csv.ts";
import { renderHtml } from "./html.ts";
import { renderJson } from "./json.ts";
import { renderJunit } from "./junit.ts";

export * from "./content.ts";
export { csvLine, type Redirect, renderLossesCsv, renderRedirectsCsv } from "./csv.ts";
export * from "./model.ts";
export { allRows, contentFromStore, redirects } from "./rows.ts";
export { formatCount, formatDuration } from "./format.ts";

const RENDERERS = { html: renderHtml, json: renderJson, csv: renderCsv, junit: renderJunit };

/** Streams a report in a format. */
export function renderReport(format: ReportFormat, content: ReportContent): AsyncIterable<string> {
  return RENDERERS[format](content);
}
