/** Executions by position: generated on demand, changed rows kept. @module */
import { hashNumbers, hashText, type Random } from "../../simulator_kit/mod.ts";
import { type Context, FIRST_ID, LAST_CHANGE_MS } from "./context.ts";
import { customFields } from "./custom_fields.ts";
import { EMPTY_CYCLE } from "./cycles.ts";
import type { Lookups } from "./lookups.ts";
import { ACCOUNTS, iso, sometimes } from "./people.ts";
import { richText } from "./texts.ts";
import type {
  SimCase,
  SimCustomFields,
  SimCycle,
  SimExecution,
  SimExecutionTable,
  SimIssueLink,
  SimLinkType,
} from "./types.ts";

type Pair = { cycleId: number | null; caseKey: string };
type RowSource = {
  length: number;
  at(index: number): SimExecution;
  pairAt(index: number): Pair;
  idAt(index: number): number;
};

const RELATIONS: SimLinkType[] = ["COVERAGE", "BLOCKS", "RELATED"];
const FIRST_LINK_ID = 8_000_000_000;

/** A table over given rows, which must be in ascending order of id. */
export function createExecutionTable(rows: SimExecution[]): SimExecutionTable {
  const at = (index: number): SimExecution => rows[index] as SimExecution;
  return new Table({
    length: rows.length,
    at,
    pairAt: at,
    idAt: (index) => at(index).id,
  });
}

/** A table whose rows follow from the seed and their position alone. */
export function generateExecutions(
  context: Context,
  cases: SimCase[],
  cycles: SimCycle[],
  lookups: Lookups,
): SimExecutionTable {
  return new Table(new GeneratedRows(context, cases, cycles, lookups));
}

class Table implements SimExecutionTable {
  #base: RowSource;
  #changed = new Map<number, SimExecution>();
  #added: SimExecution[] = [];

  constructor(base: RowSource) {
    this.#base = base;
  }

  get length(): number {
    return this.#base.length + this.#added.length;
  }

  #kept(index: number): SimExecution | undefined {
    if (!(index >= 0 && index < this.#base.length + this.#added.length)) {
      throw new RangeError(`No execution at ${index}`);
    }
    if (index >= this.#base.length) {
      return this.#changed.get(index) ?? this.#added[index - this.#base.length];
    }
    return this.#changed.size === 0 ? undefined : this.#changed.get(index);
  }

  at(index: number): SimExecution {
    return this.#kept(index) ?? this.#base.at(index);
  }

  pairAt(index: number): Pair {
    return this.#kept(index) ?? this.#base.pairAt(index);
  }

  idAt(index: number): number {
    return this.#kept(index)?.id ?? this.#base.idAt(index);
  }

