/**
 * Objects as the API shows them.
 * @module
 */
import type { Json } from "./call.ts";
import { propertiesView } from "./fields.ts";
import type { QtestState } from "./state.ts";
import { plainText, rewriteParameters } from "./text.ts";
import type {
  Attachment,
  Base,
  BuildEntity,
  Comment,
  ModuleEntity,
  ReleaseEntity,
  RequirementEntity,
  Status,
  Step,
  StepLog,
  TestCaseEntity,
  TestCycleEntity,
  TestLogEntity,
  TestRunEntity,
  TestSuiteEntity,
  User,
  Version,
} from "./types.ts";

function apiUrl(state: QtestState, path: string): string {
  return `${state.siteUrl}/api/v3/projects/${state.projectId}/${path}`;
}
function webUrl(state: QtestState, kind: string, id: number): string {
  return `${state.siteUrl}/p/${state.projectId}/portal/project#tab=testdesign&object=${kind}&id=${id}`;
}
function baseView(state: QtestState, kind: string, entity: Base): Json {
  return {
    links: [{ rel: "self", href: apiUrl(state, `${kind}/${entity.id}`) }],
    id: entity.id,
    name: entity.name,
    order: entity.order,
    pid: entity.pid,
    created_date: state.writeDate(entity.createdAt),
    last_modified_date: state.writeDate(entity.modifiedAt),
  };
}

export function moduleView(
  state: QtestState,
  entity: ModuleEntity,
  options: { descendants?: boolean } = {},
): Json {
  const children = options.descendants
    ? state.children("modules", "module", entity.id).map((child) =>
      moduleView(state, child, options)
    )
    : [];
  return {
    ...baseView(state, "modules", entity),
    ...(entity.parentId === 0 ? {} : { parent_id: entity.parentId }),
    description: entity.description,
    shared: entity.shared,
    projects_shared_to: [],
    ...(options.descendants ? { children } : {}),
    recursive: options.descendants === true,
  };
}

export function releaseView(state: QtestState, entity: ReleaseEntity): Json {
  return {
    ...baseView(state, "releases", entity),
    properties: propertiesView(state, "releases", entity.properties),
    web_url: webUrl(state, "releases", entity.id),
    description: entity.description,
    note: entity.note,
    ...(entity.startAt === null ? {} : { start_date: state.writeDate(entity.startAt) }),
    ...(entity.endAt === null ? {} : { end_date: state.writeDate(entity.endAt) }),
  };
}

export function buildView(state: QtestState, entity: BuildEntity): Json {
  const release = state.get("releases", entity.releaseId);
  return {
    ...baseView(state, "builds", entity),
    properties: propertiesView(state, "builds", entity.properties),
    ...(release === undefined ? {} : { release: releaseView(state, release) }),
  };
}

export function requirementView(
  state: QtestState,
  entity: RequirementEntity,
  options: { external?: boolean } = {},
): Json {
  const external = options.external && entity.externalId !== null
    ? {
      external_properties: {
        id: entity.externalId,
        link: `https://jira.example.com/browse/${entity.externalId}`,
        unique_id: String(entity.id + 500_000),
      },
    }
    : {};
  return {
    ...baseView(state, "requirements", entity),
    properties: propertiesView(state, "requirements", entity.properties),
    web_url: webUrl(state, "requirements", entity.id),
    ...(entity.parentId === 0 ? {} : { parent_id: entity.parentId }),
    ...external,
  };
}

/** Current version of a case. */
export function currentVersion(entity: TestCaseEntity): Version {
  const version = entity.versions.at(-1);
  if (version === undefined) throw new TypeError(`Test case ${entity.id} has no version`);
  return version;
}
/** Latest approved version of a case. */
export function approvedVersion(entity: TestCaseEntity): Version | undefined {
  return entity.versions.findLast((version) => version.approved);
}

/** Parameters stand as ids, or as identifiers on demand. */
function stepText(state: QtestState, text: string, identifiers: boolean): string {
  if (!identifiers) return text;
  return rewriteParameters(text, (id) => {
    for (const [identifier, known] of state.parameters) if (String(known) === id) return identifier;
    return id;
  });
}

export function stepView(
  state: QtestState,
  caseId: number,
  step: Step,
  options: { identifiers?: boolean } = {},
): Json {
  const called = step.calledTestCaseId === null
    ? undefined
    : state.get("test-cases", step.calledTestCaseId);
  const description = stepText(state, step.description, options.identifiers === true);
  return {
    links: [{ rel: "self", href: apiUrl(state, `test-cases/${caseId}/test-steps/${step.id}`) }],
    id: step.id,
    description,
    expected: stepText(state, step.expected, options.identifiers === true),
    order: step.order,
    group: 0,
    attachments: state.attachmentsOf("test-steps", step.id).map((item) =>
      attachmentView(state, item)
    ),
    plain_value_text: plainText(description),
    parameter_values: [],
    customFieldInfo: step.customFields.map((field) => ({ ...field, objectId: step.id })),
    ...(called === undefined ? {} : {
      called_test_case_id: called.id,
      called_test_case_name: called.name,
      root_called_test_case_id: called.id,
    }),
  };
}

