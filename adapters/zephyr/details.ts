/** Everything that is read per record: scripts, execution steps, versions, single cases. @module */
import { RefusedError, RetryError, SetAsideError } from "../../core/errors.ts";
import type { Detail, UnreadableRow } from "../../core/ports/source.ts";
import type {
  ExecutionRecord,
  ExecutionStepRecord,
  LookupRecord,
  TestCaseRecord,
  TestScript,
} from "../../core/records/mod.ts";
import { part, refused, type ZephyrClient } from "./client.ts";
import { LIST_ROUTES } from "./lists.ts";
import {
  effectiveSize,
  effectiveStart,
  nextOffset,
  PageSizes,
  type Place,
  readOffsetAnswer,
  STEP_PAGE_SIZE,
} from "./paging.ts";
import { readRow, unreadableRow } from "./rows.ts";
import { toExecutionStep, toScript, toStep } from "./steps.ts";
import { asArray, asObject, pathOf, toNumber } from "./values.ts";

/** Rows of a list of steps in their order, or the status that was accepted instead. */
type AllRows = { rows: unknown[]; raw: Uint8Array[]; total: number | null } | {
  status: number;
  text: string;
};

/** Reads the details of single records. */
export class DetailReader {
  readonly #client: ZephyrClient;

  constructor(client: ZephyrClient) {
    this.#client = client;
  }

