/** `/metrics` in the Prometheus text format; holds nothing secret. @module */
import type { MiddlewareHandler } from "hono";
import { isHeld, OVER, WORKING } from "../core/engine/steer.ts";
import type { Run, Store } from "../core/ports/mod.ts";
import type { Plane } from "./context.ts";
import type { AppEnv } from "./services.ts";

type Labels = Readonly<Record<string, string | number>>;

/** One page of metrics; samples of a name stand together under its help. */
export class MetricsPage {
  readonly #families = new Map<string, { help: string; type: string; lines: string[] }>();

  add(
    name: string,
    type: "counter" | "gauge" | "histogram",
    help: string,
    value: number,
    labels: Labels = {},
    suffix = "",
  ): void {
    const family = this.#families.get(name) ?? { help, type, lines: [] };
    const inner = Object.entries(labels).map(([key, text]) => `${key}="${escape(String(text))}"`);
    const tail = inner.length === 0 ? "" : `{${inner.join(",")}}`;
    family.lines.push(`${name}${suffix}${tail} ${Number.isFinite(value) ? value : "+Inf"}`);
    this.#families.set(name, family);
  }

  text(): string {
    return [...this.#families].map(([name, { help, type, lines }]) =>
      `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`
    ).join("");
  }
}

function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** Upper bounds of the durations of our own routes, seconds. */
const BOUNDS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Anybody may invent a method: each would be a label that stays. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Counts requests to the control plane itself. */
export class HttpMetrics {
  readonly #requests = new Map<string, { labels: Labels; count: number }>();
  readonly #buckets = BOUNDS_S.map(() => 0);
  #count = 0;
  #sumS = 0;

  middleware(monotonic: () => number): MiddlewareHandler<AppEnv> {
    const observe = this.#observe.bind(this);
    return async function httpMetrics(c, next): Promise<void> {
      const startedAt = monotonic();
      await next();
      // The last matching handler is the route; its pattern keeps the labels few.
      const pattern = c.req.matchedRoutes.findLast(({ path }) => !path.includes("*"))?.path;
      const method = METHODS.has(c.req.method) ? c.req.method : "other";
      const labels = { method, route: pattern ?? "other", status: c.res.status };
      observe(labels, (monotonic() - startedAt) / 1_000);
    };
  }

  #observe(labels: Labels, seconds: number): void {
    const key = JSON.stringify(labels);
    const entry = this.#requests.get(key) ?? { labels, count: 0 };
    entry.count++;
    this.#requests.set(key, entry);
    this.#count++;
    this.#sumS += seconds;
    BOUNDS_S.forEach((bound, index) => {
      if (seconds <= bound) this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    });
  }

  write(page: MetricsPage): void {
    for (const { labels, count } of this.#requests.values()) {
      page.add(
        "ztoq_http_requests_total",
        "counter",
        "Requests to the control plane",
        count,
        labels,
      );
    }
    const name = "ztoq_http_request_seconds";
    const help = "Time until the control plane answered";
    BOUNDS_S.forEach((bound, index) => {
      page.add(name, "histogram", help, this.#buckets[index] ?? 0, { le: bound }, "_bucket");
    });
    page.add(name, "histogram", help, this.#count, { le: "+Inf" }, "_bucket");
    page.add(name, "histogram", help, this.#sumS, {}, "_sum");
    page.add(name, "histogram", help, this.#count, {}, "_count");
  }
}

/** How long what is read from the store stays good, ms: scrapers come in pairs. */
const STORE_AGE_MS = 2_000;

/** After that much quiet the counts of a run that is over are taken as final, until it changes. */
const QUIET_MS = 600_000;

/** Collects everything; a store that cannot be reached leaves its part out and says so. */
export class Metrics {
  readonly http = new HttpMetrics();
  readonly #plane: Plane;
  readonly #counts = new RequestCounts();
  #stored: { at: number; write: (page: MetricsPage) => void } | null = null;

  constructor(plane: Plane) {
    this.#plane = plane;
  }

  async render(): Promise<string> {
    const { services, pool, feed } = this.#plane;
    const page = new MetricsPage();
    page.add("ztoq_info", "gauge", "Version", 1, { version: services.version });
    page.add(
      "ztoq_event_listeners",
      "gauge",
      "Listeners of event streams",
      feed.listeners,
    );
    page.add("ztoq_runs_working", "gauge", "Runs in this process", pool.connections().length);
    page.add("ztoq_event_loop_lag_seconds", "gauge", "Delay of a timer", await this.#lag());
    const bytes = services.memoryBytes?.();
    if (bytes !== undefined) {
      page.add("process_resident_memory_bytes", "gauge", "Resident memory", bytes);
    }
    this.http.write(page);
    this.#traffic(page);
    this.#units(page);
    await this.#store(page);
    return page.text();
  }

  #units(page: MetricsPage): void {
    const units = this.#plane.services.units?.();
    if (units === undefined) return;
    const name = "ztoq_unit_duration_seconds";
    const help = "Time a unit of work took, waiting for slots included";
    for (const [unit, { count, sumS, buckets }] of units.durations) {
      units.bounds.forEach((le, index) => {
        page.add(name, "histogram", help, buckets[index] ?? 0, { unit, le }, "_bucket");
      });
      page.add(name, "histogram", help, count, { unit, le: "+Inf" }, "_bucket");
      page.add(name, "histogram", help, sumS, { unit }, "_sum");
      page.add(name, "histogram", help, count, { unit }, "_count");
    }
  }

  async #lag(): Promise<number> {
    const { clock } = this.#plane.services;
    const startedAt = clock.monotonic();
    await clock.sleep(0);
    return Math.max(0, clock.monotonic() - startedAt) / 1_000;
  }

  /** What only this process knows: queues and waits of the limiters. */
  #traffic(page: MetricsPage): void {
    const sums = { source: { queued: 0, retried: 0 }, target: { queued: 0, retried: 0 } };
    for (const { traffic } of this.#plane.pool.connections()) {
      for (const system of ["source", "target"] as const) {
        const stats = traffic?.[system].stats();
        if (stats === undefined) continue;
        sums[system].queued += stats.queued;
        sums[system].retried += stats.retried;
        if (stats.monthRemaining !== null) {
          const help = "Requests left this month, as the vendor last said";
          page.add("ztoq_month_remaining", "gauge", help, stats.monthRemaining, { system });
        }
      }
    }
    for (const system of ["source", "target"] as const) {
      const labels = { system };
      page.add("ztoq_queue", "gauge", "Attempts waiting for a slot", sums[system].queued, labels);
      page.add(
        "ztoq_retries",
        "gauge",
        "Attempts repeated, working runs",
        sums[system].retried,
        labels,
      );
    }
  }

  async #store(page: MetricsPage): Promise<void> {
    const { services } = this.#plane;
    const now = services.clock.monotonic();
    try {
      if (this.#stored === null || now - this.#stored.at > STORE_AGE_MS) {
        const store = await services.store();
        this.#stored = { at: now, write: await readStore(this.#plane, store, this.#counts) };
      }
      this.#stored.write(page);
      page.add("ztoq_store_up", "gauge", "Whether the store answers", 1);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      services.log({ level: "warning", event: "metrics.storeUnreadable", data: { message } });
      page.add("ztoq_store_up", "gauge", "Whether the store answers", 0);
    }
  }
}

