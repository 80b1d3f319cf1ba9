/** The pre-flight reads of the target. @module */
import { AccessError } from "../../core/errors.ts";
import {
  type ExecutionStatus,
  FIELD_OBJECTS,
  type TargetField,
  type TargetProfile,
  type TargetUser,
} from "../../core/ports/mod.ts";
import type { QtestApi } from "./api.ts";
import type { FieldBook } from "./fields.ts";
import {
  parseOne,
  parseRows,
  wireLogin,
  wireProject,
  wireStatus,
  wireUser,
  wireVersion,
} from "./wire.ts";

/** SaaS limit of one attachment; the same for base64 inside a create. */
const MAX_ATTACHMENT_BYTES = 50 * 1024 * 1024;

/** What a load needs of the permission tree, as `branch.leaf`. */
const NEEDED = [
  "module.create",
  "release.create",
  "test_case.create",
  "test_cycle.create",
  "test_suite.create",
  "test_run.create",
  "test_run.execute",
];

/**
 * Reads all that a load depends on with ten requests; the last seven go out together.
 * `approve` adds that permission to the needed ones.
 * Throws {@linkcode AccessError} for a refused token and for a project that cannot be seen.
 */
export async function readProfile(
  api: QtestApi,
  book: FieldBook,
  options: { approve: boolean; signal: AbortSignal },
): Promise<TargetProfile> {
  const { approve, signal } = options;
  const version = await readVersion(api, signal);
  const login = await readLogin(api, signal);
  const project = await readProject(api, signal);
  const [tree, statuses, users, ...lists] = await Promise.all([
    readPermissions(api, signal),
    readStatuses(api, signal),
    readUsers(api, signal),
    ...FIELD_OBJECTS.map((object) => book.reload(object, signal, true)),
  ]);
  const fieldsHidden = FIELD_OBJECTS.filter((_, index) => lists[index] === null);
  return {
    version,
    site: login.client_site_name ?? login.client_site ?? login.client_name ?? null,
    project: {
      id: project.id,
      name: project.name ?? "",
      automation: project.automation ?? false,
    },
    user: { id: login.id ?? "", username: login.user_name ?? login.username ?? "" },
    fields: lists.flatMap((fields): TargetField[] => fields ?? []),
    fieldsHidden,
    statuses,
    users,
    permissions: {
      manageFields: fieldsHidden.length === 0 && !isDenied(tree, "project_setting.manage"),
      missing: (approve ? [...NEEDED, "test_case.approve"] : NEEDED)
        .filter((permission) => isDenied(tree, permission)),
      ...(isDenied(tree, "test_case.approve") ? { approvedOnly: true } : {}),
    },
    maxAttachmentBytes: MAX_ATTACHMENT_BYTES,
    monthRemaining: api.http.stats().monthRemaining,
  };
}

/** Not every site shows its version; it is only for people. */
async function readVersion(api: QtestApi, signal: AbortSignal): Promise<string | null> {
  const answer = await api.http.request({
    method: "GET",
    path: "/version",
    route: "/version",
    effect: "read",
    anonymous: true,
    textAnswer: true,
    accept: [400, 401, 403, 404, 405],
    failFast: true,
    signal,
  });
  return answer.status < 300 ? wireVersion.parse(answer.json).version ?? null : null;
}

async function readLogin(
  api: QtestApi,
  signal: AbortSignal,
): Promise<ReturnType<typeof wireLogin.parse>> {
  const route = "/api/v3/re-evaluation";
  const answer = await api.http.request({
    method: "GET",
    path: route,
    route,
    effect: "read",
    accept: [403, 404],
    failFast: true,
    signal,
  });
  return wireLogin.parse(answer.status < 300 ? answer.json : {});
}

async function readProject(
  api: QtestApi,
  signal: AbortSignal,
): Promise<ReturnType<typeof wireProject.parse>> {
  const answer = await api.read({ to: "", accept: [400, 403, 404], failFast: true, signal });
  const project = answer.status < 300 ? parseOne(wireProject, answer.json) : null;
  if (project !== null) return project;
  const seen = answer.status < 300 ? "the answer is no qTest project" : "not found or not visible";
  throw new AccessError(
    `Cannot open qTest project "${api.projectId}": ${seen} (${answer.status})`,
    {
      status: answer.status,
      hint:
        "Check target.baseUrl and target.projectId, and that the token's user belongs to the project.",
    },
  );
}

async function readPermissions(api: QtestApi, signal: AbortSignal): Promise<unknown> {
  const answer = await api.read({
    to: "/user-profiles/current",
    accept: [403, 404],
    failFast: true,
    signal,
  });
  return answer.status < 300 ? answer.json : null;
}

/** Only an outspoken `false` counts: branches and leaves may be missing. */
function isDenied(tree: unknown, permission: string): boolean {
  const [branch = "", leaf = ""] = permission.split(".");
  const leaves = (tree as Record<string, unknown> | null | undefined)?.[branch];
  return (leaves as Record<string, unknown> | null | undefined)?.[leaf] === false;
}

async function readStatuses(api: QtestApi, signal: AbortSignal): Promise<ExecutionStatus[]> {
  const answer = await api.read({
    to: "/test-runs/execution-statuses",
    failFast: true,
    signal,
  });
  return parseRows(wireStatus, toArray(answer.json))
    .filter((row) => row.active !== false)
    .map((row) => ({ id: row.id, name: row.name ?? "", isDefault: row.is_default ?? false }));
}

async function readUsers(api: QtestApi, signal: AbortSignal): Promise<TargetUser[]> {
  const answer = await api.read({
    to: "/users",
    // The spec contradicts itself on the default.
    query: { inactive: false },
    accept: [403],
    failFast: true,
    signal,
  });
  return parseRows(wireUser, toArray(answer.json)).map((row) => ({
    id: row.id,
    username: row.username ?? "",
    name: [row.first_name, row.last_name].filter((part) => part).join(" "),
    email: row.email ?? null,
  }));
}

function toArray(json: unknown): unknown[] {
  if (Array.isArray(json)) return json;
  const items = (json as { items?: unknown } | null | undefined)?.items;
  return Array.isArray(items) ? items : [];
}
