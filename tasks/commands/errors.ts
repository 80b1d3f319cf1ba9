/** `ztoq errors`: records set aside, with the reason. @module */
import { EXIT, type ExitCode, StopError } from "../../core/errors.ts";
import type { IssueRow, Store } from "../../core/ports/mod.ts";
import { jsonOrText } from "../../core/report/format.ts";
import { allRows } from "../../core/report/rows.ts";
import { needRun, withStore } from "../cli/reading.ts";
import type { CommandContext } from "../cli/spec.ts";
import { flatten, table } from "../cli/style.ts";

/** Runs a subcommand: list, show, retry. */
export async function run(context: CommandContext): Promise<ExitCode> {
  if (context.subcommand === "retry") {
    return await (await import("./errors_retry.ts")).retry(context);
  }
  return await withStore(context, async (reading) => {
    const { scope } = await needRun(context, reading);
    const [key = ""] = context.args;
    return context.subcommand === "show"
      ? await show(context, reading.store, scope.id, key)
      : await list(context, reading.store, scope.id);
  });
}

async function list(context: CommandContext, store: Store, scopeId: number): Promise<ExitCode> {
  const limit = typeof context.options.limit === "number" ? context.options.limit : 50;
  const rows: IssueRow[] = [];
  let more = false;
  for await (const row of allRows((page) => store.issues(scopeId, page, { setAside: true }))) {
    more = rows.length >= limit;
    if (more) break;
    rows.push(row);
  }
  if (context.globals.json) context.printJson({ errors: rows, more });
  else if (rows.length === 0) context.say("Nothing was set aside.\n");
  else {
    context.say(table(
      ["Phase", "Kind", "Key", "Reason", "Message"],
      rows.map((row) => [
        row.phase,
        row.kind,
        row.key,
        row.reason,
        flatten(row.message).slice(0, 120),
      ]),
    ));
    if (more) context.note("There are more; --limit N prints N rows.\n");
  }
  return EXIT.done;
}

async function show(
  context: CommandContext,
  store: Store,
  scopeId: number,
  key: string,
): Promise<ExitCode> {
  const rows: IssueRow[] = [];
  for await (const row of allRows((page) => store.issues(scopeId, page, { setAside: true, key }))) {
    rows.push(row);
  }
  if (rows.length === 0) {
    throw new StopError(EXIT.failed, `Cannot show "${key}": it was not set aside`, {
      hint: "`ztoq errors list` lists what was",
    });
  }
  if (context.globals.json) {
    context.printJson({
      key,
      errors: rows.map((row) => ({ ...row, payload: jsonOrText(row.payload) })),
    });
  } else {
    for (const row of rows) context.say(issueText(row));
  }
  return EXIT.done;
}

/** One issue in full, for people. */
export function issueText(row: IssueRow): string {
  const payload = jsonOrText(row.payload);
  const shown = payload === null
    ? ""
    : `payload:\n${typeof payload === "string" ? payload : JSON.stringify(payload, null, 2)}\n`;
  return `${row.kind} ${row.key}: ${row.reason} (${row.level}, ${row.phase}, ${row.attempts} ` +
    `attempt${row.attempts === 1 ? "" : "s"}, ${row.at})\n${row.message}\n${shown}\n`;
}
