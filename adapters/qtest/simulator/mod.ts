/**
 * A simulated qTest Manager site: a real HTTP server over a tenant in memory.
 *
 * ```ts
 * const sim = await startQtestSimulator({ requestsPerMinute: 400, preset: "strict" });
 * // … use sim.url, sim.token, sim.projectId …
 * console.log(sim.oracle().duplicates);
 * await sim.close();
 * ```
 * @module
 */
import {
  createRequestLog,
  type FaultKind,
  type FaultPlan,
  type RequestLog,
} from "../../simulator_kit/mod.ts";
import { Auth } from "./auth.ts";
import { Budget } from "./budget.ts";
import { dump, inspect, type QtestOracle } from "./oracle.ts";
import { listenWithCuts } from "./front.ts";
import { type QtestData, seedState } from "./seed.ts";
import { type InjectedFault, QtestServer } from "./server.ts";
import { QtestState } from "./state.ts";
import { type QtestSwitches, resolveSwitches, type SwitchPreset } from "./switches.ts";

export type { Duplicate, QtestOracle } from "./oracle.ts";
export type { QtestData } from "./seed.ts";
export type { InjectedFault } from "./server.ts";
export { API_ROUTES } from "./server.ts";
export type { QtestState } from "./state.ts";
export { type QtestSwitches, resolveSwitches, type SwitchPreset } from "./switches.ts";

const WRITE_KINDS: FaultPlan["kinds"] = {
  "500": 2,
  "502-html": 2,
  "503-html": 1,
  "504-html": 2,
  "429": 1,
  reset: 2,
  truncated: 1,
  slow: 2,
  "after-500": 2,
  "after-reset": 3,
  "after-empty": 2,
};

/** Plans by name: `none`, `mild` (about 1.5 % of requests) and `harsh` (about 8 %). */
export const QTEST_FAULTS: Record<"none" | "mild" | "harsh", FaultPlan> = {
  none: { rate: 0, kinds: {} },
  mild: { rate: 0.015, kinds: WRITE_KINDS },
  harsh: { rate: 0.08, kinds: WRITE_KINDS, burst: 6, slowMs: [200, 1500] },
};

export interface QtestSimulatorOptions {
  /** 0 takes a free port. @default {0} */
  port?: number;
  /** @default {"127.0.0.1"} */
  hostname?: string;
  /** Static token; never expires. @default {"qtest-simulator-token"} */
  token?: string;
  /** For the password grant. @default {"migration@example.com"} */
  username?: string;
  /** @default {"simulator"} */
  password?: string;
  /** Life of tokens from a login, seconds. @default {3600} */
  tokenLifetimeSeconds?: number;
  /** @default {1001} */
  projectId?: number;
  /** @default {"Simulated project"} */
  projectName?: string;
  /** Tenant-wide; 0 = unlimited. @default {0} */
  requestsPerMinute?: number;
  /** Requests the tenant has left this month. @default {10_000_000} */
  monthLimit?: number;
  /** @default {"generous"} */
  preset?: SwitchPreset;
  /** Changes to the preset. */
  switches?: Partial<QtestSwitches>;
  /** @default {"none"} */
  faults?: keyof typeof QTEST_FAULTS | FaultPlan;
  /** Ids, tokens and faults depend on it alone. @default {1} */
  seed?: number;
  /** Added to every answer, ms. @default {0} */
  latencyMs?: number;
  /** Label of the field with the source key, for the oracle. @default {"Zephyr Key"} */
  keyLabel?: string;
  /**
   * Resets end the connection without an answer, through a relay that costs some speed; without it
   * they break off the body. @default {true when the plan has faults}
   */
  realResets?: boolean;
  data?: QtestData;
  /** Epoch ms. @default {Date.now} */
  now?: () => number;
}

