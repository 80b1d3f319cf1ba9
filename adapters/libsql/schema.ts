/**
 * The tables, as drizzle sees them. Property names are the names of the records' members, so rows are
 * encoded and decoded by this file alone (see `rows.ts`). The migrations add what drizzle has no
 * words for: `WITHOUT ROWID` and the views `project`, `custom_field` and `link`.
 * @module
 */
import { sql } from "drizzle-orm";
import {
  type AnySQLiteColumn,
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { customType } from "drizzle-orm/sqlite-core";

const bytes = customType<{ data: Uint8Array }>({ dataType: () => "blob" });

function oneOf(column: AnySQLiteColumn, ...words: string[]): ReturnType<typeof check> {
  const list = sql.raw(words.map((word) => `'${word}'`).join(", "));
  return check(`${column.name}_known`, sql`${sql.identifier(column.name)} IN (${list})`);
}

const scopeId = () => integer("scope_id").notNull();
/** Members that every record read from a list has beside its own. */
const fromList = () => ({
  /** `page.id` of the body it came in, and the position of its row there. */
  pageId: integer("page_id").notNull(),
  ordinal: integer("ordinal").notNull(),
  /** First 16 hex digits of SHA-256 over the record as JSON. */
  hash: text("hash").notNull(),
});
const json = (name: string) => text(name, { mode: "json" });
const bool = (name: string) => integer(name, { mode: "boolean" });
/** Ids are numbers written as text: by length, then by text, is their numeric order. */
const idLength = () =>
  integer("id_length").generatedAlwaysAs(sql`length("id")`, { mode: "virtual" });
const linkCount = () => integer("link_count").notNull();

export const scope = sqliteTable("scope", {
  id: integer("id").primaryKey(),
  sourceUrl: text("source_url").notNull(),
  sourceProject: text("source_project").notNull(),
  targetUrl: text("target_url").notNull(),
  targetProject: text("target_project").notNull(),
  rootName: text("root_name").notNull(),
}, (t) => [
  uniqueIndex("scope_identity").on(
    t.sourceUrl,
    t.sourceProject,
    t.targetUrl,
    t.targetProject,
    t.rootName,
  ),
]);

// Sources -------------------------------------------------------------------------------------

export const page = sqliteTable("page", {
  id: integer("id").primaryKey(),
  scopeId: scopeId(),
  list: text("list").notNull(),
  at: text("at").notNull(),
  /** Bodies of more than 3.5 MB compressed are cut; parts count from 0. */
  part: integer("part").notNull(),
  rows: integer("rows").notNull(),
  /** Bytes before compression. */
  size: integer("size").notNull(),
  /** zstd with checksum; null when records arrived without their page. */
  body: bytes("body"),
}, (t) => [uniqueIndex("page_place").on(t.scopeId, t.list, t.at, t.part)]);

export const lookup = sqliteTable("lookup", {
  scopeId: scopeId(),
  kind: text("kind").notNull(),
  id: text("id").notNull(),
  name: text("name"),
  statusType: text("status_type"),
  index: integer("index"),
  isDefault: bool("is_default").notNull(),
  isArchived: bool("is_archived").notNull(),
  idLength: idLength(),
  ...fromList(),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.kind, t.id] }),
  oneOf(t.kind, "priority", "status", "environment"),
]);

export const folder = sqliteTable("folder", {
  scopeId: scopeId(),
  id: text("id").notNull(),
  folderType: text("folder_type").notNull(),
  parentId: text("parent_id"),
  name: text("name"),
  index: integer("index").notNull(),
  idLength: idLength(),
  ...fromList(),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.id] }),
  oneOf(t.folderType, "TEST_CASE", "TEST_PLAN", "TEST_CYCLE"),
]);

export const testCase = sqliteTable("test_case", {
  scopeId: scopeId(),
  id: text("id").notNull(),
  key: text("key").notNull(),
  ord: integer("ord").notNull(),
  name: text("name"),
  folderId: text("folder_id"),
  statusId: text("status_id"),
  priorityId: text("priority_id"),
  ownerId: text("owner_id"),
  componentId: text("component_id"),
  createdOn: text("created_on"),
  objective: text("objective"),
  precondition: text("precondition"),
  estimatedTimeMs: integer("estimated_time_ms"),
  labels: json("labels").notNull(),
  scriptRoute: text("script_route"),
  customFields: json("custom_fields").notNull(),
  links: json("links").notNull(),
  linkCount: linkCount(),
  ...fromList(),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.key] }),
  index("test_case_order").on(t.scopeId, t.ord, t.key),
  index("test_case_counts").on(t.scopeId, t.scriptRoute, t.linkCount),
  oneOf(t.scriptRoute, "teststeps", "testscript"),
]);

