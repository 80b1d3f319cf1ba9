/** `ztoq records`: looking through what was extracted. @module */
import { EXIT, type ExitCode, StopError } from "../../core/errors.ts";
import type { Store } from "../../core/ports/mod.ts";
import { LIST_KINDS, type ListKind, type RecordByKind, recordKey } from "../../core/records/mod.ts";
import { findRecords, resolveHits, shownKey } from "../../core/report/story.ts";
import { needRun, withStore } from "../cli/reading.ts";
import type { CommandContext } from "../cli/spec.ts";
import { flatten, table } from "../cli/style.ts";

/** Runs a subcommand: count, list, show, search. */
export async function run(context: CommandContext): Promise<ExitCode> {
  return await withStore(context, async (reading) => {
    const { scope } = await needRun(context, reading);
    const [word = ""] = context.args;
    switch (context.subcommand) {
      case "count":
        return await count(context, reading.store, scope.id);
      case "list":
        return await list(context, reading.store, scope.id, kindOf(word));
      case "show":
        return await show(context, reading.store, scope.id, word);
      default:
        return await search(context, reading.store, scope.id, word);
    }
  });
}

function kindOf(word: string): ListKind {
  const kind = LIST_KINDS.find((known) => known === word);
  if (kind === undefined) throw new TypeError(`No record kind "${word}"`);
  return kind;
}

function limitOf(context: CommandContext): number {
  return typeof context.options.limit === "number" ? context.options.limit : 50;
}

async function count(context: CommandContext, store: Store, scopeId: number): Promise<ExitCode> {
  const { executionSteps, attachments, links, folders } = await store.inventory(scopeId);
  const counts = {
    ...await store.countRecords(scopeId),
    executionStep: executionSteps,
    attachment: attachments,
    link: links,
  };
  if (context.globals.json) context.printJson({ ...counts, foldersByType: folders });
  else context.say(table(["Kind", "Count"], Object.entries(counts)));
  return EXIT.done;
}

async function list(
  context: CommandContext,
  store: Store,
  scopeId: number,
  kind: ListKind,
): Promise<ExitCode> {
  const limit = limitOf(context);
  const records: RecordByKind[ListKind][] = [];
  let after: string | null = null;
  do {
    const page: { rows: RecordByKind[ListKind][]; cursor: string | null } = await store.records(
      scopeId,
      kind,
      { after, limit: Math.min(1_000, limit - records.length) },
    );
    records.push(...page.rows);
    after = page.cursor;
  } while (after !== null && records.length < limit);
  if (context.globals.json) {
    context.printJson({ kind, records, more: after !== null });
    return EXIT.done;
  }
  context.say(table(["Key", "Name"], records.map((record) => [shownKey(record), nameOf(record)])));
  if (after !== null) context.note(`There are more; --limit N prints N rows.\n`);
  return EXIT.done;
}

function nameOf(record: RecordByKind[ListKind]): string {
  if (record.kind === "execution") return record.testCaseKey ?? "";
  return flatten(record.name ?? "").slice(0, 100);
}

async function show(
  context: CommandContext,
  store: Store,
  scopeId: number,
  key: string,
): Promise<ExitCode> {
  const found = await findRecords(store, scopeId, key);
  const [first] = found;
  if (first === undefined) throw notFound(key);
  const { kind, record } = first;
  const script = kind === "testCase" ? (await store.scripts(scopeId, [key])).get(key) : undefined;
  const steps = kind === "execution"
    ? (await store.executionSteps(scopeId, [recordKey(record)])).get(recordKey(record))
    : undefined;
  const document = { ...record, ...(script && { script }), ...(steps && { steps }) };
  if (context.globals.json) context.printJson(document);
  else context.say(`${JSON.stringify(document, null, 2)}\n`);
  return EXIT.done;
}

/** The error of a key that names no record. */
export function notFound(key: string): StopError {
  return new StopError(EXIT.failed, `Cannot find record "${key}" in what was extracted`, {
    hint: "`ztoq records search TEXT` looks in keys and names",
  });
}

async function search(
  context: CommandContext,
  store: Store,
  scopeId: number,
  text: string,
): Promise<ExitCode> {
  const hits = await store.search(scopeId, text, limitOf(context));
  const rows = (await resolveHits(store, scopeId, hits)).map(({ kind, record }) => ({
    kind,
    key: shownKey(record),
    id: recordKey(record),
    name: "name" in record ? record.name : null,
  }));
  if (context.globals.json) context.printJson({ text, records: rows });
  else if (rows.length === 0) context.say(`Nothing holds "${text}" in its key or name.\n`);
  else {
    context.say(table(
      ["Kind", "Key", "Name"],
      rows.map(({ kind, key, name }) => [kind, key, flatten(name ?? "").slice(0, 100)]),
    ));
  }
  return EXIT.done;
}
