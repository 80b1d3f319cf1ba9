/**
 * Project, user and field routes.
 * @module
 */
import {
  type Answer,
  type Call,
  created,
  isRecord,
  type Json,
  jsonBody,
  objectBody,
  ok,
  optionalList,
  optionalText,
  pagedAnswer,
  pageOf,
  pathId,
  queryFlag,
  refuse,
  type Route,
} from "./call.ts";
import { addField, CUSTOM_DATA_TYPES, fieldView, OPTION_DATA_TYPES, optionView } from "./fields.ts";
import type { Field, FieldOption } from "./types.ts";
import { siteUserView, statusView, userView } from "./views.ts";

const FIELD_TYPES = new Set([
  "releases",
  "builds",
  "requirements",
  "test-cases",
  "test-steps",
  "defects",
  "test-suites",
  "test-runs",
]);
const ALL = { create: true, edit: true, delete: true, view: true };

function projectView(call: Call): Json {
  const { state } = call;
  return {
    links: [],
    id: state.projectId,
    name: state.projectName,
    description: "",
    status_id: 1,
    start_date: state.writeDate(Date.UTC(2020, 0, 1)),
    end_date: state.writeDate(Date.UTC(2035, 0, 1)),
    admins: [state.users[0]?.username ?? ""],
    sample: false,
    defect_tracking_systems: [],
    x_explorer_access_level: 0,
    date_format: "MM/dd/yyyy",
    automation: state.switches.automation,
    template_id: 1,
    uuid: `00000000-0000-4000-8000-${String(state.projectId).padStart(12, "0")}`,
  };
}

function projects(call: Call): Answer {
  const list = [projectView(call)];
  const page = Math.max(1, Number(call.query.get("page") ?? 1) || 1);
  return {
    ...ok(page === 1 ? list : []),
    headers: { "x-item-total": "1", link: `<${call.state.siteUrl}/api/v3/projects>; rel="self"` },
  };
}

function profile(call: Call): Answer {
  const manage = call.state.switches.fieldManagement;
  return ok({
    user_id: call.user.id,
    project_id: call.state.projectId,
    release: ALL,
    build: ALL,
    test_configuration: { ...ALL, link_unlink: true },
    module: ALL,
    requirement: { ...ALL, edit_assignment: true, export: true, import: true },
    test_case: { ...ALL, edit_assignment: true, export: true, import: true, approve: true },
    test_cycle: ALL,
    test_suite: ALL,
    test_run: {
      ...ALL,
      execute: true,
      export: true,
      edit_assignment: true,
      modify_test_logs_by_self: true,
      modify_test_logs_by_others: true,
    },
    defect: { ...ALL, export: true },
    project_setting: { manage },
    session: ALL,
    project: { admin: true },
    schedule: ALL,
  });
}

function loggedUser(call: Call): Answer {
  const { user, state } = call;
  return ok({
    links: [],
    id: user.id,
    user_name: user.username,
    first_name: user.firstName,
    last_name: user.lastName,
    client_id: 1,
    client_name: "Simulated site",
    client_site: "simulator",
    client_site_name: "simulator",
    timezone_offset: state.switches.siteOffset,
    avatar: "",
    access_admin_page: false,
    package_type: "ELITE",
    applications: [],
  });
}

function users(call: Call): Answer {
  const inactive = queryFlag(call, "inactive", true);
  return ok(call.state.users.filter((user) => inactive || user.active).map(userView));
}

function searchUsers(call: Call): Answer {
  const name = (call.query.get("username") ?? "").toLowerCase();
  const inactive = queryFlag(call, "includeInactiveUsers");
  const found = call.state.users.filter((user) =>
    (inactive || user.active) && user.username.toLowerCase().includes(name)
  );
  return pagedAnswer(call, found, siteUserView, { maxSize: 100 });
}

/** Object type of a settings route; 403 without the permission, 404 for what has no fields. */
function fieldsType(call: Call): string {
  const type = call.params.objectType ?? "";
  if (!FIELD_TYPES.has(type)) refuse(404, `Object type "${type}" does not exist`);
  if (!call.state.switches.fieldManagement) {
    refuse(403, "You do not have Field Management permission");
  }
  return type;
}

