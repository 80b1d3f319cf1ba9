/**
 * Releases and builds.
 * @module
 */
import {
  type Answer,
  type Call,
  created,
  entityOf,
  isRecord,
  type Json,
  objectBody,
  ok,
  optionalId,
  optionalList,
  optionalName,
  optionalText,
  queryFlag,
  queryInt,
  refuse,
  requiredName,
  type Route,
} from "./call.ts";
import { readInstant } from "./dates.ts";
import { applyProperties } from "./fields.ts";
import { removeRelease } from "./removal.ts";
import type { QtestState } from "./state.ts";
import { storeHtml } from "./text.ts";
import type { BuildEntity, ReleaseEntity } from "./types.ts";
import { buildView, releaseView } from "./views.ts";

function releaseOf(call: Call): ReleaseEntity {
  return entityOf(call, "releases", "releaseId", "Release");
}

function dateOf(body: Json, key: string): number | null | undefined {
  const value = body[key];
  if (value === undefined) return undefined;
  if (value === null || value === "") return null;
  const instant = readInstant(value, { fraction: true });
  if (instant === null) refuse(400, `${key} is not a date`);
  return instant;
}

function mirrorReleaseDates(state: QtestState, entity: ReleaseEntity): void {
  const pairs = [["StartDateRelease", entity.startAt], ["EndDateRelease", entity.endAt]] as const;
  for (const [name, instant] of pairs) {
    const field = state.fieldByName("releases", name);
    if (field === undefined || instant === null) continue;
    // The property says the instant in UTC while the member uses the site's offset.
    entity.properties.set(field.id, new Date(instant).toISOString().replace(".000Z", "+00:00"));
  }
}

function createRelease(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const name = requiredName(body);
  const startAt = dateOf(body, "start_date") ?? null;
  const endAt = dateOf(body, "end_date") ?? null;
  if (startAt !== null && endAt !== null && endAt < startAt) {
    refuse(400, "end_date is before start_date");
  }
  const description = storeHtml(state, optionalText(body, "description"));
  const note = optionalText(body, "note") ?? "";
  const given = optionalList(body, "properties");
  const properties = applyProperties(state, "releases", new Map(), given, "create");
  const entity: ReleaseEntity = {
    ...state.base("releases", call.user.id, name),
    kind: "releases",
    description,
    note,
    startAt,
    endAt,
    closed: false,
    properties,
  };
  mirrorReleaseDates(state, entity);
  state.add(entity);
  return created(releaseView(state, entity));
}

function updateRelease(call: Call): Answer {
  const { state } = call;
  const entity = releaseOf(call);
  const body = objectBody(call);
  const name = optionalName(body);
  const description = optionalText(body, "description");
  const startAt = dateOf(body, "start_date");
  const endAt = dateOf(body, "end_date");
  const given = optionalList(body, "properties");
  entity.properties = applyProperties(state, "releases", entity.properties, given, "update");
  entity.name = name ?? entity.name;
  if (description !== undefined) entity.description = storeHtml(state, description);
  entity.note = optionalText(body, "note") ?? entity.note;
  if (startAt !== undefined) entity.startAt = startAt;
  if (endAt !== undefined) entity.endAt = endAt;
  mirrorReleaseDates(state, entity);
  state.touch(entity);
  return ok(releaseView(state, entity));
}

function listReleases(call: Call): Answer {
  const closed = queryFlag(call, "includeClosed");
  const list = [...call.state.table("releases").values()].filter((item) => closed || !item.closed);
  return ok(list.map((item) => releaseView(call.state, item)));
}

function buildOf(call: Call): BuildEntity {
  return entityOf(call, "builds", "buildId", "Build");
}

function createBuild(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const releaseId = isRecord(body.release) ? optionalId(body.release, "id") : undefined;
  if (releaseId === undefined || state.get("releases", releaseId) === undefined) {
    refuse(400, "Release is invalid");
  }
  const given = optionalList(body, "properties");
  const name = requiredName(body);
  const properties = applyProperties(state, "builds", new Map(), given, "create");
  const base = state.base("builds", call.user.id, name);
  const entity: BuildEntity = { ...base, kind: "builds", releaseId, properties };
  state.add(entity);
  return created(buildView(state, entity));
}

const PROJECT = "/api/v3/projects/{projectId}";
const RELEASE = `${PROJECT}/releases/{releaseId}`;
const BUILD = `${PROJECT}/builds/{buildId}`;

export const RELEASE_ROUTES: Route[] = [
  { method: "GET", path: `${PROJECT}/releases`, run: listReleases },
  { method: "POST", path: `${PROJECT}/releases`, run: createRelease },
  { method: "GET", path: RELEASE, run: (call) => ok(releaseView(call.state, releaseOf(call))) },
  { method: "PUT", path: RELEASE, run: updateRelease },
  {
    method: "DELETE",
    path: RELEASE,
    run: (call) => {
      removeRelease(call.state, releaseOf(call), call.state.switches.deleteCascades);
      return { status: 200 };
    },
  },
  {
    method: "GET",
    path: `${PROJECT}/builds`,
    run: (call) => {
      const releaseId = queryInt(call, "releaseId");
      if (releaseId === undefined) refuse(400, "releaseId is required");
      const list = call.state.children("builds", "release", releaseId);
      return ok(list.map((item) => buildView(call.state, item)));
    },
  },
  { method: "POST", path: `${PROJECT}/builds`, run: createBuild },
  { method: "GET", path: BUILD, run: (call) => ok(buildView(call.state, buildOf(call))) },
  {
    method: "DELETE",
    path: BUILD,
    run: (call) => {
      call.state.remove(buildOf(call));
      return { status: 200 };
    },
  },
];