  /**
   * Reads the script by the route that the case names; when the case answers 422 there, its script
   * has changed its kind since it was listed and the other route is read, once.
   */
  async script(
    testCase: Pick<TestCaseRecord, "key" | "scriptRoute">,
    signal: AbortSignal,
  ): Promise<Detail<TestScript> | null> {
    const steps = { read: () => this.#steps(testCase.key, signal) };
    const text = { read: () => this.#text(testCase.key, signal) };
    const order = testCase.scriptRoute === "testscript" ? [text, steps] : [steps, text];
    let answer = await order[0]?.read();
    if (answer instanceof RefusedError) answer = await order[1]?.read();
    if (answer instanceof RefusedError) throw answer;
    return answer ?? null;
  }

  async #steps(
    key: string,
    signal: AbortSignal,
  ): Promise<Detail<TestScript> | RefusedError | null> {
    const what = `steps of test case "${key}"`;
    const all = await this.#allRows({
      path: `/testcases/${part(key)}/teststeps`,
      route: "/testcases/{testCaseKey}/teststeps",
      accept: [404, 422],
      what,
      signal,
    });
    if ("status" in all) return all.status === 404 ? null : refused(what, all);
    const { value, unreadable } = readSteps(all.rows, toStep);
    return { value: { type: "steps", text: null, steps: value }, raw: all.raw, unreadable };
  }

  async #text(key: string, signal: AbortSignal): Promise<Detail<TestScript> | RefusedError | null> {
    const answer = await this.#client.get({
      path: `/testcases/${part(key)}/testscript`,
      route: "/testcases/{testCaseKey}/testscript",
      accept: [404, 422],
      signal,
    });
    if (answer.status === 404) return null;
    if (answer.status === 422) return refused(`script of test case "${key}"`, answer);
    return { value: toScript(answer.json), raw: [answer.bytes], unreadable: [] };
  }

  /** Reads the steps of an execution, by key where it has one. */
  async executionSteps(
    execution: Pick<ExecutionRecord, "id" | "key">,
    signal: AbortSignal,
  ): Promise<Detail<ExecutionStepRecord[]> | null> {
    const name = execution.key ?? execution.id;
    const what = `steps of execution "${name}"`;
    const all = await this.#allRows({
      path: `/testexecutions/${part(name)}/teststeps`,
      route: "/testexecutions/{testExecutionIdOrKey}/teststeps",
      accept: [404],
      what,
      signal,
    });
    if ("status" in all) return null;
    return { ...readSteps(all.rows, toExecutionStep), raw: all.raw };
  }

  /** Number of the newest version: the list is newest first. */
  async latestVersion(key: string, signal: AbortSignal): Promise<number | null> {
    const answer = await this.#client.get({
      path: `/testcases/${part(key)}/versions`,
      route: "/testcases/{testCaseKey}/versions",
      query: { maxResults: 1 },
      accept: [404],
      signal,
    });
    if (answer.status === 404) return null;
    const numbers = asArray(asObject(answer.json)?.values).map((row) =>
      toNumber(/\/versions\/(\d+)\/?$/.exec(pathOf(asObject(row)?.self))?.[1])
    ).filter((number) => number !== null);
    return numbers.length === 0 ? null : Math.max(...numbers);
  }

  /** Reads one case; null when it is archived, deleted, of another project, or no key at all. */
  async testCase(key: string, signal: AbortSignal): Promise<Detail<TestCaseRecord> | null> {
    const answer = await this.#client.get({
      path: `/testcases/${part(key)}`,
      route: "/testcases/{testCaseKey}",
      accept: [400, 403, 404],
      signal,
    });
    if (answer.status >= 400) return null;
    const row = readRow("testCase", answer.json, 0);
    if ("unreadable" in row) throw unreadableError(`test case "${key}"`, row.unreadable);
    return { value: row.record, raw: [answer.bytes], unreadable: [] };
  }

  /** Reads one lookup that records refer to but no list names (archived ones); null when gone. */
  async lookup(
    kind: LookupRecord["kind"],
    id: string,
    signal: AbortSignal,
  ): Promise<LookupRecord | null> {
    const answer = await this.#client.get({
      path: `${LIST_ROUTES[kind]}/${part(id)}`,
      route: `${LIST_ROUTES[kind]}/{${kind}Id}`,
      accept: [400, 403, 404],
      signal,
    });
    if (answer.status >= 400) return null;
    const row = readRow(kind, answer.json, 0);
    if ("unreadable" in row) throw unreadableError(`${kind} "${id}"`, row.unreadable);
    return row.record;
  }

  /** Reads all rows; when some of the vendor's total are missing, once more: steps were edited. */
  async #allRows(spec: StepListSpec): Promise<AllRows> {
    for (let attempt = 1;; attempt++) {
      const all = await this.#sweep(spec);
      if ("status" in all || all.rows.length >= (all.total ?? 0)) return all;
      if (attempt === 2) {
        throw new SetAsideError(
          "incomplete",
          `Cannot read ${spec.what}: ${all.rows.length} rows of ${all.total}`,
          { hint: "Somebody edits them right now; retry the record later" },
        );
      }
    }
  }

  /** Pages one after another: the order of the array is the only order there is. */
  async #sweep(spec: StepListSpec): Promise<AllRows> {
    const sizes = new PageSizes();
    const rows: unknown[] = [];
    const raw: Uint8Array[] = [];
    let total: number | null = null;
    let place: Place | null = { start: 0, size: STEP_PAGE_SIZE };
    while (place !== null) {
      const page = await this.#page(spec, place, sizes);
      if ("status" in page) return page;
      const size = effectiveSize(page.envelope, page.place);
      const start = effectiveStart(page.envelope, page.place, spec.what);
      if (page.envelope.maxResults !== null && start % size !== 0) {
        // The server lowered its page size and may have floored the start without saying so.
        place = { start: start - start % size, size };
        continue;
      }
      rows.splice(start, rows.length - start, ...page.envelope.values);
      raw.push(page.bytes);
      total = page.envelope.total ?? total;
      place = nextOffset(page.envelope, page.place, spec.what);
    }
    return { rows, raw, total };
  }

  async #page(spec: StepListSpec, asked: Place, sizes: PageSizes): Promise<StepPage> {
    let place = asked;
    while (true) {
      const smaller = sizes.smaller(place.size);
      try {
        const answer = await this.#client.get({
          path: spec.path,
          route: spec.route,
          query: { maxResults: place.size, startAt: place.start },
          accept: spec.accept,
          signal: spec.signal,
          ...(smaller === null ? {} : { maxAttempts: 3 }),
        });
        if (answer.status >= 400) return { status: answer.status, text: answer.text };
        return { envelope: readOffsetAnswer(answer.json, spec.what), bytes: answer.bytes, place };
      } catch (error) {
        if (!(error instanceof RetryError) || smaller === null) throw error;
        place = { ...place, size: smaller };
      }
    }
  }
}

interface StepListSpec {
  path: string;
  route: string;
  accept: number[];
  what: string;
  signal: AbortSignal;
}

type StepPage =
  | { envelope: ReturnType<typeof readOffsetAnswer>; bytes: Uint8Array; place: Place }
  | { status: number; text: string };

function readSteps<T>(
  rows: unknown[],
  read: (row: unknown) => T,
): { value: T[]; unreadable: UnreadableRow[] } {
  const value: T[] = [];
  const unreadable: UnreadableRow[] = [];
  rows.forEach((row, ordinal) => {
    try {
      value.push(read(row));
    } catch (error) {
      unreadable.push(unreadableRow(row, ordinal, String(error)));
    }
  });
  return { value, unreadable };
}

function unreadableError(what: string, row: UnreadableRow): SetAsideError {
  return new SetAsideError("unreadable", `Cannot read ${what}: ${row.reason}`);
}
