/** Reading artefacts back: children by list routes, sweeps by trees and search, one by id. @module */
import type { Container, DraftKind, Found, TargetField } from "../../core/ports/mod.ts";
import type { QtestApi } from "./api.ts";
import { knownContainer, type KnownParent, toFound, toFoundLog } from "./decode.ts";
import type { FieldBook } from "./fields.ts";
import { containerQuery, fieldObjectOf, KINDS, LOGS_ROUTE, placeOf, placeOfLog } from "./kinds.ts";
import { readPages } from "./paging.ts";
import { parseOne, parseRows, type WireArtefact, wireArtefact, wireLog } from "./wire.ts";

/** Kinds with an artefact shape of their own; logs are read through their run. */
type TreeKind = Exclude<DraftKind, "testLog">;

/** The vendor's largest page, and what is tried when it cannot be served in time. */
const PAGE_SIZES = [999, 250, 50];
/** `size` of test cases has no documented maximum; steps make these rows heavy. */
const CASE_SIZES = [500, 100, 20];
const CYCLE_SIZES = [100];

export interface Reading {
  api: QtestApi;
  book: FieldBook;
  /** Told about every log that was read together with its run. */
  sawLog: (logId: string, runId: string) => void;
  /** Run of a log seen before. */
  runOfLog: (logId: string) => string | undefined;
}

/** See `Target.children`. A case list without a parent names every case of the project. */
export async function* readChildren(
  reading: Reading,
  kind: DraftKind,
  parent: Container | string | null,
  signal: AbortSignal,
): AsyncGenerator<Found[]> {
  switch (kind) {
    case "module":
      yield await moduleChildren(reading, idOf(parent), signal);
      return;
    case "release":
      yield await releases(reading, signal);
      return;
    case "testCase":
      yield* caseChildren(reading, idOf(parent), signal);
      return;
    case "testCycle":
      yield* cycleChildren(reading, toContainer(parent, "testCycle"), signal);
      return;
    case "testSuite":
      yield await suiteChildren(reading, toContainer(parent, "testCycle"), signal);
      return;
    case "testRun":
      yield* runChildren(reading, toContainer(parent, "testSuite"), signal);
      return;
    case "testLog":
      yield* logChildren(reading, idOf(parent), signal);
  }
}

/** See `Target.sweep`. */
export async function* sweepKind(
  reading: Reading,
  kind: DraftKind,
  signal: AbortSignal,
): AsyncGenerator<Found[]> {
  switch (kind) {
    case "module":
      yield await moduleTree(reading, signal);
      return;
    case "testCycle":
      yield* cycleTree(reading, signal);
      return;
    case "release":
      yield await releases(reading, signal);
      return;
    case "testLog":
      for await (
        const rows of searchPages(
          reading.api,
          "test-logs",
          { includeTestLogProperties: true },
          signal,
        )
      ) {
        yield toLogs(reading, rows, null);
      }
      return;
    default:
      yield* searchKind(reading, kind, signal);
  }
}

/** See `Target.read`. A log is named `runId/logId`, or by its id once it was seen with its run. */
export async function readOne(
  reading: Reading,
  kind: DraftKind,
  id: string,
  signal: AbortSignal,
): Promise<Found | null> {
  if (kind === "testLog") return await readLog(reading, id, signal);
  const query = kind === "testCase" ? { expand: "teststep" } : {};
  const answer = await reading.api.read({ ...placeOf(kind, id), query, accept: [404], signal });
  const wire = answer.status === 404 ? null : parseOne(wireArtefact, answer.json);
  return wire === null ? null : toFound(kind, wire, await fieldsOf(reading, kind, signal), null);
}

async function readLog(reading: Reading, name: string, signal: AbortSignal): Promise<Found | null> {
  const [first = "", second] = name.split("/");
  const id = second ?? first;
  const runId = second === undefined ? reading.runOfLog(id) : first;
  if (runId === undefined) {
    throw new TypeError(`Cannot read testLog "${id}": its run is not known, pass "runId/logId"`);
  }
  const answer = await reading.api.read({ ...placeOfLog(runId, id), accept: [404], signal });
  const wire = answer.status === 404 ? null : parseOne(wireLog, answer.json);
  return wire === null ? null : toFoundLog(wire, runId);
}