/** One row per case whose script was read; its steps are in `test_step`. */
export const testScript = sqliteTable("test_script", {
  scopeId: scopeId(),
  caseKey: text("case_key").notNull(),
  type: text("type").notNull(),
  text: text("text"),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.caseKey] }),
  oneOf(t.type, "steps", "plain", "bdd", "none"),
]);

export const testStep = sqliteTable("test_step", {
  scopeId: scopeId(),
  caseKey: text("case_key").notNull(),
  ordinal: integer("ordinal").notNull(),
  id: text("id"),
  description: text("description"),
  testData: text("test_data"),
  expectedResult: text("expected_result"),
  customFields: json("custom_fields").notNull(),
  /** Called case and the values of its parameters. */
  callKey: text("call_key"),
  callParameters: json("call_parameters"),
}, (t) => [primaryKey({ columns: [t.scopeId, t.caseKey, t.ordinal] })]);

export const testCycle = sqliteTable("test_cycle", {
  scopeId: scopeId(),
  id: text("id").notNull(),
  key: text("key").notNull(),
  ord: integer("ord").notNull(),
  name: text("name"),
  folderId: text("folder_id"),
  statusId: text("status_id"),
  description: text("description"),
  plannedStartDate: text("planned_start_date"),
  plannedEndDate: text("planned_end_date"),
  ownerId: text("owner_id"),
  jiraVersionId: text("jira_version_id"),
  customFields: json("custom_fields").notNull(),
  links: json("links").notNull(),
  planIds: json("plan_ids").notNull(),
  idLength: idLength(),
  linkCount: linkCount(),
  ...fromList(),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.id] }),
  index("test_cycle_order").on(t.scopeId, t.ord, t.idLength, t.id),
]);

export const testPlan = sqliteTable("test_plan", {
  scopeId: scopeId(),
  id: text("id").notNull(),
  key: text("key").notNull(),
  ord: integer("ord").notNull(),
  name: text("name"),
  objective: text("objective"),
  folderId: text("folder_id"),
  statusId: text("status_id"),
  ownerId: text("owner_id"),
  labels: json("labels").notNull(),
  customFields: json("custom_fields").notNull(),
  links: json("links").notNull(),
  cycleIds: json("cycle_ids").notNull(),
  idLength: idLength(),
  linkCount: linkCount(),
  ...fromList(),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.id] }),
  index("test_plan_order").on(t.scopeId, t.ord, t.idLength, t.id),
]);

export const testExecution = sqliteTable("test_execution", {
  scopeId: scopeId(),
  id: text("id").notNull(),
  key: text("key"),
  testCaseKey: text("test_case_key"),
  ord: integer("ord").notNull(),
  testCaseVersion: integer("test_case_version"),
  testCaseVersionId: text("test_case_version_id"),
  cycleId: text("cycle_id"),
  statusId: text("status_id"),
  environmentId: text("environment_id"),
  jiraVersionId: text("jira_version_id"),
  actualEndDate: text("actual_end_date"),
  estimatedTimeMs: integer("estimated_time_ms"),
  executionTimeMs: integer("execution_time_ms"),
  executedById: text("executed_by_id"),
  assignedToId: text("assigned_to_id"),
  comment: text("comment"),
  automated: bool("automated").notNull(),
  customFields: json("custom_fields").notNull(),
  links: json("links").notNull(),
  // The order needs columns without nulls: a row comparison with null finds nothing.
  caseSort: text("case_sort").generatedAlwaysAs(sql`ifnull("test_case_key", '')`, {
    mode: "virtual",
  }),
  cycleSort: text("cycle_sort").generatedAlwaysAs(sql`ifnull("cycle_id", '')`, { mode: "virtual" }),
  idLength: idLength(),
  linkCount: linkCount(),
  ...fromList(),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.id] }),
  index("test_execution_order").on(
    t.scopeId,
    t.ord,
    t.caseSort,
    t.cycleSort,
    t.idLength,
    t.id,
  ),
  index("test_execution_counts").on(t.scopeId, t.statusId, t.linkCount),
]);

