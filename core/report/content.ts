/** Everything a report shows: the summary, and lists that are read while they are written. @module */
import type { DifferenceRow, IssueRow, LossRow, Phase } from "../ports/mod.ts";
import type { Summary } from "./model.ts";

/** Content of a report. The lists may be long: renderers stream them and never hold them whole. */
export interface ReportContent {
  summary: Summary;
  /** Names of both ends, for people: `SA`, `acme.qtestnet.com project 1001`. */
  source: string;
  target: string;
  /** ISO time of writing. */
  generatedAt: string;
  /** Loss rules that the configuration accepts. */
  accepted: readonly string[];
  losses(): AsyncIterable<LossRow & { phase: Phase }>;
  issues(): AsyncIterable<IssueRow>;
  differences(): AsyncIterable<DifferenceRow>;
}

export type ReportFormat = "html" | "json" | "csv" | "junit";
