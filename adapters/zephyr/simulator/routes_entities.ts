/** Routes of projects, folders, lookups, cases, cycles, plans and executions. @module */
import { ApiError, notFound, type Query } from "./answers.ts";
import { createExecutionText } from "./execution_text.ts";
import type { Rows, SimulatorState } from "./state.ts";
import type { SimCase, SimExecution, SimLookup, SimStatusType } from "./types.ts";

/** What a route gets: its path parameters by name and the query. */
export interface Call {
  param(name: string): string;
  query: Query;
  path: string;
  headers: Headers;
}

/** Path below `/v2` with `{param}`s, and what answers it. */
export type Route = [path: string, answer: (call: Call) => Response | Promise<Response>];

const STEP_CAP = 100;
const FOLDER_TYPE = /^(TEST_CASE|TEST_PLAN|TEST_CYCLE)$/;
const STATUS_TYPE = /^(TEST_CASE|TEST_PLAN|TEST_CYCLE|TEST_EXECUTION)$/;

function rowsOf<T extends { id: number }>(
  name: string,
  list: readonly T[],
  wire: (row: T) => unknown,
): Rows & { at: (position: number) => T } {
  const at = (position: number): T => list[position] as T;
  return {
    name,
    length: list.length,
    at,
    idAt: (position) => at(position).id,
    render: (position) => JSON.stringify(wire(at(position))),
  };
}

function id(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new ApiError(400, `'${text}' is not an id`);
  return Number(text);
}

/** Projects, folders, priorities, statuses, environments. */
export function lookupRoutes(state: SimulatorState): Route[] {
  const { dataset, wire } = state;
  const list = <T extends SimLookup>(
    name: string,
    rows: T[],
    render: (row: T) => unknown,
    type: (query: Query) => string | null = () => null,
  ): Route => [`/${name}`, ({ path, query }) => {
    const project = state.project(query);
    const wanted = type(query);
    const table = rowsOf(name, rows, render);
    return state.offsetList(table, { path, query, filter: `${project?.id} ${wanted}` }, (at) => {
      const row = table.at(at) as T & { type?: SimStatusType };
      if (state.settings.hideArchivedLookups && row.archived) return false;
      return (project === null || row.projectId === project.id) &&
        (wanted === null || row.type === wanted);
    });
  }];
  const one = <T extends { id: number }>(
    path: string,
    param: string,
    what: string,
    rows: T[],
    render: (row: T) => unknown,
  ): Route => [`/${path}/{${param}}`, (call) => {
    const found = rows.find((row) => row.id === id(call.param(param)));
    if (found === undefined) throw notFound(what);
    return Response.json(render(found));
  }];
  return [
    ["/projects", ({ path, query }) => {
      const rows = rowsOf("projects", dataset.projects, wire.project);
      return state.offsetList(rows, { path, query, filter: "" }, () => true);
    }],
    ["/projects/{projectIdOrKey}", ({ param }) => {
      const wanted = param("projectIdOrKey");
      if (!/^([0-9]+|[A-Z][A-Z_0-9]+)$/.test(wanted)) {
        throw new ApiError(400, `'${wanted}' is neither an id nor a key`);
      }
      const found = dataset.projects.find((row) => row.key === wanted || `${row.id}` === wanted);
      if (found === undefined) throw notFound("Project");
      return Response.json(wire.project(found));
    }],
    ["/folders", ({ path, query }) => {
      const project = state.project(query);
      const type = query.text("folderType", FOLDER_TYPE);
      const rows = rowsOf("folders", dataset.folders, wire.folder);
      return state.offsetList(rows, { path, query, filter: `${project?.id} ${type}` }, (at) => {
        const row = rows.at(at);
        return (project === null || row.projectId === project.id) &&
          (type === null || row.folderType === type);
      });
    }],
    one("folders", "folderId", "Folder", dataset.folders, wire.folder),
    list("priorities", dataset.priorities, wire.priority),
    one("priorities", "priorityId", "Priority", dataset.priorities, wire.priority),
    list("statuses", dataset.statuses, wire.status, (q) => q.text("statusType", STATUS_TYPE)),
    one("statuses", "statusId", "Status", dataset.statuses, wire.status),
    list("environments", dataset.environments, wire.environment),
    one("environments", "environmentId", "Environment", dataset.environments, wire.environment),
  ];
}

/** Ms of `updatedAfter`; null on generations that do not know it. */
function changedSince(state: SimulatorState, query: Query): number | null {
  if (state.settings.generation !== "C") return null;
  const text = query.instant("updatedAfter");
  return text === null ? null : Date.parse(text);
}

function folderFilter(state: SimulatorState, query: Query): number | null {
  const folderId = query.integer("folderId", 1);
  if (folderId !== null && !state.dataset.folders.some((row) => row.id === folderId)) {
    throw notFound("Folder");
  }
  return folderId;
}