type CountRows = Awaited<ReturnType<Store["requestCounts"]>>;

/** Requests of all runs: a counter that left old runs out would run backwards. */
class RequestCounts {
  /** Counts of runs that nothing works on, by their last change. */
  readonly #settled = new Map<string, { updatedAt: string; rows: CountRows }>();

  async sum(
    store: Store,
    runs: readonly Run[],
    now: number,
  ): Promise<Map<string, { labels: Labels; count: number }>> {
    const sums = new Map<string, { labels: Labels; count: number }>();
    for (const run of runs) {
      for (const { system, route, status, count } of await this.#rowsOf(store, run, now)) {
        const key = `${system} ${route} ${status}`;
        const entry = sums.get(key) ?? { labels: { system, route, status }, count: 0 };
        entry.count += count;
        sums.set(key, entry);
      }
    }
    return sums;
  }

  async #rowsOf(store: Store, run: Run, now: number): Promise<CountRows> {
    const { id, state, updatedAt } = run;
    const known = this.#settled.get(id);
    if (known?.updatedAt === updatedAt) return known.rows;
    const rows = await store.requestCounts(id);
    const isQuiet = OVER.includes(state) && now - Date.parse(updatedAt) > QUIET_MS;
    if (isQuiet) this.#settled.set(id, { updatedAt, rows });
    return rows;
  }
}

async function readStore(
  { services }: Plane,
  store: Store,
  counts: RequestCounts,
): Promise<(page: MetricsPage) => void> {
  const runs = await store.runs(null);
  const requests = await counts.sum(store, runs, services.clock.now());
  const scopes = await Promise.all((await store.scopes()).map(async (scope) => ({
    labels: { source: scope.sourceProject, target: scope.targetProject },
    held: isHeld(await store.leaseOf(scope.id), services),
    newest: runs.find((run) => run.scopeId === scope.id) ?? null,
    targets: await store.countTargets(scope.id),
    losses: await store.countLosses(scope.id),
    issues: await store.countIssues(scope.id),
  })));
  return (page) => {
    for (const { labels, count } of requests.values()) {
      page.add(
        "ztoq_requests_total",
        "counter",
        "Requests to both systems, all runs",
        count,
        labels,
      );
    }
    for (const [state, count] of tally(runs, (run) => run.state)) {
      page.add("ztoq_runs", "gauge", "Runs per state", count, { state });
    }
    for (const { labels, held, newest, targets, losses, issues } of scopes) {
      if (newest !== null) {
        const seconds = newest.workedMs / 1_000;
        page.add("ztoq_run_worked_seconds", "gauge", "Work on the newest run", seconds, labels);
        const isLost = WORKING.includes(newest.state) && !held ? 1 : 0;
        page.add("ztoq_run_interrupted", "gauge", "Whether its owner is gone", isLost, labels);
      }
      const help = "Artefacts per kind and state; inDoubt: outcome of a write is unknown";
      for (
        const [key, count] of tally(
          targets,
          ({ kind, state }) => `${kind} ${state}`,
          (row) => row.count,
        )
      ) {
        const [kind = "", state = ""] = key.split(" ");
        page.add("ztoq_artefacts", "gauge", help, count, { ...labels, kind, state });
      }
      for (const [rule, count] of Object.entries(losses)) {
        page.add("ztoq_losses", "gauge", "Values without a place", count, { ...labels, rule });
      }
      const aside = issues.filter(({ setAside }) => setAside);
      for (const [kind, count] of tally(aside, (row) => row.kind, (row) => row.count)) {
        page.add("ztoq_set_aside", "gauge", "Records set aside", count, { ...labels, kind });
      }
    }
  };
}

function tally<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  countOf: (row: T) => number = () => 1,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(keyOf(row), (sums.get(keyOf(row)) ?? 0) + countOf(row));
  return sums;
}