  indexOf(id: number): number {
    let low = 0;
    let high = this.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.idAt(middle);
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  push(row: SimExecution): void {
    if (this.length > 0 && row.id <= this.idAt(this.length - 1)) {
      throw new RangeError(`Execution id ${row.id} is not the largest`);
    }
    this.#added.push(row);
  }

  replace(index: number, row: SimExecution): void {
    this.#kept(index);
    this.#changed.set(index, row);
  }

  *[Symbol.iterator](): Iterator<SimExecution> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

class GeneratedRows implements RowSource {
  readonly length: number;
  #context: Context;
  #seed: number;
  #active: SimCase[];
  #archived: SimCase[];
  #foreign: SimCase[];
  #byKey: Map<string, SimCase>;
  #cycles: SimCycle[];
  #statuses: { id: number; name: string }[];
  #weights: number[];
  #environments: number[];
  #window: number;
  #comments: string[];
  #fields: SimCustomFields[];

  constructor(context: Context, cases: SimCase[], cycles: SimCycle[], lookups: Lookups) {
    const mine = (row: { projectId: number }): boolean => row.projectId === context.projectId;
    this.#context = context;
    this.#seed = hashNumbers(context.options.seed, hashText("executions"));
    this.length = context.options.executions;
    this.#active = cases.filter((row) => mine(row) && !row.archived);
    this.#archived = cases.filter((row) => mine(row) && row.archived);
    this.#foreign = cases.filter((row) => !mine(row));
    this.#byKey = new Map(cases.map((row) => [row.key, row]));
    this.#cycles = cycles.filter((_, index) => index !== EMPTY_CYCLE);
    this.#statuses = lookups.statuses.filter((row) => mine(row) && row.type === "TEST_EXECUTION");
    this.#weights = this.#statuses.map((_, index) => [12, 4, 50, 15, 5][index] ?? 1);
    this.#environments = lookups.environments.filter(mine).map((row) => row.id);
    const texts = context.random("comments");
    this.#comments = Array.from({ length: 100 }, () => richText(texts, 0));
    this.#fields = Array.from({ length: 100 }, () => customFields(texts, "execution"));
    this.#window = Math.max(5, Math.ceil((this.length / this.#cycles.length) * 0.9));
  }

  idAt(index: number): number {
    return FIRST_ID + index * 3 + (hashNumbers(this.#seed, index, 1) % 3);
  }

  /** One in five repeats the pair before it: a re-run. */
  pairAt(index: number): Pair {
    const source = index > 0 && hashNumbers(this.#seed, index, 2) % 5 === 0 ? index - 1 : index;
    const cycle = hashNumbers(this.#seed, source, 3) % this.#cycles.length;
    const cycleId = source % 50 === 7 ? null : this.#cycles[cycle]?.id ?? null;
    return { cycleId, caseKey: this.#caseKey(source, cycle) };
  }

  #caseKey(index: number, cycle: number): string {
    const draw = hashNumbers(this.#seed, index, 4);
    const from = index % 50 === 21 ? this.#archived : index % 50 === 33 ? this.#foreign : [];
    const other = from[draw % Math.max(1, from.length)];
    if (other !== undefined) return other.key;
    if (index % 100 === 41) return `${this.#context.options.projectKey}-T99${draw % 7}99`;
    const at = (cycle * 37 + (draw % this.#window)) % Math.max(1, this.#active.length);
    return this.#active[at]?.key ?? `${this.#context.options.projectKey}-T99999`;
  }

  at(index: number): SimExecution {
    const random = this.#context.random("execution", index);
    const pair = this.pairAt(index);
    const testCase = this.#byKey.get(pair.caseKey);
    const versions = testCase?.versionIds ?? [FIRST_ID + 900_000_000];
    const version = random.chance(0.8) ? versions.length : random.int(1, versions.length);
    // The first ones walk through all statuses, so that each occurs.
    const which = index < this.#statuses.length ? index : random.weighted(this.#weights);
    const status = this.#statuses[which] ?? { id: FIRST_ID, name: "" };
    const open = which === 0;
    const endMs = LAST_CHANGE_MS - random.int(0, 60_000_000) * 1000;
    const endDate = open || random.chance(0.06)
      ? (random.chance(0.5) ? null : undefined)
      : iso(endMs);
    const id = this.idAt(index);
    return {
      id,
      key: random.chance(0.03) ? undefined : `${this.#context.options.projectKey}-E${index + 1}`,
      projectId: this.#context.projectId,
      caseKey: pair.caseKey,
      version,
      versionId: versions[version - 1] ?? FIRST_ID,
      cycleId: pair.cycleId,
      statusId: status.id,
      environmentId: sometimes(random, random.pick(this.#environments), 0.4),
      jiraVersionId: sometimes(random, 10_000 + random.int(1, 8), 0.6),
      actualEndDate: endDate,
      estimatedTime: sometimes(random, random.int(1, 60) * 60_000, 0.5),
      executionTime: open ? null : sometimes(random, random.int(1, 7_200_000), 0.3),
      executedById: open ? null : sometimes(random, random.pick(ACCOUNTS), 0.1) || null,
      assignedToId: sometimes(random, random.pick(ACCOUNTS), 0.3) || null,
      comment: sometimes(random, this.#comment(random), 0.6),
      automated: random.chance(0.2),
      customFields: this.#context.lean
        ? random.pick(this.#fields)
        : customFields(random, "execution"),
      issues: this.#issues(index, random.chance(this.#context.lean ? 0 : 0.1)),
      updatedAt: endMs,
    };
  }

  /** Lean rows take their texts from a small stock: benchmarks ask for half a million. */
  #comment(random: Random): string {
    return this.#context.lean ? random.pick(this.#comments) : richText(random);
  }

  #issues(index: number, any: boolean): SimIssueLink[] {
    if (!any) return [];
    return Array.from({ length: 1 + (index % 2) }, (_, n) => ({
      id: FIRST_LINK_ID + index * 4 + n,
      issueId: 305_000 + (index % 500),
      type: RELATIONS[(index + n) % 3] ?? "RELATED",
    }));
  }
}