/** One row per execution whose steps were read, with their number. */
export const executionScript = sqliteTable("execution_script", {
  scopeId: scopeId(),
  executionId: text("execution_id").notNull(),
  steps: integer("steps").notNull(),
}, (t) => [primaryKey({ columns: [t.scopeId, t.executionId] })]);

export const executionStep = sqliteTable("execution_step", {
  scopeId: scopeId(),
  executionId: text("execution_id").notNull(),
  ordinal: integer("ordinal").notNull(),
  id: text("id"),
  description: text("description"),
  testData: text("test_data"),
  expectedResult: text("expected_result"),
  actualResult: text("actual_result"),
  dataRow: integer("data_row"),
  statusId: text("status_id"),
}, (t) => [primaryKey({ columns: [t.scopeId, t.executionId, t.ordinal] })]);

export const attachment = sqliteTable("attachment", {
  scopeId: scopeId(),
  /** `execution/123`, `testStep/KEY-T1/77` … */
  owner: text("owner").notNull(),
  id: text("id").notNull(),
  ownerKind: text("owner_kind").notNull(),
  ownerKey: text("owner_key").notNull(),
  stepId: text("step_id"),
  name: text("name").notNull(),
  ord: integer("ord").notNull(),
  size: integer("size"),
  sha256: text("sha256"),
  idLength: idLength(),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.owner, t.id] }),
  index("attachment_order").on(t.scopeId, t.owner, t.ord, t.idLength, t.id),
  oneOf(
    t.ownerKind,
    "testCase",
    "testStep",
    "testCycle",
    "testPlan",
    "execution",
    "executionStep",
  ),
  check("size_positive", sql`"size" >= 0`),
]);

/** Which details (scripts, steps, files …) were fetched, and how many came. */
export const detail = sqliteTable("detail", {
  scopeId: scopeId(),
  task: text("task").notNull(),
  key: text("key").notNull(),
  state: text("state").notNull(),
  count: integer("count").notNull(),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.task, t.key] }),
  oneOf(t.state, "done", "gone", "setAside"),
]);

// Ledgers -------------------------------------------------------------------------------------

export const targetMap = sqliteTable("target_map", {
  scopeId: scopeId(),
  kind: text("kind").notNull(),
  key: text("key").notNull(),
  recordKind: text("record_kind"),
  parentKind: text("parent_kind"),
  parentKey: text("parent_key"),
  ord: integer("ord").notNull(),
  state: text("state").notNull(),
  targetId: text("target_id"),
  payloadHash: text("payload_hash"),
  attempt: integer("attempt").notNull(),
  sentAt: text("sent_at"),
  everInDoubt: bool("ever_in_doubt").notNull(),
  origin: text("origin"),
  runId: text("run_id"),
  steps: integer("steps").notNull(),
  stepsAsText: integer("steps_as_text").notNull(),
  links: integer("links").notNull(),
  detail: json("detail").notNull(),
  lastError: text("last_error"),
  /** Last validation pass that saw the artefact. */
  seenPass: integer("seen_pass").notNull().default(0),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.kind, t.key] }),
  index("target_map_order").on(t.scopeId, t.kind, t.state, t.ord, t.key),
  // Holds every column of the counts: half a million rows are counted without reading them.
  index("target_map_counts").on(
    t.scopeId,
    t.kind,
    t.state,
    t.recordKind,
    t.origin,
    t.runId,
    t.steps,
    t.stepsAsText,
    t.links,
  ),
  index("target_map_children").on(t.scopeId, t.kind, t.parentKind, t.parentKey)
    .where(sql`"parent_key" IS NOT NULL`),
  index("target_map_target").on(t.scopeId, t.kind, t.targetId)
    .where(sql`"target_id" IS NOT NULL`),
  index("target_map_seen").on(t.scopeId, t.kind, t.seenPass)
    .where(sql`"target_id" IS NOT NULL`),
  index("target_map_doubt").on(t.scopeId, t.kind, t.ord, t.key)
    .where(sql`"ever_in_doubt" = 1`),
  oneOf(t.state, "pending", "sending", "inDoubt", "loaded", "setAside", "withoutTarget"),
  oneOf(t.origin, "created", "adopted", "updated", "unchanged"),
]);

