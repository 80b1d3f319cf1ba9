/** Reading runs for routes: one look at the store for many askers. @module */
import { endsOf, outlook, readRunStatus } from "../core/engine/status.ts";
import { isHeld, WORKING } from "../core/engine/steer.ts";
import type { Run, Scope, Store } from "../core/ports/mod.ts";
import type { z } from "@hono/zod-openapi";
import type { EventFeed } from "./feed.ts";
import type { RunPool } from "./pool.ts";
import { Problem } from "./problem.ts";
import type { runSchema, runSummarySchema } from "./schemas.ts";
import type { ControlPlaneServices } from "./services.ts";

export type RunDocument = z.infer<typeof runSchema>;
export type RunSummaryDocument = z.infer<typeof runSummarySchema>;

/** A run, its pair of projects, and the store both are in. */
export interface FoundRun {
  store: Store;
  run: Run;
  scope: Scope;
}

interface Cached {
  at: number;
  updatedAt: string;
  costMs: number;
  document: Promise<RunDocument>;
}

/** Fresh enough for people, rare enough not to slow the engine down. */
const MIN_AGE_MS = 500;
/** A look may cost this share of the time, at most. */
const MAX_SHARE = 0.05;

export class RunReader {
  readonly #services: ControlPlaneServices;
  readonly #pool: RunPool;
  readonly #feed: EventFeed;
  readonly #cache = new Map<string, Cached>();

  constructor(services: ControlPlaneServices, pool: RunPool, feed: EventFeed) {
    this.#services = services;
    this.#pool = pool;
    this.#feed = feed;
  }

  /** Finds a run. @throws {Problem} 404 */
  async need(runId: string): Promise<FoundRun> {
    const store = await this.#services.store();
    const run = await store.run(runId);
    const scope = run === null
      ? undefined
      : (await store.scopes()).find(({ id }) => id === run.scopeId);
    if (run === null || scope === undefined) {
      throw new Problem(404, "There is no run of that id", {
        hint: "GET /v1/migrations lists the runs.",
      });
    }
    return { store, run, scope };
  }

  /** Everything about one run; counts may be a moment old, state and reason never are. */
  async document(found: FoundRun): Promise<RunDocument> {
    const { run, scope } = found;
    const now = this.#services.clock.monotonic();
    const cached = this.#cache.get(run.id);
    const maxAge = Math.max(MIN_AGE_MS, (cached?.costMs ?? 0) / MAX_SHARE);
    if (cached !== undefined && cached.updatedAt === run.updatedAt && now - cached.at < maxAge) {
      return this.#withLive(await cached.document, run.id);
    }
    const entry: Cached = {
      at: now,
      updatedAt: run.updatedAt,
      costMs: cached?.costMs ?? 0,
      document: readRunStatus({ ...this.#services, store: found.store }, run, scope).then(
        (status) => {
          entry.costMs = this.#services.clock.monotonic() - now;
          return this.#withLive(status, run.id);
        },
      ),
    };
    entry.document.catch(() => this.#cache.delete(run.id));
    this.#cache.set(run.id, entry);
    return await entry.document;
  }

  /** Forgets what it knew of a run: something was asked of it. */
  changed(runId: string): void {
    this.#cache.delete(runId);
  }

  /** The short form, for lists. */
  async summary(store: Store, run: Run, scope: Scope): Promise<RunSummaryDocument> {
    const isOpen = WORKING.includes(run.state);
    const held = isOpen && isHeld(await store.leaseOf(scope.id), this.#services);
    const { state, phases, result, reason, createdAt, updatedAt, completedAt } = run;
    return {
      runId: run.id,
      state,
      interrupted: isOpen && !held,
      result,
      reason,
      phases,
      createdAt,
      updatedAt,
      completedAt,
      workedMs: Math.round(run.workedMs),
      ...endsOf(scope),
    };
  }

  #withLive(
    status: Omit<RunDocument, "progress" | "rate" | "etaMs" | "waiting" | "limits"> & {
      limits: Omit<RunDocument["limits"], "schedule">;
    },
    runId: string,
  ): RunDocument {
    const progress = this.#pool.migratorOf(runId)?.progress() ?? this.#feed.stagesOf(runId);
    return {
      ...status,
      limits: { ...status.limits, schedule: this.#pool.rateReasonOf(runId) },
      progress,
      ...outlook(progress),
    };
  }
}
