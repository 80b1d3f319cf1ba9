/** `ztoq serve`: the HTTP control plane and the dashboard. @module */
import {
  connect,
  createNotifier,
  createSystemClock,
  type ManagedStore,
  openStore,
  processHost,
  UNIT_BOUNDS_S,
  unitDurations,
} from "../../adapters/connect.ts";
import type { Settings } from "../../core/config/mod.ts";
import { ConfigError, EXIT, type ExitCode } from "../../core/errors.ts";
import manifest from "../../deno.json" with { type: "json" };
import { createControlPlane, isLoopback, parseSchedules, readTokens } from "../../routes/mod.ts";
import type { ControlPlane, ControlPlaneServices, WorkOutcome } from "../../routes/mod.ts";
import { readConfigFile } from "../cli/context.ts";
import { listenForInterrupt } from "../cli/interrupt.ts";
import { mappingSaver, readMapping } from "../cli/mapping_file.ts";
import { databasePath } from "../cli/reading.ts";
import { writeReportFiles } from "../cli/report_files.ts";
import type { CommandContext } from "../cli/spec.ts";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8787;

/** Serves until Ctrl-C or SIGTERM; runs then finish the work in hand and can be resumed. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const host = typeof context.options.host === "string" ? context.options.host : DEFAULT_HOST;
  const port = typeof context.options.port === "number" ? context.options.port : DEFAULT_PORT;
  const settings = context.loadSettings("store");
  const store = lazyStore(settings);
  const services = await createServices(context, settings, store.open, host);
  const plane = createControlPlane(services);
  using interrupt = listenForInterrupt(context.note);
  const server = listen(plane, host, port, (address) => tell(context, services, address));
  plane.startSchedules();
  await new Promise<void>((resolve) => {
    interrupt.signal.addEventListener("abort", () => resolve(), { once: true });
    if (interrupt.signal.aborted) resolve();
  });
  const closed = server.shutdown();
  await plane.close();
  await closed;
  await store.close();
  return EXIT.done;
}

/** @throws {ConfigError} when the address cannot be listened on */
function listen(
  { app }: ControlPlane,
  hostname: string,
  port: number,
  onListen: (address: Deno.NetAddr) => void,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname, port, onListen }, (request, info) => app.fetch(request, info));
  } catch (error) {
    const place = `${hostname}:${port}`;
    if (error instanceof Deno.errors.AddrInUse) {
      throw new ConfigError(`Cannot listen on ${place}: another program does`, {
        hint: "Choose another port: `ztoq serve --port 8788` (0 takes a free one)",
      });
    }
    if (error instanceof Error && !(error instanceof TypeError)) {
      throw new ConfigError(`Cannot listen on ${place}: ${error.message}`, {
        hint: "Check --host and --port; ports below 1024 need special rights",
      });
    }
    throw error;
  }
}

function tell(
  context: CommandContext,
  { tokens }: ControlPlaneServices,
  { hostname, port }: Deno.NetAddr,
): void {
  const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
  const url = `http://${shown}:${port}/`;
  if (context.globals.json) context.printJson({ url, hostname, port });
  else context.say(`Listening on ${url}\n`);
  if (tokens.length > 0) return;
  context.note(
    "No token is set: whoever can open a connection from this machine may use it (ZTOQ_API_TOKEN closes it).\n",
  );
}

async function createServices(
  context: CommandContext,
  settings: Settings,
  store: () => Promise<ManagedStore>,
  host: string,
): Promise<ControlPlaneServices> {
  const { io, redactor } = context;
  const readSecretFile = (path: string): string => Deno.readTextFileSync(path);
  const tokens = readTokens(settings, { env: io.env, readSecretFile });
  redactor.add(tokens.map(({ token }) => token));
  const openOnLoopback = isLoopback(host.toLowerCase());
  if (!openOnLoopback && tokens.length === 0) {
    throw new ConfigError(`Cannot listen on ${host} without a token: everybody could use it`, {
      hint: "Set ZTOQ_API_TOKEN, or listen on 127.0.0.1",
    });
  }
  // Before it listens: they are followed in the background, where nobody would hear of a mistake.
  parseSchedules(settings.schedules);
  const config = {
    options: context.settings,
    env: io.env,
    file: readConfigFile(context.globals.config),
    readSecretFile,
  };
  const onEvent = settings.webhooks.length === 0
    ? undefined
    : await notifier(context, settings, store, config);
  return {
    store,
    config,
    connect: async (own, _, log) =>
      await connect({
        settings: own,
        mapping: readMapping(own.mapping),
        saveMapping: mappingSaver(own.mapping),
        log,
        store: await store(),
      }),
    mapping: (own) => readMapping(own.mapping),
    tokens,
    openOnLoopback,
    clock: createSystemClock(),
    host: processHost(),
    log: context.log,
    redact: (text) => redactor.redact(text),
    version: manifest.version,
    onOutcome: async (outcome, own) => await writeReports(await store(), outcome, own),
    ...(onEvent === undefined ? {} : { onEvent }),
    units: () => ({ bounds: UNIT_BOUNDS_S, durations: unitDurations() }),
    memoryBytes: () => Deno.memoryUsage().rss,
  };
}

async function notifier(
  { log, redactor }: CommandContext,
  { webhooks }: Settings,
  store: () => Promise<ManagedStore>,
  { env, readSecretFile }: ControlPlaneServices["config"],
): Promise<NonNullable<ControlPlaneServices["onEvent"]>> {
  return await createNotifier({
    webhooks,
    env,
    readSecretFile,
    store,
    log,
    redact: (text) => redactor.redact(text),
    onSecret: (secret) => redactor.add([secret]),
  });
}

/** The database is opened at the first request that needs it; a failure is tried again with the next. */
function lazyStore(settings: Settings): { open(): Promise<ManagedStore>; close(): Promise<void> } {
  let opening: Promise<ManagedStore> | null = null;
  const open = async (): Promise<ManagedStore> => {
    const store = await openStore(settings.store);
    try {
      await store.migrate();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  };
  return {
    open(): Promise<ManagedStore> {
      opening ??= open().catch((error) => {
        opening = null;
        throw error;
      });
      return opening;
    },
    async close(): Promise<void> {
      const store = await opening?.catch(() => null);
      await store?.close();
    },
  };
}

/** Writes the report files of a completed run into a folder of its own. */
async function writeReports(
  store: ManagedStore,
  { run, summary }: WorkOutcome,
  settings: Settings,
): Promise<void> {
  if (run.state !== "completed" || summary === undefined) return;
  const scope = (await store.scopes()).find(({ id }) => id === run.scopeId);
  if (scope === undefined) return;
  const database = databasePath(settings.store.url) ?? settings.store.url;
  const folder = `${settings.report.dir.replace(/\/+$/, "")}/${run.id}`;
  const { files, exitCode } = await writeReportFiles(
    { store, scope, summary, accepted: settings.accept },
    folder,
    database,
  );
  await store.appendEvent?.({
    runId: run.id,
    type: "report",
    at: new Date().toISOString(),
    data: { result: exitCode, files },
  });
}
