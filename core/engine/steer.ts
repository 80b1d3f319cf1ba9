/** Steering a run through the store alone: from another terminal, a browser, or a schedule. @module */
import { EXIT, StopError } from "../errors.ts";
import type { Clock, LeaseRow, Run, RunState, Store } from "../ports/mod.ts";
import { readControl, writeControl } from "./control.ts";
import { instant } from "./lease_keeper.ts";
import { stateOfPhases } from "./state_machine.ts";
import type { Host, RunControl } from "./types.ts";

/** What steering works with. */
export interface Steering {
  store: Store;
  clock: Clock;
  host: Host;
}

/** States of a run that nothing works on any more. */
export const OVER: readonly RunState[] = ["completed", "failed", "cancelled", "rolled-back"];
/** States of a run that takes no more requests. */
const FINAL: readonly RunState[] = ["completed", "cancelled", "rolled-back"];
/** States in which a living process should hold the run. */
export const WORKING: readonly RunState[] = [
  "created",
  "planned",
  "extracting",
  "transforming",
  "loading",
  "validating",
  "rolling-back",
];

/** Long enough for one commit. */
const SHORT_LEASE_MS = 10_000;

/** Whether a living process holds the lease. */
export function isHeld(
  lease: LeaseRow | null,
  { clock, host }: Pick<Steering, "clock" | "host">,
): lease is LeaseRow {
  if (lease === null || Date.parse(lease.expiresAt) < clock.now()) return false;
  return lease.host !== host.hostname || host.isAlive(lease.pid);
}

/**
 * Asks for a change of a run. A process that works on the run takes it over within a second; a run
 * without one is paused or cancelled at once. Safe to repeat.
 * @throws {StopError} (exit 2) for an unknown run and for one that is over
 */
export async function steerRun(
  steering: Steering,
  runId: string,
  change: Partial<RunControl>,
): Promise<RunControl> {
  const { store } = steering;
  const run = await store.run(runId);
  if (run === null) throw new StopError(EXIT.usage, `There is no run "${runId}" in this database`);
  if (change.desired === "cancelled" && run.state === "cancelled") {
    return await readControl(store, runId);
  }
  if (FINAL.includes(run.state)) {
    throw new StopError(EXIT.usage, `Cannot control run ${runId}: it is ${run.state}`, {
      hint: "`ztoq runs` lists the runs; `--run ID` takes another one",
    });
  }
  const control = await writeControl(store, runId, change);
  const state = wantedState(run, change);
  if (state !== null && state !== run.state) await settle(steering, run, state, control.reason);
  return control;
}

function wantedState(run: Run, { desired }: Partial<RunControl>): RunState | null {
  if (desired === "paused") return run.state === "failed" ? null : "paused";
  if (desired === "cancelled") return "cancelled";
  return desired === "running" && run.state === "paused" ? stateOfPhases(run.phases) : null;
}

/** Writes the state of a run that no process holds; its owner does that otherwise. */
async function settle(
  { store, clock, host }: Steering,
  run: Run,
  state: RunState,
  reason: string | null,
): Promise<void> {
  const now = clock.now();
  const { lease } = await store.acquireLease({
    scopeId: run.scopeId,
    owner: `${host.hostname}:${host.pid}:${crypto.randomUUID()}`,
    host: host.hostname,
    pid: host.pid,
    now: instant(now),
    expiresAt: instant(now + SHORT_LEASE_MS),
  }, (row) => !isHeld(row, { clock, host }));
  if (lease === null) return;
  const at = instant(clock.now());
  try {
    await store.apply(lease, [
      { op: "run", id: run.id, set: { state, reason, updatedAt: at } },
      { op: "event", runId: run.id, type: "state", at, data: { state, reason } },
    ]);
  } finally {
    await store.releaseLease(lease);
  }
}
