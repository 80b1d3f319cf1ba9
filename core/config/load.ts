/** Merging options, environment, file and defaults into checked settings. Pure: it opens nothing. @module */
import { parseRateWindows } from "../engine/schedule.ts";
import { ConfigError, describeError } from "../errors.ts";
import { readFileValues } from "./file.ts";
import { nearestName } from "./nearest.ts";
import { LOSS_RULES } from "./rules.ts";
import { type Setting, SETTINGS } from "./table.ts";
import type { Settings } from "./types.ts";
import { parseValue } from "./values.ts";

/** Where settings come from. */
export interface SettingSources {
  /** Options by name without dashes. */
  options: Readonly<Record<string, string | boolean | undefined>>;
  /** An unset or empty variable counts as not given. */
  env: (name: string) => string | undefined;
  file: { path: string; text: string } | null;
  /** Returns the content of a `"file:PATH"` secret; throws when it cannot be read. */
  readSecretFile: (path: string) => string;
  /**
   * `migration`: everything needed to reach both systems must be there. `store`: only the database
   * and folders; missing credentials and projects come out as empty texts. @default {"migration"}
   */
  need?: "migration" | "store";
}

/** Checked settings, warnings for people, and every secret value so that sinks can redact it. */
export interface LoadedSettings {
  settings: Settings;
  warnings: string[];
  secrets: string[];
}

interface Found {
  raw: unknown;
  /** For messages: `--project`, `ZEPHYR_PROJECT_KEY`, `ztoq.json`. */
  from: string;
  layer: "option" | "env" | "file" | "default";
}

interface Work {
  sources: SettingSources;
  values: Map<string, unknown>;
  problems: string[];
  missing: string[];
  warnings: string[];
  secrets: string[];
}

/**
 * Reads all settings; precedence option > environment > file > default.
 * @throws {ConfigError} one error that lists every unknown key, wrong value and missing setting
 */
export function loadSettings(sources: SettingSources): LoadedSettings {
  const file = sources.file === null
    ? { values: new Map<string, unknown>(), problems: [] }
    : readFileValues(sources.file.path, sources.file.text);
  const work: Work = {
    sources,
    values: new Map(),
    problems: file.problems.map((problem) => `${sources.file?.path}: ${problem}`),
    missing: [],
    warnings: [],
    secrets: [],
  };
  for (const setting of SETTINGS) readSetting(setting, find(setting, sources, file.values), work);
  checkTogether(work);
  if (work.problems.length + work.missing.length > 0) throw configError(work);
  warn(work);
  return { settings: assemble(work.values), warnings: work.warnings, secrets: work.secrets };
}

function find(setting: Setting, sources: SettingSources, file: Map<string, unknown>): Found {
  const option = setting.option === null ? undefined : sources.options[setting.option];
  if (option !== undefined) return { raw: option, from: `--${setting.option}`, layer: "option" };
  const env = setting.env === null ? undefined : sources.env(setting.env);
  if (env !== undefined && env.trim() !== "") {
    return { raw: env, from: setting.env ?? "", layer: "env" };
  }
  const value = file.get(setting.path);
  if (value !== undefined && value !== null) {
    return { raw: value, from: sources.file?.path ?? "", layer: "file" };
  }
  return { raw: setting.default, from: "default", layer: "default" };
}

function readSetting(setting: Setting, found: Found, work: Work): void {
  if (found.layer === "default") {
    work.values.set(setting.path, found.raw);
    if (found.raw === undefined) giveUp(setting, null, work);
    return;
  }
  if (setting.type.name === "secret") return readSecret(setting, found, work);
  const parsed = parseValue(setting.type, found.raw);
  if ("value" in parsed) {
    work.values.set(setting.path, parsed.value);
  } else {
    work.values.set(setting.path, setting.default);
    work.problems.push(
      `${setting.path} (${found.from}) is ${shown(found.raw)}; wanted ${parsed.wanted}`,
    );
  }
}

