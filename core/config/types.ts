/**
 * The configuration after all sources are merged (option > environment > file > default), secrets
 * resolved, values checked. The table in `table.ts` says where each value comes from.
 * @module
 */
import type { IssueLevel } from "../ports/mod.ts";

export interface Settings {
  source: {
    kind: "zephyr-scale-cloud";
    baseUrl: string;
    token: string;
    projectKey: string;
    requestsPerMinute: number;
    concurrency: number;
    timeoutMs: number;
  };
  target: {
    kind: "qtest-manager";
    baseUrl: string;
    /** Either a token or username and password. */
    token: string | null;
    username: string | null;
    password: string | null;
    projectId: string;
    requestsPerMinute: number;
    concurrency: number;
    timeoutMs: number;
    marker: "field" | "text" | "none";
    /** Default `Zephyr KEY`. */
    rootName: string;
    approve: boolean;
    logs: "manual" | "bulk" | "auto";
    onExisting: "update" | "skip" | "rename" | "fail";
    settleMs: number;
    /** How long a bulk batch whose job id was lost may still land. @default {3_600_000} */
    bulkSettleMs?: number;
  };
  store: { url: string; authToken: string | null };
  include: {
    folders: boolean;
    testCases: boolean;
    testCycles: boolean;
    testPlans: boolean;
    executions: "all" | "last" | "none";
    executionSteps: "none" | "failed" | "executed" | "all";
    attachments: "none" | "cases" | "entities" | "all";
    links: boolean;
  };
  /** Path of the mapping file. */
  mapping: string;
  report: { dir: string };
  onDeleted: "report" | "delete";
  onEdited: "keep" | "overwrite";
  maxOutageMs: number;
  monthReserve: number;
  /** Loss rules that are fine: counted, not warned of. */
  accept: string[];
  validation: {
    rules: Record<string, { enabled?: boolean; level?: IssueLevel }>;
    /** Share of records that are compared field by field, 0 < n ≤ 1. */
    sample: number;
  };
  /** Kept as given for the control plane. */
  limits: { schedule: unknown[] };
  schedules: unknown[];
  webhooks: unknown[];
  controlPlane: { token: string | null; tokens: unknown[] };
}

/** `ztoq.mapping.json`: people edit it, ztoq only adds. */
export interface Mapping {
  statuses: { execution: Record<string, string | null> };
  priorities: Record<string, string>;
  /** accountId → target user name. */
  users: Record<string, string>;
  /** `component 12029`, `Jira version 4` … → name. */
  names: Record<string, string>;
  /** Jira's numeric issue id → issue key. */
  issues: Record<string, string>;
  fields: Record<string, Record<string, { label?: string; type?: string }>>;
  automationStatuses: Record<string, string>;
  defaults: { status?: string | null; priority?: string };
  /** object → field label → value. */
  required: Record<string, Record<string, unknown>>;
}
