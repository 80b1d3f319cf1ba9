/** Every command, in the order of the help: the one source for help, completions and the reference. @module */
import type { SettingType } from "../../core/config/mod.ts";
import { LIST_KINDS } from "../../core/records/mod.ts";
import type { ArgSpec, CommandSpec, OptionSpec } from "../cli/spec.ts";
import { CONTROL_COMMANDS, SERVER } from "./control.ts";

const FLAG: SettingType = { name: "boolean" };
const TEXT: SettingType = { name: "text" };

function integer(min: number, max: number): SettingType {
  return { name: "integer", min, max };
}

function arg(name: string, help: string, more: Partial<ArgSpec> = {}): ArgSpec {
  return { name, required: true, help, ...more };
}

const RUN: OptionSpec = {
  name: "run",
  type: TEXT,
  word: "ID",
  default: "the newest run",
  help: "Run to look at",
};
const LIMIT: OptionSpec = {
  name: "limit",
  type: integer(1, 1_000_000),
  word: "N",
  default: "50",
  help: "Rows to print, at most",
};
const SEED: OptionSpec = {
  name: "seed",
  type: integer(0, 2 ** 31 - 1),
  word: "N",
  default: "1",
  help: "Seed of the generated data; the same seed gives the same data",
};
const CASES: OptionSpec = {
  name: "cases",
  type: integer(1, 1_000_000),
  word: "N",
  default: "200",
  help: "Test cases to generate",
};
const EXECUTIONS: OptionSpec = {
  name: "executions",
  type: integer(0, 5_000_000),
  word: "N",
  default: "1000",
  help: "Test executions to generate",
};
const FAULTS: OptionSpec = {
  name: "faults",
  type: { name: "choice", values: ["none", "mild", "harsh"] },
  word: "none|mild|harsh",
  default: "none",
  help: "How badly the simulators behave",
};
const RPM: OptionSpec = {
  name: "rpm",
  type: integer(1, 1_000_000),
  word: "N",
  default: "6000",
  help: "Requests per minute the simulators allow, and ztoq sends, per system",
};
const GATE: OptionSpec = {
  name: "gate",
  type: FLAG,
  help: "Stop overlapping: finish each phase and its checks before the next one starts",
};
const SPEND_QUOTA: OptionSpec = {
  name: "spend-quota",
  type: FLAG,
  help: "Load although the target's monthly quota is smaller than the plan; stops at the reserve",
};
const DRY_RUN: OptionSpec = {
  name: "dry-run",
  type: FLAG,
  help: "Extract and transform only; write nothing to the target",
};

function phase(name: string, summary: string, details: string): CommandSpec {
  return {
    name,
    summary,
    details,
    args: [],
    options: [],
    settings: "migration",
    examples: [`ztoq ${name}`],
    load: () => import("./migrate.ts"),
  };
}

