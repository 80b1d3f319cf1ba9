/**
 * Requirements, links, defects and comments.
 * @module
 */
import {
  type Answer,
  type Call,
  entityOf,
  type Json,
  jsonBody,
  objectBody,
  ok,
  optionalId,
  optionalList,
  optionalName,
  optionalText,
  pagedAnswer,
  pageOf,
  pathId,
  queryFlag,
  queryInt,
  refuse,
  requiredName,
  type Route,
} from "./call.ts";
import { applyProperties } from "./fields.ts";
import { objectExists } from "./files.ts";
import { storeHtml } from "./text.ts";
import type { QtestState } from "./state.ts";
import type { Comment, Kind, RequirementEntity } from "./types.ts";
import { commentView, requirementView } from "./views.ts";

const LINK_SOURCES = new Set(["releases", "builds", "requirements", "test-logs", "test-steps"]);
const LINK_TARGETS = new Set([
  "releases",
  "builds",
  "requirements",
  "test-cases",
  "test-runs",
  "test-logs",
  "test-steps",
  "defects",
]);

function requirementOf(call: Call): RequirementEntity {
  return entityOf(call, "requirements", "requirementId", "Requirement");
}

function listRequirements(call: Call): Answer {
  const { state } = call;
  const parentId = queryInt(call, "parentId");
  const all = [...state.table("requirements").values()]
    .filter((item) => parentId === undefined || item.parentId === parentId);
  const { items } = pageOf(call, all, {
    sizeParam: "size",
    defaultSize: 20,
    maxSize: state.switches.maxListSize,
  });
  const external = queryFlag(call, "includeExternalProperties");
  return ok(items.map((item) => requirementView(state, item, { external })));
}

function createRequirement(call: Call): Answer {
  const { state } = call;
  const body = objectBody(call);
  const parentId = queryInt(call, "parentId") ?? optionalId(body, "parent_id") ?? 0;
  if (parentId !== 0 && state.get("modules", parentId) === undefined) {
    refuse(404, "Module does not exist");
  }
  const name = requiredName(body);
  const given = optionalList(body, "properties");
  const properties = applyProperties(state, "requirements", new Map(), given, "create");
  const base = state.base("requirements", call.user.id, name);
  const entity: RequirementEntity = {
    ...base,
    kind: "requirements",
    parentId,
    externalId: null,
    properties,
  };
  state.add(entity);
  return ok(requirementView(state, entity));
}

function updateRequirement(call: Call): Answer {
  const entity = requirementOf(call);
  const body = objectBody(call);
  const name = optionalName(body);
  const given = optionalList(body, "properties");
  entity.properties = applyProperties(
    call.state,
    "requirements",
    entity.properties,
    given,
    "update",
  );
  entity.name = name ?? entity.name;
  call.state.touch(entity);
  return ok(requirementView(call.state, entity));
}

function pidOf(state: QtestState, type: string, id: number): string {
  const hasPid = type !== "test-steps" && type !== "test-step-logs";
  return hasPid ? state.get(type as Kind, id)?.pid ?? "" : "";
}

function linkView(state: QtestState, key: string): Json {
  const [type = "", id = "0"] = key.split(" ");
  return {
    id: Number(id),
    pid: pidOf(state, type, Number(id)),
    link_type: "is covered by",
    self: `${state.siteUrl}/api/v3/projects/${state.projectId}/${type}/${id}`,
  };
}

function linkEnds(call: Call): { source: string; sourceType: string; type: string; ids: number[] } {
  const sourceType = call.params.objectType ?? "";
  const type = call.query.get("type") ?? "";
  if (!LINK_SOURCES.has(sourceType)) refuse(400, `"${sourceType}" can not be the source of a link`);
  if (!LINK_TARGETS.has(type)) refuse(400, "type is invalid");
  const id = pathId(call, "objectId");
  if (!objectExists(call.state, sourceType, id)) refuse(404, "Object does not exist");
  const body = jsonBody(call);
  if (!Array.isArray(body)) refuse(400, "An array of ids is expected");
  return { source: `${sourceType} ${id}`, sourceType, type, ids: body.map(Number) };
}

function addLinks(call: Call): Answer {
  const { state } = call;
  const { source, type, ids } = linkEnds(call);
  // What can not be linked is left out without a word.
  const known = ids.filter((id) => objectExists(state, type, id));
  for (const id of known) state.link(source, `${type} ${id}`);
  const [sourceType = "", sourceId = "0"] = source.split(" ");
  return ok([{
    id: Number(sourceId),
    pid: pidOf(state, sourceType, Number(sourceId)),
    objects: known.map((id) => linkView(state, `${type} ${id}`)),
  }]);
}

function removeLinks(call: Call): Answer {
  const { source, type, ids } = linkEnds(call);
  for (const id of ids) call.state.unlink(source, `${type} ${id}`);
  return { status: 200 };
}

