/** `ztoq status` @module */
import { createSystemClock, processHost } from "../../adapters/connect.ts";
import { readRunStatus, type RunStatus } from "../../core/engine/status.ts";
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { PHASES } from "../../core/ports/mod.ts";
import { formatCount, formatDuration } from "../../core/report/format.ts";
import { findRun, withStore } from "../cli/reading.ts";
import { remoteOf } from "../cli/remote.ts";
import type { CommandContext } from "../cli/spec.ts";
import { remoteRunId } from "../cli/steering.ts";
import { table } from "../cli/style.ts";

/** Prints where a run stands. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const remote = remoteOf(context);
  if (remote !== null) {
    const id = encodeURIComponent(await remoteRunId(context, remote));
    return print(context, await remote.json<LiveStatus>("GET", `v1/migrations/${id}`));
  }
  return await withStore(context, async (reading) => {
    const found = await findRun(context, reading);
    if (found === null) {
      if (context.globals.json) context.printJson({ runId: null, state: null });
      else context.say("No run yet; `ztoq migrate` starts one.\n");
      return EXIT.done;
    }
    const steering = { store: reading.store, clock: createSystemClock(), host: processHost() };
    return print(context, await readRunStatus(steering, found.run, found.scope));
  });
}

/** A server that works on the run knows its speed, too, and what it waits for. */
type LiveStatus = RunStatus & { rate?: number; etaMs?: number | null; waiting?: string | null };

function print(context: CommandContext, status: LiveStatus): ExitCode {
  if (context.globals.json) context.printJson(status);
  else context.say(text(status, context));
  return EXIT.done;
}

function text(status: LiveStatus, { paint }: CommandContext): string {
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
    ["waits", status.waiting ?? ""],
    ["speed", speedText(status)],
    ["exit code", status.result === null ? "" : String(status.result)],
    ["started", `${status.createdAt}, worked ${formatDuration(status.workedMs)}`],
    [
      "requests",
      `${formatCount(status.requests.source)} source, ${
        formatCount(status.requests.target)
      } target`,
    ],
    ["limits", limitsText(status)],
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

function speedText({ rate = 0, etaMs = null }: LiveStatus): string {
  if (rate <= 0) return "";
  const left = etaMs === null ? "" : `, about ${formatDuration(etaMs)} left in the open stages`;
  return `${formatCount(rate)} records/s${left}`;
}

/** Rates that were changed while the run works. */
function limitsText({ limits }: RunStatus): string {
  return (["source", "target"] as const)
    .filter((system) => limits[system].requestsPerMinute !== limits[system].configured)
    .map((system) => `${system} ${limits[system].requestsPerMinute}/min`).join(", ");
}

/** What to do next about a run; empty when there is nothing. */
export function next(
  status: Pick<RunStatus, "interrupted" | "state" | "holder" | "setAside">,
): string {
  if (status.state === "paused" && status.holder !== null) return "`ztoq resume` goes on";
  if (status.interrupted || status.state === "failed" || status.state === "paused") {
    return "`ztoq migrate` continues";
  }
  return status.setAside > 0 ? "`ztoq errors list` shows what was set aside" : "";
}