function fieldOf(call: Call): Field {
  const type = fieldsType(call);
  const field = call.state.fields.get(pathId(call, "fieldId"));
  if (field === undefined || field.objectType !== type) refuse(404, "Field does not exist");
  return field;
}

function createField(call: Call): Answer {
  const objectType = fieldsType(call);
  if (objectType === "test-steps") refuse(400, "Fields of test steps are made at site level");
  const body = objectBody(call);
  const label = optionalText(body, "label")?.trim() ?? "";
  const dataType = Number(body.data_type);
  if (label === "") refuse(400, "label is required");
  if (!CUSTOM_DATA_TYPES.has(dataType)) refuse(400, "data_type is invalid");
  const isMultiple = dataType === 8 || dataType === 17;
  if (isMultiple && body.multiple !== true) refuse(400, "multiple must be true");
  const isTaken = call.state.fieldsOf(objectType, true).some((field) =>
    field.label.toLowerCase() === label.toLowerCase()
  );
  if (isTaken) refuse(400, `Field '${label}' already exists`);
  const options = readOptionDrafts(optionalList(body, "allowed_values") ?? []);
  const field = addField(call.state, {
    objectType,
    label,
    dataType,
    options: OPTION_DATA_TYPES.has(dataType) ? options : [],
    required: body.required === true,
    searchable: body.searchable !== false,
    multiple: isMultiple || (dataType === 5 && body.multiple === true),
    defaultValue: optionalText(body, "default_value") ?? null,
  });
  return created(fieldView(field));
}

function readOptionDrafts(items: unknown[]): string[] {
  return items.map((item) => {
    const label = isRecord(item) && typeof item.label === "string" ? item.label.trim() : "";
    if (label === "") refuse(400, "label of an allowed value is required");
    return label;
  });
}

function updateField(call: Call): Answer {
  const field = fieldOf(call);
  const body = objectBody(call);
  if (body.data_type !== undefined && Number(body.data_type) !== field.dataType) {
    refuse(400, "data_type can not be changed");
  }
  field.label = optionalText(body, "label") ?? field.label;
  if (typeof body.required === "boolean") field.required = body.required;
  if (typeof body.is_active === "boolean") field.isActive = body.is_active;
  const values = optionalList(body, "allowed_values");
  if (values !== undefined) {
    const kept = new Set(values.map((item) => isRecord(item) ? Number(item.value) : NaN));
    field.options = field.options.filter((option) => kept.has(option.value));
  }
  call.state.fieldsChanged();
  return ok(fieldView(field));
}

function deleteField(call: Call): Answer {
  const field = fieldOf(call);
  if (field.isSystem) refuse(400, "System fields can not be deleted");
  const { state } = call;
  state.fields.delete(field.id);
  state.fieldsChanged();
  for (const kind of ["test-cases", "test-suites", "test-runs", "releases"] as const) {
    for (const entity of state.table(kind).values()) entity.properties.delete(field.id);
  }
  return { status: 200 };
}

function addOptions(call: Call): Answer {
  const field = fieldOf(call);
  const body = jsonBody(call);
  if (!Array.isArray(body)) refuse(400, "An array of allowed values is expected");
  if (body.length === 0 || body.length > 100) refuse(400, "1 to 100 allowed values are accepted");
  if (!OPTION_DATA_TYPES.has(field.dataType)) refuse(400, "The field has no allowed values");
  const labels = readOptionDrafts(body);
  const taken = new Set(field.options.map((option) => option.label.toLowerCase()));
  const clash = labels.find((label) => taken.has(label.toLowerCase()));
  if (clash !== undefined) refuse(400, `Value '${clash}' already exists`);
  const added = labels.map((label): FieldOption => ({
    value: call.state.nextId(),
    label,
    order: field.options.length + 1,
    isDefault: false,
    isActive: true,
    color: "#C9E7F2",
  }));
  field.options.push(...added);
  call.state.fieldsChanged();
  return created({ links: [], total: added.length, items: added.map(optionView) });
}

