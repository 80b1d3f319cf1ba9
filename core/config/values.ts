/** Reading one value of a setting, from JSON or from text. @module */
import { nearestName } from "./nearest.ts";
import { ISSUE_LEVELS, VALIDATION_RULES } from "./rules.ts";
import type { Setting, SettingType } from "./table.ts";

/** A usable value, or what was wanted instead of the one seen. */
export type Parsed = { value: unknown } | { wanted: string };

const UNITS_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Reads a value of a setting that is not a secret. Text from options and environment is accepted for every type. */
export function parseValue(type: SettingType, raw: unknown): Parsed {
  switch (type.name) {
    case "text":
      return typeof raw === "string" && raw.trim() !== "" ? { value: raw } : wanted("text");
    case "secret":
      return typeof raw === "string" ? { value: raw } : wanted('text: "env:NAME" or "file:PATH"');
    case "id":
      return parseId(raw);
    case "url":
      return parseUrl(raw, type.schemes);
    case "integer":
      return parseInteger(raw, type.min, type.max);
    case "share":
      return parseShare(raw);
    case "duration":
      return parseDuration(raw);
    case "boolean":
      return parseBoolean(raw);
    case "choice":
      return parseChoice(raw, type.values, type.aliases ?? {});
    case "names":
      return parseNames(raw);
    case "rules":
      return parseRules(raw);
    case "objects":
      return Array.isArray(raw) ? { value: raw } : wanted("a list");
  }
}

/** What a setting takes, in words for help and reference. */
export function describeType(type: SettingType): string {
  switch (type.name) {
    case "integer":
      return `${type.min}–${type.max}`;
    case "choice":
      return type.values.join(" | ");
    case "url":
      return type.schemes.includes("file") ? "URL or file:PATH" : "URL";
    case "secret":
      return '"env:NAME" or "file:PATH"';
    case "boolean":
      return "true | false";
    case "names":
      return "list of names";
    case "rules":
      return "object by rule";
    case "objects":
      return "list";
    default:
      return type.name;
  }
}

/** Word that stands for an option's value in help texts. */
export function valueWord(setting: Setting): string {
  switch (setting.type.name) {
    case "choice":
      return setting.type.values.join("|");
    case "integer":
      return "N";
    case "names":
      return "NAME,…";
    default:
      return setting.type.name.toUpperCase();
  }
}

function wanted(what: string): Parsed {
  return { wanted: what };
}

function parseId(raw: unknown): Parsed {
  if (typeof raw === "number" && Number.isSafeInteger(raw) && raw > 0) {
    return { value: String(raw) };
  }
  if (typeof raw === "string" && /^[1-9]\d{0,18}$/.test(raw.trim())) return { value: raw.trim() };
  return wanted("a project id (digits)");
}

function parseUrl(raw: unknown, schemes: readonly string[]): Parsed {
  const what = `a URL with ${schemes.map((scheme) => `${scheme}:`).join(" or ")}`;
  if (typeof raw !== "string") return wanted(what);
  const text = raw.trim();
  if (schemes.includes("file") && /^file:./.test(text)) return { value: text };
  if (!URL.canParse(text)) return wanted(what);
  const url = new URL(text);
  if (url.protocol === "file:" || !schemes.includes(url.protocol.slice(0, -1))) return wanted(what);
  if (url.hostname === "") return wanted(what);
  if (url.username !== "" || url.password !== "") {
    return wanted("a URL without user name and password; credentials have settings of their own");
  }
  if (url.search !== "" || url.hash !== "") {
    return wanted("a URL without ? and #; tokens have settings of their own");
  }
  return { value: text.replace(/\/+$/, "") };
}

function parseInteger(raw: unknown, min: number, max: number): Parsed {
  const value = typeof raw === "string" && /^-?\d+$/.test(raw.trim()) ? Number(raw) : raw;
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
    ? { value }
    : wanted(`a whole number from ${min} to ${max}`);
}

function parseShare(raw: unknown): Parsed {
  const match = typeof raw === "string" ? /^(\d+(?:\.\d+)?)(%?)$/.exec(raw.trim()) : null;
  const value = match === null ? raw : Number(match[1]) / (match[2] === "%" ? 100 : 1);
  return typeof value === "number" && value > 0 && value <= 1
    ? { value }
    : wanted("a share such as 5% or 0.05 (more than 0, at most 1)");
}

function parseDuration(raw: unknown): Parsed {
  const what = "a duration such as 90s, 30m, 2h, or milliseconds";
  if (typeof raw === "number") {
    return Number.isInteger(raw) && raw >= 0 ? { value: raw } : wanted(what);
  }
  const match = typeof raw === "string" ? /^(\d+)(ms|s|m|h)?$/.exec(raw.trim()) : null;
  if (match === null) return wanted(what);
  return { value: Number(match[1]) * (UNITS_MS[match[2] ?? "ms"] ?? 1) };
}

function parseBoolean(raw: unknown): Parsed {
  if (typeof raw === "boolean") return { value: raw };
  const text = typeof raw === "string" ? raw.trim().toLowerCase() : "";
  if (["true", "yes", "1", "on"].includes(text)) return { value: true };
  if (["false", "no", "0", "off"].includes(text)) return { value: false };
  return wanted("true or false");
}

function parseChoice(
  raw: unknown,
  values: readonly string[],
  aliases: Readonly<Record<string, string>>,
): Parsed {
  const text = typeof raw === "boolean" ? String(raw) : raw;
  if (typeof text === "string") {
    const value = Object.hasOwn(aliases, text) ? aliases[text] : text;
    if (value !== undefined && values.includes(value)) return { value };
  }
  return wanted(`one of ${[...values, ...Object.keys(aliases)].join(", ")}`);
}

function parseNames(raw: unknown): Parsed {
  const list = typeof raw === "string" ? raw.split(",").map((name) => name.trim()) : raw;
  return Array.isArray(list) && list.every((name) => typeof name === "string" && name !== "")
    ? { value: list }
    : wanted("a list of names");
}

function parseRules(raw: unknown): Parsed {
  if (!isObject(raw)) return wanted("an object with rules as keys");
  for (const [rule, value] of Object.entries(raw)) {
    if (!Object.hasOwn(VALIDATION_RULES, rule)) {
      const nearest = nearestName(rule, Object.keys(VALIDATION_RULES));
      return wanted(`known rules; there is no rule "${rule}", the nearest is "${nearest}"`);
    }
    if (!isObject(value)) return wanted(`"${rule}" to be {"enabled": …} or {"level": …}`);
    for (const [key, entry] of Object.entries(value)) {
      const fine = key === "enabled"
        ? typeof entry === "boolean"
        : key === "level" && ISSUE_LEVELS.some((level) => level === entry);
      if (!fine) {
        return wanted(
          `"${rule}" to hold only "enabled" (true or false) and "level" (${
            ISSUE_LEVELS.join(", ")
          })`,
        );
      }
    }
  }
  return { value: raw };
}

/** Whether a JSON value is an object (not null, not a list). */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
