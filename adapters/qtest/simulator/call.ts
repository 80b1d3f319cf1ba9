/**
 * One request and its answer, apart from HTTP: routes are plain functions over the state, so a
 * change is applied whole or not at all.
 * @module
 */
import type { EntityOf, QtestState } from "./state.ts";
import type { Kind, User } from "./types.ts";

export interface Call {
  state: QtestState;
  params: Record<string, string>;
  query: URLSearchParams;
  headers: Headers;
  /** The body as received. */
  bytes: Uint8Array<ArrayBuffer>;
  user: User;
  nowMs: number;
  /** Read fault of this request, if any: rows repeat at a page edge, nested properties are null. */
  quirk: "page-drift" | "null-properties" | null;
}

export interface Answer {
  status: number;
  /** Sent as JSON; left out = empty body. */
  json?: unknown;
  bytes?: Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

export interface Route {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** As in the vendor's specification: `/api/v3/projects/{projectId}/modules`. */
  path: string;
  run: (call: Call) => Answer;
  /** No bearer token needed. */
  isPublic?: boolean;
}

/** A refusal with the vendor's status and body. */
export class Refusal extends Error {
  override name = "Refusal";
  constructor(readonly status: number, message: string, readonly body?: unknown) {
    super(message);
  }
}

export function refuse(status: number, message: string): never {
  throw new Refusal(status, message);
}

export function ok(json?: unknown): Answer {
  return { status: 200, json };
}
export function created(json: unknown): Answer {
  return { status: 201, json };
}

export type Json = Record<string, unknown>;

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The body as JSON; 400 when it is none. */
export function jsonBody(call: Call): unknown {
  try {
    return JSON.parse(decoder.decode(call.bytes));
  } catch {
    refuse(400, "Could not read JSON: the request body is missing or malformed");
  }
}

/** The body as a JSON object; 400 otherwise. */
export function objectBody(call: Call): Json {
  const body = jsonBody(call);
  if (!isRecord(body)) refuse(400, "Could not read JSON: an object is expected");
  return body;
}

/** A whole number of the path; 404 when it is none, as for an id that does not exist. */
export function pathId(call: Call, name: string): number {
  const text = call.params[name] ?? "";
  if (!/^-?\d{1,18}$/.test(text)) refuse(404, `Object "${text}" does not exist`);
  return Number(text);
}

/** The object of a kind that a path names; 404 when there is none. */
export function entityOf<K extends Kind>(
  call: Call,
  kind: K,
  param: string,
  title: string,
): EntityOf[K] {
  const entity = call.state.get(kind, pathId(call, param));
  if (entity === undefined) refuse(404, `${title} does not exist`);
  return entity;
}

/** A whole number of the query; undefined when absent, 400 when it is none. */
export function queryInt(call: Call, name: string): number | undefined {
  const text = call.query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d{1,18}$/.test(text)) refuse(400, `Parameter '${name}' is not a number`);
  return Number(text);
}

/** A flag of the query. */
export function queryFlag(call: Call, name: string, fallback = false): boolean {
  const text = call.query.get(name);
  return text === null || text === "" ? fallback : text.toLowerCase() === "true";
}

/** An optional string member; 400 when it has another type. */
export function optionalText(body: Json, key: string): string | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") refuse(400, `'${key}' has to be a string`);
  return value;
}

/** An optional id member given as number or digits; 400 when it is something else. */
export function optionalId(body: Json, key: string): number | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  const id = typeof value === "number" ? value : Number(String(value));
  if (!Number.isSafeInteger(id)) refuse(400, `'${key}' has to be a number`);
  return id;
}

/** The name of a new object: 1 to 500 characters. */
export function requiredName(body: Json): string {
  const name = optionalText(body, "name")?.trim() ?? "";
  if (name === "") refuse(400, "name may not be empty");
  if (name.length > 500) refuse(400, "name: length must be between 1 and 500");
  return name;
}

/** The new name of an existing object; undefined leaves it. */
export function optionalName(body: Json): string | undefined {
  return body.name === undefined || body.name === null ? undefined : requiredName(body);
}

/** An optional list member; 400 when it is something else. */
export function optionalList(body: Json, key: string): unknown[] | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) refuse(400, `'${key}' has to be an array`);
  return value;
}

/** Page of a list by 1-based `page`. */
export function pageOf<T>(
  call: Call,
  all: readonly T[],
  options: { sizeParam: "size" | "pageSize"; defaultSize: number; maxSize: number },
): { items: T[]; page: number; size: number } {
  const page = Math.max(1, queryInt(call, "page") ?? 1);
  const asked = queryInt(call, options.sizeParam) ?? options.defaultSize;
  const size = Math.min(options.maxSize, asked < 1 ? options.defaultSize : asked);
  const start = (page - 1) * size;
  // Rows inserted while somebody pages push the last row of a page onto the next one.
  const from = call.quirk === "page-drift" && start > 0 ? start - 1 : start;
  return { items: all.slice(from, start + size), page, size };
}

/** The envelope of paged objects. */
export function pagedAnswer<T>(
  call: Call,
  all: readonly T[],
  view: (item: T) => unknown,
  options: { defaultSize?: number; maxSize?: number } = {},
): Answer {
  const { items, page, size } = pageOf(call, all, {
    sizeParam: "pageSize",
    defaultSize: options.defaultSize ?? 100,
    maxSize: options.maxSize ?? 999,
  });
  const links = [{ rel: "self", href: call.state.siteUrl }];
  if (page * size < all.length) links.push({ rel: "next", href: call.state.siteUrl });
  return ok({ links, page, page_size: size, total: all.length, items: items.map(view) });
}
