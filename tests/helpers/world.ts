/** Both simulators and an engine over them, for tests of whole migrations. */
import type { Mapping, Settings } from "../../core/config/types.ts";
import { createMigrator } from "../../core/engine/mod.ts";
import type { Migrator, Services } from "../../core/engine/mod.ts";
import type { Blobs, Store } from "../../core/ports/mod.ts";
import { createHttpClient } from "../../adapters/http/mod.ts";
import { createMemoryBlobs } from "../../adapters/memory/blobs.ts";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { createQtestHttp, createQtestTarget } from "../../adapters/qtest/mod.ts";
import { startQtestSimulator } from "../../adapters/qtest/simulator/mod.ts";
import { createSystemClock } from "../../adapters/system.ts";
import { createZephyrHttp, createZephyrSource } from "../../adapters/zephyr/mod.ts";
import { startZephyrSimulator } from "../../adapters/zephyr/simulator/mod.ts";

type ZephyrOptions = NonNullable<Parameters<typeof startZephyrSimulator>[0]>;
type QtestOptions = NonNullable<Parameters<typeof startQtestSimulator>[0]>;

export interface World {
  zephyr: Awaited<ReturnType<typeof startZephyrSimulator>>;
  qtest: Awaited<ReturnType<typeof startQtestSimulator>>;
  store: Store;
  blobs: Blobs;
  settings: Settings;
  mapping: Mapping;
  /** A new engine, as a new process would have it. */
  engine(): { migrator: Migrator; services: Services; close(): void };
  [Symbol.asyncDispose](): Promise<void>;
}

export interface WorldOptions {
  zephyr?: ZephyrOptions;
  qtest?: QtestOptions;
  store?: Store;
  target?: Partial<Settings["target"]>;
  include?: Partial<Settings["include"]>;
  mapping?: Partial<Mapping>;
  log?: Services["log"];
}

export const MAPPING: Mapping = {
  statuses: { execution: {} },
  priorities: {},
  users: {},
  names: {},
  issues: {},
  fields: {},
  automationStatuses: {},
  defaults: { status: "Incomplete", priority: "Medium" },
  required: {},
};

/** Starts both simulators on free ports. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const zephyr = await startZephyrSimulator({ ...options.zephyr });
  const qtest = await startQtestSimulator({ ...options.qtest });
  const store = options.store ?? createMemoryStore();
  const blobs = createMemoryBlobs();
  const settings = worldSettings(zephyr, qtest, options);
  const mapping = { ...structuredClone(MAPPING), ...options.mapping };
  return {
    zephyr,
    qtest,
    store,
    blobs,
    settings,
    mapping,
    engine: () => startEngine({ store, blobs, settings, mapping }, options.log),
    async [Symbol.asyncDispose](): Promise<void> {
      await zephyr.close();
      await qtest.close();
    },
  };
}

function worldSettings(
  zephyr: World["zephyr"],
  qtest: World["qtest"],
  options: WorldOptions,
): Settings {
  return {
    source: {
      kind: "zephyr-scale-cloud",
      baseUrl: zephyr.url,
      token: zephyr.token,
      projectKey: zephyr.projectKey,
      requestsPerMinute: 0,
      concurrency: 8,
      timeoutMs: 5_000,
    },
    target: {
      kind: "qtest-manager",
      baseUrl: qtest.url,
      token: qtest.token,
      username: null,
      password: null,
      projectId: String(qtest.projectId),
      requestsPerMinute: 0,
      concurrency: 8,
      timeoutMs: 1_000,
      marker: "field",
      rootName: `Zephyr ${zephyr.projectKey}`,
      approve: false,
      logs: "manual",
      onExisting: "update",
      settleMs: 500,
      ...options.target,
    },
    store: { url: "memory:", authToken: null },
    include: {
      folders: true,
      testCases: true,
      testCycles: true,
      testPlans: true,
      executions: "all",
      executionSteps: "executed",
      attachments: "entities",
      links: true,
      ...options.include,
    },
    mapping: "./ztoq.mapping.json",
    report: { dir: "./ztoq-report" },
    onDeleted: "report",
    onEdited: "keep",
    maxOutageMs: 60_000,
    monthReserve: 100,
    accept: [],
    validation: { rules: {}, sample: 1 },
    limits: { schedule: [] },
    schedules: [],
    webhooks: [],
    controlPlane: { token: null, tokens: [] },
  };
}

function startEngine(
  parts: Pick<World, "store" | "blobs" | "settings" | "mapping">,
  log: Services["log"] = () => undefined,
): ReturnType<World["engine"]> {
  const clock = createSystemClock();
  const { source, target } = parts.settings;
  const sourceHttp = createHttpClient(createZephyrHttp({ ...source, clock }));
  const targetOptions = createQtestHttp({
    baseUrl: target.baseUrl,
    token: target.token ?? "",
    requestsPerMinute: target.requestsPerMinute,
    concurrency: target.concurrency,
    timeoutMs: target.timeoutMs,
    clock,
  });
  const targetHttp = targetOptions.bind(createHttpClient(targetOptions));
  const services: Services = {
    ...parts,
    saveMapping: () => Promise.resolve(),
    source: createZephyrSource({
      http: sourceHttp,
      baseUrl: source.baseUrl,
      projectKey: source.projectKey,
    }),
    target: createQtestTarget({
      http: targetHttp,
      projectId: target.projectId,
      approve: target.approve,
    }),
    clock,
    host: { hostname: "test", pid: Deno.pid, isAlive: () => true },
    log,
  };
  return {
    migrator: createMigrator(services),
    services,
    close(): void {
      sourceHttp.close();
      targetHttp.close();
    },
  };
}
