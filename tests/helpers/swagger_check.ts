/** Checks answers against the vendor's Swagger 2.0 document. @module */
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";

type Json = Record<string, unknown>;

const SPEC_URL = new URL("../fixtures/specs/qtest-manager-v3.yaml", import.meta.url);

interface Operation {
  responses: Record<string, { schema?: Json }>;
}

export interface SwaggerCheck {
  paths: Record<string, Record<string, Operation>>;
  /** What is wrong with an answer; empty when it is as documented. */
  check(method: string, path: string, status: number, json: unknown): string[];
}

/** Swagger 2 schema as JSON schema: every member may be null, unknown members are refused. */
function convert(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(convert);
  if (typeof schema !== "object" || schema === null) return schema;
  const source = schema as Json;
  if (typeof source.$ref === "string") {
    return { anyOf: [{ type: "null" }, { $ref: source.$ref }] };
  }
  const { type, properties, items, required, enum: values, additionalProperties } = source;
  const target: Json = {};
  // Plain `object` and `string` stand for anything in places the vendor did not describe.
  if (typeof type === "string" && !(type === "object" && properties === undefined)) {
    target.type = [type, "null"];
  }
  if (properties !== undefined) {
    const entries = Object.entries(properties as Json);
    target.properties = Object.fromEntries(entries.map(([key, value]) => [key, convert(value)]));
    target.additionalProperties = false;
  } else if (additionalProperties !== undefined) {
    target.additionalProperties = convert(additionalProperties);
  }
  if (items !== undefined) target.items = convert(items);
  if (Array.isArray(required)) target.required = required;
  if (Array.isArray(values)) target.enum = [...values, null];
  return target;
}

/** The document says less than the API answers in a few places the field sheets name. */
function amend(definitions: Record<string, Json>): void {
  const fields = definitions.FieldResource?.properties as Json;
  Object.assign(fields, definitions.FieldResourceSwagger?.properties);
  // Some tenants answer the ids of choices as numbers.
  const property = definitions.PropertyResource?.properties as Record<string, Json>;
  property.field_value = {};
  // Paged search results and hierarchy nodes are declared without their content.
  definitions.RepresentationModel = { type: "object" };
  const tree = definitions.AutomationObjectTree?.properties as Json | undefined;
  if (tree !== undefined) tree.children = { type: "array", items: { type: "object" } };
}

/** Reads the document once. */
export function loadSwagger(): SwaggerCheck {
  const spec = parse(Deno.readTextFileSync(SPEC_URL)) as {
    paths: SwaggerCheck["paths"];
    definitions: Record<string, Json>;
  };
  amend(spec.definitions);
  const definitions = convertAll(spec.definitions);
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: "spec", definitions });
  const compiled = new Map<string, ValidateFunction>();
  const validatorOf = (key: string, schema: Json): ValidateFunction => {
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const text = JSON.stringify(convert(schema)).replaceAll(
      '"#/definitions/',
      '"spec#/definitions/',
    );
    const made = ajv.compile(JSON.parse(text));
    compiled.set(key, made);
    return made;
  };
  return {
    paths: spec.paths,
    check(method, path, status, json): string[] {
      const operation = spec.paths[path]?.[method.toLowerCase()];
      if (operation === undefined) return [`${method} ${path} is not in the document`];
      const answer = operation.responses[String(status)];
      if (answer === undefined) return [`${status} is not documented for ${method} ${path}`];
      if (answer.schema === undefined || json === undefined) return [];
      const validate = validatorOf(`${method} ${path} ${status}`, answer.schema);
      if (validate(json)) return [];
      return (validate.errors ?? []).map((error) =>
        `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`
      );
    },
  };
}

function convertAll(definitions: Record<string, Json>): Json {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, schema]) => [name, convert(schema)]),
  );
}
