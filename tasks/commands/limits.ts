/** `ztoq limits`: shows or changes the request rates of a running migration. @module */
import { createSystemClock, processHost } from "../../adapters/connect.ts";
import { readControl } from "../../core/engine/control.ts";
import { readRunStatus } from "../../core/engine/status.ts";
import { EXIT, type ExitCode } from "../../core/errors.ts";
import { needRun, withStore } from "../cli/reading.ts";
import { remoteOf } from "../cli/remote.ts";
import type { CommandContext } from "../cli/spec.ts";
import { remoteRunId, steer, type Steered } from "../cli/steering.ts";

const SYSTEMS = ["source", "target"] as const;

/** Changes what options name; without any, shows what is in force. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { options } = context;
  const isChange = SYSTEMS.some((system) => options[system] !== undefined);
  const { runId, limits } = isChange ? await change(context) : await show(context);
  if (context.globals.json) context.printJson({ runId, limits });
  else {
    const rates = SYSTEMS.map((system) =>
      `${system} ${limits[system].requestsPerMinute ?? "unknown"} requests/min`
    );
    context.say(`Run ${runId}: ${rates.join(", ")}\n`);
  }
  return EXIT.done;
}

/** 0 on the command line means: back to the configured rate. */
function asked(context: CommandContext, system: "source" | "target"): number | null | undefined {
  const value = context.options[system];
  return typeof value !== "number" ? undefined : value === 0 ? null : value;
}

async function change(context: CommandContext): Promise<Steered> {
  const [source, target] = [asked(context, "source"), asked(context, "target")];
  const body = {
    ...(source === undefined ? {} : { source: { requestsPerMinute: source } }),
    ...(target === undefined ? {} : { target: { requestsPerMinute: target } }),
  };
  const before = remoteOf(context) === null ? await limitsInForce(context) : null;
  const limits = {
    source: source === undefined ? before?.source ?? null : source,
    target: target === undefined ? before?.target ?? null : target,
  };
  return await steer(context, { limits }, { method: "PATCH", path: "limits", body });
}

/** What was asked for before: a change of one system leaves the other. */
async function limitsInForce(
  context: CommandContext,
): Promise<{ source: number | null; target: number | null }> {
  return await withStore(context, async (reading) => {
    const { run } = await needRun(context, reading);
    return (await readControl(reading.store, run.id)).limits;
  });
}

async function show(context: CommandContext): Promise<Steered> {
  const remote = remoteOf(context);
  if (remote !== null) {
    const id = encodeURIComponent(await remoteRunId(context, remote));
    return await remote.json("GET", `v1/migrations/${id}`);
  }
  return await withStore(context, async (reading) => {
    const { run, scope } = await needRun(context, reading);
    const steering = { store: reading.store, clock: createSystemClock(), host: processHost() };
    return await readRunStatus(steering, run, scope);
  });
}
