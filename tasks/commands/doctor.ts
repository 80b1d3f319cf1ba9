/** `ztoq doctor`: the pre-flight, grouped. @module */
import { type ManagedStore, openStore } from "../../adapters/connect.ts";
import type { Settings } from "../../core/config/mod.ts";
import { finding } from "../../core/engine/finding.ts";
import type { Finding } from "../../core/engine/types.ts";
import { describeError, EXIT, type ExitCode, StoreError } from "../../core/errors.ts";
import { assertWritableFolder, exists } from "../cli/files.ts";
import { databasePath } from "../cli/reading.ts";
import type { CommandContext } from "../cli/spec.ts";
import { type Colour, marks } from "../cli/style.ts";
import { withConnection } from "../cli/working.ts";

const MAX_LINE = 399;
const COLOURS: Record<Finding["level"], Colour> = {
  ok: "green",
  info: "dim",
  warning: "yellow",
  error: "red",
};

/** Prints the findings; exit 6 when one of them is an error. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const settings = context.loadSettings("migration");
  const database = await openDatabase(settings);
  const systems = await withConnection(
    context,
    settings,
    ({ migrator }, signal) => migrator.doctor(signal),
    database.store,
  ).finally(() => database.store.close());
  const findings = [...configuration(settings), ...systems, ...database.findings]
    .sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
  const failed = findings.filter(({ level }) => level === "error").length;
  const warned = findings.filter(({ level }) => level === "warning").length;
  if (context.globals.json) context.printJson({ ok: failed === 0, findings });
  else context.say(findingsText(findings, context) + verdict(failed, warned));
  return failed > 0 ? EXIT.preflight : EXIT.done;
}

const GROUPS: readonly Finding["group"][] = [
  "configuration",
  "source",
  "target",
  "mapping",
  "store",
];

/** What files say before anything is sent. */
function configuration({ mapping, report }: Settings): Finding[] {
  const seen = exists(mapping) ? "is read" : "is not there yet and starts empty";
  const findings: Finding[] = [
    finding("configuration", "ok", "The configuration is complete"),
    finding("mapping", "info", `The mapping file ${mapping} ${seen}`),
  ];
  try {
    assertWritableFolder("the report folder", report.dir);
  } catch (error) {
    const { message, hint } = describeError(error);
    findings.push(finding("configuration", "error", message, hint ?? null));
  }
  return findings;
}

/** The database as it is; none is made, and one that cannot be used is a finding like any other. */
async function openDatabase(
  { store: place }: Settings,
): Promise<{ store: ManagedStore; findings: Finding[] }> {
  const path = databasePath(place.url);
  if (path !== null && !exists(path)) {
    const findings = [missingDatabase(path)];
    return { store: await openStore({ url: ":memory:", authToken: null }), findings };
  }
  try {
    const store = await openStore(place);
    await store.migrate();
    const version = await store.schemaVersion();
    const message = `The database ${path ?? place.url} can be used (schema version ${version})`;
    return { store, findings: [finding("store", "ok", message)] };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const findings = [finding("store", "error", error.message, error.hint ?? null)];
    return { store: await openStore({ url: ":memory:", authToken: null }), findings };
  }
}

function missingDatabase(path: string): Finding {
  const folder = path.replace(/[^/\\]*$/, "") || ".";
  if (!exists(folder)) {
    return finding(
      "store",
      "error",
      `The folder "${folder}" of the database does not exist`,
      "Create it, or change store.url (ZTOQ_DB_URL).",
    );
  }
  return finding(
    "store",
    "info",
    `The database ${path} is not there yet; \`ztoq migrate\` makes it`,
  );
}

function findingsText(findings: readonly Finding[], { io, paint }: CommandContext): string {
  const mark = marks(io.unicode);
  const groups = [...new Set(findings.map(({ group }) => group))];
  return groups.map((group) => {
    const lines = findings.filter((finding) => finding.group === group).map((finding) => {
      const fix = finding.fix === null ? "" : ` → ${finding.fix}`;
      const line = `  ${mark[finding.level]} ${finding.message}${
        io.unicode ? fix : fix.replace("→", "->")
      }`
        .replace(/\s*\n\s*/g, " ");
      const short = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE - 1)}…` : line;
      return `${
        short.replace(mark[finding.level], paint(COLOURS[finding.level], mark[finding.level]))
      }\n`;
    });
    return `${paint("bold", group)}\n${lines.join("")}`;
  }).join("");
}

function verdict(failed: number, warned: number): string {
  const warnings = warned === 0 ? "" : `, ${warned} warning${warned === 1 ? "" : "s"}`;
  if (failed === 0) return `\nReady to migrate${warnings}.\n`;
  return `\nNot ready: ${failed} problem${failed === 1 ? "" : "s"}${warnings}.\n`;
}
