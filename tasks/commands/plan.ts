/** `ztoq plan`: what a migration will do and cost; reads the source, writes nothing to the target. @module */
import type { Connection } from "../../adapters/connect.ts";
import type { Settings } from "../../core/config/mod.ts";
import { EXIT, type ExitCode, PreflightError } from "../../core/errors.ts";
import { buildPlan, type Plan, type PlannedValue } from "../../core/plan/plan.ts";
import type { Phase } from "../../core/ports/mod.ts";
import { formatCount, formatDuration } from "../../core/report/mod.ts";
import { assertWritableFolder } from "../cli/files.ts";
import { whileRead } from "../cli/io.ts";
import { readMapping } from "../cli/mapping_file.ts";
import type { CommandContext } from "../cli/spec.ts";
import { lossTable } from "../cli/summary_text.ts";
import { table } from "../cli/style.ts";
import { withConnection } from "../cli/working.ts";

/** Extracts and transforms what is not yet, then prints the plan; exit 6 when the load could not start. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const settings = context.loadSettings("migration");
  assertWritableFolder("the report folder", settings.report.dir);
  return await withConnection(context, settings, async (connection, signal) => {
    const { exitCode, problems } = await prepare(context, connection, signal);
    context.progress.end();
    if (exitCode === EXIT.interrupted) {
      context.note("Interrupted; run the same command again: it continues where it stopped.\n");
    }
    const plan = await readPlan(connection, settings, problems);
    whileRead(() => {
      if (context.globals.json) context.printJson({ ...plan, exitCode });
      else context.say(planText(plan, settings));
    });
    return exitCode;
  });
}

interface Prepared {
  exitCode: ExitCode;
  problems: string[];
}

/** The phases that only read, one after the other; what the mapping lacks is part of the plan. */
async function prepare(
  context: CommandContext,
  { migrator }: Connection,
  signal: AbortSignal,
): Promise<Prepared> {
  for (const phase of ["extract", "transform"] as const satisfies readonly Phase[]) {
    const run = await migrator.currentRun();
    if (run?.phases[phase] === "done" && run.state !== "cancelled") continue;
    try {
      const { exitCode } = await migrator.advance({
        phases: [phase],
        signal,
        onProgress: (progress) => context.progress.show(progress),
      });
      if (exitCode !== EXIT.done) return { exitCode, problems: [] };
    } catch (error) {
      const isMapping = error instanceof PreflightError && phase === "transform";
      if (!isMapping) throw error;
      const problems = error.message.split("\n").map((line) => line.replace(/^- /, ""))
        .filter((line) => !/^Cannot start the load:\s*$/.test(line));
      return { exitCode: EXIT.preflight, problems };
    }
  }
  return { exitCode: EXIT.done, problems: [] };
}

async function readPlan(
  { migrator, store }: Connection,
  settings: Settings,
  problems: string[],
): Promise<Plan> {
  const run = await migrator.currentRun();
  if (run === null) throw new TypeError("A run was prepared and is gone");
  const summary = await migrator.summary(run.id);
  // Read anew: the transform has added what it decided.
  const mapping = readMapping(settings.mapping);
  return await buildPlan({ store, run, summary, settings, mapping, problems });
}

function planText(plan: Plan, settings: Settings): string {
  const { requests, durationMs } = plan;
  const parts = [
    `Plan of run ${plan.runId}: nothing was written to the target.\n`,
    table(["Read", "Count"], Object.entries(plan.inventory)),
    valuesTable("Execution status", plan.statuses),
    valuesTable("Priority", plan.priorities),
    `Values stand in ${settings.mapping}; edit them there.\n`,
    table(
      ["Target", "To create", "Already there", "Without a place"],
      Object.entries(plan.operations).map(([kind, row]) => [
        kind,
        row.create,
        row.done,
        row.withoutTarget,
      ]),
    ),
    Object.keys(plan.losses).length === 0
      ? ""
      : lossTable("Expected loss", Object.entries(plan.losses)),
    table(["Requests, at least", "Extract", "Load", "Validate", "At the set rate"], [
      ["source", requests.source.extract, 0, 0, formatDuration(durationMs.source)],
      [
        "target",
        0,
        requests.target.load,
        requests.target.validate,
        formatDuration(durationMs.target),
      ],
    ]),
    optionsTable(plan),
    problemsText(plan),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function valuesTable(title: string, values: readonly PlannedValue[]): string {
  if (values.length === 0) return "";
  const words = ({ mapped, becomes }: PlannedValue): string =>
    mapped ? becomes ?? "no log" : "? (nobody has said)";
  return table(
    [title, "Count", "Becomes"],
    values.map((value) => [value.name, value.count, words(value)]),
  );
}

function optionsTable({ options }: Plan): string {
  const rows = Object.entries(options).flatMap(([option, choices]) =>
    choices.map(({ value, requests, hours }) => [
      `include.${option}: ${value}`,
      requests,
      hours.toFixed(2),
    ])
  );
  return table(["Option", "Source requests", "Hours"], rows);
}

function problemsText({ problems, complete }: Plan): string {
  if (problems.length === 0) {
    return complete ? "" : "The transform is not done: figures of the target are partial.\n";
  }
  const lines = problems.map((problem) => `- ${problem}\n`).join("");
  const count = formatCount(problems.length);
  return `${count} problem${problems.length === 1 ? "" : "s"} to settle before the load:\n${lines}`;
}