export function testCaseView(
  state: QtestState,
  entity: TestCaseEntity,
  options: {
    version?: Version;
    steps?: boolean;
    properties?: boolean;
    identifiers?: boolean;
    utc?: boolean;
    attachments?: boolean;
  } = {},
): Json {
  const version = options.version ?? currentVersion(entity);
  const view: Json = {
    ...baseView(state, "test-cases", entity),
    name: version.name,
    properties: options.properties === false
      ? []
      : propertiesView(state, "test-cases", entity.properties),
    web_url: webUrl(state, "test-cases", entity.id),
    parent_id: entity.parentId,
    test_case_version_id: version.id,
    version: `${version.major}.${version.minor}`,
    description: version.description,
    precondition: version.precondition,
    creator_id: entity.creatorId,
    agent_ids: [],
  };
  if (options.steps) {
    view.test_steps = version.steps.map((step) =>
      stepView(state, entity.id, step, { identifiers: options.identifiers })
    );
  }
  if (options.utc) {
    view.last_modified_date_utc = new Date(entity.modifiedAt).toISOString().replace(/\.\d+Z/, "Z");
  }
  if (options.attachments) {
    view.attachments = state.attachmentsOf("test-cases", entity.id).map((item) =>
      attachmentView(state, item)
    );
  }
  return view;
}

export function cycleView(
  state: QtestState,
  entity: TestCycleEntity,
  options: { descendants?: boolean } = {},
): Json {
  return {
    ...baseView(state, "test-cycles", entity),
    web_url: webUrl(state, "test-cycles", entity.id),
    description: entity.description,
    target_release_id: entity.targetReleaseId,
    target_build_id: entity.targetBuildId,
    ...(options.descendants
      ? {
        "test-cycles": state.children("test-cycles", "test-cycle", entity.id)
          .map((child) => cycleView(state, child, options)),
        "test-suites": state.children("test-suites", "test-cycle", entity.id)
          .map((child) => suiteView(state, child)),
      }
      : {}),
  };
}

export function suiteView(state: QtestState, entity: TestSuiteEntity): Json {
  return {
    parentId: entity.parentId,
    parentType: entity.parentType,
    ...baseView(state, "test-suites", entity),
    properties: propertiesView(state, "test-suites", entity.properties),
    web_url: webUrl(state, "test-suites", entity.id),
    target_release_id: entity.targetReleaseId,
    target_build_id: entity.targetBuildId,
  };
}

export function runView(
  state: QtestState,
  entity: TestRunEntity,
  options: { testCase?: boolean; steps?: boolean; latestLog?: boolean; nullProperties?: boolean } =
    {},
): Json {
  const testCase = state.get("test-cases", entity.testCaseId);
  const version = testCase?.versions.find((item) => item.id === entity.versionId);
  return {
    parentId: entity.parentId,
    parentType: entity.parentType,
    automation: entity.isAutomation ? "Yes" : "No",
    ...baseView(state, "test-runs", entity),
    testCaseId: entity.testCaseId,
    properties: propertiesView(state, "test-runs", entity.properties),
    test_case: nestedCase(state, entity, options),
    ...(options.latestLog === false ? { latest_test_log: {} } : latestLogOf(state, entity)),
    test_case_version_id: entity.versionId,
    test_case_version: version === undefined ? "" : `${version.major}.${version.minor}`,
    creator_id: entity.creatorId,
  };
}

function nestedCase(
  state: QtestState,
  run: TestRunEntity,
  options: { testCase?: boolean; steps?: boolean; nullProperties?: boolean },
): Json {
  const testCase = state.get("test-cases", run.testCaseId);
  if (testCase === undefined) return { id: run.testCaseId, properties: [] };
  const version = testCase.versions.find((item) => item.id === run.versionId);
  const isNull = options.nullProperties === true || state.switches.nestedProperties === "null";
  const view: Json = options.testCase || options.steps
    ? testCaseView(state, testCase, { version, steps: options.steps })
    : { id: testCase.id, name: testCase.name, pid: testCase.pid, properties: [] };
  if (isNull) view.properties = null;
  return view;
}

function latestLogOf(state: QtestState, run: TestRunEntity): Json {
  const id = run.logIds.at(-1);
  const log = id === undefined ? undefined : state.get("test-logs", id);
  if (log === undefined) return {};
  return {
    latest_test_log: {
      id: log.id,
      status: state.statuses.find((status) => status.id === log.statusId)?.name ?? "",
      exe_start_date: state.writeDate(log.startAt),
      exe_end_date: state.writeDate(log.endAt),
    },
  };
}

