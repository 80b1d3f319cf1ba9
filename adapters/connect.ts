/**
 * The one file that names every adapter. Adapters are loaded when they are needed: a command that
 * reads the database does not load a vendor's client.
 * @module
 */
import type { Mapping, Settings } from "../core/config/types.ts";
import type { Migrator, Services } from "../core/engine/types.ts";
import type { Clock, Store, Traffic } from "../core/ports/mod.ts";
import { processHost } from "./host.ts";
import type { NotifierOptions, Notify } from "./notify/mod.ts";
import type { StoreAdmin } from "./libsql/mod.ts";
import { createSystemClock } from "./system.ts";
import { span } from "./telemetry.ts";

export { UNIT_BOUNDS_S, unitDurations } from "./telemetry.ts";

export { processHost } from "./host.ts";
export { createSystemClock } from "./system.ts";

/** A store with what only operators need. */
export type ManagedStore = Store & StoreAdmin;

/** Opens the database of the settings; the schema is as it was until `migrate()`. */
export async function openStore(store: Settings["store"]): Promise<ManagedStore> {
  const { openLibsqlStore } = await import("./libsql/mod.ts");
  return await openLibsqlStore(store);
}

export interface ConnectOptions {
  settings: Settings;
  mapping: Mapping;
  saveMapping: (additions: Partial<Mapping>) => Promise<void>;
  log: Services["log"];
  /** An open database to share; it is then not closed with the connection. */
  store?: ManagedStore;
}

/** Both systems, the database and the engine over them. */
export interface Connection {
  migrator: Migrator;
  store: ManagedStore;
  /** Live counters of both systems. */
  traffic: { source: Traffic; target: Traffic };
  /** Closes connections and, unless it is shared, the database. */
  close(): Promise<void>;
}

/** Opens the database, brings its schema up to date, and wires both systems to the engine. Sends nothing yet. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { settings, mapping, saveMapping, log } = options;
  const [{ createMigrator }, { createFileBlobs }] = await Promise.all([
    import("../core/engine/mod.ts"),
    import("./files/blobs.ts"),
  ]);
  const clients = await createClients(settings, log);
  const store = options.store ?? await openStore(settings.store);
  try {
    await store.migrate();
  } catch (error) {
    if (options.store === undefined) await store.close();
    throw error;
  }
  const migrator = createMigrator({
    settings,
    mapping,
    saveMapping,
    store,
    source: clients.source,
    target: clients.target,
    blobs: createFileBlobs(blobFolder(settings.store.url), `${settings.report.dir}/files`),
    clock: createSystemClock(),
    host: processHost(),
    span,
    log,
  });
  return {
    migrator,
    store,
    traffic: { source: clients.source, target: clients.target },
    async close(): Promise<void> {
      clients.close();
      if (options.store === undefined) await migrator.close();
    },
  };
}

interface Clients {
  source: Services["source"];
  target: Services["target"];
  close(): void;
}

async function createClients(
  { source, target, maxOutageMs, monthReserve }: Settings,
  log: Services["log"],
): Promise<Clients> {
  const [{ createHttpClient }, zephyr, qtest] = await Promise.all([
    import("./http/mod.ts"),
    import("./zephyr/mod.ts"),
    import("./qtest/mod.ts"),
  ]);
  const shared = { clock: createSystemClock(), maxOutageMs, log };
  const sourceOptions = zephyr.createZephyrHttp({ ...shared, ...source });
  const sourceHttp = createHttpClient({ ...sourceOptions, monthReserve });
  const { token, username, password, ...rest } = target;
  const targetOptions = qtest.createQtestHttp({
    ...shared,
    baseUrl: rest.baseUrl,
    requestsPerMinute: rest.requestsPerMinute,
    concurrency: rest.concurrency,
    timeoutMs: rest.timeoutMs,
    monthReserve,
    ...(token === null ? {} : { token }),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
  });
  const targetHttp = targetOptions.bind(createHttpClient(targetOptions));
  const { baseUrl, projectKey } = source;
  return {
    source: zephyr.createZephyrSource({ http: sourceHttp, baseUrl, projectKey }),
    target: qtest.createQtestTarget({
      http: targetHttp,
      projectId: rest.projectId,
      approve: rest.approve,
    }),
    close(): void {
      sourceHttp.close();
      targetHttp.close();
    },
  };
}

/** Tells the configured webhooks about events; see `adapters/notify`. @throws ConfigError */
export async function createNotifier(
  options: Omit<NotifierOptions, "clock"> & { clock?: Clock },
): Promise<Notify> {
  const { createWebhooks } = await import("./notify/mod.ts");
  return createWebhooks({ clock: createSystemClock(), ...options });
}

/** Bytes of attachments lie beside a database file, and in the working folder for a remote one. */
function blobFolder(url: string): string {
  const path = url.startsWith("file:") ? url.slice("file:".length) : "./ztoq.db";
  return `${path}-files`;
}

export interface SimulatorOptions {
  /** 0 takes a free one. */
  port: number;
  seed: number;
  requestsPerMinute: number;
  faults: "none" | "mild" | "harsh";
  /** Content of the source; the target starts empty. */
  cases?: number;
  executions?: number;
  /** `demo` = every kind of content; `bulk` = many plain records, for measurements. */
  content?: "demo" | "bulk";
  /** Path of a data set to serve instead. */
  dataFile?: string;
}

/** A simulator that listens on loopback. */
export interface RunningSimulator {
  baseUrl: string;
  /** Made anew for each start. */
  token: string;
  /** Key or id of its project. */
  project: string;
  close(): Promise<void>;
}

/** Starts a simulator with a token of its own. */
export async function startSimulator(
  system: "zephyr" | "qtest",
  options: SimulatorOptions,
): Promise<RunningSimulator> {
  const { port, seed, requestsPerMinute, faults, cases, executions, content, dataFile } = options;
  const token = randomToken(system);
  if (system === "zephyr") {
    const { startZephyrSimulator } = await import("./zephyr/simulator/mod.ts");
    const simulator = await startZephyrSimulator({
      port,
      seed,
      requestsPerMinute,
      faults,
      token,
      ...(dataFile === undefined ? {} : { dataFile }),
      data: {
        ...(cases === undefined ? {} : { cases }),
        ...(executions === undefined ? {} : { executions }),
        ...(content === undefined ? {} : { preset: content }),
      },
    });
    return {
      baseUrl: simulator.url,
      token,
      project: simulator.projectKey,
      close: () => simulator.close(),
    };
  }
  const { startQtestSimulator } = await import("./qtest/simulator/mod.ts");
  const simulator = await startQtestSimulator({ port, seed, requestsPerMinute, faults, token });
  return {
    baseUrl: simulator.url,
    token,
    project: String(simulator.projectId),
    close: () => simulator.close(),
  };
}

function randomToken(system: "zephyr" | "qtest"): string {
  const secret = crypto.randomUUID().replaceAll("-", "");
  if (system === "qtest") return secret;
  // The vendor checks that a token has the three parts of a JWT.
  return `eyJhbGciOiJIUzI1NiJ9.${btoa(`{"sim":"${secret}"}`).replaceAll("=", "")}.${secret}`;
}
