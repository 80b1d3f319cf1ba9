/**
 * The one table of settings. Options, environment names, defaults, checks, help, JSON Schema and the
 * configuration reference all come from here.
 * @module
 */

/** How a value is read, from JSON or from text. */
export type SettingType =
  | { name: "text" }
  | { name: "url"; schemes: readonly string[] }
  | { name: "secret" }
  /** A whole number or its digits; kept as text because vendor ids may be wider than a double. */
  | { name: "id" }
  | { name: "integer"; min: number; max: number }
  /** `5%` or `0.05`, 0 < n ≤ 1. */
  | { name: "share" }
  /** `90s`, `30m`, `2h`, or milliseconds. */
  | { name: "duration" }
  | { name: "boolean" }
  | { name: "choice"; values: readonly string[]; aliases?: Readonly<Record<string, string>> }
  | { name: "names" }
  | { name: "rules" }
  | { name: "objects" };

/** One setting and every place it can come from. */
export interface Setting {
  /** Where it stands in the file: `source.baseUrl`. */
  path: string;
  /** Command line option without dashes; secrets have none because process lists are public. */
  option: string | null;
  env: string | null;
  type: SettingType;
  /** `undefined` means the setting must be given for a migration. */
  default: unknown;
  help: string;
  /** Shown with the short help of a command. */
  common?: boolean;
}

const MAX_RPM = 1_000_000;
const rpm: SettingType = { name: "integer", min: 1, max: MAX_RPM };
const concurrency: SettingType = { name: "integer", min: 1, max: 64 };
const timeoutMs: SettingType = { name: "integer", min: 100, max: 600_000 };
const vendorUrl: SettingType = { name: "url", schemes: ["https", "http"] };
const text: SettingType = { name: "text" };
const flag: SettingType = { name: "boolean" };

function choice(
  values: readonly string[],
  aliases?: Readonly<Record<string, string>>,
): SettingType {
  return aliases === undefined ? { name: "choice", values } : { name: "choice", values, aliases };
}

function setting(
  path: string,
  option: string | null,
  env: string | null,
  type: SettingType,
  defaultValue: unknown,
  help: string,
  common = false,
): Setting {
  return { path, option, env, type, default: defaultValue, help, common };
}

