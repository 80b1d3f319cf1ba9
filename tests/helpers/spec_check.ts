/** Checks answers against a vendor's published OpenAPI description. @module */
import { Ajv, type ValidateFunction } from "ajv";
import { parse } from "yaml";

type Node = Record<string, unknown>;

export interface SpecOptions {
  /**
   * Places where the description is known to be wrong and null occurs, as
   * `Schema.property` or `Schema.property.property`.
   */
  nullable?: readonly string[];
  /** Schemas whose content the description gets wrong altogether: anything goes there. */
  free?: readonly string[];
}

export interface SpecCheck {
  /**
   * What is wrong with an answer, empty when nothing is. `path` is concrete and below the base
   * URL. An undocumented path or status is a problem too, unless the operation has a `default`.
   */
  problems(method: string, path: string, status: number, body: unknown): string[];
  /** Templates of all documented paths with the given method. */
  paths(method: string): string[];
}

/** Reads a description from `tests/fixtures/specs`. Throws when a name in `options` is unknown. */
export function loadSpec(file: string, options: SpecOptions = {}): SpecCheck {
  const url = new URL(`../fixtures/specs/${file}`, import.meta.url);
  const document = parse(Deno.readTextFileSync(url), { maxAliasCount: -1 }) as Node;
  const schemas = child(child(document, "components"), "schemas");
  for (const place of options.nullable ?? []) allowNull(schemas, place);
  for (const name of options.free ?? []) {
    if (schemas[name] === undefined) throw new RangeError(`No schema "${name}" in ${file}`);
    schemas[name] = {};
  }
  spreadNullable(document);
  return new Check(document);
}

class Check implements SpecCheck {
  #document: Node;
  #ajv: Ajv;
  #compiled = new Map<string, ValidateFunction>();

  constructor(document: Node) {
    this.#document = document;
    this.#ajv = new Ajv({
      strict: false,
      allErrors: true,
      logger: false,
      unicodeRegExp: false,
      validateSchema: false,
      formats: {
        "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/,
        url: (text: string) => URL.canParse(text),
        int64: { type: "number", validate: Number.isSafeInteger },
      },
    });
    this.#ajv.addSchema({ ...document, $id: "spec" });
  }

  paths(method: string): string[] {
    const paths = child(this.#document, "paths");
    return Object.keys(paths).filter((path) => method.toLowerCase() in child(paths, path));
  }

  problems(method: string, path: string, status: number, body: unknown): string[] {
    const template = this.#template(method, path);
    if (template === null) return [`${method} ${path} is not documented`];
    const route = ["paths", template, method.toLowerCase(), "responses"];
    const responses = route.reduce(child, this.#document);
    const key = [String(status), `${String(status)[0]}XX`, "default"].find((k) => k in responses);
    if (key === undefined) return [`${method} ${template}: status ${status} is not documented`];
    const place = this.#schemaPlace([...route, key]);
    if (place === null) return [];
    const validate = this.#compile(place);
    if (validate(body)) return [];
    return (validate.errors ?? []).slice(0, 5).map((error) =>
      `${method} ${template} ${status}: ${error.instancePath} ${error.message}`
    );
  }

  #template(method: string, path: string): string | null {
    const parts = path.split("/");
    const fits = (template: string): boolean => {
      const wanted = template.split("/");
      return wanted.length === parts.length &&
        wanted.every((part, i) => part.startsWith("{") || part === parts[i]);
    };
    const literals = (template: string): number => template.split("{").length;
    const found = this.paths(method).filter(fits).sort((a, b) => literals(a) - literals(b));
    return found[0] ?? null;
  }

  /** Pointer to the JSON schema of a response; null when it has none. */
  #schemaPlace(route: string[]): string | null {
    const response = route.reduce(child, this.#document);
    const ref = response.$ref;
    const base = typeof ref === "string" ? ref.slice(2).split("/") : route;
    const content = child(base.reduce(child, this.#document), "content");
    const media = Object.keys(content).find((type) => type.includes("json"));
    if (media === undefined || child(content, media).schema === undefined) return null;
    const steps = [...base, "content", media, "schema"];
    return steps.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1")))
      .join("/");
  }

  #compile(place: string): ValidateFunction {
    const known = this.#compiled.get(place);
    if (known !== undefined) return known;
    const validate = this.#ajv.compile({ $ref: `spec#/${place}` });
    this.#compiled.set(place, validate);
    return validate;
  }
}

function child(node: Node, name: string): Node {
  const value = node[name];
  return typeof value === "object" && value !== null ? value as Node : {};
}

/** Finds the holder of a property in a schema, through `allOf`. */
function holder(schema: Node, name: string): Node | null {
  const own = child(schema, "properties");
  if (name in own) return own;
  for (const part of Array.isArray(schema.allOf) ? schema.allOf as Node[] : []) {
    const found = holder(part, name);
    if (found !== null) return found;
  }
  return null;
}

function allowNull(schemas: Node, place: string): void {
  const [name = "", ...path] = place.split(".");
  let schema = child(schemas, name);
  for (const [i, step] of path.entries()) {
    const found = holder(schema, step);
    if (found === null) throw new RangeError(`No place "${place}" in the description`);
    schema = withoutNull(child(found, step));
    if (i === path.length - 1) found[step] = { anyOf: [schema, { type: "null" }] };
  }
}

function withoutNull(schema: Node): Node {
  return Array.isArray(schema.anyOf) ? (schema.anyOf as Node[])[0] ?? schema : schema;
}

/** OpenAPI 3.0 says `nullable: true` where JSON Schema has a list of types. */
function spreadNullable(node: unknown): void {
  if (Array.isArray(node)) return node.forEach(spreadNullable);
  if (typeof node !== "object" || node === null) return;
  const schema = node as Node;
  if (schema.nullable === true && typeof schema.type === "string") {
    schema.type = [schema.type, "null"];
    if (Array.isArray(schema.enum)) schema.enum.push(null);
  }
  Object.values(schema).forEach(spreadNullable);
}