export function statusView(status: Status | undefined): Json {
  if (status === undefined) return {};
  return {
    links: [],
    id: status.id,
    name: status.name,
    is_default: status.isDefault,
    color: status.color,
    active: status.active,
  };
}

export function logView(
  state: QtestState,
  entity: TestLogEntity,
  options: { steps?: boolean; stepDetails?: boolean; testCase?: boolean; submittedBy?: boolean } =
    {},
): Json {
  const run = state.get("test-runs", entity.runId);
  const view: Json = {
    links: [{
      rel: "self",
      href: apiUrl(state, `test-runs/${entity.runId}/test-logs/${entity.id}`),
    }],
    id: entity.id,
    test_case_version_id: entity.versionId,
    exe_start_date: state.writeDate(entity.startAt),
    exe_end_date: state.writeDate(entity.endAt),
    note: entity.note,
    attachments: state.attachmentsOf("test-logs", entity.id).map((item) =>
      attachmentView(state, item)
    ),
    name: entity.name,
    planned_exe_time: entity.plannedTime,
    actual_exe_time: entity.actualTime,
    build_number: entity.buildNumber,
    build_url: entity.buildUrl,
    properties: [],
    status: statusView(state.statuses.find((status) => status.id === entity.statusId)),
    result_number: (run?.logIds.indexOf(entity.id) ?? 0) + 1,
    test_run_id: entity.runId,
    defects: [],
  };
  if (options.steps !== false) {
    view.test_step_logs = entity.stepLogs.map((step) =>
      stepLogView(state, entity, step, options.stepDetails === true)
    );
  }
  if (options.testCase && run !== undefined) {
    view.test_case = nestedCase(state, run, { steps: true });
  }
  return view;
}

function stepLogView(
  state: QtestState,
  log: TestLogEntity,
  step: StepLog,
  details: boolean,
): Json {
  const view: Json = {
    customFieldInfo: [],
    links: [],
    test_step_log_id: step.id,
    user_id: log.creatorId,
    status: statusView(state.statuses.find((status) => status.id === step.statusId)),
    description: step.description,
    expected_result: step.expected,
    actual_result: step.actual,
    order: step.order,
    group: 0,
    defects: [],
    attachments: state.attachmentsOf("test-step-logs", step.id).map((item) =>
      attachmentView(state, item)
    ),
  };
  if (step.stepId !== null) view.test_step_id = step.stepId;
  if (step.at !== null) view.exe_date = state.writeDate(step.at);
  if (step.calledTestCaseId !== null) view.called_test_case_id = step.calledTestCaseId;
  if (step.parentStepId !== null) view.parent_test_step_id = step.parentStepId;
  const caseId = step.stepId === null ? undefined : state.caseOfStep.get(step.stepId);
  const design = caseId === undefined ? undefined : state.get("test-cases", caseId)?.versions
    .flatMap((version) => version.steps).find((item) => item.id === step.stepId);
  if (details && design !== undefined && caseId !== undefined) {
    view.test_step = stepView(state, caseId, design);
  }
  return view;
}

export function attachmentView(state: QtestState, item: Attachment): Json {
  const author = state.users.find((user) => user.id === item.authorId);
  const self = apiUrl(state, `${item.objectType}/${item.objectId}/attachments/${item.id}`);
  return {
    links: [{ rel: "self", href: self }],
    name: item.name,
    content_type: item.contentType,
    id: item.id,
    web_url: webUrl(state, "attachments", item.id),
    created_date: state.writeDate(item.createdAt),
    author: author === undefined ? {} : {
      id: author.id,
      email: author.email,
      first_name: author.firstName,
      last_name: author.lastName,
    },
    artifact_id: item.objectId,
  };
}

export function commentView(state: QtestState, comment: Comment): Json {
  return {
    links: [],
    id: comment.id,
    content: comment.content,
    created: state.writeDate(comment.createdAt),
    updated: state.writeDate(comment.modifiedAt),
    userId: comment.userId,
  };
}

export function userView(user: User): Json {
  return {
    links: [],
    id: user.id,
    username: user.username,
    email: user.email,
    first_name: user.firstName,
    last_name: user.lastName,
    status: user.active ? 1 : 0,
    avatar: "",
    ldap_username: "",
    external_user_name: "",
  };
}

/** A user as the site-wide search shows one. */
export function siteUserView(user: User): Json {
  return {
    links: [],
    id: user.id,
    username: user.username,
    email: user.email,
    first_name: user.firstName,
    last_name: user.lastName,
    status: user.active ? 1 : 0,
    external_username: "",
    authentication_system: "INTERNAL",
  };
}
