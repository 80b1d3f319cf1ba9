/** What the routes of one simulator share. @module */
import { ApiError, notFound, type Query } from "./answers.ts";
import { cursorPage, hashOrdered, offsetPage, type RowSet } from "./paging.ts";
import type { Settings } from "./settings.ts";
import type {
  SimCase,
  SimCycle,
  SimExecution,
  SimPlan,
  SimProject,
  ZephyrDataset,
} from "./types.ts";
import type { Wire } from "./wire.ts";

/** Rows of one kind, in ascending order of id. */
export interface Rows {
  name: string;
  length: number;
  idAt(position: number): number;
  render(position: number): string;
}

/** Content, settings and cached selections of one simulator. */
export class SimulatorState {
  readonly dataset: ZephyrDataset;
  readonly settings: Settings;
  readonly wire: Wire;
  /** URL up to and including `/v2`. */
  readonly base: string;
  readonly deletedExecutions = new Set<number>();
  #cache = new Map<string, { positions: Uint32Array; ordered: Uint32Array | null }>();

  constructor(dataset: ZephyrDataset, settings: Settings, wire: Wire, base: string) {
    this.dataset = dataset;
    this.settings = settings;
    this.wire = wire;
    this.base = base;
  }

  /** To be called after every change of content: lists are selected anew. */
  touch(): void {
    this.#cache.clear();
  }

  /** Answers a list in the offset way; `filter` names the selection, `keep` makes it. */
  offsetList(
    rows: Rows,
    request: { path: string; query: Query; filter: string; cap?: number },
    keep: (position: number) => boolean,
  ): Response {
    const entry = this.#select(rows, request.filter, keep);
    const set: RowSet = { positions: entry.positions, idAt: rows.idAt, render: rows.render };
    if (entry.ordered === null) {
      entry.ordered = this.settings.hashOrder
        ? hashOrdered(set, this.settings.seed)
        : entry.positions;
    }
    return this.#send(offsetPage(set, entry.ordered, {
      query: request.query,
      settings: this.settings,
      url: `${this.base}${request.path}`,
      cap: request.cap ?? this.settings.pageCap,
    }));
  }

  /** Answers a list in the cursor way. */
  cursorList(
    rows: Rows,
    request: { path: string; query: Query; filter: string },
    keep: (position: number) => boolean,
  ): Response {
    const { positions } = this.#select(rows, request.filter, keep);
    return this.#send(cursorPage({ positions, idAt: rows.idAt, render: rows.render }, {
      query: request.query,
      settings: this.settings,
      url: `${this.base}${request.path}`,
      cap: this.settings.pageCap,
    }));
  }

  /** A list in its given order, never reordered: steps, versions. */
  plainList(
    path: string,
    query: Query,
    values: readonly unknown[],
    cap = this.settings.pageCap,
  ): Response {
    const positions = Uint32Array.from(values, (_, index) => index);
    const set = { positions, idAt: Number, render: (at: number) => JSON.stringify(values[at]) };
    const page = { query, settings: this.settings, url: `${this.base}${path}`, cap };
    return this.#send(offsetPage(set, positions, page));
  }

  #send(body: string): Response {
    if (body.length > this.settings.maxAnswerBytes) {
      return Response.json({ message: "Internal server error" }, { status: 502 });
    }
    return new Response(body, { headers: { "content-type": "application/json" } });
  }

  #select(
    rows: Rows,
    filter: string,
    keep: (position: number) => boolean,
  ): { positions: Uint32Array; ordered: Uint32Array | null } {
    const key = `${rows.name} ${filter}`;
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const positions = new Uint32Array(rows.length);
    let count = 0;
    for (let i = 0; i < rows.length; i++) if (keep(i)) positions[count++] = i;
    const entry = { positions: positions.subarray(0, count), ordered: null };
    if (this.#cache.size >= 32) this.#cache.delete(this.#cache.keys().next().value ?? "");
    this.#cache.set(key, entry);
    return entry;
  }

  /** The project a list is asked for; null = all. Throws 404 for unknown and disabled ones. */
  project(query: Query): SimProject | null {
    const key = query.projectKey();
    if (key === null) return null;
    const found = this.dataset.projects.find((row) => row.key === key);
    if (found === undefined || !found.enabled) throw notFound("Project");
    return found;
  }

  /** A case that can be read; throws 400 for what is no key, 404 for archived and unknown ones. */
  testCase(key: string): SimCase {
    if (!/.+-T[0-9]+$/.test(key)) throw new ApiError(400, `testCaseKey: '${key}' is not a key`);
    const row = this.dataset.caseByKey(key);
    if (row === undefined || row.archived) throw notFound("Test case");
    return row;
  }

  cycle(idOrKey: string): SimCycle {
    return this.#byIdOrKey(this.dataset.cycles, idOrKey, /.+-R[0-9]+$/, "Test cycle");
  }

  plan(idOrKey: string): SimPlan {
    return this.#byIdOrKey(this.dataset.plans, idOrKey, /.+-P[0-9]+$/, "Test plan");
  }

  #byIdOrKey<T extends { id: number; key: string }>(
    rows: T[],
    idOrKey: string,
    key: RegExp,
    what: string,
  ): T {
    if (!/^[0-9]+$/.test(idOrKey) && !key.test(idOrKey)) {
      throw new ApiError(400, `'${idOrKey}' is neither an id nor a key`);
    }
    const found = rows.find((row) => row.key === idOrKey || String(row.id) === idOrKey);
    if (found === undefined) throw notFound(what);
    return found;
  }

  execution(idOrKey: string): SimExecution {
    const { executions, project } = this.dataset;
    if (/^[0-9]+$/.test(idOrKey)) {
      const at = executions.indexOf(Number(idOrKey));
      if (at < 0 || this.deletedExecutions.has(Number(idOrKey))) throw notFound("Test execution");
      return executions.at(at);
    }
    const number = new RegExp(`^${project.key}-E([0-9]+)$`).exec(idOrKey)?.[1];
    if (!/.+-E[0-9]+$/.test(idOrKey)) {
      throw new ApiError(400, `'${idOrKey}' is neither an id nor a key`);
    }
    // Generated keys count up with the position; rows of a file are looked through.
    const guess = Number(number ?? 0) - 1;
    const candidates = guess >= 0 && guess < executions.length ? [guess] : [];
    for (const at of [...candidates, ...Array(executions.length).keys()]) {
      const row = executions.at(at);
      if (row.key === idOrKey && !this.deletedExecutions.has(row.id)) return row;
    }
    throw notFound("Test execution");
  }
}
