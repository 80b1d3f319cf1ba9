/** A request's overrides of the configuration: checked strictly, merged before everything else. @module */
import { parseJson, readFileValues } from "../core/config/file.ts";
import {
  loadSettings,
  settingAt,
  SETTINGS,
  type Settings,
  type SettingSources,
} from "../core/config/mod.ts";
import { parseValue } from "../core/config/values.ts";
import { parseRateWindows } from "../core/engine/schedule.ts";
import { ConfigError } from "../core/errors.ts";
import { Problem, type ProblemItem } from "./problem.ts";

type Sources = Omit<SettingSources, "need">;
type Body = Record<string, unknown>;

/** Settings that belong to whoever runs the server: places on its disk, its doors and its neighbours. */
const OF_THE_SERVER = ["store.", "mapping", "report.", "controlPlane.", "webhooks", "schedules"];
const ADDRESSES = ["source.baseUrl", "target.baseUrl"];

/** The configuration of the server itself; missing credentials and projects are empty. @throws {ConfigError} */
export function baseSettings(sources: Sources): Settings {
  return loadSettings({ ...sources, need: "store" }).settings;
}

/** The configuration with overrides on top. @throws {Problem} 422 that names every key at fault */
export function settingsWith(sources: Sources, body: Body): Settings {
  const { values, errors } = readOverrides(body);
  if (errors.length > 0) throw unusable(errors);
  const settings = merged(sources, values);
  const base = baseSettings(sources);
  for (const path of ADDRESSES) {
    // The server's token for an address must not be sent to another one.
    if (values.has(path) && valueAt(settings, path) !== valueAt(base, path)) {
      errors.push({
        key: path,
        message: `${path} is fixed by the server: its token belongs there`,
      });
    }
  }
  if (errors.length > 0) throw unusable(errors);
  return settings;
}

/** Reads overrides alone, and what is wrong with them whatever the server is set up for. */
export function readOverrides(
  body: Body,
): { values: Map<string, unknown>; errors: ProblemItem[] } {
  const { values, problems } = readFileValues("body", JSON.stringify(body));
  const errors: ProblemItem[] = problems.map(named);
  for (const [path, value] of values) {
    const message = refusal(path, value);
    if (message !== null) errors.push({ key: path, message });
  }
  return { values, errors };
}

function refusal(path: string, value: unknown): string | null {
  const { type } = settingAt(path);
  if (type.name === "secret" || path === "target.username") {
    return `${path} is a credential: the server has its own, a request never carries any`;
  }
  if (OF_THE_SERVER.some((own) => path === own || (own.endsWith(".") && path.startsWith(own)))) {
    return `${path} belongs to the server and cannot be changed by a request`;
  }
  if (value === null) return null;
  const parsed = parseValue(type, value);
  if (!("value" in parsed)) return `${path} wants ${parsed.wanted}`;
  if (path !== "limits.schedule") return null;
  try {
    parseRateWindows(parsed.value as unknown[]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A request comes before options and environment: what it names is hidden there. */
function merged(sources: Sources, values: Map<string, unknown>): Settings {
  const given = [...values].filter(([, value]) => value !== null);
  const options = { ...sources.options };
  const hidden = new Set<string>();
  for (const [path] of given) {
    const { option, env } = settingAt(path);
    if (option !== null) delete options[option];
    if (env !== null) hidden.add(env);
  }
  const env = (name: string): string | undefined =>
    hidden.has(name) ? undefined : sources.env(name);
  const file = given.length === 0 ? sources.file : withValues(sources.file, given);
  try {
    return loadSettings({ ...sources, options, env, file, need: "migration" }).settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.replace(/^[^:]*: ?/, "").split("\n")
      .map((line) => line.replace(/^\s*- /, "").trim()).filter((line) => line !== "");
    throw unusable(lines.map(named), error.hint);
  }
}

function withValues(
  file: SettingSources["file"],
  values: readonly [string, unknown][],
): SettingSources["file"] {
  const root = parseJson(file?.path ?? "", file?.text ?? "{}") as Body;
  for (const [path, value] of values) {
    const keys = path.split(".");
    const leaf = keys.pop() ?? path;
    let node = root;
    for (const key of keys) node = (node[key] ??= {}) as Body;
    node[leaf] = value;
  }
  return { path: file?.path ?? "the request", text: JSON.stringify(root) };
}

/** The key that a message is about. */
function named(message: string): ProblemItem {
  const key = /"([^"]+)"/.exec(message)?.[1] ?? "";
  const known = SETTINGS.find(({ path }) => message.includes(path))?.path;
  return { key: message.startsWith("unknown key") ? key : known ?? key, message };
}

function unusable(errors: ProblemItem[], hint?: string): Problem {
  const detail = errors.map(({ message }) => message).join("; ");
  return new Problem(422, detail, { errors, ...(hint === undefined ? {} : { hint }) });
}

function valueAt(settings: Settings, path: string): unknown {
  return path.split(".").reduce<unknown>((node, key) => (node as Body)[key], settings);
}

/**
 * The configuration for continuing a run: what it was started with, with the server's credentials.
 * @throws {Problem} 409 when the server is configured for other systems than the run's
 */
export function settingsOfRun(sources: Sources, config: unknown): Settings {
  const stored = (typeof config === "object" && config !== null ? config : {}) as Body;
  const { values } = readFileValues("run", JSON.stringify(stored));
  const own = new Map<string, unknown>();
  for (const [path, value] of values) {
    if (value !== null && !ADDRESSES.includes(path) && refusal(path, value) === null) {
      own.set(path, value);
    }
  }
  const settings = merged(sources, own);
  for (const path of ADDRESSES) {
    const wanted = values.get(path);
    if (wanted !== undefined && wanted !== valueAt(settings, path)) {
      throw new Problem(409, `This run works with another ${path} than this server is set up for`, {
        hint: "Continue it where it was started, or change the configuration of the server.",
      });
    }
  }
  return settings;
}