/** Values that may hold credentials (URLs with @ or ?) are not repeated. */
function shown(raw: unknown): string {
  const text = JSON.stringify(raw) ?? "undefined";
  if (/[@?]/.test(text)) return "a value not shown here";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function readSecret(setting: Setting, found: Found, work: Work): void {
  work.values.set(setting.path, setting.default);
  if (typeof found.raw !== "string") {
    work.problems.push(
      `${setting.path} (${found.from}) is no text; wanted "env:NAME" or "file:PATH"`,
    );
    return;
  }
  const resolved = resolveSecret(setting, found.raw, found, work);
  if (resolved === null) return;
  const value = resolved.trim().replace(/^bearer\s+/i, "");
  // Header values reject these characters with a message that repeats the whole value.
  if (setting.path !== "target.password" && /[^\x21-\x7e]/.test(value)) {
    work.problems.push(
      `${setting.path} (${found.from}) holds blanks or characters that no token has`,
    );
    return;
  }
  work.values.set(setting.path, setting.path === "target.password" ? resolved : value);
  work.secrets.push(value);
}

function resolveSecret(setting: Setting, raw: string, found: Found, work: Work): string | null {
  const [, scheme, name = ""] = /^(env|file):(.+)$/.exec(raw.trim()) ?? [];
  if (scheme === "env") {
    const value = work.sources.env(name);
    if (value !== undefined && value.trim() !== "") return value;
    if (setting.default === undefined) giveUp(setting, name, work);
    return null;
  }
  if (scheme === "file") {
    try {
      return work.sources.readSecretFile(name).replace(/\r?\n$/, "");
    } catch {
      if (work.sources.need !== "store") {
        work.problems.push(`${setting.path} (${found.from}): cannot read the file "${name}"`);
      }
      return null;
    }
  }
  if (raw.trim() === "") {
    if (setting.default === undefined) giveUp(setting, null, work);
    return null;
  }
  if (found.layer === "file") {
    work.warnings.push(
      `${setting.path} stands in ${found.from} as plain text; better "env:${
        setting.env ?? "NAME"
      }" or "file:PATH"`,
    );
  }
  return raw;
}

/** Notes a missing setting; where only the store is needed, none is. */
function giveUp(setting: Setting, unsetVariable: string | null, work: Work): void {
  if (work.sources.need === "store") return;
  const ways = [
    unsetVariable !== null && unsetVariable !== setting.env ? `set ${unsetVariable}` : null,
    setting.env === null ? null : `set ${setting.env}`,
    setting.option === null ? null : `or give --${setting.option}`,
    unsetVariable === null ? `or write "${setting.path}" into the file` : null,
  ].filter((way) => way !== null);
  work.missing.push(`${setting.path}: ${ways.join(", ")} (${setting.help})`);
}

function checkTogether(work: Work): void {
  const { values } = work;
  const key = values.get("source.projectKey");
  if (typeof key === "string" && key !== "" && !/^[A-Z][A-Z0-9_]+$/.test(key)) {
    work.problems.push(
      `source.projectKey is "${key}"; wanted the key of a Jira project, such as "SA"`,
    );
  }
  checkWindows(work);
  if (work.sources.need === "store" || values.get("target.token") !== null) return;
  // A token that cannot be used is told already; it is not missing as well.
  if (work.problems.some((problem) => problem.startsWith("target.token "))) return;
  const [user, password] = [values.get("target.username"), values.get("target.password")];
  if (user === null || password === null) {
    const lacking = user === null
      ? (password === null ? "QTEST_USERNAME and QTEST_PASSWORD" : "QTEST_USERNAME as well")
      : "QTEST_PASSWORD as well";
    work.missing.push(`target.token: set QTEST_BEARER_TOKEN, or ${lacking} (qTest credentials)`);
  }
}

/** A window that cannot be read would leave the rates as they are, unseen. */
function checkWindows({ values, problems }: Work): void {
  const windows = values.get("limits.schedule");
  if (!Array.isArray(windows)) return;
  try {
    parseRateWindows(windows);
  } catch (error) {
    problems.push(describeError(error).message.replace(/^Cannot use the configuration: /, ""));
  }
}

function warn(work: Work): void {
  for (const path of ["source.baseUrl", "target.baseUrl"]) {
    const url = work.values.get(path);
    if (typeof url !== "string" || !url.startsWith("http:")) continue;
    if (!/^(localhost|127\..*|\[::1\])$/.test(new URL(url).hostname)) {
      work.warnings.push(`${path} is http: the token travels unencrypted`);
    }
  }
  const accept = work.values.get("accept");
  for (const rule of Array.isArray(accept) ? accept : []) {
    if (Object.hasOwn(LOSS_RULES, rule)) continue;
    const nearest = nearestName(rule, Object.keys(LOSS_RULES));
    work.warnings.push(
      `accept names no known loss rule with "${rule}"; the nearest is "${nearest}"`,
    );
  }
}

function configError(work: Work): ConfigError {
  const lines = [
    ...work.problems,
    ...work.missing.map((missing) => `missing ${missing}`),
  ];
  const [only] = lines;
  const message = lines.length === 1
    ? `Cannot use the configuration: ${only}`
    : `Cannot use the configuration:\n${lines.map((line) => `  - ${line}`).join("\n")}`;
  return new ConfigError(message, {
    hint: work.missing.length > 0
      ? "`ztoq init` writes a starter configuration; the environment alone is enough too"
      : "`ztoq help migrate` and docs/configuration.md list every setting",
  });
}

/** Builds the typed object; the table's types and a test keep it in step with {@linkcode Settings}. */
function assemble(values: Map<string, unknown>): Settings {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const keys = path.split(".");
    const leaf = keys.pop() ?? path;
    let node = root;
    for (const key of keys) node = (node[key] ??= {}) as Record<string, unknown>;
    // Only settings that `need: "store"` may lack are still undefined here.
    node[leaf] = value ?? (value === null ? null : "");
  }
  const { maxOutage, ...rest } = root;
  const settings = { ...rest, maxOutageMs: maxOutage } as unknown as Settings;
  settings.target.rootName ??= `Zephyr ${settings.source.projectKey}`;
  return settings;
}

/** The settings as stored with a run and shown to people: every secret left out. */
export function withoutSecrets(settings: Settings): Record<string, unknown> {
  const copy = structuredClone(settings) as unknown as Record<string, Record<string, unknown>>;
  for (const { path, type } of SETTINGS) {
    const [section = "", leaf = ""] = path.split(".");
    if (type.name === "secret") delete copy[section]?.[leaf];
  }
  delete copy.controlPlane;
  delete copy.webhooks;
  return copy;
}
