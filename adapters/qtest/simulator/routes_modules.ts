/**
 * Modules, the folders of test cases.
 * @module
 */
import {
  type Answer,
  type Call,
  created,
  entityOf,
  objectBody,
  ok,
  optionalId,
  optionalName,
  optionalText,
  queryFlag,
  queryInt,
  refuse,
  requiredName,
  type Route,
} from "./call.ts";
import { removeModule } from "./removal.ts";
import type { QtestState } from "./state.ts";
import { storeHtml } from "./text.ts";
import type { ModuleEntity, User } from "./types.ts";
import { moduleView } from "./views.ts";

function moduleOf(call: Call): ModuleEntity {
  return entityOf(call, "modules", "moduleId", "Module");
}

/** Makes a module, or refuses a name its siblings have. */
export function makeModule(
  state: QtestState,
  user: User,
  draft: { name: string; parentId: number; description?: string; shared?: boolean },
): ModuleEntity {
  const siblings = state.switches.uniqueSiblings
    ? state.children("modules", "module", draft.parentId)
    : [];
  if (siblings.some((item) => item.name === draft.name)) {
    refuse(400, `Module "${draft.name}" already exists here`);
  }
  const entity: ModuleEntity = {
    ...state.base("modules", user.id, draft.name),
    kind: "modules",
    parentId: draft.parentId,
    description: storeHtml(state, draft.description),
    shared: draft.shared ?? false,
  };
  state.add(entity);
  return entity;
}

function createModule(call: Call): Answer {
  const body = objectBody(call);
  const parentId = queryInt(call, "parentId") ?? optionalId(body, "parent_id") ?? 0;
  if (parentId !== 0 && call.state.get("modules", parentId) === undefined) {
    refuse(404, "Parent module does not exist");
  }
  const entity = makeModule(call.state, call.user, {
    name: requiredName(body),
    parentId,
    description: optionalText(body, "description"),
    shared: body.shared === true,
  });
  return created(moduleView(call.state, entity));
}

function listModules(call: Call): Answer {
  const parentId = queryInt(call, "parentId") ?? 0;
  if (parentId !== 0 && call.state.get("modules", parentId) === undefined) {
    refuse(404, "Parent module does not exist");
  }
  const search = (call.query.get("search") ?? "").toLowerCase();
  const descendants = call.query.get("expand") === "descendants";
  const list = call.state.children("modules", "module", parentId)
    .filter((item) => item.name.toLowerCase().includes(search));
  return ok(list.map((item) => moduleView(call.state, item, { descendants })));
}

function updateModule(call: Call): Answer {
  const entity = moduleOf(call);
  const parentId = queryInt(call, "parentId");
  if (parentId !== undefined) {
    moveModule(call.state, entity, parentId);
    return ok(moduleView(call.state, entity));
  }
  const body = objectBody(call);
  entity.name = optionalName(body) ?? entity.name;
  const description = optionalText(body, "description");
  if (description !== undefined) entity.description = storeHtml(call.state, description);
  call.state.touch(entity);
  return ok(moduleView(call.state, entity));
}

function moveModule(state: QtestState, entity: ModuleEntity, parentId: number): void {
  for (let id = parentId; id !== 0;) {
    if (id === entity.id) refuse(400, "A module can not be moved into itself");
    const parent = state.get("modules", id);
    if (parent === undefined) refuse(404, "Parent module does not exist");
    id = parent.parentId;
  }
  state.move(entity, () => {
    entity.parentId = parentId;
  });
}

const MODULES = "/api/v3/projects/{projectId}/modules";

export const MODULE_ROUTES: Route[] = [
  { method: "GET", path: MODULES, run: listModules },
  { method: "POST", path: MODULES, run: createModule },
  {
    method: "GET",
    path: `${MODULES}/{moduleId}`,
    run: (call) =>
      ok(moduleView(call.state, moduleOf(call), {
        descendants: call.query.get("expand") === "descendants",
      })),
  },
  { method: "PUT", path: `${MODULES}/{moduleId}`, run: updateModule },
  {
    method: "DELETE",
    path: `${MODULES}/{moduleId}`,
    run: (call) => {
      removeModule(call.state, moduleOf(call), queryFlag(call, "force"));
      return ok({ message: "Module was deleted" });
    },
  },
];
