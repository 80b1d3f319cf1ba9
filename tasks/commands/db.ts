/** `ztoq db`: schema, size, health, backup. @module */
import { type ManagedStore, openStore } from "../../adapters/connect.ts";
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { formatCount } from "../../core/report/format.ts";
import { exists } from "../cli/files.ts";
import { databasePath, withStore } from "../cli/reading.ts";
import type { CommandContext } from "../cli/spec.ts";
import { table } from "../cli/style.ts";

type Stats = Awaited<ReturnType<ManagedStore["stats"]>>;

/** Runs a subcommand: migrate, stats, check, backup. */
export async function run(context: CommandContext): Promise<ExitCode> {
  switch (context.subcommand) {
    case "migrate":
      return await migrate(context);
    case "stats":
      return await stats(context);
    case "check":
      return await check(context);
    default:
      return await backup(context);
  }
}

/** The one subcommand that creates a database. */
async function migrate(context: CommandContext): Promise<ExitCode> {
  const { store: place } = context.loadSettings("store");
  const store = await openStore(place);
  try {
    await store.migrate();
  } finally {
    await store.close();
  }
  if (context.globals.json) context.printJson({ database: place.url, state: "up to date" });
  else context.say(`The schema of ${place.url} is up to date.\n`);
  return EXIT.done;
}

async function stats(context: CommandContext): Promise<ExitCode> {
  return await withStore(context, async ({ store, settings }) => {
    const numbers = await store.stats();
    if (context.globals.json) context.printJson({ database: settings.store.url, ...numbers });
    else context.say(statsText(settings.store.url, numbers));
    return EXIT.done;
  });
}

function statsText(url: string, { tables, fileBytes, schemaVersion }: Stats): string {
  const rows = tables.map(({ table, rows, bytes }) => [table, rows, bytes ?? ""]);
  const size = fileBytes === null ? "" : `, ${formatCount(fileBytes)} bytes`;
  return `${url}: schema version ${schemaVersion}${size}\n\n${
    table(["Table", "Rows", "Bytes"], rows)
  }`;
}

async function check(context: CommandContext): Promise<ExitCode> {
  return await withStore(context, async ({ store, settings }) => {
    const { ok, problems } = await store.check();
    if (context.globals.json) {
      context.printJson({ database: settings.store.url, ok, problems });
    } else if (ok) context.say(`${settings.store.url} is sound.\n`);
    else context.say(`${problems.map((problem) => `- ${problem}\n`).join("")}`);
    return ok ? EXIT.done : EXIT.failed;
  });
}

async function backup(context: CommandContext): Promise<ExitCode> {
  const file = context.args[0] ?? "";
  return await withStore(context, async ({ store, settings }) => {
    const isNew = !exists(file);
    try {
      await store.backup(file);
    } catch (error) {
      // Half a copy would look like a backup, and stand in the way of the next one.
      if (isNew) await Deno.remove(file).catch(() => {});
      throw error;
    }
    if (context.globals.json) context.printJson({ database: settings.store.url, backup: file });
    else {
      context.say(`Copied ${settings.store.url} to ${file}.\n`);
      const path = databasePath(settings.store.url);
      if (path !== null) context.note(`Attachments lie beside it in ${path}-files.\n`);
    }
    return EXIT.done;
  });
}