/** Cases, their versions and scripts. */
export function caseRoutes(state: SimulatorState): Route[] {
  const { dataset, wire } = state;
  const keep = (query: Query, since: number | null): [string, (row: SimCase) => boolean] => {
    const project = state.project(query);
    const folder = folderFilter(state, query);
    return [
      `${project?.id} ${folder} ${since}`,
      (row) =>
        !row.archived && (project === null || row.projectId === project.id) &&
        (folder === null || row.folderId === folder) && (since === null || row.updatedAt >= since),
    ];
  };
  const rows = (): ReturnType<typeof rowsOf<SimCase>> =>
    rowsOf("testcases", dataset.cases, wire.testCase);
  const list = (cursor: boolean): Route[1] => ({ path, query }) => {
    const table = rows();
    const [filter, test] = keep(query, cursor ? changedSince(state, query) : null);
    const request = { path, query, filter };
    return cursor
      ? state.cursorList(table, request, (at) => test(table.at(at)))
      : state.offsetList(table, request, (at) => test(table.at(at)));
  };
  const nextgen: Route[] = state.settings.generation === "A"
    ? []
    : [["/testcases/nextgen", list(true)]];
  return [
    ["/testcases", list(false)],
    ...nextgen,
    [
      "/testcases/{testCaseKey}",
      ({ param }) => Response.json(wire.testCase(state.testCase(param("testCaseKey")))),
    ],
    [
      "/testcases/{testCaseKey}/links",
      ({ param }) => Response.json(wire.caseLinks(state.testCase(param("testCaseKey")))),
    ],
    ["/testcases/{testCaseKey}/versions", ({ param, path, query }) => {
      const row = state.testCase(param("testCaseKey"));
      const versions = row.versionIds.map((_, index) => wire.version(row, index + 1));
      return state.plainList(path, query, versions.toReversed());
    }],
    ["/testcases/{testCaseKey}/versions/{version}", ({ param }) => {
      const row = state.testCase(param("testCaseKey"));
      const versionId = row.versionIds[id(param("version")) - 1];
      if (versionId === undefined) throw notFound("Test case version");
      return Response.json(wire.testCase({ ...row, id: versionId }));
    }],
    ["/testcases/{testCaseKey}/teststeps", ({ param, path, query }) => {
      const row = state.testCase(param("testCaseKey"));
      if (row.scriptKind !== "steps") {
        throw new ApiError(422, "The test case does not have a test script of type step by step");
      }
      return state.plainList(
        path,
        query,
        dataset.script(row.key).steps.map(wire.step),
        stepCap(state),
      );
    }],
    ["/testcases/{testCaseKey}/testscript", ({ param }) => {
      const row = state.testCase(param("testCaseKey"));
      if (row.scriptKind === "steps") {
        throw new ApiError(422, "The test case does not have a test script of type plain or bdd");
      }
      const script = dataset.script(row.key);
      return Response.json({ id: script.id, type: script.kind, text: script.text });
    }],
  ];
}

function stepCap(state: SimulatorState): number {
  return Math.min(STEP_CAP, state.settings.pageCap);
}

/** Cycles and plans. */
export function cycleRoutes(state: SimulatorState): Route[] {
  const { dataset, wire } = state;
  const cycles = (cursor: boolean): Route[1] => ({ path, query }) => {
    const table = rowsOf("testcycles", dataset.cycles, wire.cycle);
    const project = state.project(query);
    const folder = folderFilter(state, query);
    const version = query.integer("jiraProjectVersionId", 1);
    const since = cursor ? changedSince(state, query) : null;
    const filter = `${project?.id} ${folder} ${version} ${since}`;
    return state[cursor ? "cursorList" : "offsetList"](table, { path, query, filter }, (at) => {
      const row = table.at(at);
      return (project === null || row.projectId === project.id) &&
        (folder === null || row.folderId === folder) &&
        (version === null || row.jiraVersionId === version) &&
        (since === null || row.updatedAt >= since);
    });
  };
  const plans = (cursor: boolean): Route[1] => ({ path, query }) => {
    const table = rowsOf("testplans", dataset.plans, wire.plan);
    const project = state.project(query);
    const since = cursor ? changedSince(state, query) : null;
    const request = { path, query, filter: `${project?.id} ${since}` };
    return state[cursor ? "cursorList" : "offsetList"](table, request, (at) => {
      const row = table.at(at);
      return (project === null || row.projectId === project.id) &&
        (since === null || row.updatedAt >= since);
    });
  };
  const nextgen: Route[] = state.settings.generation === "C"
    ? [["/testcycles/nextgen", cycles(true)], ["/testplans/nextgen", plans(true)]]
    : [];
  return [
    ["/testcycles", cycles(false)],
    ["/testplans", plans(false)],
    ...nextgen,
    [
      "/testcycles/{testCycleIdOrKey}",
      ({ param }) => Response.json(wire.cycle(state.cycle(param("testCycleIdOrKey")))),
    ],
    [
      "/testcycles/{testCycleIdOrKey}/links",
      ({ param }) => Response.json(wire.cycleLinks(state.cycle(param("testCycleIdOrKey")))),
    ],
    [
      "/testplans/{testPlanIdOrKey}",
      ({ param }) => Response.json(wire.plan(state.plan(param("testPlanIdOrKey")))),
    ],
  ];
}

