/** Reading lists page by page, with cursors where the vendor has them and offsets elsewhere. @module */
import { AccessError, EXIT, RefusedError, RetryError, StopError } from "../../core/errors.ts";
import type { ListSpec, SourcePage } from "../../core/ports/source.ts";
import type { ListKind } from "../../core/records/mod.ts";
import type { HttpAnswer } from "../http/types.ts";
import { REGION_HINT } from "./address.ts";
import type { ZephyrClient } from "./client.ts";
import {
  LIST_PAGE_SIZE,
  nextId,
  nextOffset,
  PageSizes,
  type Place,
  readOffsetAnswer,
} from "./paging.ts";
import { readRows } from "./rows.ts";
import { asArray, asObject } from "./values.ts";

/** Lists by kind. */
export const LIST_ROUTES: Record<ListKind, string> = {
  priority: "/priorities",
  status: "/statuses",
  environment: "/environments",
  folder: "/folders",
  testPlan: "/testplans",
  testCycle: "/testcycles",
  testCase: "/testcases",
  execution: "/testexecutions",
};

const MAX_START_AT = 1_000_000;
/** Empty pages in a row that name their own start as the next one. */
const MAX_REPEATS = 20;

/** Which kinds have a cursor list; absent = not known yet. Shared by all readers of a source. */
export type CursorSupport = Map<ListKind, boolean>;

/** Kinds that some generation of the API lists by cursor. */
export const CURSOR_KINDS: readonly ListKind[] = [
  "testCase",
  "testCycle",
  "testPlan",
  "execution",
];

/** Filters of a list as query parameters. */
export function listQuery(list: ListSpec, projectKey: string): Record<string, string | undefined> {
  return {
    projectKey,
    statusType: list.kind === "status" ? list.statusType : undefined,
    onlyLastExecutions: list.kind === "execution" && list.onlyLast ? "true" : undefined,
  };
}

/** Reads the pages of one list; remembers the page size between them. */
export class ListReader<K extends ListKind> {
  readonly #client: ZephyrClient;
  readonly #list: ListSpec & { kind: K };
  readonly #query: Record<string, string | undefined>;
  readonly #cursors: CursorSupport;
  readonly #sizes = new PageSizes();
  readonly #signal: AbortSignal;
  /** Rows per page of a cursor list: unlike an offset, the cursor does not depend on it. */
  #cursorSize = LIST_PAGE_SIZE;

  constructor(
    client: ZephyrClient,
    list: ListSpec & { kind: K },
    options: { projectKey: string; cursors: CursorSupport; signal: AbortSignal },
  ) {
    this.#client = client;
    this.#list = list;
    this.#query = listQuery(list, options.projectKey);
    this.#cursors = options.cursors;
    this.#signal = options.signal;
  }

  /**
   * Reads the page at a cursor (`id:START`, `offset:START:SIZE`), null = the first. Whether the
   * kind has a cursor list is found out with the first page and remembered.
   */
  async read(cursor: string | null): Promise<SourcePage<K>> {
    if (cursor !== null) {
      const { paging, place } = parseCursor(cursor);
      return paging === "id" ? await this.#readCursor(place) : await this.#readOffset(place);
    }
    const first = { start: 0, size: LIST_PAGE_SIZE };
    if (this.#mayHaveCursor()) {
      const page = await this.#tryCursor(first);
      if (page !== null) return page;
    }
    return await this.#readOffset(first);
  }

  #mayHaveCursor(): boolean {
    return CURSOR_KINDS.includes(this.#list.kind) && this.#cursors.get(this.#list.kind) !== false;
  }

