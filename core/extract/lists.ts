/** Stages that read the source's lists: cheap, paged, everything else stands on them. @module */
import type { Change, ListSpec, PageRecord, SourcePage } from "../ports/mod.ts";
import type { ListKind, StatusType } from "../records/mod.ts";
import { recordKey } from "../records/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { unit } from "../engine/stage.ts";
import type { Settings } from "../config/types.ts";
import { readsExecutions } from "./selection.ts";

interface ListNote {
  /** Cursor of the next page, null when the list is read. */
  next: string | null;
  started: boolean;
  rows: number;
  unreadable: number;
  /** What the vendor said there are in all. */
  total: number | null;
  passes: number;
}

const STATUS_TYPES: StatusType[] = ["TEST_CASE", "TEST_PLAN", "TEST_CYCLE", "TEST_EXECUTION"];

/** All list stages of a run, as its `include` asks for them. */
export function listStages(include: Settings["include"]): Stage[] {
  const lists: ListSpec[] = [
    { kind: "priority" },
    ...STATUS_TYPES.map((statusType): ListSpec => ({ kind: "status", statusType })),
    { kind: "environment" },
  ];
  if (include.folders) lists.push({ kind: "folder" });
  if (include.testPlans) lists.push({ kind: "testPlan" });
  if (include.testCycles) lists.push({ kind: "testCycle" });
  if (include.testCases) lists.push({ kind: "testCase" });
  if (readsExecutions(include)) {
    lists.push({ kind: "execution", onlyLast: include.executions === "last" });
  }
  return lists.map(listStage);
}

/** Name of a list in pages, checkpoints and stages: `testCase`, `status/TEST_CASE`. */
export function listName(list: ListSpec): string {
  return list.statusType === undefined ? list.kind : `${list.kind}/${list.statusType}`;
}

function listStage(list: ListSpec): Stage {
  const name = `extract.${listName(list)}`;
  return {
    name,
    phase: "extract",
    after: [],
    run: (ctx) => readList(ctx, name, list),
  };
}

async function readList(ctx: RunContext, stage: string, list: ListSpec): Promise<boolean> {
  const noteName = `list/${listName(list)}`;
  let note = await ctx.note<ListNote>(noteName) ??
    { next: null, started: false, rows: 0, unreadable: 0, total: null, passes: 0 };
  for (;;) {
    note = await readPass(ctx, stage, list, noteName, note);
    if (note.next !== null || !note.started) return false; // stopping
    if (!await isShort(ctx, list.kind, note)) return true;
    if (note.passes >= 2) {
      await ctx.commit([shortList(ctx, list, note)]);
      return true;
    }
    // Rows moved while we paged (offset lists shift): read once more, known rows are replaced.
    note = { ...note, started: false, rows: 0, unreadable: 0 };
  }
}

async function readPass(
  ctx: RunContext,
  stage: string,
  list: ListSpec,
  noteName: string,
  from: ListNote,
): Promise<ListNote> {
  let note = from;
  if (note.started && note.next === null) return note;
  for await (const page of ctx.source.pages(list, note.next, ctx.readSignal)) {
    note = {
      next: page.next,
      started: true,
      rows: note.rows + page.records.length + page.unreadable.length,
      unreadable: note.unreadable + page.unreadable.length,
      total: page.total ?? note.total,
      passes: page.next === null ? note.passes + 1 : note.passes,
    };
    const changes = [...pageChanges(ctx, list, page), ctx.noteChange(noteName, note)];
    await unit(ctx, stage, page.at, () => ctx.commit(changes));
    ctx.progress(stage, { done: note.rows, total: note.total });
    if (ctx.stopping()) break;
  }
  return note;
}

/** The changes that store one page: body, records, and an issue for each row that could not be read. */
function pageChanges<K extends ListKind>(
  ctx: RunContext,
  list: ListSpec,
  page: SourcePage<K>,
): Change[] {
  const name = listName(list);
  return [
    { op: "page", list: name, at: page.at, body: page.raw, rows: page.records.length },
    { op: "records", list: name, at: page.at, records: page.records },
    ...page.records.flatMap((row) => unreadLosses(list.kind, row)),
    ...page.unreadable.map((row): Change => ({
      op: "issue",
      runId: ctx.run.id,
      row: {
        phase: "extract",
        kind: list.kind,
        key: row.key ?? `${name} ${page.at} row ${row.ordinal}`,
        level: "error",
        reason: "unreadable",
        message: row.reason,
        payload: JSON.stringify({ list: name, at: page.at, ordinal: row.ordinal }),
        setAside: true,
        attempts: 1,
        at: ctx.nowIso(),
      },
    })),
  ];
}

/** A date that is none, a number that is a word: the record comes without it, and the ledger says so. */
function unreadLosses<K extends ListKind>(
  kind: K,
  { record, unread = [] }: PageRecord<K>,
): Change[] {
  if (unread.length === 0) return [];
  const key = recordKey(record);
  const rows = unread.map(({ field, value }) => ({
    kind,
    key,
    field,
    rule: "value-unreadable",
    before: value,
    after: null,
  }));
  return [{ op: "losses", phase: "extract", kind, key, rows }];
}

/** Whether the store holds fewer rows than the vendor says there are. Statuses share one table. */
async function isShort(ctx: RunContext, kind: ListKind, note: ListNote): Promise<boolean> {
  if (note.total === null || kind === "status") return false;
  const stored = (await ctx.store.countRecords(ctx.scope.id))[kind];
  return stored + note.unreadable < note.total;
}

function shortList(ctx: RunContext, list: ListSpec, note: ListNote): Change {
  return {
    op: "issue",
    runId: ctx.run.id,
    row: {
      phase: "extract",
      kind: list.kind,
      key: listName(list),
      level: "warning",
      reason: "entity_count_comparison",
      message: `The source says there are ${note.total} rows of ${
        listName(list)
      }, two passes gave ${note.rows}: somebody was changing the project meanwhile`,
      payload: null,
      setAside: false,
      attempts: 1,
      at: ctx.nowIso(),
    },
  };
}
