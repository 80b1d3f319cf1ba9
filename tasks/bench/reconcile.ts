/** How many requests it takes to find out what became of creates whose answers were lost. @module */
import type { Summary } from "../../core/report/model.ts";
import { type Fate, type Passing, startFront } from "./front.ts";
import { type BenchContent, startBench } from "./world.ts";

/** Creates of each kind, by the last part of their route. */
const KINDS: Readonly<Record<string, string>> = {
  "/modules": "module",
  "/test-cycles": "testCycle",
  "/test-cases": "testCase",
  "/test-suites": "testSuite",
  "/test-runs": "testRun",
  "/test-logs": "testLog",
  "/blob-handles": "attachment",
};

export interface ReconcileFigures {
  kind: string;
  pattern: Pattern;
  /** Creates that were carried out and not answered. */
  inDoubt: number;
  /** Containers that they went into. */
  parents: number;
  /** Requests beyond those of a migration that loses nothing. */
  extra: number;
  perRecord: number;
  exitCode: number;
}

/**
 * Which answers get lost: many in a row, many in a row that go into one container, or one here and
 * there.
 */
type Pattern = "outage" | "one parent" | "scattered";

const CONTENT: BenchContent = {
  cases: 80,
  executions: 160,
  folders: 3,
  content: "demo",
  requestsPerMinute: 6_000,
  target: { timeoutMs: 3_000, settleMs: 1_000 },
};
const IN_A_ROW = 32;
const EVERY = 8;

/** Loses answers of one kind at a time, after the create was carried out. */
export async function measureReconcile(
  onFigures: (figures: ReconcileFigures) => void,
): Promise<void> {
  const calm = await requestsOf(() => "pass");
  for (const [route, kind] of Object.entries(KINDS)) {
    for (const pattern of ["outage", "one parent", "scattered"] as const) {
      const loser = new Loser(route, pattern);
      const lost = await requestsOf((request) => loser.decide(request));
      const { inDoubt, parents } = loser;
      const extra = lost.total - calm.total;
      const perRecord = inDoubt === 0 ? 0 : extra / inDoubt;
      const { exitCode } = lost;
      onFigures({ kind, pattern, inDoubt, parents: parents.size, extra, perRecord, exitCode });
    }
  }
}

class Loser {
  readonly #route: string;
  readonly #pattern: Pattern;
  readonly parents = new Set<string>();
  inDoubt = 0;
  #seen = 0;

  constructor(route: string, pattern: Pattern) {
    this.#route = route;
    this.#pattern = pattern;
  }

  decide({ isCreate, route, parent }: Passing): Fate {
    if (!isCreate || route !== this.#route) return "pass";
    this.#seen++;
    if (!this.#mustLose(parent)) return "pass";
    this.inDoubt++;
    this.parents.add(parent);
    return "lose-answer";
  }

  #mustLose(parent: string): boolean {
    if (this.#pattern === "scattered") return this.#seen % EVERY === 0;
    const isOther = this.#pattern === "one parent" && !this.parents.has(parent);
    return this.inDoubt < IN_A_ROW && !(isOther && this.parents.size > 0);
  }
}

/** Requests to the target that a whole migration sends. */
async function requestsOf(
  decide: (request: Passing) => Fate,
): Promise<{ total: number; exitCode: number }> {
  const front = startFront(decide);
  const world = await startBench(CONTENT, front.before);
  try {
    const { stdout, code } = await world.start("migrate", "--json").output();
    const summary = JSON.parse(new TextDecoder().decode(stdout)) as Summary;
    return { total: summary.requests.target.total, exitCode: code };
  } finally {
    await front.close();
    await world.close();
  }
}
