/** What the control plane works with: everything that touches the outside is handed in. @module */
import type { Mapping, Settings, SettingSources } from "../core/config/mod.ts";
import type { Host, Migrator, Outcome, Services } from "../core/engine/types.ts";
import type { Clock, EventRow, Store, Traffic } from "../core/ports/mod.ts";

/** What a token may do: `view` reads, `operate` also starts, controls and changes. */
export type Role = "view" | "operate";

/** A bearer token of the control plane. */
export interface ApiToken {
  /** Stands in audit events. */
  name: string;
  role: Role;
  token: string;
}

/** An engine over both systems, made for one run. */
export interface EngineConnection {
  migrator: Migrator;
  /** Live counters, for metrics; absent where they are not to be had. */
  traffic?: { source: Traffic; target: Traffic };
  /** Closes connections; the store stays open. */
  close(): Promise<void>;
}

/** How work on a run ended for now; a rollback has no summary. */
export type WorkOutcome = Pick<Outcome, "exitCode" | "run"> & Partial<Pick<Outcome, "summary">>;

/** Wired by `ztoq serve`, by a serverless host, or by tests. */
export interface ControlPlaneServices {
  /** The shared store, opened at first use; a rejection is told as 503 and asked again later. */
  store: () => Promise<Store>;
  /** Where the base configuration comes from; a request's overrides come before all of it. */
  config: Omit<SettingSources, "need">;
  connect: (
    settings: Settings,
    store: Store,
    log: Services["log"],
  ) => Promise<EngineConnection>;
  mapping: (settings: Settings) => Mapping;
  /** None: `/v1` answers 403, unless {@linkcode openOnLoopback}. */
  tokens: readonly ApiToken[];
  /**
   * Serve without a token. Only for a server that listens on loopback and nowhere else: then the
   * Host header must be loopback and a foreign Origin is refused. @default {false}
   */
  openOnLoopback?: boolean;
  clock: Clock;
  host: Host;
  log: Services["log"];
  /** Masks secrets in everything that leaves. */
  redact: (text: string) => string;
  version: string;
  /** Called when a run stops for now (report files); its failure is logged. */
  onOutcome?: (outcome: WorkOutcome, settings: Settings) => Promise<void>;
  /**
   * Called once per persisted event of runs in this process (webhooks), without waiting for the one
   * before; its failure is logged. After `closing` it has seconds, not minutes.
   */
  onEvent?: (event: EventRow, closing: AbortSignal) => Promise<void>;
  /** Durations of units of work by name: buckets count values up to each bound (seconds). */
  units?: () => {
    bounds: readonly number[];
    durations: ReadonlyMap<string, { count: number; sumS: number; buckets: number[] }>;
  };
  /** Resident memory in bytes, for metrics. */
  memoryBytes?: () => number;
  /** How often the event table is read while somebody listens, ms. @default {500} */
  pollMs?: number;
  /** Requests per client and minute. @default {1200} */
  requestsPerMinute?: number;
  /** Listeners of event streams, at most. @default {1000} */
  maxListeners?: number;
}

/** Who sent a request. */
export interface Actor {
  name: string;
  role: Role;
}

/** Values that middleware leaves for handlers. */
export interface AppEnv {
  // Bindings depend on the host; only the client's address is looked for.
  // deno-lint-ignore no-explicit-any
  Bindings: any;
  Variables: { requestId: string; actor: Actor };
}
