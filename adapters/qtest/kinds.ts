/** The target's words for kinds: route folders, templates, search types, containers. @module */
import type {
  Container,
  ContainerType,
  DraftKind,
  FieldObject,
  FileUpload,
} from "../../core/ports/mod.ts";
import type { Place, RouteParams } from "./api.ts";

interface KindWords {
  /** List and create route. */
  list: string;
  /** Route of one object and the name of its parameter. */
  one: string;
  parameter: string;
  /** `object_type` of the search, which knows no modules. */
  folder: string;
}

/** Words of every kind but logs, whose routes stand below their run. */
export const KINDS: Record<Exclude<DraftKind, "testLog">, KindWords> = {
  module: words("modules", "moduleId"),
  release: words("releases", "releaseId"),
  testCycle: words("test-cycles", "testCycleId"),
  testSuite: words("test-suites", "testSuiteId"),
  testCase: words("test-cases", "testCaseId"),
  testRun: words("test-runs", "testRunId"),
};

/** Lists and creates logs of one run. */
export const LOGS_ROUTE = "/test-runs/{testRunId}/test-logs";

function words(folder: string, parameter: string): KindWords {
  return { list: `/${folder}`, one: `/${folder}/{${parameter}}`, parameter, folder };
}

/** Place of one object. */
export function placeOf(kind: Exclude<DraftKind, "testLog">, id: string): Place {
  const { one, parameter } = KINDS[kind];
  const params: RouteParams = { [parameter]: id };
  return { to: one, params };
}

/** Place of one log. */
export function placeOfLog(runId: string, id: string): Place {
  return { to: `${LOGS_ROUTE}/{id}`, params: { testRunId: runId, id } };
}

/** Object types of the settings routes. */
export const FIELD_FOLDERS: Record<FieldObject, string> = {
  testCase: "test-cases",
  testSuite: "test-suites",
  testRun: "test-runs",
  release: "releases",
};

/** Object types of the attachment routes. */
export const FILE_FOLDERS: Record<FileUpload["object"]["kind"], string> = {
  testCase: "test-cases",
  testStep: "test-steps",
  testLog: "test-logs",
  testStepLog: "test-step-logs",
  release: "releases",
};

const CONTAINERS: Record<ContainerType, string> = {
  root: "root",
  release: "release",
  testCycle: "test-cycle",
  testSuite: "test-suite",
};

/** Query that names a container of the execution tree; the root is id 0. */
export function containerQuery(parent: Container): { parentId: string; parentType: string } {
  return { parentId: parent.id ?? "0", parentType: CONTAINERS[parent.type] };
}

/** Reads the target's word for a container; null for an unknown one. */
export function toContainerType(word: string | null | undefined): ContainerType | null {
  const wanted = word?.toLowerCase().replaceAll("_", "-");
  const types = Object.keys(CONTAINERS) as ContainerType[];
  return types.find((type) => CONTAINERS[type] === wanted) ?? null;
}

/** Whether a kind has fields of its own. */
export function fieldObjectOf(kind: DraftKind): FieldObject | null {
  return Object.hasOwn(FIELD_FOLDERS, kind) ? kind as FieldObject : null;
}
