/**
 * Where a list goes on. `isLast`, `total` and `next` are each optional and omitted at random; a
 * short page says nothing; the server may lower the page size and floors a start that is not a
 * multiple of it.
 * @module
 */
import { EXIT, StopError } from "../../core/errors.ts";
import { asArray, asObject, toNumber } from "./values.ts";

/** Largest page of every list. */
export const LIST_PAGE_SIZE = 1_000;
/** Largest page of the step lists. */
export const STEP_PAGE_SIZE = 100;

/** A place in a list: row offset or lowest id, and how many rows to ask for. */
export interface Place {
  start: number;
  size: number;
}

/** Answer of a list with offsets; null = absent. */
export interface OffsetAnswer {
  startAt: number | null;
  maxResults: number | null;
  total: number | null;
  isLast: boolean | null;
  /** undefined = absent, null = the vendor says there is none. */
  next: string | null | undefined;
  values: unknown[];
}

/** Reads the envelope of an offset list. Throws {@linkcode StopError} when it is none. */
export function readOffsetAnswer(json: unknown, what: string): OffsetAnswer {
  const body = asObject(json);
  if (body === null || !("values" in body || "maxResults" in body || "startAt" in body)) {
    throw new StopError(EXIT.failed, `Cannot read ${what}: the answer is no list`);
  }
  return {
    startAt: toNumber(body.startAt),
    maxResults: toNumber(body.maxResults),
    total: toNumber(body.total),
    isLast: typeof body.isLast === "boolean" ? body.isLast : null,
    next: typeof body.next === "string" && body.next !== ""
      ? body.next
      : body.next === undefined
      ? undefined
      : null,
    values: asArray(body.values),
  };
}

/** Rows per page that the server really used. */
export function effectiveSize(answer: OffsetAnswer, asked: Place): number {
  const rows = answer.values.length;
  const said = answer.maxResults ?? 0;
  if (said < 1) return rows > 0 ? rows : asked.size;
  return Math.max(Math.min(said, asked.size), Math.min(rows, said));
}

/** First row of the answer. Throws when the server went elsewhere than asked: rows would be lost. */
export function effectiveStart(answer: OffsetAnswer, asked: Place, what: string): number {
  const start = answer.startAt ?? asked.start;
  const page = Math.max(asked.size, answer.maxResults ?? 0);
  if (start > asked.start || asked.start - start >= page) {
    throw new StopError(
      EXIT.failed,
      `Cannot read ${what}: asked for row ${asked.start}, the server answered from row ${start}`,
    );
  }
  return start;
}

/**
 * Returns the place after an answer, null at the end of the list. Starts are kept at multiples of
 * the page size; where that is unsure the step is shorter, which repeats rows and loses none.
 */
export function nextOffset(answer: OffsetAnswer, asked: Place, what: string): Place | null {
  const size = effectiveSize(answer, asked);
  const end = effectiveStart(answer, asked, what) + size;
  if (!hasMore(answer, end)) return null;
  const linked = startOf(answer.next);
  if (linked !== null && linked > asked.start && linked < end) {
    return { start: linked, size: linked - asked.start };
  }
  const aligned = end - end % size;
  return { start: aligned > asked.start ? aligned : end, size };
}

function hasMore(answer: OffsetAnswer, end: number): boolean {
  if (answer.isLast === true) return false;
  if (typeof answer.next === "string") return true;
  if (answer.next === null && answer.isLast === null) return false;
  if (answer.total !== null) return end < answer.total;
  return answer.values.length > 0;
}

function startOf(next: string | null | undefined): number | null {
  const value = typeof next === "string" ? /[?&]startAt=(\d+)/.exec(next)?.[1] : undefined;
  return value === undefined ? null : Number(value);
}

/** Says that a list is at its end or where it goes on; `repeat`: the same place must be asked again. */
export type NextId = { next: number | null } | "repeat";

/**
 * Returns the `nextStartAtId` of a cursor list verbatim, null at its end, which only an explicit
 * null says. An empty page may name its own start again. Throws {@linkcode StopError} when the
 * cursor is missing or does not advance.
 */
export function nextId(json: unknown, asked: Place, what: string): NextId {
  const body = asObject(json) ?? {};
  const value = "nextStartAtId" in body ? body.nextStartAtId : body.nextStartId;
  if (value === null) return { next: null };
  const id = toNumber(value);
  if (id !== null && id > asked.start) return { next: id };
  if (id === asked.start && asArray(body.values).length === 0) return "repeat";
  throw new StopError(
    EXIT.failed,
    `Cannot read ${what}: the cursor does not advance from ${asked.start} (next: ${
      JSON.stringify(value) ?? "missing"
    })`,
  );
}

/**
 * The page sizes of one list. A page that keeps failing is asked for in smaller ones, because the
 * gateway breaks off big answers; later pages go back up, ever later when that keeps failing.
 */
export class PageSizes {
  /** Sizes that were left, largest first. */
  readonly #left: number[] = [];
  /** Failures of a size since it last succeeded. */
  readonly #failures = new Map<number, number>();
  /** Pages read since the last failure. */
  #pages = 0;

  /** Next smaller size, a divisor so that starts stay multiples; null when it is small enough. */
  smaller(size: number): number | null {
    for (let parts = 2; size / parts >= 25; parts++) {
      if (size % parts === 0) return size / parts;
    }
    return null;
  }

  failed(size: number): void {
    this.#left.push(size);
    this.#failures.set(size, (this.#failures.get(size) ?? 0) + 1);
    this.#pages = 0;
  }

  succeeded(size: number): void {
    this.#failures.delete(size);
    this.#pages++;
  }

  /**
   * Returns the place with a larger size where that may work again: a size that failed n times is
   * tried after 2^n pages. `aligned`: starts must be multiples of the size.
   */
  grow(place: Place, aligned: boolean): Place {
    const larger = this.#left.at(-1);
    if (larger === undefined || larger <= place.size) return place;
    if (this.#pages < 2 ** (this.#failures.get(larger) ?? 0)) return place;
    if (aligned && place.start % larger !== 0) return place;
    this.#left.pop();
    return { ...place, size: larger };
  }
}
