/**
 * `POST /search`: an index over the objects that lags behind.
 * @module
 */
import {
  type Answer,
  type Call,
  type Json,
  objectBody,
  optionalList,
  optionalText,
  pagedAnswer,
  queryFlag,
  refuse,
  type Route,
} from "./call.ts";
import { valueName } from "./fields.ts";
import { type FieldValue, parseQuery, passes, type Query } from "./query.ts";
import { containerKind, type QtestState } from "./state.ts";
import type { Entity, Field, Kind, Properties } from "./types.ts";
import {
  buildView,
  currentVersion,
  cycleView,
  logView,
  releaseView,
  requirementView,
  runView,
  suiteView,
  testCaseView,
} from "./views.ts";

const SEARCHABLE = new Set<Kind>([
  "releases",
  "requirements",
  "test-cases",
  "test-runs",
  "test-suites",
  "test-cycles",
  "test-logs",
  "builds",
  "defects",
]);

type Getter = (state: QtestState, entity: Entity) => FieldValue;

function named(state: QtestState, kind: Kind, id: number | null): FieldValue {
  const entity = id === null ? undefined : state.get(kind, id);
  if (entity === undefined) return null;
  return [String(entity.id), entity.pid, `${entity.pid} ${entity.name}`];
}

function ancestor(state: QtestState, entity: Entity, wanted: Kind): FieldValue {
  let at: Entity | undefined = entity.kind === "test-logs"
    ? state.get("test-runs", entity.runId)
    : entity;
  while (at !== undefined && "parentType" in at) {
    const kind = containerKind(at.parentType);
    if (kind === null) return null;
    const parent: Entity | undefined = state.get(kind, at.parentId);
    if (kind === wanted) return named(state, kind, at.parentId);
    at = parent;
  }
  return null;
}

const COMMON: Record<string, Getter> = {
  id: (_state, entity) => [String(entity.id), entity.pid],
  pid: (_state, entity) => [entity.pid],
  name: (_state, entity) => [entity.name],
  "created date": (_state, entity) => ({ instant: entity.createdAt }),
  "last modified date": (_state, entity) => ({ instant: entity.modifiedAt }),
  description: (_state, entity) => {
    if (entity.kind === "test-cases") return [currentVersion(entity).description];
    return "description" in entity ? [entity.description] : null;
  },
  precondition: (_state, entity) =>
    entity.kind === "test-cases" ? [currentVersion(entity).precondition] : null,
  version: (_state, entity) => {
    if (entity.kind !== "test-cases") return null;
    const { major, minor } = currentVersion(entity);
    return [`${major}.${minor}`];
  },
  module: (state, entity) =>
    "runId" in entity || !("parentId" in entity) ? null : named(state, "modules", entity.parentId),
  "test case id": (state, entity) => {
    const run = entity.kind === "test-logs" ? state.get("test-runs", entity.runId) : entity;
    return run?.kind === "test-runs" ? named(state, "test-cases", run.testCaseId) : null;
  },
  "test run id": (state, entity) =>
    entity.kind === "test-logs" ? named(state, "test-runs", entity.runId) : null,
  "test suite id": (state, entity) => ancestor(state, entity, "test-suites"),
  "test cycle id": (state, entity) => ancestor(state, entity, "test-cycles"),
  release: (state, entity) => ancestor(state, entity, "releases"),
  "target release/build": (state, entity) =>
    "targetReleaseId" in entity && entity.targetReleaseId !== null
      ? [String(-entity.targetReleaseId), state.get("releases", entity.targetReleaseId)?.pid ?? ""]
      : null,
  "external id": (_state, entity) =>
    entity.kind === "requirements" && entity.externalId !== null ? [entity.externalId] : null,
};

const OF_LOGS: Record<string, Getter> = {
  "execution start date": (_state, entity) =>
    entity.kind === "test-logs" ? { instant: entity.startAt } : null,
  "execution end date": (_state, entity) =>
    entity.kind === "test-logs" ? { instant: entity.endAt } : null,
  status: (state, entity) =>
    entity.kind === "test-logs"
      ? [
        state.statuses.find((status) => status.id === entity.statusId)?.name ?? "",
        String(entity.statusId),
      ]
      : null,
  note: (_state, entity) => entity.kind === "test-logs" ? [entity.note] : null,
};

function propertyGetter(field: Field): Getter {
  return (state, entity) => {
    const values = (entity as { properties?: Properties }).properties;
    const value = values?.get(field.id);
    if (value === undefined) return null;
    if (field.dataType === 4 || field.dataType === 9) return { instant: Date.parse(String(value)) };
    if (field.dataType === 7) return Number(value);
    if (typeof value === "string") return [value];
    const label = valueName(state, field, value) ?? "";
    return [...value.map(String), label, label.replace(/^\[|\]$/g, "")];
  };
}

