/** The mapping file: people edit it, ztoq only adds. @module */
import { ConfigError } from "../errors.ts";
import { FIELD_OBJECTS } from "../ports/mod.ts";
import { parseJson } from "./file.ts";
import { nearestName } from "./nearest.ts";
import type { Mapping } from "./types.ts";
import { isObject } from "./values.ts";

/** Kinds of the source whose custom fields may be steered. */
export const FIELD_KINDS = ["testCase", "testCycle", "testPlan"] as const;

/** Field types the mapping file may ask for. */
export const MAPPED_FIELD_TYPES = [
  "text",
  "richText",
  "number",
  "date",
  "dateTime",
  "combo",
  "multiSelect",
  "checkbox",
  "user",
] as const;

const TOP_KEYS = [
  "statuses",
  "priorities",
  "users",
  "names",
  "issues",
  "fields",
  "automationStatuses",
  "defaults",
  "required",
] as const;

/** A mapping that says nothing. */
export function emptyMapping(): Mapping {
  return {
    statuses: { execution: {} },
    priorities: {},
    users: {},
    names: {},
    issues: {},
    fields: {},
    automationStatuses: {},
    defaults: {},
    required: {},
  };
}

/**
 * Reads the text of a mapping file.
 * @throws {ConfigError} listing every unknown key (with the nearest known) and wrong value
 */
export function parseMapping(path: string, text: string): Mapping {
  const json = parseJson(path, text);
  const check = new Checker();
  const root = check.object(json, "", [...TOP_KEYS, "$schema"]);
  const statuses = check.object(root.statuses, "statuses", ["execution"]);
  const defaults = check.object(root.defaults, "defaults", ["status", "priority"]);
  const mapping: Mapping = {
    statuses: { execution: check.texts(statuses.execution, "statuses.execution", true) },
    priorities: check.filled(root.priorities, "priorities"),
    users: check.filled(root.users, "users"),
    names: check.filled(root.names, "names"),
    issues: check.filled(root.issues, "issues"),
    fields: check.fields(root.fields),
    automationStatuses: check.filled(root.automationStatuses, "automationStatuses"),
    defaults: check.defaults(defaults),
    required: check.required(root.required),
  };
  if (check.problems.length > 0) {
    throw new ConfigError(
      `Cannot use the mapping file ${path}:\n${
        check.problems.map((problem) => `  - ${problem}`).join("\n")
      }`,
      { hint: "docs/configuration.md shows every key of the mapping file" },
    );
  }
  return mapping;
}

/** Collects problems while walking, so that one error can name them all. */
class Checker {
  readonly problems: string[] = [];

  object(value: unknown, path: string, known: readonly string[] | null): Record<string, unknown> {
    if (value === undefined) return {};
    if (!isObject(value)) {
      this.problems.push(`${path === "" ? "the file" : `"${path}"`} is not an object`);
      return {};
    }
    const unknown = known === null ? [] : Object.keys(value).filter((key) => !known.includes(key));
    const prefix = path === "" ? "" : `${path}.`;
    for (const key of unknown) {
      const nearest = prefix + nearestName(key, known ?? []);
      this.problems.push(`unknown key "${prefix}${key}"; the nearest known key is "${nearest}"`);
    }
    return value;
  }

  texts(value: unknown, path: string, nullable: boolean): Record<string, string | null> {
    const result: Record<string, string | null> = {};
    for (const [key, entry] of Object.entries(this.object(value, path, null))) {
      if (typeof entry === "string" && entry !== "") result[key] = entry;
      else if (entry === null && nullable) result[key] = null;
      else {
        this.problems.push(`"${path}.${key}" is no text${nullable ? " and not null" : ""}`);
      }
    }
    return result;
  }

  filled(value: unknown, path: string): Record<string, string> {
    return this.texts(value, path, false) as Record<string, string>;
  }

  fields(value: unknown): Mapping["fields"] {
    const result: Mapping["fields"] = {};
    for (const [kind, labels] of Object.entries(this.object(value, "fields", FIELD_KINDS))) {
      const fields: Record<string, { label?: string; type?: string }> = {};
      for (const [name, field] of Object.entries(this.object(labels, `fields.${kind}`, null))) {
        const path = `fields.${kind}.${name}`;
        const texts = this.filled(this.object(field, path, ["label", "type"]), path);
        const { type } = texts;
        if (type !== undefined && !MAPPED_FIELD_TYPES.some((known) => known === type)) {
          this.problems.push(
            `"${path}.type" is "${type}"; wanted one of ${MAPPED_FIELD_TYPES.join(", ")}`,
          );
        }
        fields[name] = texts;
      }
      result[kind] = fields;
    }
    return result;
  }

  defaults(value: Record<string, unknown>): Mapping["defaults"] {
    const texts = this.texts(value, "defaults", true);
    const result: Mapping["defaults"] = {};
    if (texts.status !== undefined) result.status = texts.status;
    if (typeof texts.priority === "string") result.priority = texts.priority;
    else if (texts.priority === null) this.problems.push('"defaults.priority" is no text');
    return result;
  }

  required(value: unknown): Mapping["required"] {
    const result: Mapping["required"] = {};
    for (const [object, labels] of Object.entries(this.object(value, "required", FIELD_OBJECTS))) {
      result[object] = { ...this.object(labels, `required.${object}`, null) };
    }
    return result;
  }
}

/** A mapping with additions, and the paths that were new. */
export interface MergedMapping {
  mapping: Mapping;
  added: string[];
}

/** Adds keys that are not there yet; never changes or removes what people wrote, `null` included. */
export function mergeMapping(existing: Mapping, additions: Partial<Mapping>): MergedMapping {
  const mapping = structuredClone(existing);
  const added: string[] = [];
  addMissing(
    mapping as unknown as Record<string, unknown>,
    additions as Record<string, unknown>,
    "",
    added,
  );
  return { mapping, added };
}

function addMissing(
  into: Record<string, unknown>,
  from: Record<string, unknown>,
  prefix: string,
  added: string[],
): void {
  for (const [key, value] of Object.entries(from)) {
    const path = prefix + key;
    const present = Object.hasOwn(into, key) ? into[key] : undefined;
    if (present === undefined) {
      if (value === undefined) continue;
      into[key] = structuredClone(value);
      added.push(path);
    } else if (isObject(present) && isObject(value)) {
      addMissing(present, value, `${path}.`, added);
    }
  }
}

/** Text of a mapping file, with the reference to its schema first. */
export function formatMapping(mapping: Mapping): string {
  return `${JSON.stringify({ $schema: "./ztoq.mapping.schema.json", ...mapping }, null, 2)}\n`;
}
