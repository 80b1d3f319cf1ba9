/**
 * What the tenant looks like from above: copies of one source record, lost parents, order of logs.
 * @module
 */
import type { Json } from "./call.ts";
import { containerKind, KINDS, type QtestState } from "./state.ts";
import type { Entity, Kind, Properties } from "./types.ts";
import {
  attachmentView,
  buildView,
  currentVersion,
  cycleView,
  logView,
  moduleView,
  releaseView,
  requirementView,
  runView,
  suiteView,
  testCaseView,
} from "./views.ts";

/** Several objects of one kind that stand for the same source record. */
export interface Duplicate {
  kind: Kind;
  key: string;
  ids: number[];
}

export interface QtestOracle {
  /** Objects per kind, and of `attachments`, `comments`, `links`, `parameters`, `customFields`. */
  counts: Record<string, number>;
  /** Source keys per kind: how many different ones were found. */
  keys: Record<string, number>;
  duplicates: Duplicate[];
  /** Files of one name and size at one object. */
  duplicateAttachments: { objectType: string; objectId: number; name: string; ids: number[] }[];
  /** Objects whose parent, case or run does not exist. */
  orphans: { kind: Kind; id: number }[];
  /** Runs whose logs were not submitted in the order of their end. */
  runsOutOfOrder: number[];
  /** Source keys of the logs of each run with more than one, in the order of submission. */
  logsPerRun: Record<string, string[]>;
}

const TEXT_MARKER = /zephyr:[a-zA-Z]+:([^\s<]+)/;
const NAME_MARKER = /\[([^\[\]]+)\]$/;

/** Key of the source record an object stands for, or null when it carries no marker. */
export function sourceKey(state: QtestState, entity: Entity, label: string): string | null {
  const values = (entity as { properties?: Properties }).properties;
  const field = state.fieldsOf(entity.kind, true).find((item) => item.label === label);
  const value = field === undefined ? undefined : values?.get(field.id);
  if (typeof value === "string") return value;
  const text = entity.kind === "test-logs"
    ? entity.note
    : entity.kind === "test-cases"
    ? currentVersion(entity).description
    : "description" in entity
    ? entity.description
    : "";
  const marked = TEXT_MARKER.exec(text)?.[0];
  if (marked !== undefined) return marked;
  const isNamed = entity.kind === "test-suites" || entity.kind === "test-runs";
  return isNamed ? NAME_MARKER.exec(entity.name)?.[1] ?? null : null;
}

function isOrphan(state: QtestState, entity: Entity): boolean {
  switch (entity.kind) {
    case "modules":
      return entity.parentId !== 0 && state.get("modules", entity.parentId) === undefined;
    case "test-cases":
      return state.get("modules", entity.parentId) === undefined;
    case "test-logs":
      return state.get("test-runs", entity.runId) === undefined;
    case "test-cycles":
    case "test-suites":
    case "test-runs": {
      const kind = containerKind(entity.parentType);
      const isLost = kind !== null && state.get(kind, entity.parentId) === undefined;
      return isLost ||
        (entity.kind === "test-runs" && state.get("test-cases", entity.testCaseId) === undefined);
    }
    default:
      return false;
  }
}

function duplicateFiles(state: QtestState): QtestOracle["duplicateAttachments"] {
  const groups = new Map<string, QtestOracle["duplicateAttachments"][number]>();
  for (const file of state.attachments.values()) {
    const key = `${file.objectType} ${file.objectId} ${file.bytes.length} ${file.name}`;
    const group = groups.get(key);
    if (group !== undefined) group.ids.push(file.id);
    else {
      const { objectType, objectId, name } = file;
      groups.set(key, { objectType, objectId, name, ids: [file.id] });
    }
  }
  return [...groups.values()].filter((group) => group.ids.length > 1);
}

/** Looks the whole tenant through. `label` names the custom field with the source key. */
export function inspect(state: QtestState, label: string): QtestOracle {
  const oracle: QtestOracle = {
    counts: {},
    keys: {},
    duplicates: [],
    duplicateAttachments: duplicateFiles(state),
    orphans: [],
    runsOutOfOrder: [],
    logsPerRun: {},
  };
  for (const kind of KINDS) inspectKind(state, kind, label, oracle);
  inspectLogs(state, label, oracle);
  oracle.counts.attachments = state.attachments.size;
  oracle.counts.comments = state.comments.size;
  oracle.counts.parameters = state.parameters.size;
  oracle.counts.customFields = [...state.fields.values()].filter((field) => !field.isSystem).length;
  oracle.counts.links = [...state.table("requirements").keys()]
    .reduce((sum, id) => sum + state.linksOf(`requirements ${id}`).length, 0);
  return oracle;
}

function inspectKind(state: QtestState, kind: Kind, label: string, oracle: QtestOracle): void {
  const byKey = new Map<string, number[]>();
  for (const entity of state.table(kind).values() as Iterable<Entity>) {
    const key = sourceKey(state, entity, label);
    if (key !== null) {
      const ids = byKey.get(key);
      if (ids === undefined) byKey.set(key, [entity.id]);
      else ids.push(entity.id);
    }
    if (isOrphan(state, entity)) oracle.orphans.push({ kind, id: entity.id });
  }
  oracle.counts[kind] = state.table(kind).size;
  oracle.keys[kind] = byKey.size;
  for (const [key, ids] of byKey) {
    if (ids.length > 1) oracle.duplicates.push({ kind, key, ids });
  }
}

function inspectLogs(state: QtestState, label: string, oracle: QtestOracle): void {
  for (const run of state.table("test-runs").values()) {
    if (run.logIds.length < 2) continue;
    const logs = run.logIds.map((id) => state.get("test-logs", id)).filter((log) =>
      log !== undefined
    );
    const isOrdered = logs.every((log, index) =>
      log.endAt >= (logs[index - 1]?.endAt ?? -Infinity)
    );
    if (!isOrdered) oracle.runsOutOfOrder.push(run.id);
    oracle.logsPerRun[run.id] = logs.map((log) => sourceKey(state, log, label) ?? String(log.id));
  }
}

function viewOf(state: QtestState, entity: Entity): Json {
  switch (entity.kind) {
    case "modules":
      return moduleView(state, entity);
    case "releases":
      return releaseView(state, entity);
    case "builds":
      return buildView(state, entity);
    case "requirements":
      return requirementView(state, entity, { external: true });
    case "test-cases":
      return testCaseView(state, entity, { steps: true, attachments: true });
    case "test-cycles":
      return cycleView(state, entity);
    case "test-suites":
      return suiteView(state, entity);
    case "test-runs":
      return runView(state, entity);
    case "test-logs":
      return logView(state, entity);
    default:
      return { id: entity.id, pid: entity.pid };
  }
}

/** Every object as the API would show it, by kind. */
export function dump(state: QtestState): Record<string, Json[]> {
  const all: Record<string, Json[]> = {};
  for (const kind of KINDS) {
    all[kind] = Array.from(
      state.table(kind).values() as Iterable<Entity>,
      (entity) => viewOf(state, entity),
    );
  }
  all.attachments = Array.from(state.attachments.values(), (item) => ({
    ...attachmentView(state, item),
    object_type: item.objectType,
    size: item.bytes.length,
  }));
  return all;
}
