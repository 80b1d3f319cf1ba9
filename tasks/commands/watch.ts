/** `ztoq watch`: follows a run until it is over. @module */
import { createSystemClock, processHost } from "../../adapters/connect.ts";
import { readRunStatus, type RunStatus } from "../../core/engine/status.ts";
import { OVER } from "../../core/engine/steer.ts";
import { EXIT, type ExitCode, StopError } from "../../core/errors.ts";
import { formatCount, formatDuration } from "../../core/report/format.ts";
import { listenForInterrupt } from "../cli/interrupt.ts";
import { needRun, withStore } from "../cli/reading.ts";
import { type Remote, remoteOf } from "../cli/remote.ts";
import type { CommandContext } from "../cli/spec.ts";
import { remoteRunId } from "../cli/steering.ts";

const POLL_MS = 1_000;
const PAGE_ROWS = 500;

type WatchEvent = { runId: string; at: string; type: string } & Record<string, unknown>;

/** Prints events as they come (NDJSON with `--json`); ends with the run, and with its exit code. */
export async function run(context: CommandContext): Promise<ExitCode> {
  using interrupt = listenForInterrupt(() => undefined);
  const remote = remoteOf(context);
  const code = remote === null
    ? await watchStore(context, interrupt.signal)
    : await watchServer(context, remote, interrupt.signal);
  context.progress.end();
  return code;
}

/** A completed run repeats its exit code. */
function codeOf(state: string, result: number | null): ExitCode {
  if (state === "completed") return (result ?? EXIT.done) as ExitCode;
  return state === "rolled-back" ? EXIT.done : EXIT.failed;
}

function show(context: CommandContext, event: WatchEvent): void {
  if (context.globals.json) {
    context.io.out(`${context.redactor.redact(JSON.stringify(event))}\n`);
    return;
  }
  const text = lineOf(event);
  if (text !== null) context.say(`${event.at.slice(11, 19)}  ${text}\n`);
}

function lineOf(event: WatchEvent): string | null {
  const { type, state, reason, stage } = event;
  const why = typeof reason === "string" ? `: ${reason}` : "";
  if (type === "state") return `${state}${why}`;
  if (type === "stage") return `${stage} done`;
  if (type === "warning") return `warning: ${event.event} ${event.message ?? ""}`;
  if (type === "audit") return `${event.action} by ${event.by}`;
  if (type !== "progress") return null;
  const { rate, etaMs, waiting, requests } = event;
  const parts = [
    typeof rate === "number" && rate > 0 ? `${formatCount(rate)} records/s` : null,
    typeof etaMs === "number" ? `about ${formatDuration(etaMs)} left` : null,
    typeof requests === "string" ? requests : null,
    typeof waiting === "string" ? `waits: ${waiting}` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : `  ${parts.join(", ")}`;
}

/** Reads the event table; the run may be in any process. */
async function watchStore(context: CommandContext, signal: AbortSignal): Promise<ExitCode> {
  return await withStore(context, async (reading) => {
    const { store } = reading;
    const { run: { id }, scope } = await needRun(context, reading);
    const steering = { store, clock: createSystemClock(), host: processHost() };
    let lastId = 0;
    let before: RunStatus | null = null;
    for (;;) {
      // The run first: events that come after it are read with the next turn.
      const run = await store.run(id);
      const rows = await store.events(id, lastId, PAGE_ROWS);
      for (const row of rows) {
        lastId = row.id;
        show(context, { ...shown(row.type, row.data), runId: id, at: row.at, type: row.type });
      }
      if (rows.length === PAGE_ROWS) continue;
      if (run === null || OVER.includes(run.state)) {
        const { state, result, reason } = run ?? { state: "failed", result: null, reason: "gone" };
        const at = new Date().toISOString();
        show(context, { runId: id, at, type: "state", state, result, reason, final: true });
        return codeOf(state, result);
      }
      const status: RunStatus = await readRunStatus(steering, run, scope);
      if (status.interrupted) {
        context.note("No process holds this run; `ztoq migrate` continues it.\n");
        return EXIT.interrupted;
      }
      if (before !== null) show(context, progressOf(before, status));
      before = status;
      await steering.clock.sleep(POLL_MS, signal).catch(() => undefined);
      if (signal.aborted) return EXIT.interrupted;
    }
  });
}

/** `state` is always that of the run. */
function shown(type: string, data: Record<string, unknown>): Record<string, unknown> {
  const { state, ...rest } = data;
  return type === "state" || state === undefined ? data : { ...rest, done: state === "done" };
}

function progressOf(before: RunStatus, now: RunStatus): WatchEvent {
  const sum = ({ counts }: RunStatus): number =>
    Object.values(counts).reduce(
      (n, { created, updated, unchanged, withoutTarget }) =>
        n + created + updated + unchanged + withoutTarget,
      0,
    );
  const { source, target } = now.requests;
  return {
    runId: now.runId,
    at: new Date().toISOString(),
    type: "progress",
    rate: Math.max(0, sum(now) - sum(before)) / (POLL_MS / 1_000),
    extracted: Object.values(now.counts).reduce((n, { extracted }) => n + extracted, 0),
    done: sum(now),
    requests: `${formatCount(source)} source and ${formatCount(target)} target requests`,
    waiting: now.reason,
  };
}

/** Follows the event stream of a server, across broken connections. */
async function watchServer(
  context: CommandContext,
  remote: Remote,
  signal: AbortSignal,
): Promise<ExitCode> {
  const id = encodeURIComponent(await remoteRunId(context, remote));
  const clock = createSystemClock();
  let lastId: string | null = null;
  const path = `v1/migrations/${id}`;
  // The first look says whether there is such a server and such a run; later ones may have to wait.
  let run: Pick<RunStatus, "interrupted"> | null = await remote.json("GET", path);
  while (!signal.aborted) {
    try {
      run ??= await remote.json<RunStatus>("GET", path);
      if (run.interrupted) {
        context.note("No process works on this run; `ztoq resume --server` continues it.\n");
        return EXIT.interrupted;
      }
      for await (const event of eventsOf(await remote.events(`${path}/events`, lastId, signal))) {
        if (event.id !== null) lastId = event.id;
        show(context, event.data);
        const { final, state, result } = event.data;
        if (final === true) {
          return codeOf(String(state), typeof result === "number" ? result : null);
        }
      }
    } catch (error) {
      if (signal.aborted) break;
      if (error instanceof StopError && error.exitCode === EXIT.usage) throw error;
      const message = error instanceof Error ? error.message : String(error);
      context.note(`The connection broke (${message}); trying again.\n`);
    }
    run = null;
    await clock.sleep(POLL_MS, signal).catch(() => undefined);
  }
  return EXIT.interrupted;
}

async function* eventsOf(
  answer: Response,
): AsyncIterable<{ id: string | null; data: WatchEvent }> {
  let rest = "";
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data === undefined) continue;
      yield { id: /^id: (.*)$/m.exec(block)?.[1] ?? null, data: JSON.parse(data) as WatchEvent };
    }
  }
}