function optionOf(call: Call): { field: Field; option: FieldOption } {
  const field = fieldOf(call);
  const value = pathId(call, "value");
  const option = field.options.find((item) => item.value === value);
  if (option === undefined) refuse(404, "Allowed value does not exist");
  return { field, option };
}

function updateOption(call: Call): Answer {
  const { option } = optionOf(call);
  const body = objectBody(call);
  option.label = optionalText(body, "label") ?? option.label;
  if (typeof body.is_active === "boolean") option.isActive = body.is_active;
  if (typeof body.is_default === "boolean") option.isDefault = body.is_default;
  call.state.fieldsChanged();
  return ok(optionView(option));
}

function deleteOption(call: Call): Answer {
  const { field, option } = optionOf(call);
  field.options = field.options.filter((item) => item !== option);
  call.state.fieldsChanged();
  return { status: 200 };
}

function activateFields(call: Call): Answer {
  const type = fieldsType(call);
  const body = jsonBody(call);
  if (!Array.isArray(body)) refuse(400, "An array of fields is expected");
  const changed = body.map((item) => {
    const field = isRecord(item) ? call.state.fields.get(Number(item.id)) : undefined;
    if (field === undefined || field.objectType !== type) refuse(400, "Field does not exist");
    field.isActive = isRecord(item) && item.is_active === true;
    return field;
  });
  call.state.fieldsChanged();
  return ok(changed.map(fieldView));
}

const PROJECT = "/api/v3/projects/{projectId}";
const FIELDS = `${PROJECT}/settings/{objectType}/fields`;

export const PROJECT_ROUTES: Route[] = [
  {
    method: "GET",
    path: "/version",
    isPublic: true,
    run: () => ok({ name: "test-conductor", version: "10.3.0" }),
  },
  { method: "GET", path: "/api/v3/re-evaluation", run: loggedUser },
  { method: "GET", path: "/api/v3/projects", run: projects },
  { method: "GET", path: "/api/v3/users/search", run: searchUsers },
  { method: "GET", path: PROJECT, run: (call) => ok(projectView(call)) },
  { method: "GET", path: `${PROJECT}/user-profiles/current`, run: profile },
  { method: "GET", path: `${PROJECT}/users`, run: users },
  {
    method: "GET",
    path: `${PROJECT}/test-runs/execution-statuses`,
    run: (call) => ok(call.state.statuses.map(statusView)),
  },
  {
    method: "GET",
    path: FIELDS,
    run: (call) =>
      ok(call.state.fieldsOf(fieldsType(call), queryFlag(call, "includeInactive")).map(fieldView)),
  },
  { method: "POST", path: FIELDS, run: createField },
  { method: "GET", path: `${FIELDS}/{fieldId}`, run: (call) => ok(fieldView(fieldOf(call))) },
  { method: "PUT", path: `${FIELDS}/{fieldId}`, run: updateField },
  { method: "DELETE", path: `${FIELDS}/{fieldId}`, run: deleteField },
  {
    method: "GET",
    path: `${FIELDS}/{fieldId}/allowed-values`,
    run: (call) => {
      const all = fieldOf(call).options;
      const { items } = pageOf(call, all, {
        sizeParam: "pageSize",
        defaultSize: 100,
        maxSize: 999,
      });
      return { ...ok(items.map(optionView)), headers: { "x-item-total": String(all.length) } };
    },
  },
  { method: "POST", path: `${FIELDS}/{fieldId}/allowed-values`, run: addOptions },
  { method: "PUT", path: `${FIELDS}/{fieldId}/allowed-values/{value}`, run: updateOption },
  { method: "DELETE", path: `${FIELDS}/{fieldId}/allowed-values/{value}`, run: deleteOption },
  {
    method: "POST",
    path: `${PROJECT}/settings/{objectType}/custom-fields/active`,
    run: activateFields,
  },
];