/** The commands. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "demo",
    summary: "A whole migration of a seeded project between the two built-in simulators",
    details:
      "Starts both simulators on loopback, generates a project, migrates it into an embedded database,\n" +
      "validates it, writes the report, and says where everything is. Needs no account and no network.",
    args: [],
    options: [
      CASES,
      EXECUTIONS,
      SEED,
      {
        name: "out",
        type: TEXT,
        word: "DIR",
        default: "./ztoq-demo",
        help: "Folder of the database and report",
      },
      RPM,
      FAULTS,
      { name: "keep", type: FLAG, help: "Leave the simulators running until Ctrl-C" },
    ],
    settings: "none",
    examples: ["ztoq demo", "ztoq demo --cases 2000 --executions 20000 --faults mild"],
    load: () => import("./demo.ts"),
  },
  {
    name: "init",
    summary: "Write a starter ztoq.json with its schema and mapping file",
    details: "Asks for addresses and projects on a terminal. Never overwrites without --force.",
    args: [],
    options: [{ name: "force", type: FLAG, help: "Overwrite files that exist" }],
    settings: "none",
    examples: ["ztoq init", "ztoq init --config qa/ztoq.json"],
    load: () => import("./init.ts"),
  },
  {
    name: "doctor",
    summary: "Check configuration, credentials, permissions, fields and quotas; changes nothing",
    args: [],
    options: [],
    settings: "migration",
    examples: ["ztoq doctor"],
    load: () => import("./doctor.ts"),
  },
  {
    name: "plan",
    summary: "What a migration will do and cost; reads the source, writes nothing to the target",
    details:
      "Extracts and transforms into the database, so `migrate` does not read it again. Shows counts, what\n" +
      "statuses and priorities become, artefacts to create, expected losses, requests and time, and the\n" +
      "hours of the costly options. The exit code is 6 when the mapping file must be completed first.",
    args: [],
    options: [],
    settings: "migration",
    examples: ["ztoq plan", "ztoq plan --json > plan.json"],
    load: () => import("./plan.ts"),
  },
  {
    name: "migrate",
    summary: "Extract, transform, load and validate; run again to continue",
    details:
      "Running it again continues an interrupted run. On a completed run it sends nothing, prints its\n" +
      "summary and repeats its exit code. The pre-flight of `doctor` runs first.",
    args: [],
    options: [
      DRY_RUN,
      {
        name: "phase",
        type: { name: "choice", values: ["extract", "transform", "load", "validate"] },
        word: "extract|transform|load|validate",
        help: "Work on one phase of the run only",
      },
      GATE,
      SPEND_QUOTA,
    ],
    settings: "migration",
    examples: [
      "ztoq migrate",
      "ztoq migrate --project SA --qtest-project 1001 --attachments none",
      "ztoq migrate --phase extract --json > summary.json",
    ],
    load: () => import("./migrate.ts"),
  },
  phase(
    "extract",
    "Read the source into the database",
    "The first phase of the current run; nothing is sent to the target but reads.",
  ),
  phase(
    "transform",
    "Turn what was extracted into what will be written",
    "Works on the database; extraction must be done.",
  ),
  phase(
    "load",
    "Write to the target, each artefact exactly once",
    "Extraction and transformation must be done.",
  ),
  phase("validate", "Read the target back and compare it with the source", "Loading must be done."),
  {
    name: "rollback",
    summary: "Delete from the target what a run created, newest first",
    details:
      "What people edited or added to since is left and reported, and so is what the target cannot take\n" +
      "back; then the exit code is 3. Running it again continues an interrupted rollback.",
    args: [],
    options: [
      {
        name: "dry-run",
        type: FLAG,
        help: "Say what would go and what would stay; delete nothing",
      },
      { ...RUN, help: "Run to roll back" },
      {
        name: "phase",
        type: { name: "choice", values: ["extract", "transform", "load", "validate"] },
        word: "extract|transform|load|validate",
        help: "Undo this phase and those after it; `ztoq migrate` goes on from there",
      },
      {
        name: "record",
        type: TEXT,
        word: "KEY",
        help:
          "Undo one record with what hangs on it: a case with its runs, a folder with its content",
      },
    ],
    settings: "migration",
    examples: ["ztoq rollback --dry-run", "ztoq rollback", "ztoq rollback --record SA-T12"],
    load: () => import("./rollback.ts"),
  },
  {
    name: "status",
    summary: "State, counts and problems of a run",
    args: [],
    options: [RUN, SERVER],
    settings: "store",
    examples: ["ztoq status", "ztoq status --json --store file:./ztoq.db"],
    load: () => import("./status.ts"),
  },
  {
    name: "runs",
    summary: "All runs of the database, newest first",
    args: [],
    options: [SERVER],
    settings: "store",
    examples: ["ztoq runs", "ztoq runs --server http://127.0.0.1:8787"],
    load: () => import("./runs.ts"),
  },
  ...CONTROL_COMMANDS,
  {
    name: "records",
    summary: "What was extracted: counts, lists, one record, search",
    args: [],
    subcommands: [
      { name: "count", summary: "Records per kind", args: [] },
      {
        name: "list",
        summary: "Records of one kind",
        args: [arg("KIND", "Kind of record", { values: LIST_KINDS })],
      },
      { name: "show", summary: "One record", args: [arg("KEY", "Key or id")] },
      {
        name: "search",
        summary: "Records whose key or name contains a text",
        args: [arg("TEXT", "Text")],
      },
    ],
    options: [RUN, LIMIT],
    settings: "store",
    examples: [
      "ztoq records count",
      "ztoq records list testCase --limit 10",
      "ztoq records search login",
    ],
    load: () => import("./records.ts"),
  },
  {
    name: "errors",
    summary: "Records set aside, with the reason",
    args: [],
    subcommands: [
      { name: "list", summary: "All records set aside", args: [] },
      { name: "show", summary: "One of them, with the payload", args: [arg("KEY", "Key or id")] },
      {
        name: "retry",
        summary: "Try them again with their descendants, all or those named",
        args: [arg("KEY", "Key or id", { required: false, many: true })],
      },
    ],
    options: [RUN, LIMIT],
    settings: "migration",
    examples: ["ztoq errors list", "ztoq errors show SA-T12", "ztoq errors retry SA-T12"],
    load: () => import("./errors.ts"),
  },
  {
    name: "explain",
    summary: "One source record from end to end",
    details:
      "KEY is the key or id of a case, cycle, plan, execution or folder. Shows the source JSON, the\n" +
      "artefacts made from it with their attempts, its losses and its problems.",
    args: [arg("KEY", "Key or id of a record")],
    options: [RUN],
    settings: "store",
    examples: ["ztoq explain SA-T12", "ztoq explain SA-R3 --json"],
    load: () => import("./explain.ts"),
  },
  {
    name: "report",
    summary: "Report of a run as HTML, JSON, CSV or JUnit XML",
    args: [],
    options: [
      {
        name: "format",
        type: { name: "choice", values: ["html", "json", "csv", "junit"] },
        word: "html|json|csv|junit",
        default: "html",
        help: "Format",
      },
      { name: "out", type: TEXT, word: "FILE", default: "stdout", help: "File to write" },
      RUN,
    ],
    settings: "store",
    examples: ["ztoq report --out report.html", "ztoq report --format junit --out junit.xml"],
    load: () => import("./report.ts"),
  },
  {
    name: "export",
    summary: "Extracted records as NDJSON or CSV; redirects from old keys to new ids",
    details:
      "`redirects` is one CSV: kind, key, source id, target kind, id, number and address. NDJSON and\n" +
      "redirects go to stdout without --out; CSV is a folder with one file per kind, by default beside\n" +
      "the database.",
    args: [arg("WHAT", "redirects", { required: false, values: ["redirects"] })],
    options: [
      {
        name: "to",
        type: { name: "choice", values: ["ndjson", "csv"] },
        word: "ndjson|csv",
        help: "Format of the records",
      },
      { name: "out", type: TEXT, word: "PATH", help: "File to write; a folder for csv" },
      RUN,
    ],
    settings: "store",
    examples: ["ztoq export redirects --out redirects.csv", "ztoq export --to ndjson | wc -l"],
    load: () => import("./export.ts"),
  },
  {
    name: "simulate",
    summary: "One simulator on its own, until Ctrl-C",
    args: [arg("SYSTEM", "Which one", { values: ["zephyr", "qtest"] })],
    options: [
      {
        name: "port",
        type: integer(0, 65_535),
        word: "N",
        default: "a free one",
        help: "Port on 127.0.0.1",
      },
      SEED,
      { ...RPM, default: "400", help: "Requests per minute it allows" },
      FAULTS,
      { ...CASES, help: "Test cases to generate (zephyr)" },
      { ...EXECUTIONS, help: "Test executions to generate (zephyr)" },
      { name: "data", type: TEXT, word: "FILE", help: "JSON file of a data set to serve (zephyr)" },
    ],
    settings: "none",
    examples: ["ztoq simulate zephyr --port 8081 --cases 50", "ztoq simulate qtest --port 8082"],
    load: () => import("./simulate.ts"),
  },
  {
    name: "db",
    summary: "The database: schema, size, health, backup",
    args: [],
    subcommands: [
      { name: "migrate", summary: "Create or upgrade the schema", args: [] },
      { name: "stats", summary: "Rows per table and size", args: [] },
      { name: "check", summary: "Look for damage", args: [] },
      {
        name: "backup",
        summary: "Copy the database to a file",
        args: [arg("FILE", "File to write")],
      },
    ],
    options: [],
    settings: "store",
    examples: ["ztoq db stats", "ztoq db backup ztoq-backup.db"],
    load: () => import("./db.ts"),
  },
  {
    name: "completions",
    summary: "Completion script of a shell",
    args: [arg("SHELL", "Which shell", { values: ["bash", "zsh", "fish"] })],
    options: [],
    settings: "none",
    examples: ["ztoq completions bash > ~/.local/share/bash-completion/completions/ztoq"],
    load: () => import("./completions.ts"),
  },
  {
    name: "version",
    summary: "Version of ztoq and of its runtime",
    args: [],
    options: [],
    settings: "none",
    examples: ["ztoq version --json"],
    load: () => import("./version.ts"),
  },
  {
    name: "help",
    summary: "Help on a command, or on `settings`",
    args: [arg("COMMAND", "Command or topic", { required: false })],
    options: [],
    settings: "none",
    examples: ["ztoq help migrate", "ztoq help settings"],
    load: () => import("./help.ts"),
  },
];
