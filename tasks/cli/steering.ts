/** Finding a run and steering it, here or on a server. @module */
import { createSystemClock, processHost } from "../../adapters/connect.ts";
import { readRunStatus } from "../../core/engine/status.ts";
import { steerRun } from "../../core/engine/steer.ts";
import type { RunControl } from "../../core/engine/types.ts";
import { EXIT, StopError } from "../../core/errors.ts";
import { needRun, withStore } from "./reading.ts";
import { type Remote, remoteOf } from "./remote.ts";
import type { CommandContext } from "./spec.ts";

/** What is shown of a run after steering it. */
export interface Steered {
  runId: string;
  state: string;
  reason: string | null;
  interrupted: boolean;
  limits: Record<"source" | "target", { requestsPerMinute: number | null }>;
}

/** The run of `--run` on a server, else its newest one. */
export async function remoteRunId(context: CommandContext, remote: Remote): Promise<string> {
  if (typeof context.options.run === "string") return context.options.run;
  const { runs } = await remote.json<{ runs: { runId: string }[] }>(
    "GET",
    "v1/migrations?limit=1",
  );
  const [newest] = runs;
  if (newest !== undefined) return newest.runId;
  throw new StopError(EXIT.failed, "Cannot find a run on this server: none was started yet");
}

/** Asks for a change of the run of `--run`, else of the newest one. */
export async function steer(
  context: CommandContext,
  change: Partial<RunControl>,
  route: { method: string; path: string; body: unknown },
): Promise<Steered> {
  const remote = remoteOf(context);
  if (remote !== null) {
    const id = encodeURIComponent(await remoteRunId(context, remote));
    return await remote.json(route.method, `v1/migrations/${id}/${route.path}`, route.body);
  }
  return await withStore(context, async (reading) => {
    const { run, scope } = await needRun(context, reading);
    const { store } = reading;
    const steering = { store, clock: createSystemClock(), host: processHost() };
    await steerRun(steering, run.id, change);
    return await readRunStatus(steering, await store.run(run.id) ?? run, scope);
  });
}
