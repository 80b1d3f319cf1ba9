/** Checks answers of the control plane against its own OpenAPI document. @module */
import { Ajv, type ValidateFunction } from "ajv";

type Node = Record<string, unknown>;

/** Tells what is wrong with an answer; empty when nothing is. */
export function openApiCheck(
  document: Node,
): (method: string, path: string, status: number, type: string, body: unknown) => string[] {
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addSchema({ $id: "doc", ...document });
  const compiled = new Map<string, ValidateFunction>();
  return (method, path, status, type, body) => {
    const paths = document.paths as Record<string, Node>;
    const template = Object.keys(paths).find((one) =>
      new RegExp(`^${one.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(path) &&
      paths[one]?.[method.toLowerCase()] !== undefined
    );
    if (template === undefined) return [`${method} ${path} is not documented`];
    const operation = paths[template]?.[method.toLowerCase()] as {
      responses: Record<string, Node>;
    };
    const response = operation.responses[String(status)];
    if (response === undefined) return [`${method} ${template} does not document ${status}`];
    const content = response.content as Record<string, Node> | undefined;
    const media = type.split(";")[0] ?? "";
    if (content?.[media] === undefined) return [`${method} ${template} ${status}: no ${media}`];
    const pointer = [
      "paths",
      template,
      method.toLowerCase(),
      "responses",
      String(status),
      "content",
      media,
      "schema",
    ]
      .map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join(
        "/",
      );
    const validate = compiled.get(pointer) ?? ajv.compile({ $ref: `doc#/${pointer}` });
    compiled.set(pointer, validate);
    if (validate(body)) return [];
    return (validate.errors ?? []).map((error) =>
      `${method} ${template} ${status}: ${error.instancePath} ${error.message}`
    );
  };
}
