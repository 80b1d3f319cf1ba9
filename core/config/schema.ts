/** JSON Schemas of the configuration and the mapping file, for editors; `ztoq init` writes them. @module */
import { FIELD_OBJECTS } from "../ports/mod.ts";
import { FIELD_KINDS, MAPPED_FIELD_TYPES } from "./mapping.ts";
import { ISSUE_LEVELS, LOSS_RULES, VALIDATION_RULES } from "./rules.ts";
import { type Setting, SETTINGS } from "./table.ts";

type Json = Record<string, unknown>;
const DRAFT = "http://json-schema.org/draft-07/schema#";

/** Returns the schema of `ztoq.json`, generated from the table of settings. */
export function configSchema(): Json {
  const root = section();
  root.properties.$schema = { type: "string" };
  for (const setting of SETTINGS) {
    const keys = setting.path.split(".");
    const leaf = keys.pop() ?? setting.path;
    let node = root;
    for (const key of keys) node = (node.properties[key] ??= section()) as Section;
    node.properties[leaf] = { description: setting.help, ...typeSchema(setting) };
  }
  return { $schema: DRAFT, title: "ztoq configuration", ...root };
}

interface Section extends Json {
  properties: Record<string, unknown>;
}

function section(): Section {
  return { type: "object", additionalProperties: false, properties: {} };
}

function typeSchema(setting: Setting): Json {
  const { type } = setting;
  const given = setting.default === undefined || setting.default === null
    ? {}
    : { default: setting.default };
  switch (type.name) {
    case "integer":
      return { type: "integer", minimum: type.min, maximum: type.max, ...given };
    case "boolean":
      return { type: "boolean", ...given };
    case "choice": {
      const aliases = Object.keys(type.aliases ?? {}).map((alias) => alias === "true");
      return { enum: [...type.values, ...aliases], ...given };
    }
    case "id":
      return { type: ["integer", "string"] };
    case "share":
    case "duration":
      return { type: ["number", "string"], ...given };
    case "names":
      return { type: "array", items: { examples: Object.keys(LOSS_RULES), type: "string" } };
    case "rules":
      return rulesSchema();
    case "objects":
      return { type: "array" };
    default:
      return { type: "string", ...given };
  }
}

function rulesSchema(): Json {
  const rule = {
    type: "object",
    additionalProperties: false,
    properties: { enabled: { type: "boolean" }, level: { enum: [...ISSUE_LEVELS] } },
  };
  const properties = Object.entries(VALIDATION_RULES).map(([name, description]) => [
    name,
    { description, ...rule },
  ]);
  return {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}

/** Returns the schema of `ztoq.mapping.json`. */
export function mappingSchema(): Json {
  const texts = { type: "object", additionalProperties: { type: "string", minLength: 1 } };
  const field = closed({ label: { type: "string" }, type: { enum: [...MAPPED_FIELD_TYPES] } });
  const perKind = { type: "object", additionalProperties: field };
  return {
    $schema: DRAFT,
    title: "ztoq mapping",
    ...closed({
      $schema: { type: "string" },
      statuses: closed({
        execution: { type: "object", additionalProperties: { type: ["string", "null"] } },
      }),
      priorities: texts,
      users: texts,
      names: texts,
      issues: texts,
      fields: closed(Object.fromEntries(FIELD_KINDS.map((kind) => [kind, perKind]))),
      automationStatuses: texts,
      defaults: closed({ status: { type: ["string", "null"] }, priority: { type: "string" } }),
      required: closed(
        Object.fromEntries(FIELD_OBJECTS.map((object) => [object, { type: "object" }])),
      ),
    }),
  };
}

function closed(properties: Json): Json {
  return { type: "object", additionalProperties: false, properties };
}