async function moduleChildren(
  { api }: Reading,
  parentId: string | null,
  signal: AbortSignal,
): Promise<Found[]> {
  const query = { parentId: parentId ?? undefined };
  const answer = await api.read({ to: KINDS.module.list, query, signal });
  const parent = moduleParent(parentId);
  return parseRows(wireArtefact, rowsOf(answer.json))
    .map((wire) => toFound("module", wire, [], parent));
}

/** The whole tree in one request; the place in it tells the parent, root modules' bodies do not. */
async function moduleTree({ api }: Reading, signal: AbortSignal): Promise<Found[]> {
  const query = { expand: "descendants" };
  const answer = await api.read({ to: KINDS.module.list, query, signal });
  const found: Found[] = [];
  flatten(rowsOf(answer.json), null, (wire, parentId) => {
    found.push(toFound("module", wire, [], moduleParent(parentId)));
    return wire.children ?? [];
  });
  return unique(found);
}

function moduleParent(id: string | null): KnownParent {
  return { id, type: id === null ? null : "module" };
}

/** Visits a tree parents first; `visit` returns the children of a node. */
function flatten(
  rows: unknown[],
  parentId: string | null,
  visit: (wire: WireArtefact, parentId: string | null) => unknown[],
): void {
  for (const wire of parseRows(wireArtefact, rows)) {
    flatten(visit(wire, parentId), wire.id, visit);
  }
}

async function releases(reading: Reading, signal: AbortSignal): Promise<Found[]> {
  const query = { includeClosed: true };
  const answer = await reading.api.read({ to: KINDS.release.list, query, signal });
  const fields = await fieldsOf(reading, "release", signal);
  return parseRows(wireArtefact, rowsOf(answer.json))
    .map((wire) => toFound("release", wire, fields, null));
}

async function* cycleChildren(
  { api }: Reading,
  parent: Container,
  signal: AbortSignal,
): AsyncGenerator<Found[]> {
  for await (const rows of cyclePages(api, containerQuery(parent), signal)) {
    yield parseRows(wireArtefact, rows)
      .map((wire) => toFound("testCycle", wire, [], knownContainer(parent)));
  }
}

async function* cycleTree({ api }: Reading, signal: AbortSignal): AsyncGenerator<Found[]> {
  const query = { ...containerQuery({ type: "root", id: null }), expand: "descendants" };
  for await (const rows of cyclePages(api, query, signal)) {
    const found: Found[] = [];
    flatten(rows, null, (wire, id) => {
      const parent: KnownParent = { id, type: id === null ? "root" : "testCycle" };
      found.push(toFound("testCycle", wire, [], parent));
      return wire["test-cycles"] ?? [];
    });
    yield unique(found);
  }
}

/**
 * A negative page size without a page number brings all cycles in one answer. An answer of exactly
 * the default page (100) may come from a server that ignores it, so paging goes on from there.
 */
