/** How long a killed migration takes from its start to its first new request. @module */
import { openStore } from "../../adapters/connect.ts";
import type { Change, TargetKind, TargetRow } from "../../core/ports/mod.ts";
import { startFront } from "./front.ts";
import { type BenchWorld, startBench } from "./world.ts";

export interface ResumeFigures {
  /** Rows of the target map that are loaded at the start. */
  loaded: number;
  /** Medians of several starts, ms. */
  firstRequestMs: number;
  firstCreateMs: number;
  starts: number;
}

/** Rows that are left to send. */
const LEFT = 2_000;
const STARTS = 5;

/** Kills a migration at its first log, fills the map up to `records` rows, and starts it again. */
export async function measureResume(records: number): Promise<ResumeFigures> {
  const seen = { request: Infinity, create: Infinity };
  const { promise: hasLogs, resolve: sawLog } = Promise.withResolvers<void>();
  const front = startFront(({ route, isCreate }) => {
    const now = performance.now();
    seen.request = Math.min(seen.request, now);
    if (isCreate) seen.create = Math.min(seen.create, now);
    if (isCreate && route === "/test-logs") sawLog();
    return "pass";
  });
  const world = await startBench({
    cases: Math.max(50, Math.round(records / 50)),
    executions: records,
    content: "bulk",
    requestsPerMinute: 0,
    include: { executionSteps: "none", attachments: "none" },
  }, front.before);
  try {
    const first = world.start("migrate", "--gate");
    await hasLogs;
    await kill(first);
    const loaded = await fillUp(world);
    const times: { request: number; create: number }[] = [];
    for (let start = 0; start < STARTS; start++) {
      Object.assign(seen, { request: Infinity, create: Infinity });
      const startedAt = performance.now();
      const child = world.start("migrate");
      while (seen.create === Infinity) await new Promise((resolve) => setTimeout(resolve, 5));
      times.push({ request: seen.request - startedAt, create: seen.create - startedAt });
      await kill(child);
    }
    return {
      loaded,
      firstRequestMs: median(times.map(({ request }) => request)),
      firstCreateMs: median(times.map(({ create }) => create)),
      starts: STARTS,
    };
  } finally {
    await front.close();
    await world.close();
  }
}

async function kill(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.stdout.cancel();
  await child.status;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Notes runs and logs as loaded, as a migration would have that had come that far. */
async function fillUp({ dir }: BenchWorld): Promise<number> {
  const store = await openStore({ url: `file:${dir}/ztoq.db`, authToken: null });
  try {
    const [run] = await store.runs(null);
    if (run === undefined) throw new TypeError("There is no run");
    const now = new Date().toISOString();
    const { lease } = await store.acquireLease({
      scopeId: run.scopeId,
      owner: "bench",
      host: "bench",
      pid: 0,
      now,
      expiresAt: now,
    }, () => true);
    if (lease === null) throw new TypeError("The lease is held");
    for (const kind of ["testRun", "testLog"] as const) {
      for await (const rows of openRows(store, run.scopeId, kind)) {
        await store.apply(lease, [loadedRows(rows, run.id)]);
      }
    }
    await store.releaseLease(lease);
    return (await store.countTargets(run.scopeId)).filter((row) => row.state === "loaded")
      .reduce((sum, row) => sum + row.count, 0);
  } finally {
    await store.close();
  }
}

type OpenStore = Awaited<ReturnType<typeof openStore>>;

/** Pages of open rows; of the logs the last ones are left out. */
async function* openRows(
  store: OpenStore,
  scopeId: number,
  kind: TargetKind,
): AsyncGenerator<TargetRow[]> {
  const states = ["pending" as const];
  const counts = await store.countTargets(scopeId);
  const open = counts.filter((row) => row.kind === kind && row.state === "pending")
    .reduce((sum, row) => sum + row.count, 0);
  for (let left = open - (kind === "testLog" ? LEFT : 0); left > 0;) {
    const limit = Math.min(left, 2_000);
    const { rows } = await store.targets(scopeId, kind, { after: null, limit, states });
    yield rows;
    left -= rows.length;
  }
}

function loadedRows(rows: TargetRow[], runId: string): Change {
  const sentAt = new Date().toISOString();
  return {
    op: "targets",
    rows: rows.map(({ kind, key }, index) => ({
      kind,
      key,
      state: "loaded",
      origin: "created",
      attempt: 1,
      sentAt,
      runId,
      targetId: `9${Date.now()}${index}`,
      detail: { pid: `X-${index}`, versionId: "1" },
    })),
  };
}
