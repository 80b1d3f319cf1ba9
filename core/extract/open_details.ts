/** Work that asks once per record: what is open, what could not be read, and how it is noted. @module */
import type { Change, DetailRow, DetailTask } from "../ports/mod.ts";
import type { ListKind, RecordByKind } from "../records/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { pool, unit } from "../engine/stage.ts";
import { RefusedError, SetAsideError } from "../errors.ts";

/** Records looked at per step: one read for their details, then their requests. */
const BATCH = 200;

/** What a stage asks for, once per record. */
export interface OpenDetails<K extends ListKind> {
  stage: string;
  kind: K;
  task: DetailTask;
  key: (record: RecordByKind[K]) => string;
  wanted: (record: RecordByKind[K]) => boolean;
  total: number | null;
  work: (record: RecordByKind[K], key: string) => Promise<void>;
}

/**
 * Does `work` for every wanted record without a detail row, in canonical order. Returns false when it
 * stopped early. One pool for all pages: the next page is read while requests are in flight.
 */
export async function forEachOpen<K extends ListKind>(
  ctx: RunContext,
  options: OpenDetails<K>,
): Promise<boolean> {
  const count = { done: 0 };
  const report = (): void =>
    ctx.progress(options.stage, { done: count.done, total: options.total });
  const open = openRecords(ctx, options, count);
  await pool(open, ctx.settings.source.concurrency, ctx.stopping, async (record) => {
    const key = options.key(record);
    await unit(ctx, options.stage, key, () => options.work(record, key));
    count.done++;
    report();
    ctx.topics.bump(options.stage);
  });
  report();
  return !ctx.stopping();
}

async function* openRecords<K extends ListKind>(
  ctx: RunContext,
  options: OpenDetails<K>,
  count: { done: number },
): AsyncGenerator<RecordByKind[K], void, undefined> {
  let after: string | null = null;
  do {
    const page: { rows: RecordByKind[K][]; cursor: string | null } = await ctx.store.records(
      ctx.scope.id,
      options.kind,
      { after, limit: BATCH },
    );
    const rows = page.rows.filter(options.wanted);
    const known = await ctx.store.details(ctx.scope.id, options.task, rows.map(options.key));
    count.done += known.size;
    for (const record of rows) if (!known.has(options.key(record))) yield record;
    after = page.cursor;
  } while (after !== null);
}

/** Runs a read; a refusal of this one record sets it aside instead of ending the run. */
export async function orSetAside<T>(
  ctx: RunContext,
  task: DetailTask,
  kind: string,
  key: string,
  read: () => Promise<T>,
): Promise<T | "setAside"> {
  try {
    return await read();
  } catch (error) {
    if (!isAboutRecord(error)) throw error;
    const reason = `${task}-unreadable`;
    await ctx.commit([
      state(task, key, "setAside", 0),
      issue(ctx, { kind, key, reason, setAside: true }, error),
    ]);
    return "setAside";
  }
}

/** Whether an error is about one record, so that the run goes on without it. */
export function isAboutRecord(error: unknown): error is RefusedError | SetAsideError {
  return error instanceof RefusedError || error instanceof SetAsideError;
}

/** The row that says why something could not be read. */
export function issue(
  ctx: RunContext,
  about: { kind: string; key: string; reason: string; setAside?: boolean },
  error: RefusedError | SetAsideError,
): Change {
  return {
    op: "issue",
    runId: ctx.run.id,
    row: {
      phase: "extract",
      level: "error",
      message: error.message,
      payload: error instanceof RefusedError ? error.answer : null,
      setAside: false,
      attempts: 1,
      at: ctx.nowIso(),
      ...about,
    },
  };
}

/** The checkpoint of one record. */
export function state(
  task: DetailTask,
  key: string,
  value: DetailRow["state"],
  count: number,
): Change {
  return { op: "detail", rows: [{ task, key, state: value, count }] };
}
