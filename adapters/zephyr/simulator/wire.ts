/** Rows as the API sends them. `undefined` members vanish in JSON: the key is then missing. @module */
import type {
  SimCase,
  SimCycle,
  SimExecution,
  SimExecutionStep,
  SimFolder,
  SimIssueLink,
  SimLookup,
  SimOwner,
  SimPlan,
  SimProject,
  SimStatus,
  SimStep,
  SimWebLink,
} from "./types.ts";

const JIRA = "https://site.atlassian.net";

/** Renders rows for one base URL and one API generation. */
export interface Wire {
  project(row: SimProject): unknown;
  folder(row: SimFolder): unknown;
  priority(row: SimLookup): unknown;
  status(row: SimStatus): unknown;
  environment(row: SimLookup): unknown;
  testCase(row: SimCase): unknown;
  /** One row of `/versions`. */
  version(row: SimCase, number: number): unknown;
  step(row: SimStep): unknown;
  cycle(row: SimCycle): unknown;
  plan(row: SimPlan): unknown;
  execution(row: SimExecution, includeStepLinks?: boolean): unknown;
  executionStep(row: SimExecutionStep): unknown;
  caseLinks(row: SimCase): unknown;
  cycleLinks(row: SimCycle): unknown;
  executionLinks(row: SimExecution): unknown;
}