  async #tryCursor(first: Place): Promise<SourcePage<K> | null> {
    const known = this.#cursors.get(this.#list.kind) === true;
    const page = await this.#readCursor(first, known ? [] : [400, 403, 404]);
    this.#cursors.set(this.#list.kind, page !== null);
    return page;
  }

  #readCursor(place: Place): Promise<SourcePage<K>>;
  #readCursor(place: Place, refusals: number[]): Promise<SourcePage<K> | null>;
  async #readCursor(asked: Place, refusals: number[] = []): Promise<SourcePage<K> | null> {
    const route = `${LIST_ROUTES[this.#list.kind]}/nextgen`;
    for (let attempt = 1; attempt <= MAX_REPEATS; attempt++) {
      const { answer, place } = await this.#get(route, asked, refusals, (at) => ({
        limit: at.size,
        startAtId: at.start,
      }));
      if (refusals.includes(answer.status)) return null;
      this.#cursorSize = this.#sizes.grow(place, false).size;
      const after = nextId(answer.json, place, this.#what);
      if (after !== "repeat") return this.#cursorPage(answer, place, after.next);
    }
    throw new StopError(
      EXIT.failed,
      `Cannot read ${this.#what}: the cursor does not advance from ${asked.start}`,
    );
  }

  #cursorPage(answer: HttpAnswer, place: Place, next: number | null): SourcePage<K> {
    const values = asArray(asObject(answer.json)?.values);
    return {
      at: `id:${place.start}`,
      next: next === null ? null : `id:${next}`,
      raw: answer.bytes,
      ...readRows(this.#list.kind, values, this.#list.statusType ?? null),
      total: null,
    };
  }

  async #readOffset(asked: Place): Promise<SourcePage<K>> {
    const { answer, place } = await this.#get(LIST_ROUTES[this.#list.kind], asked, [], (at) => ({
      maxResults: at.size,
      startAt: at.start,
    }));
    const envelope = readOffsetAnswer(answer.json, this.#what);
    const next = nextOffset(envelope, place, this.#what);
    return {
      at: offsetCursor(place),
      next: next === null ? null : offsetCursor(this.#sizes.grow(next, true)),
      raw: answer.bytes,
      ...readRows(this.#list.kind, envelope.values, this.#list.statusType ?? null),
      total: envelope.total,
    };
  }

  /** Reads a page, in smaller ones when it keeps failing; says which place was answered. */
  async #get(
    route: string,
    asked: Place,
    accept: number[],
    query: (place: Place) => Record<string, number>,
  ): Promise<{ answer: HttpAnswer; place: Place }> {
    let place = route.endsWith("/nextgen") ? { ...asked, size: this.#cursorSize } : asked;
    while (true) {
      const smaller = this.#sizes.smaller(place.size);
      try {
        const answer = await this.#client.get({
          path: route,
          route,
          query: { ...this.#query, ...query(place) },
          accept,
          signal: this.#signal,
          ...(smaller === null ? {} : { maxAttempts: 3 }),
        });
        this.#sizes.succeeded(place.size);
        return { answer, place };
      } catch (error) {
        if (!(error instanceof RetryError) || smaller === null) throw this.#explain(error, place);
        this.#sizes.failed(place.size);
        place = { ...place, size: smaller };
        if (route.endsWith("/nextgen")) this.#cursorSize = smaller;
      }
    }
  }

  #explain(error: unknown, place: Place): unknown {
    if (!(error instanceof RefusedError)) return error;
    if (error.status === 404) {
      return new AccessError(
        `Cannot read ${this.#what}: project "${this.#query.projectKey}" not found or not visible`,
        { status: 404, hint: REGION_HINT, cause: error },
      );
    }
    if (error.status === 400 && place.start > MAX_START_AT) {
      return new RefusedError(
        `Cannot read ${this.#what}: row ${place.start} is beyond ${MAX_START_AT}, ` +
          "the last one that lists with offsets reach",
        { status: 400, answer: error.answer, cause: error },
      );
    }
    return error;
  }

  get #what(): string {
    const type = this.#list.statusType === undefined ? "" : ` of type ${this.#list.statusType}`;
    return `list of ${this.#list.kind}${type}`;
  }
}

function offsetCursor(place: Place): string {
  return `offset:${place.start}:${place.size}`;
}

function parseCursor(cursor: string): { paging: "id" | "offset"; place: Place } {
  const match = /^(?:id:(\d+)|offset:(\d+):([1-9]\d*))$/.exec(cursor);
  if (match === null) throw new RangeError(`Cannot continue a list at "${cursor}": no such cursor`);
  const [, id, start, size] = match;
  return id !== undefined
    ? { paging: "id", place: { start: Number(id), size: LIST_PAGE_SIZE } }
    : { paging: "offset", place: { start: Number(start), size: Number(size) } };
}

/**
 * Yields the pages from a cursor on, reading one page ahead of the consumer. Leaving the loop
 * aborts the read in flight; an error surfaces when its page is asked for.
 */
export async function* readAhead<K extends ListKind>(
  createReader: (signal: AbortSignal) => ListReader<K>,
  from: string | null,
  signal: AbortSignal,
): AsyncGenerator<SourcePage<K>, void, undefined> {
  const left = new AbortController();
  const reader = createReader(AbortSignal.any([signal, left.signal]));
  let page: Promise<SourcePage<K>> = reader.read(from);
  try {
    while (true) {
      const current = await page;
      if (current.next !== null) {
        page = reader.read(current.next);
        // Handled when it is awaited; until then nobody else looks at it.
        page.catch(() => {});
      }
      yield current;
      if (current.next === null) return;
    }
  } finally {
    left.abort(new DOMException("The list is not read on", "AbortError"));
  }
}
