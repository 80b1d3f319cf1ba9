/** `ztoq status` @module */
import { processHost } from "../../adapters/connect.ts";
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { type LeaseRow, PHASES, type Run, type Scope, type Store } from "../../core/ports/mod.ts";
import { formatCount, formatDuration } from "../../core/report/format.ts";
import { ends, findRun, withStore } from "../cli/reading.ts";
import type { CommandContext } from "../cli/spec.ts";
import { table } from "../cli/style.ts";

const WORKING: readonly string[] = [
  "created",
  "planned",
  "extracting",
  "transforming",
  "loading",
  "validating",
  "rolling-back",
];

/** Prints where a run stands. */
export async function run(context: CommandContext): Promise<ExitCode> {
  return await withStore(context, async (reading) => {
    const found = await findRun(context, reading);
    if (found === null) {
      if (context.globals.json) context.printJson({ runId: null, state: null });
      else context.say("No run yet; `ztoq migrate` starts one.\n");
      return EXIT.done;
    }
    const status = await readStatus(reading.store, found.run, found.scope);
    if (context.globals.json) context.printJson(status);
    else context.say(text(status, context));
    return EXIT.done;
  });
}

type Status = Awaited<ReturnType<typeof readStatus>>;

// deno-lint-ignore explicit-function-return-type
async function readStatus(store: Store, run: Run, scope: Scope) {
  const lease = await store.leaseOf(scope.id);
  const held = lease !== null && isHeld(lease);
  const issues = await store.countIssues(scope.id);
  const sum = (rows: { count: number }[]): number => rows.reduce((n, row) => n + row.count, 0);
  return {
    runId: run.id,
    state: run.state,
    interrupted: WORKING.includes(run.state) && !held,
    result: run.result,
    reason: run.reason,
    phases: run.phases,
    createdAt: run.createdAt,
    updatedAt: run.updatedAt,
    completedAt: run.completedAt,
    workedMs: run.workedMs,
    ...ends(scope),
    holder: held ? { host: lease.host, pid: lease.pid } : null,
    extracted: await store.countRecords(scope.id),
    targets: targetRows(await store.countTargets(scope.id)),
    setAside: sum(issues.filter((row) => row.setAside)),
    findings: sum(issues.filter((row) => !row.setAside)),
    losses: await store.countLosses(scope.id),
    requests: requestTotals(await store.requestCounts(run.id)),
  };
}

function isHeld(lease: LeaseRow): boolean {
  if (Date.parse(lease.expiresAt) < Date.now()) return false;
  const host = processHost();
  return lease.host !== host.hostname || host.isAlive(lease.pid);
}

function targetRows(
  rows: Awaited<ReturnType<Store["countTargets"]>>,
): { kind: string; state: string; count: number }[] {
  const sums = new Map<string, { kind: string; state: string; count: number }>();
  for (const { kind, state, count } of rows) {
    const sum = sums.get(`${kind}/${state}`) ?? { kind, state, count: 0 };
    sum.count += count;
    sums.set(`${kind}/${state}`, sum);
  }
  return [...sums.values()];
}

function requestTotals(
  rows: { system: "source" | "target"; count: number }[],
): { source: number; target: number } {
  const totals = { source: 0, target: 0 };
  for (const { system, count } of rows) totals[system] += count;
  return totals;
}

function text(status: Status, { paint }: CommandContext): string {
  const phases = PHASES.map((phase) => `${phase} ${status.phases[phase]}`).join(", ");
  const held = status.holder === null
    ? (status.interrupted ? paint("yellow", "interrupted: no process holds it") : "")
    : `held by process ${status.holder.pid} on ${status.holder.host}`;
  const losses = Object.values(status.losses).reduce((n, count) => n + count, 0);
  const lines: [string, string][] = [
    ["run", status.runId],
    ["from", status.source],
    ["to", status.target],
    ["state", `${paint("bold", status.state)} (${phases})`],
    ["holder", held],
    ["reason", status.reason ?? ""],
    ["exit code", status.result === null ? "" : String(status.result)],
    ["started", `${status.createdAt}, worked ${formatDuration(status.workedMs)}`],
    [
      "requests",
      `${formatCount(status.requests.source)} source, ${
        formatCount(status.requests.target)
      } target`,
    ],
    [
      "set aside",
      status.setAside === 0 ? "none" : `${formatCount(status.setAside)}, see \`ztoq errors list\``,
    ],
    ["losses", losses === 0 ? "none" : `${formatCount(losses)}, see \`ztoq report\``],
    ["next", next(status)],
  ];
  const head = lines.filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(10)} ${value}\n`).join("");
  const extracted = Object.entries(status.extracted).filter(([, n]) => n > 0);
  const targets = status.targets.map(({ kind, state, count }) => [kind, state, count]);
  return [
    head,
    extracted.length === 0 ? "" : table(["Extracted", "Count"], extracted),
    targets.length === 0 ? "" : table(["Target", "State", "Count"], targets),
  ].filter((part) => part !== "").join("\n");
}

function next(status: Status): string {
  if (status.interrupted || status.state === "failed" || status.state === "paused") {
    return "`ztoq migrate` continues";
  }
  return status.setAside > 0 ? "`ztoq errors list` shows what was set aside" : "";
}