/** Creates the renderer; `base` is the URL up to and including `/v2`. */
export function createWire(base: string, withStepIds: boolean): Wire {
  const ref = (path: string, id: number): { id: number; self: string } => ({
    id,
    self: `${base}/${path}/${id}`,
  });
  const maybeRef = <T>(
    id: number | null | undefined,
    make: (id: number) => T,
  ): T | null | undefined => id === null || id === undefined ? id : make(id);
  const folder = (id: number | null): unknown => maybeRef(id, (n) => ref("folders", n));
  const version = (id: number | null | undefined): unknown =>
    maybeRef(id, (n) => ({ id: n, self: `${JIRA}/rest/api/2/version/${n}` }));
  const links = (path: string, issues: SimIssueLink[]): Record<string, unknown> => ({
    self: `${base}/${path}/links`,
    issues: issues.map((link) => ({
      self: `${base}/links/${link.id}`,
      issueId: link.issueId,
      id: link.id,
      target: `${JIRA}/rest/api/2/issue/${link.issueId}`,
      type: link.type,
    })),
  });
  const webLinks = (rows: SimWebLink[]): unknown[] =>
    rows.map((link) => ({
      self: `${base}/links/${link.id}`,
      id: link.id,
      url: link.url,
      description: link.description,
      type: link.type,
    }));
  const caseLinks = (row: SimCase): unknown => ({
    ...links(`testcases/${row.key}`, row.issues),
    webLinks: webLinks(row.webLinks),
  });
  const cycleLinks = (row: SimCycle): unknown => ({
    ...links(`testcycles/${row.id}`, row.issues),
    webLinks: webLinks(row.webLinks),
    testPlans: row.plans.map((link) => ({
      ...ref("links", link.linkId),
      testPlanId: link.planId,
      type: "RELATED",
      target: `${JIRA}/testplans/${link.planId}`,
    })),
  });
  const executionLinks = (row: SimExecution): unknown =>
    links(`testexecutions/${row.id}`, row.issues);
  const lookup = (row: SimLookup): Record<string, unknown> => ({
    id: row.id,
    project: ref("projects", row.projectId),
    name: row.name,
    description: row.description,
    index: row.index,
  });
  return {
    project: ({ id, jiraProjectId, key, enabled }) => ({ id, jiraProjectId, key, enabled }),
    folder: (row) => ({
      id: row.id,
      parentId: row.parentId,
      name: row.name,
      index: row.index,
      folderType: row.folderType,
      project: ref("projects", row.projectId),
      // A key that no published description has.
      folderPathHash: row.id % 7,
    }),
    priority: (row) => ({ ...lookup(row), color: row.color, default: row.isDefault }),
    status: (row) => ({
      ...lookup(row),
      color: row.color,
      archived: row.archived,
      default: row.isDefault,
    }),
    environment: (row) => ({ ...lookup(row), archived: row.archived }),
    testCase: (row) => ({
      id: row.id,
      key: row.key,
      name: row.name,
      project: ref("projects", row.projectId),
      createdOn: row.createdOn,
      objective: row.objective,
      precondition: row.precondition,
      estimatedTime: row.estimatedTime,
      labels: row.labels,
      component: maybeRef(row.componentId, (id) => ({
        id,
        self: `${JIRA}/rest/api/2/component/${id}`,
      })),
      priority: ref("priorities", row.priorityId),
      status: ref("statuses", row.statusId),
      folder: folder(row.folderId),
      owner: wireOwner(row.owner),
      testScript: {
        self: `${base}/testcases/${row.key}/${
          row.scriptKind === "steps" ? "teststeps" : "testscript"
        }`,
      },
      customFields: row.customFields,
      links: caseLinks(row),
    }),
    version: (row, number) => ({
      id: row.versionIds[number - 1],
      self: `${base}/testcases/${row.key}/versions/${number}`,
    }),
    step: (row) => wireStep(row, base, withStepIds),
    cycle: (row) => ({
      id: row.id,
      key: row.key,
      name: row.name,
      project: ref("projects", row.projectId),
      jiraProjectVersion: version(row.jiraVersionId),
      status: ref("statuses", row.statusId),
      folder: folder(row.folderId),
      description: row.description,
      plannedStartDate: row.plannedStartDate,
      plannedEndDate: row.plannedEndDate,
      owner: wireOwner(row.owner),
      customFields: row.customFields,
      links: cycleLinks(row),
    }),
    plan: (row) => ({
      id: row.id,
      key: row.key,
      name: row.name,
      objective: row.objective,
      project: ref("projects", row.projectId),
      status: ref("statuses", row.statusId),
      folder: folder(row.folderId),
      owner: wireOwner(row.owner),
      customFields: row.customFields,
      labels: row.labels,
      links: {
        webLinks: webLinks(row.webLinks),
        issues: links("", row.issues).issues,
        testCycles: row.cycles.map((link) => ({
          ...ref("links", link.linkId),
          testCycleId: link.cycleId,
          type: "RELATED",
          target: `${base}/testcycles/${link.cycleId}`,
        })),
      },
    }),
    execution: (row, includeStepLinks = false) => ({
      id: row.id,
      key: row.key,
      project: ref("projects", row.projectId),
      testCase: {
        self: `${base}/testcases/${row.caseKey}/versions/${row.version}`,
        id: row.versionId,
      },
      environment: maybeRef(row.environmentId, (id) => ref("environments", id)),
      jiraProjectVersion: version(row.jiraVersionId),
      testExecutionStatus: ref("statuses", row.statusId),
      actualEndDate: row.actualEndDate,
      estimatedTime: row.estimatedTime,
      executionTime: row.executionTime,
      executedById: row.executedById,
      assignedToId: row.assignedToId,
      comment: row.comment,
      automated: row.automated,
      testCycle: row.cycleId === null ? null : ref("testcycles", row.cycleId),
      customFields: row.customFields,
      links: includeStepLinks
        ? { ...executionLinks(row) as Record<string, unknown>, testSteps: [] }
        : executionLinks(row),
    }),
    executionStep: (row) => ({
      id: withStepIds ? row.id : undefined,
      inline: {
        description: row.description,
        testData: row.testData,
        expectedResult: row.expectedResult,
        actualResult: row.actualResult,
        testDataRowNumber: row.dataRow,
        reflectRef: null,
        status: ref("statuses", row.statusId),
      },
    }),
    caseLinks,
    cycleLinks,
    executionLinks,
  };
}

function wireOwner(owner: SimOwner): unknown {
  if (owner === null || owner === undefined) return owner;
  const { accountId } = owner;
  const id = accountId === null ? "" : encodeURIComponent(accountId);
  return { self: `${JIRA}/rest/api/2/user?accountId=${id}`, accountId };
}

function wireStep(row: SimStep, base: string, withId: boolean): unknown {
  const id = withId ? row.id : undefined;
  if (row.call !== null) {
    const { key, parameters } = row.call;
    const testCase = { self: `${base}/testcases/${key}`, testCaseKey: key, parameters };
    return { id, inline: null, testCase };
  }
  const { description, testData, expectedResult, customFields } = row;
  return {
    id,
    inline: { description, testData, expectedResult, customFields, reflectRef: null },
    testCase: null,
  };
}