function linkedArtifacts(call: Call): Answer {
  const { state } = call;
  const type = call.query.get("type") ?? "";
  if (!LINK_TARGETS.has(type)) refuse(400, "type is invalid");
  const ids = call.query.getAll("ids").flatMap((part) => part.split(",")).filter(Boolean);
  return ok(
    ids.map(Number).filter((id) => objectExists(state, type, id)).map((id) => ({
      id,
      pid: pidOf(state, type, id),
      objects: state.linksOf(`${type} ${id}`).map((key) => linkView(state, key)),
    })),
  );
}

/** No Jira connection is configured here: no defect can be found by key. */
function linkDefects(call: Call): Answer {
  const { objectType = "", linkType = "" } = call.params;
  if (linkType !== "defects" || !["test-logs", "test-steps"].includes(objectType)) {
    refuse(404, "No such route");
  }
  if (!objectExists(call.state, objectType, pathId(call, "objectId"))) {
    refuse(404, "Object does not exist");
  }
  refuse(400, "The defect does not exist in a connected system");
}

const COMMENTED = ["test-cases", "test-runs", "requirements", "defects"] as const;
type Commented = typeof COMMENTED[number];

function commentedOf(call: Call, type: Commented): number {
  const entity = call.state.find(type, call.params.idOrKey ?? "");
  if (entity === undefined) refuse(404, "Object does not exist");
  return entity.id;
}

function addComment(call: Call, type: Commented): Answer {
  const objectId = commentedOf(call, type);
  const content = optionalText(objectBody(call), "content") ?? "";
  if (content === "") refuse(400, "content is required");
  const comment: Comment = {
    id: call.state.nextId(),
    objectType: type,
    objectId,
    content: storeHtml(call.state, content),
    createdAt: call.nowMs,
    modifiedAt: call.nowMs,
    userId: call.user.id,
  };
  call.state.addComment(comment);
  return ok(commentView(call.state, comment));
}

function commentOf(call: Call, type: Commented): Comment {
  const objectId = commentedOf(call, type);
  const comment = call.state.comments.get(pathId(call, "commentId"));
  if (comment === undefined || comment.objectType !== type || comment.objectId !== objectId) {
    refuse(404, "Comment does not exist");
  }
  return comment;
}

function updateComment(call: Call, type: Commented): Answer {
  const comment = commentOf(call, type);
  comment.content = storeHtml(call.state, optionalText(objectBody(call), "content"));
  comment.modifiedAt = call.nowMs;
  return ok(commentView(call.state, comment));
}

function queryComments(call: Call): Answer {
  const body = objectBody(call);
  const type = optionalText(body, "object_type") ?? "";
  if (!COMMENTED.includes(type as Commented)) refuse(400, "object_type is invalid");
  const object = optionalId(body, "object");
  const found = [...call.state.comments.values()].filter((comment) =>
    comment.objectType === type && (object === undefined || comment.objectId === object)
  );
  return pagedAnswer(call, found, (comment) => commentView(call.state, comment));
}

const PROJECT = "/api/v3/projects/{projectId}";

function commentRoutes(type: Commented): Route[] {
  const path = `${PROJECT}/${type}/{idOrKey}/comments`;
  return [
    {
      method: "GET",
      path,
      run: (call) =>
        pagedAnswer(
          call,
          call.state.commentsOf(type, commentedOf(call, type)),
          (comment) => commentView(call.state, comment),
        ),
    },
    { method: "POST", path, run: (call) => addComment(call, type) },
    {
      method: "GET",
      path: `${path}/{commentId}`,
      run: (call) => ok(commentView(call.state, commentOf(call, type))),
    },
    { method: "PUT", path: `${path}/{commentId}`, run: (call) => updateComment(call, type) },
    {
      method: "DELETE",
      path: `${path}/{commentId}`,
      run: (call) => {
        call.state.removeComment(commentOf(call, type));
        return { status: 200 };
      },
    },
  ];
}

const REQUIREMENT = `${PROJECT}/requirements/{requirementId}`;

export const LINK_ROUTES: Route[] = [
  { method: "GET", path: `${PROJECT}/requirements`, run: listRequirements },
  { method: "POST", path: `${PROJECT}/requirements`, run: createRequirement },
  {
    method: "GET",
    path: REQUIREMENT,
    run: (call) =>
      ok(requirementView(call.state, requirementOf(call), {
        external: queryFlag(call, "includeExternalProperties"),
      })),
  },
  { method: "PUT", path: REQUIREMENT, run: updateRequirement },
  {
    method: "DELETE",
    path: REQUIREMENT,
    run: (call) => {
      call.state.remove(requirementOf(call));
      return { status: 200 };
    },
  },
  ...COMMENTED.flatMap(commentRoutes),
  { method: "POST", path: `${PROJECT}/comments`, run: queryComments },
  { method: "GET", path: `${PROJECT}/linked-artifacts`, run: linkedArtifacts },
  { method: "POST", path: `${PROJECT}/{objectType}/{objectId}/link`, run: addLinks },
  { method: "DELETE", path: `${PROJECT}/{objectType}/{objectId}/link`, run: removeLinks },
  { method: "POST", path: `${PROJECT}/{objectType}/{objectId}/{linkType}`, run: linkDefects },
  { method: "DELETE", path: `${PROJECT}/{objectType}/{objectId}/{linkType}`, run: linkDefects },
];
