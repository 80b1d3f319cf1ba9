/** Requests to a running run, as rows that its owner reads: they work from any process. @module */
import type { Store } from "../ports/mod.ts";
import type { RunControl } from "./types.ts";

const NAME = "control";

export const NO_CONTROL: RunControl = {
  desired: "running",
  reason: null,
  limits: { source: null, target: null },
};

export async function readControl(store: Store, runId: string): Promise<RunControl> {
  const stored = (await store.controls(runId))[NAME] as Partial<RunControl> | undefined;
  return {
    ...NO_CONTROL,
    ...stored,
    limits: { ...NO_CONTROL.limits, ...stored?.limits },
  };
}

/** Merges a change into what is asked; the last one per value wins. */
export async function writeControl(
  store: Store,
  runId: string,
  change: Partial<RunControl>,
): Promise<RunControl> {
  const before = await readControl(store, runId);
  const after: RunControl = {
    desired: change.desired ?? before.desired,
    reason: change.reason === undefined ? before.reason : change.reason,
    limits: { ...before.limits, ...change.limits },
  };
  await store.requestControl(runId, NAME, after);
  return after;
}