/** Executions and their steps. */
export function executionRoutes(state: SimulatorState): Route[] {
  const { dataset, wire } = state;
  const text = createExecutionText(state.base, wire);
  const list = (cursor: boolean): Route[1] => ({ path, query }) => {
    const filter = executionFilter(state, query, cursor ? changedSince(state, query) : null);
    const links = query.flag("includeStepLinks");
    const rows: Rows = {
      name: "testexecutions",
      length: dataset.executions.length,
      idAt: (at) => dataset.executions.idAt(at),
      render: (at) => {
        const row = dataset.executions.at(at);
        return links ? JSON.stringify(wire.execution(row, true)) : text(row);
      },
    };
    const request = { path, query, filter: filter.name };
    return state[cursor ? "cursorList" : "offsetList"](rows, request, filter.keep());
  };
  const nextgen: Route[] = state.settings.generation === "C"
    ? [["/testexecutions/nextgen", list(true)]]
    : [];
  const key = "testExecutionIdOrKey";
  return [
    ["/testexecutions", list(false)],
    ...nextgen,
    [
      `/testexecutions/{${key}}`,
      ({ param, query }) =>
        Response.json(wire.execution(state.execution(param(key)), query.flag("includeStepLinks"))),
    ],
    [`/testexecutions/{${key}}/teststeps`, ({ param, path, query }) => {
      const row = query.integer("testDataRowNumber", 0);
      const steps = dataset.executionSteps(state.execution(param(key)))
        .filter((step) => row === null || step.dataRow === row);
      return state.plainList(path, query, steps.map(wire.executionStep), stepCap(state));
    }],
    [`/testexecutions/{${key}}/links`, ({ param }) => {
      try {
        return Response.json(wire.executionLinks(state.execution(param(key))));
      } catch (error) {
        // This one route answers 400 where all others answer 404.
        if (error instanceof ApiError) throw new ApiError(400, error.message);
        throw error;
      }
    }],
  ];
}

function executionFilter(
  state: SimulatorState,
  query: Query,
  since: number | null,
): { name: string; keep: () => (position: number) => boolean } {
  const { executions, project } = state.dataset;
  const key = query.projectKey();
  const cycle = query.text(
    "testCycle",
    state.settings.generation === "C" ? /^[A-Z][A-Z_0-9]+-R[0-9]+$/ : /^([0-9]+|.+-R[0-9]+)$/,
  );
  const testCase = query.text("testCase", /^([0-9]+|.+-T[0-9]+)$/);
  const after = query.instant("actualEndDateAfter");
  const before = query.instant("actualEndDateBefore");
  const version = query.integer("jiraProjectVersionId", 1);
  const onlyLast = query.flag("onlyLastExecutions");
  const name = JSON.stringify([key, cycle, testCase, after, before, version, onlyLast, since]);
  const cycleId = cycle === null
    ? null
    : state.dataset.cycles.find((row) => row.key === cycle || `${row.id}` === cycle)?.id ?? -1;
  const caseKey = testCase === null || /-T/.test(testCase)
    ? testCase
    : state.dataset.cases.find((row) => `${row.id}` === testCase)?.key ?? "";
  const rowTests: ((row: SimExecution) => boolean)[] = [];
  if (after !== null) rowTests.push((row) => (row.actualEndDate ?? "") > after);
  if (before !== null) {
    rowTests.push((row) => typeof row.actualEndDate === "string" && row.actualEndDate < before);
  }
  if (version !== null) rowTests.push((row) => row.jiraVersionId === version);
  if (since !== null) rowTests.push((row) => row.updatedAt >= since);
  const keep = (): (position: number) => boolean => {
    const last = onlyLast ? lastPositions(state) : null;
    return (at) => {
      if (key !== null && key !== project.key) return false;
      if (state.deletedExecutions.has(executions.idAt(at))) return false;
      if (last !== null && !last.has(at)) return false;
      if (cycleId !== null || caseKey !== null) {
        const pair = executions.pairAt(at);
        if (cycleId !== null && pair.cycleId !== cycleId) return false;
        if (caseKey !== null && pair.caseKey !== caseKey) return false;
      }
      return rowTests.length === 0 || rowTests.every((test) => test(executions.at(at)));
    };
  };
  return { name, keep };
}

/** The newest execution of each case in each cycle; ad-hoc ones count per case. */
function lastPositions(state: SimulatorState): Set<number> {
  const { executions } = state.dataset;
  const last = new Map<string, number>();
  for (let at = 0; at < executions.length; at++) {
    if (state.deletedExecutions.has(executions.idAt(at))) continue;
    const pair = executions.pairAt(at);
    last.set(`${pair.cycleId}/${pair.caseKey}`, at);
  }
  return new Set(last.values());
}