/** Every setting, in the order of the reference. */
export const SETTINGS: readonly Setting[] = [
  setting(
    "source.kind",
    null,
    null,
    choice(["zephyr-scale-cloud"]),
    "zephyr-scale-cloud",
    "Kind of the source system",
  ),
  setting(
    "source.baseUrl",
    "source-url",
    "ZEPHYR_BASE_URL",
    vendorUrl,
    "https://api.zephyrscale.smartbear.com/v2",
    "Address of the Zephyr Scale API of your region (US, EU, AU or DE)",
    true,
  ),
  setting(
    "source.token",
    null,
    "ZEPHYR_API_TOKEN",
    { name: "secret" },
    undefined,
    "Zephyr API access token",
  ),
  setting(
    "source.projectKey",
    "project",
    "ZEPHYR_PROJECT_KEY",
    text,
    undefined,
    "Key of the Jira project to read",
    true,
  ),
  setting(
    "source.requestsPerMinute",
    "source-rpm",
    "ZEPHYR_RPM",
    rpm,
    400,
    "Requests per minute to the source, at most",
    true,
  ),
  setting(
    "source.concurrency",
    "source-concurrency",
    null,
    concurrency,
    8,
    "Requests to the source in flight, at most",
  ),
  setting(
    "source.timeoutMs",
    "source-timeout-ms",
    null,
    timeoutMs,
    30_000,
    "Time limit of one request to the source, in ms",
  ),
  setting(
    "target.kind",
    null,
    null,
    choice(["qtest-manager"]),
    "qtest-manager",
    "Kind of the target system",
  ),
  setting(
    "target.baseUrl",
    "target-url",
    "QTEST_BASE_URL",
    vendorUrl,
    undefined,
    "Address of the qTest site",
    true,
  ),
  setting(
    "target.token",
    null,
    "QTEST_BEARER_TOKEN",
    { name: "secret" },
    null,
    "qTest API token; or user name and password",
  ),
  setting(
    "target.username",
    null,
    "QTEST_USERNAME",
    text,
    null,
    "qTest user name, when there is no token",
  ),
  setting(
    "target.password",
    null,
    "QTEST_PASSWORD",
    { name: "secret" },
    null,
    "qTest password, when there is no token",
  ),
  setting(
    "target.projectId",
    "qtest-project",
    "QTEST_PROJECT_ID",
    { name: "id" },
    undefined,
    "Id of the qTest project to write to",
    true,
  ),
  setting(
    "target.requestsPerMinute",
    "target-rpm",
    "QTEST_RPM",
    rpm,
    400,
    "Requests per minute to the target, at most",
    true,
  ),
  setting(
    "target.concurrency",
    "target-concurrency",
    null,
    concurrency,
    8,
    "Requests to the target in flight, at most",
  ),
  setting(
    "target.timeoutMs",
    "target-timeout-ms",
    null,
    timeoutMs,
    30_000,
    "Time limit of one request to the target, in ms",
  ),
  setting(
    "target.marker",
    "marker",
    null,
    choice(["field", "text", "none"]),
    "field",
    'How created artefacts are found again: a text field "Zephyr Key", a line of text, or only by the local database',
  ),
  setting(
    "target.rootName",
    "root-name",
    null,
    text,
    null,
    'Name of the root module and root test cycle; default "Zephyr KEY"',
  ),
  setting("target.approve", "approve", null, flag, false, "Approve test cases after creating them"),
  setting(
    "target.logs",
    "logs",
    null,
    choice(["manual", "bulk", "auto"]),
    "manual",
    "How executions are written: one request each (manual), many at once (bulk; cases become automation cases), or bulk only for automated ones (auto)",
  ),
  setting(
    "target.onExisting",
    "on-existing",
    null,
    choice(["update", "skip", "rename", "fail"]),
    "update",
    "What to do with artefacts that carry our marker but are not in the database",
  ),
  setting(
    "target.settleMs",
    "settle-ms",
    null,
    { name: "integer", min: 0, max: 3_600_000 },
    30_000,
    "How long a write in doubt may still land, in ms",
  ),
  setting(
    "target.bulkSettleMs",
    "bulk-settle-ms",
    null,
    { name: "integer", min: 0, max: 86_400_000 },
    3_600_000,
    "How long a batch of bulk logs whose answer was lost may still land, in ms",
  ),
  setting(
    "store.url",
    "store",
    "ZTOQ_DB_URL",
    { name: "url", schemes: ["file", "libsql", "https", "http"] },
    "file:./ztoq.db",
    "Database: file:PATH, or the address of a libSQL server",
    true,
  ),
  setting(
    "store.authToken",
    null,
    "ZTOQ_DB_AUTH_TOKEN",
    { name: "secret" },
    null,
    "Token of a remote database",
  ),
  setting("include.folders", "folders", null, flag, true, "Migrate folders"),
  setting("include.testCases", "test-cases", null, flag, true, "Migrate test cases"),
  setting("include.testCycles", "test-cycles", null, flag, true, "Migrate test cycles"),
  setting("include.testPlans", "test-plans", null, flag, true, "Migrate test plans"),
  setting(
    "include.executions",
    "executions",
    null,
    choice(["all", "last", "none"]),
    "all",
    "Which executions of a case in a cycle to migrate",
  ),
  setting(
    "include.executionSteps",
    "execution-steps",
    null,
    choice(["none", "failed", "executed", "all"]),
    "executed",
    "Executions whose steps are read: one more source request each",
  ),
  setting(
    "include.attachments",
    "attachments",
    null,
    choice(["none", "cases", "entities", "all"], { true: "all", false: "none" }),
    "entities",
    "Attachments of nothing, of cases, of all entities, or of steps too (one more request per step)",
  ),
  setting("include.links", "links", null, flag, true, "Migrate web and issue links"),
  setting("mapping", "mapping", null, text, "./ztoq.mapping.json", "Path of the mapping file"),
  setting("report.dir", "report-dir", null, text, "./ztoq-report", "Folder of the report files"),
  setting(
    "onDeleted",
    "on-deleted",
    null,
    choice(["report", "delete"]),
    "report",
    "What to do in the target when a record was deleted in the source; kept for `sync`, see docs/limits.md",
  ),
  setting(
    "onEdited",
    "on-edited",
    null,
    choice(["keep", "overwrite"]),
    "keep",
    "What to do with artefacts that people edited in the target; kept for `sync`, see docs/limits.md",
  ),
  setting(
    "maxOutage",
    "max-outage",
    null,
    { name: "duration" },
    3_600_000,
    "How long to go on trying while a system is unreachable (90s, 30m, 2h, or ms)",
  ),
  setting(
    "monthReserve",
    "month-reserve",
    null,
    { name: "integer", min: 0, max: 1_000_000_000 },
    100,
    "Stop cleanly when the vendor's monthly remainder falls to this many requests",
  ),
  setting(
    "accept",
    "accept",
    null,
    { name: "names" },
    [],
    "Loss rules that are fine: counted, not warned of",
  ),
  setting(
    "validation.rules",
    null,
    null,
    { name: "rules" },
    {},
    'Per rule: {"enabled": false} or {"level": "info|warning|error|critical"}',
  ),
  setting(
    "validation.sample",
    "sample",
    null,
    { name: "share" },
    1,
    "Share of records compared field by field (5% or 0.05)",
  ),
  setting("limits.schedule", null, null, { name: "objects" }, [], "Rates by time of day"),
  setting("schedules", null, null, { name: "objects" }, [], "Runs at set times"),
  setting("webhooks", null, null, { name: "objects" }, [], "Addresses told about events"),
  setting(
    "controlPlane.token",
    null,
    "ZTOQ_API_TOKEN",
    { name: "secret" },
    null,
    "Bearer token of the control plane",
  ),
  setting(
    "controlPlane.tokens",
    null,
    null,
    { name: "objects" },
    [],
    "Further tokens of the control plane",
  ),
];

/** Environment names that are not settings of the file. */
export const LOG_ENV = [
  {
    env: "ZTOQ_LOG_LEVEL",
    values: ["debug", "info", "warning", "error"],
    default: "info",
    help: "Least level of log lines on stderr",
  },
  {
    env: "ZTOQ_LOG_FORMAT",
    values: ["text", "json"],
    default: "text",
    help: "Log lines as text or as JSON",
  },
] as const;

/** Finds a setting by its path. @throws {TypeError} for a path that is not in the table */
export function settingAt(path: string): Setting {
  const found = SETTINGS.find((candidate) => candidate.path === path);
  if (found === undefined) throw new TypeError(`No setting "${path}"`);
  return found;
}