export interface QtestSimulator {
  /** `http://127.0.0.1:PORT`, without slash. */
  url: string;
  port: number;
  token: string;
  username: string;
  password: string;
  projectId: number;
  /** The tenant, for assertions. */
  state: QtestState;
  requestLog: RequestLog;
  /** Looks the tenant through for duplicates, orphans and order. */
  oracle(): QtestOracle;
  /** Every object as the API would show it. */
  dump(): Record<string, Record<string, unknown>[]>;
  /** Makes the next matching requests fail. */
  injectFault(fault: InjectedFault): void;
  faultCounts(): Partial<Record<FaultKind, number>>;
  /** Ends every access token from a login: the next request with one gets 401. */
  expireTokens(): void;
  /** Somebody executes the run: writes to it get 400. */
  lockRun(runId: number, isLocked?: boolean): void;
  /** Stops listening; safe to call twice. */
  close(): Promise<void>;
}

/** Starts a simulator; it answers when the promise resolves. Throws when the port is taken. */
// deno-lint-ignore require-await -- callers await the start of every server alike
export async function startQtestSimulator(
  options: QtestSimulatorOptions = {},
): Promise<QtestSimulator> {
  const hostname = options.hostname ?? "127.0.0.1";
  const plan = typeof options.faults === "object"
    ? options.faults
    : QTEST_FAULTS[options.faults ?? "none"];
  const holder: { server?: QtestServer; signal?: AbortSignal } = {};
  const listener = listenWithCuts(
    (request, cut) =>
      holder.server?.app.fetch(request, { cut }) ?? new Response(null, { status: 503 }),
    { hostname, port: options.port ?? 0, canCut: options.realResets ?? plan.rate > 0 },
  );
  holder.signal = listener.signal;
  return assemble(options, plan, listener, holder);
}

function assemble(
  options: QtestSimulatorOptions,
  plan: FaultPlan,
  listener: { url: string; port: number; close(): Promise<void> },
  holder: { server?: QtestServer; signal?: AbortSignal },
): QtestSimulator {
  const seed = options.seed ?? 1;
  const now = options.now ?? Date.now;
  const switches = resolveSwitches(options.preset ?? "generous", options.switches);
  const login = {
    token: options.token ?? "qtest-simulator-token",
    username: options.username ?? "migration@example.com",
    password: options.password ?? "simulator",
  };
  const state = new QtestState({
    siteUrl: listener.url,
    projectId: options.projectId ?? 1001,
    projectName: options.projectName ?? "Simulated project",
    switches,
    seed,
    now,
  });
  const user = seedState(state, login.username, options.data);
  const auth = new Auth({
    ...login,
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? 3600,
    idleExpiry: switches.idleExpiry,
    seed,
    now,
  });
  const requestLog = createRequestLog();
  const budget = new Budget({
    requestsPerMinute: options.requestsPerMinute ?? 0,
    monthLimit: options.monthLimit ?? 10_000_000,
    switches,
    now,
  });
  const server = new QtestServer({
    state,
    auth,
    budget,
    log: requestLog,
    user,
    plan,
    seed,
    latencyMs: options.latencyMs ?? 0,
    signal: () => holder.signal,
  });
  const oracle = (): QtestOracle => inspect(state, options.keyLabel ?? "Zephyr Key");
  addAdminRoutes(server, { requestLog, oracle, dump: () => dump(state) });
  holder.server = server;
  return {
    url: listener.url,
    port: listener.port,
    ...login,
    projectId: state.projectId,
    state,
    requestLog,
    oracle,
    dump: () => dump(state),
    injectFault: (fault) => server.inject(fault),
    faultCounts: () => server.faultCounts,
    expireTokens: () => auth.expireAll(),
    lockRun(runId, isLocked = true): void {
      const run = state.get("test-runs", runId);
      if (run === undefined) throw new RangeError(`Cannot lock run ${runId}: it does not exist`);
      run.locked = isLocked;
    },
    close: () => listener.close(),
  };
}

function addAdminRoutes(
  server: QtestServer,
  parts: {
    requestLog: RequestLog;
    oracle: () => QtestOracle;
    dump: () => Record<string, Record<string, unknown>[]>;
  },
): void {
  const stats = (): unknown => ({ ...parts.requestLog.stats(), faults: server.faultCounts });
  server.app.get("/__sim/stats", (c) => c.json(stats() as Record<string, unknown>));
  server.app.get("/__sim/oracle", (c) => c.json(parts.oracle()));
  server.app.get("/__sim/dump", (c) => c.json(parts.dump()));
}