function getterFor(state: QtestState, kind: Kind, name: string): Getter {
  const key = name.toLowerCase();
  const special = kind === "test-logs" ? OF_LOGS[key] : undefined;
  if (special !== undefined) return special;
  const field = state.fieldsOf(kind).find((item) =>
    item.label.toLowerCase() === key || String(item.id) === key
  );
  if (field !== undefined) {
    if (!field.searchable) refuse(400, `Field "${name}" is not searchable`);
    return propertyGetter(field);
  }
  const common = COMMON[key];
  if (common === undefined) refuse(400, `Field "${name}" does not exist`);
  return common;
}

function compile(state: QtestState, kind: Kind, query: Query): (entity: Entity) => boolean {
  if (query.type === "test") {
    const get = getterFor(state, kind, query.field);
    return (entity) => passes(get(state, entity), query.operator, query.values);
  }
  const parts = query.parts.map((part) => compile(state, kind, part));
  return query.type === "and"
    ? (entity) => parts.every((part) => part(entity))
    : (entity) => parts.some((part) => part(entity));
}

interface Cached {
  key: string;
  revision: number;
  validUntil: number;
  found: Entity[];
}
const lastSearch = new WeakMap<QtestState, Cached>();

/** Runs a query; the last result serves the following pages while nothing changes. */
function runQuery(call: Call, kind: Kind, text: string): Entity[] {
  const { state } = call;
  const key = `${kind} ${text}`;
  const cached = lastSearch.get(state);
  const isFresh = cached?.key === key && cached.revision === state.revision &&
    call.nowMs <= cached.validUntil;
  if (cached !== undefined && isFresh) return cached.found;
  const query = parseQuery(text);
  const test = query === null ? () => true : compile(state, kind, query);
  const indexedUntil = call.nowMs - state.switches.searchLagMs;
  let isLagging = false;
  const found: Entity[] = [];
  for (const entity of state.table(kind).values() as Iterable<Entity>) {
    if (entity.createdAt > indexedUntil) isLagging = true;
    else if (test(entity)) found.push(entity);
  }
  // What is too young for the index becomes visible with time alone.
  const validUntil = isLagging ? call.nowMs - 1 : Infinity;
  lastSearch.set(state, { key, revision: state.revision, validUntil, found });
  return found;
}

function viewOf(call: Call, entity: Entity): Json {
  const { state } = call;
  const nullProperties = call.quirk === "null-properties";
  const withLogParts = queryFlag(call, "includeTestLogProperties");
  switch (entity.kind) {
    case "releases":
      return releaseView(state, entity);
    case "builds":
      return buildView(state, entity);
    case "requirements":
      return requirementView(state, entity, {
        external: queryFlag(call, "includeExternalProperties"),
      });
    case "test-cases":
      return testCaseView(state, entity, { steps: queryFlag(call, "appendTestSteps") });
    case "test-cycles":
      return cycleView(state, entity);
    case "test-suites":
      return suiteView(state, entity);
    case "test-runs":
      return runView(state, entity, { nullProperties });
    case "test-logs": {
      const view = logView(state, entity, { steps: withLogParts });
      if (!withLogParts) delete view.properties;
      return view;
    }
    default:
      return { id: entity.id, pid: entity.pid };
  }
}

/** Keeps the asked members; `properties` keeps the asked fields. */
function project(view: Json, fields: string[]): Json {
  const wanted = new Set(fields.map((field) => field.toLowerCase()));
  const kept: Json = {};
  for (const [key, value] of Object.entries(view)) {
    if (wanted.has(key.toLowerCase())) kept[key] = value;
  }
  if (!wanted.has("properties") && Array.isArray(view.properties)) {
    const properties = (view.properties as Json[]).filter((item) =>
      wanted.has(String(item.field_name).toLowerCase()) || wanted.has(String(item.field_id))
    );
    if (properties.length > 0) kept.properties = properties;
  }
  return kept;
}

function search(call: Call): Answer {
  const body = objectBody(call);
  const kind = optionalText(body, "object_type") as Kind | undefined;
  if (kind === undefined || !SEARCHABLE.has(kind)) refuse(400, "object_type is invalid");
  const fields = (optionalList(body, "fields") ?? ["*"]).map(String);
  const isWhole = fields.length === 0 || fields.includes("*");
  const found = runQuery(call, kind, optionalText(body, "query") ?? "");
  return pagedAnswer(call, found, (entity) => {
    const view = viewOf(call, entity);
    return isWhole ? view : project(view, fields);
  });
}

export const SEARCH_ROUTES: Route[] = [
  { method: "POST", path: "/api/v3/projects/{projectId}/search", run: search },
];
