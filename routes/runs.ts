/** Reading runs for routes: one look at the store for many askers. @module */
import {
  endsOf,
  outlook,
  readRunFigures,
  readRunStatus,
  type RunFigures,
  type RunStatus,
} from "../core/engine/status.ts";
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
  figures: Promise<RunFigures>;
}

const SYSTEMS = ["source", "target"] as const;
/** Fresh enough for people, rare enough not to slow the engine down. */
const MIN_AGE_MS = 500;
/** Counting may take this share of the time, at most. */
const MAX_SHARE = 0.1;
/** Runs whose figures are kept. */
const MAX_CACHED = 100;

export class RunReader {
  readonly #services: ControlPlaneServices;
  readonly #pool: RunPool;
  readonly #feed: EventFeed;
  readonly #cache = new Map<string, Cached>();
  #scopes: ReadonlyMap<number, Scope> = new Map();

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
      : (await this.scopes(store, run.scopeId)).get(run.scopeId);
    if (run === null || scope === undefined) {
      throw new Problem(404, "There is no run of that id", {
        hint: "GET /v1/migrations lists the runs.",
      });
    }
    return { store, run, scope };
  }

  /** All pairs of projects by id; read again when `wanted` is not among them. Pairs never change. */
  async scopes(store: Store, wanted: number): Promise<ReadonlyMap<number, Scope>> {
    if (!this.#scopes.has(wanted)) {
      this.#scopes = new Map((await store.scopes()).map((scope) => [scope.id, scope]));
    }
    return this.#scopes;
  }

  /** Everything about one run; figures may be a moment old, state, reason and limits never are. */
  async document({ store, run, scope }: FoundRun): Promise<RunDocument> {
    const figures = await this.#figures(store, run);
    const status = await readRunStatus({ ...this.#services, store }, run, scope, figures);
    const progress = this.#pool.migratorOf(run.id)?.progress() ?? this.#feed.stagesOf(run.id);
    return {
      ...status,
      limits: { ...status.limits, schedule: this.#windowOf(run.id, status.limits) },
      quota: this.#pool.quotaOf(run.id),
      progress,
      ...outlook(progress),
    };
  }

  /** The time window whose rates are in force; null when none is, or somebody changed them by hand. */
  #windowOf(runId: string, limits: RunStatus["limits"]): string | null {
    const scheduled = this.#pool.scheduledRatesOf(runId);
    const isInForce = SYSTEMS.some((system) =>
      limits[system].requestsPerMinute === scheduled?.[system]
    );
    return isInForce ? scheduled?.reason ?? null : null;
  }

  async #figures(store: Store, run: Run): Promise<RunFigures> {
    const { clock } = this.#services;
    const now = clock.monotonic();
    const cached = this.#cache.get(run.id);
    const maxAge = Math.max(MIN_AGE_MS, (cached?.costMs ?? 0) / MAX_SHARE);
    if (cached?.updatedAt === run.updatedAt && now - cached.at < maxAge) {
      return await cached.figures;
    }
    const entry: Cached = {
      at: now,
      updatedAt: run.updatedAt,
      costMs: cached?.costMs ?? 0,
      figures: readRunFigures(store, run).then((figures) => {
        entry.costMs = clock.monotonic() - now;
        return figures;
      }),
    };
    entry.figures.catch(() => this.#cache.delete(run.id));
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(run.id, entry);
    return await entry.figures;
  }

  /** Records of a run that are finished, as of a moment ago. */
  async finished(store: Store, run: Run): Promise<number> {
    const { counts } = await this.#figures(store, run);
    return Object.values(counts).reduce(
      (sum, { created, updated, unchanged, withoutTarget, setAside }) =>
        sum + created + updated + unchanged + withoutTarget + setAside,
      0,
    );
  }

  /** The short form, for lists. */
  async summary(store: Store, run: Run, scope: Scope): Promise<RunSummaryDocument> {
    const isOpen = WORKING.includes(run.state);
    const held = isOpen && isHeld(await store.leaseOf(scope.id), this.#services);
    const { state, phases, result, createdAt, updatedAt, completedAt } = run;
    return {
      runId: run.id,
      state,
      interrupted: isOpen && !held,
      result,
      reason: held ? null : run.reason,
      phases,
      createdAt,
      updatedAt,
      completedAt,
      workedMs: Math.round(run.workedMs),
      ...endsOf(scope),
    };
  }
}
