/** A run in a store, as the control plane finds one. @module */
import type { Run, Store } from "../../core/ports/mod.ts";

/** Puts a run that is loading into the store, in a scope of its own; `change` says what differs. */
export async function storedRun(store: Store, change: Partial<Run> = {}): Promise<Run> {
  const scope = await store.openScope({
    sourceUrl: "http://127.0.0.1:1",
    sourceProject: "SA",
    targetUrl: "http://127.0.0.1:2",
    targetProject: "1",
    rootName: "Zephyr SA",
  });
  const at = "2026-01-01T00:00:00.000Z";
  const run: Run = {
    id: "run-1",
    scopeId: scope.id,
    state: "loading",
    phases: { extract: "done", transform: "done", load: "active", validate: "pending" },
    createdAt: at,
    updatedAt: at,
    completedAt: null,
    result: null,
    reason: null,
    workedMs: 1_000,
    config: { source: { requestsPerMinute: 400 }, target: { requestsPerMinute: 300 } },
    summary: null,
    ...change,
  };
  await store.createRun(run);
  return run;
}