export const loss = sqliteTable("loss", {
  scopeId: scopeId(),
  key: text("key").notNull(),
  phase: text("phase").notNull(),
  kind: text("kind").notNull(),
  ordinal: integer("ordinal").notNull(),
  field: text("field").notNull(),
  rule: text("rule").notNull(),
  before: text("before"),
  after: text("after"),
  /** Set when the row tells of something else than the record it was saved with. */
  aboutKind: text("about_kind"),
  aboutKey: text("about_key"),
}, (t) => [
  primaryKey({ columns: [t.scopeId, t.key, t.phase, t.kind, t.ordinal] }),
  index("loss_rule").on(t.scopeId, t.rule),
  index("loss_about").on(t.scopeId, t.aboutKey).where(sql`"about_key" IS NOT NULL`),
]);

export const issue = sqliteTable("issue", {
  id: integer("id").primaryKey(),
  scopeId: scopeId(),
  phase: text("phase").notNull(),
  kind: text("kind").notNull(),
  key: text("key").notNull(),
  reason: text("reason").notNull(),
  runId: text("run_id").notNull(),
  level: text("level").notNull(),
  message: text("message").notNull(),
  payload: text("payload"),
  setAside: bool("set_aside").notNull(),
  attempts: integer("attempts").notNull(),
  at: text("at").notNull(),
}, (t) => [
  uniqueIndex("issue_identity").on(t.scopeId, t.key, t.phase, t.kind, t.reason),
  index("issue_order").on(t.scopeId, t.setAside, t.id),
  index("issue_counts").on(t.scopeId, t.phase, t.kind, t.level, t.setAside),
  oneOf(t.level, "info", "warning", "error", "critical"),
]);

export const difference = sqliteTable("difference", {
  id: integer("id").primaryKey(),
  runId: text("run_id").notNull(),
  kind: text("kind").notNull(),
  key: text("key").notNull(),
  targetId: text("target_id"),
  verdict: text("verdict").notNull(),
  field: text("field"),
  expected: text("expected"),
  actual: text("actual"),
}, (t) => [
  index("difference_order").on(t.runId, t.id),
  oneOf(t.verdict, "different", "missing", "extra", "duplicate"),
]);

export const event = sqliteTable("event", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  runId: text("run_id"),
  type: text("type").notNull(),
  at: text("at").notNull(),
  data: json("data").notNull(),
}, (t) => [index("event_order").on(t.runId, t.id)]);

export const requestCount = sqliteTable("request_count", {
  runId: text("run_id").notNull(),
  system: text("system").notNull(),
  route: text("route").notNull(),
  status: text("status").notNull(),
  count: integer("count").notNull(),
}, (t) => [
  primaryKey({ columns: [t.runId, t.system, t.route, t.status] }),
  oneOf(t.system, "source", "target"),
]);

// Runs ----------------------------------------------------------------------------------------

export const run = sqliteTable("run", {
  sequence: integer("sequence").primaryKey(),
  id: text("id").notNull(),
  scopeId: scopeId(),
  state: text("state").notNull(),
  phases: json("phases").notNull(),
  createdAt: text("created_at").notNull(),
  updatedAt: text("updated_at").notNull(),
  completedAt: text("completed_at"),
  result: integer("result"),
  reason: text("reason"),
  workedMs: integer("worked_ms").notNull(),
  config: json("config"),
  summary: json("summary"),
}, (t) => [
  uniqueIndex("run_identity").on(t.id),
  oneOf(
    t.state,
    "created",
    "planned",
    "extracting",
    "transforming",
    "loading",
    "validating",
    "completed",
    "paused",
    "failed",
    "cancelled",
    "rolling-back",
    "rolled-back",
  ),
]);

export const checkpoint = sqliteTable("checkpoint", {
  scopeId: scopeId(),
  name: text("name").notNull(),
  value: json("value").notNull(),
}, (t) => [primaryKey({ columns: [t.scopeId, t.name] })]);

/** One row per scope, made with it; the owner is empty while nobody holds it. */
export const lease = sqliteTable("lease", {
  scopeId: integer("scope_id").primaryKey(),
  /** A write that finds another owner or epoch sets null here and fails with its whole batch. */
  owner: text("owner").notNull(),
  epoch: integer("epoch").notNull(),
  host: text("host").notNull(),
  pid: integer("pid").notNull(),
  heartbeatAt: text("heartbeat_at").notNull(),
  expiresAt: text("expires_at").notNull(),
  /** Name of the last batch: tells whether a batch whose answer was lost took place. */
  lastWrite: text("last_write"),
});

export const control = sqliteTable("control", {
  runId: text("run_id").notNull(),
  name: text("name").notNull(),
  value: json("value").notNull(),
}, (t) => [primaryKey({ columns: [t.runId, t.name] })]);