async function* cyclePages(
  api: QtestApi,
  query: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<unknown[]> {
  const to = KINDS.testCycle.list;
  const all = await api.read({ to, query: { ...query, pageSize: -1 }, signal });
  const first = rowsOf(all.json);
  if (first.length !== 100) {
    yield first;
    return;
  }
  yield* readPages({
    sizes: CYCLE_SIZES,
    ask: async (page, pageSize) => {
      if (page === 1) return first;
      return (await api.read({ to, query: { ...query, page, pageSize }, signal })).json;
    },
  });
}

async function suiteChildren(
  reading: Reading,
  parent: Container,
  signal: AbortSignal,
): Promise<Found[]> {
  const query = containerQuery(parent);
  const answer = await reading.api.read({ to: KINDS.testSuite.list, query, signal });
  const fields = await fieldsOf(reading, "testSuite", signal);
  return parseRows(wireArtefact, rowsOf(answer.json))
    .map((wire) => toFound("testSuite", wire, fields, knownContainer(parent)));
}

async function* caseChildren(
  reading: Reading,
  parentId: string | null,
  signal: AbortSignal,
): AsyncGenerator<Found[]> {
  const fields = await fieldsOf(reading, "testCase", signal);
  const parent = parentId === null ? null : moduleParent(parentId);
  const pages = readPages({
    sizes: CASE_SIZES,
    ask: async (page, size, maxAttempts) => {
      const query = {
        parentId: parentId ?? undefined,
        page,
        size,
        expandProps: true,
        expandSteps: true,
      };
      const call = { to: KINDS.testCase.list, query, maxAttempts, signal };
      return (await reading.api.read(call)).json;
    },
  });
  for await (const rows of pages) {
    yield parseRows(wireArtefact, rows).map((wire) => toFound("testCase", wire, fields, parent));
  }
}

async function* runChildren(
  reading: Reading,
  parent: Container,
  signal: AbortSignal,
): AsyncGenerator<Found[]> {
  const fields = await fieldsOf(reading, "testRun", signal);
  const pages = readPages({
    sizes: PAGE_SIZES,
    ask: async (page, pageSize, maxAttempts) => {
      const query = { ...containerQuery(parent), page, pageSize };
      const call = { to: KINDS.testRun.list, query, maxAttempts, signal };
      return (await reading.api.read(call)).json;
    },
  });
  for await (const rows of pages) {
    yield parseRows(wireArtefact, rows)
      .map((wire) => toFound("testRun", wire, fields, knownContainer(parent)));
  }
}

async function* logChildren(
  reading: Reading,
  runId: string | null,
  signal: AbortSignal,
): AsyncGenerator<Found[]> {
  if (runId === null) throw new TypeError("Cannot list test logs: no run is named");
  const pages = readPages({
    sizes: PAGE_SIZES,
    ask: async (page, pageSize, maxAttempts) => {
      const params = { testRunId: runId };
      const call = { to: LOGS_ROUTE, params, query: { page, pageSize }, maxAttempts, signal };
      return (await reading.api.read(call)).json;
    },
  });
  for await (const rows of pages) yield toLogs(reading, rows, runId);
}

function toLogs({ sawLog }: Reading, rows: unknown[], runId: string | null): Found[] {
  return parseRows(wireLog, rows).map((wire) => {
    const found = toFoundLog(wire, runId);
    if (found.parentId !== null) sawLog(found.id, found.parentId);
    return found;
  });
}

async function* searchKind(
  reading: Reading,
  kind: "testCase" | "testSuite" | "testRun",
  signal: AbortSignal,
): AsyncGenerator<Found[]> {
  const fields = await fieldsOf(reading, kind, signal);
  const flags: Record<string, boolean> = kind === "testCase" ? { appendTestSteps: true } : {};
  for await (const rows of searchPages(reading.api, KINDS[kind].folder, flags, signal)) {
    yield parseRows(wireArtefact, rows).map((wire) => toFound(kind, wire, fields, null));
  }
}

/** Yields every object of a search type, all fields included. */
async function* searchPages(
  api: QtestApi,
  objectType: string,
  flags: Record<string, boolean>,
  signal: AbortSignal,
): AsyncGenerator<unknown[]> {
  yield* readPages({
    sizes: PAGE_SIZES,
    ask: async (page, pageSize, maxAttempts) => {
      const answer = await api.read({
        to: "/search",
        query: { ...flags, page, pageSize },
        json: { object_type: objectType, fields: ["*"], query: "" },
        maxAttempts,
        signal,
      });
      return answer.json;
    },
  });
}

async function fieldsOf(
  { book }: Reading,
  kind: TreeKind,
  signal: AbortSignal,
): Promise<TargetField[]> {
  const object = fieldObjectOf(kind);
  return object === null ? [] : await book.list(object, signal) ?? [];
}

function rowsOf(json: unknown): unknown[] {
  if (Array.isArray(json)) return json;
  const items = (json as { items?: unknown } | null | undefined)?.items;
  return Array.isArray(items) ? items : [];
}

function unique(found: Found[]): Found[] {
  return [...new Map(found.map((each) => [each.id, each])).values()];
}

function idOf(parent: Container | string | null): string | null {
  return typeof parent === "string" ? parent : parent?.id ?? null;
}

function toContainer(parent: Container | string | null, type: Container["type"]): Container {
  if (parent === null) return { type: "root", id: null };
  return typeof parent === "string" ? { type, id: parent } : parent;
}
