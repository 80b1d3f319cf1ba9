/** `ztoq doctor`: the pre-flight, grouped. @module */
import { type ManagedStore, openStore } from "../../adapters/connect.ts";
import type { Settings } from "../../core/config/mod.ts";
import { finding } from "../../core/engine/finding.ts";
import type { Finding } from "../../core/engine/types.ts";
import { describeError, EXIT, type ExitCode, StoreError } from "../../core/errors.ts";
import { assertWritableFolder, exists } from "../cli/files.ts";
import { whileRead } from "../cli/io.ts";
import { databasePath } from "../cli/reading.ts";
import { serverProblems } from "../cli/server_settings.ts";
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
  const findings = [
    ...configuration(settings),
    ...await server(context, settings),
    ...systems,
    ...database.findings,
  ]
    .map(withFix)
    .sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
  const failed = findings.filter(({ level }) => level === "error").length;
  const warned = findings.filter(({ level }) => level === "warning").length;
  whileRead(() => {
    if (context.globals.json) context.printJson({ ok: failed === 0, findings });
    else context.say(findingsText(findings, context) + verdict(failed, warned));
  });
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
  const folder = mapping.replace(/[^/\\]*$/, "") || "./";
  const check = (group: Finding["group"], level: Finding["level"], check: () => void): void => {
    try {
      check();
    } catch (error) {
      const { message, hint } = describeError(error);
      findings.push(finding(group, level, message, hint ?? null));
    }
  };
  check("configuration", "error", () => assertWritableFolder("the report folder", report.dir));
  // A finished file may well be read-only; what it lacks could not be added to it.
  check("mapping", "warning", () => assertWritableFolder("the folder of the mapping file", folder));
  return findings;
}

/** What would stop `ztoq serve`, and nothing else. */
async function server(context: CommandContext, settings: Settings): Promise<Finding[]> {
  return (await serverProblems(context, settings)).map((problem) =>
    finding(
      "configuration",
      "warning",
      `\`ztoq serve\` cannot use ${problem}`,
      "Correct it in the configuration file; `migrate` works without it.",
    )
  );
}

const FIXES: Partial<Record<Finding["group"], string>> = {
  source: "Try again in a while; if it stays, look at status.smartbear.com and at source.baseUrl.",
  target: "Try again in a while; if it stays, ask the administrator of qTest, and look at " +
    "target.baseUrl.",
};

/** Nobody is left alone with an error: where its place says nothing better, this is what to try. */
function withFix(found: Finding): Finding {
  const fix = FIXES[found.group];
  if (found.level !== "error" || found.fix !== null || fix === undefined) return found;
  return finding(found.group, found.level, found.message, fix);
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
