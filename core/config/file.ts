/** Reading the configuration file: JSON, known keys only. @module */
import { ConfigError } from "../errors.ts";
import { nearestName } from "./nearest.ts";
import { SETTINGS } from "./table.ts";
import { isObject } from "./values.ts";

const PATHS: readonly string[] = SETTINGS.map((setting) => setting.path);

/** Values of the file by setting path, and what is wrong with its keys. */
export interface FileValues {
  values: Map<string, unknown>;
  problems: string[];
}

/**
 * Parses JSON for people: the message gives the place, never the text around it (it may be a secret).
 * @throws {ConfigError}
 */
export function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    const place = placeOf(text, faultAt(text));
    throw new ConfigError(`Cannot read ${path}: not valid JSON (${place})`, {
      hint: "check quotes, commas and brackets; JSON has no comments and no trailing commas",
    });
  }
}

function placeOf(text: string, position: number): string {
  const lines = text.slice(0, position).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}

const SPACE = /[ \t\r\n\uFEFF]*/y;
// deno-lint-ignore no-control-regex -- JSON forbids them inside of texts
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where JSON stops being JSON: the runtime tells the place of some mistakes only. */
function faultAt(text: string): number {
  let at = 0;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const take = (mark: string): boolean => {
    skip(SPACE);
    if (text[at] !== mark) return false;
    at++;
    return true;
  };
  const list = (end: string, item: () => boolean): boolean => {
    if (take(end)) return true;
    do {
      if (!item()) return false;
    } while (take(","));
    return take(end);
  };
  const value = (): boolean => {
    if (take("{")) {
      return list("}", () => {
        skip(SPACE);
        return skip(TEXT) && take(":") && value();
      });
    }
    if (take("[")) return list("]", value);
    return skip(TEXT) || skip(SCALAR);
  };
  if (value()) skip(SPACE);
  return at;
}

/** Flattens the file into setting paths; unknown keys become problems that name the nearest known key. */
export function readFileValues(path: string, text: string): FileValues {
  const json = parseJson(path, text);
  if (!isObject(json)) throw new ConfigError(`Cannot read ${path}: not a JSON object`);
  const result: FileValues = { values: new Map(), problems: [] };
  collect(json, "", result);
  return result;
}

function collect(node: Record<string, unknown>, prefix: string, result: FileValues): void {
  for (const [key, value] of Object.entries(node)) {
    const path = prefix + key;
    if (path === "$schema") continue;
    if (PATHS.includes(path)) {
      result.values.set(path, value);
    } else if (!PATHS.some((known) => known.startsWith(`${path}.`))) {
      result.problems.push(`unknown key "${path}"; the nearest known key is "${suggest(path)}"`);
    } else if (isObject(value)) {
      collect(value, `${path}.`, result);
    } else {
      result.problems.push(`"${path}" is not an object`);
    }
  }
}

/** A key in the wrong object is named by its full path; otherwise the nearest key of the same object. */
function suggest(path: string): string {
  const dot = path.lastIndexOf(".");
  const prefix = path.slice(0, dot + 1);
  const leaf = path.slice(dot + 1);
  const elsewhere = PATHS.find((known) => known.endsWith(`.${leaf}`));
  if (elsewhere !== undefined) return elsewhere;
  const siblings = PATHS.filter((known) => known.startsWith(prefix))
    .map((known) => known.slice(prefix.length).split(".")[0] ?? known);
  return prefix + (nearestName(leaf, [...new Set(siblings)]) ?? "");
}
