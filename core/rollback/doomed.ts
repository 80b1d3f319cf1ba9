/** Which rows of the target map a rollback is about, and which of those stay all the same. @module */
import type { RunContext } from "../engine/stage.ts";
import { StopError } from "../errors.ts";
import { caseKeyOfRun } from "../load/prepare.ts";
import { OPTIONS_MARK } from "../load/fields.ts";
import type { TargetKind, TargetRow } from "../ports/mod.ts";
import { TARGET_KINDS } from "../ports/mod.ts";
import { LIST_KINDS, recordKey } from "../records/mod.ts";
import type { ListKind } from "../records/mod.ts";
import { rowName, shown, targetPages } from "./basis.ts";
import type { KeptArtefact } from "./types.ts";

type Ref = Pick<TargetRow, "kind" | "key">;

/** Artefacts of a record's own. */
const ROWS_OF: Partial<Record<ListKind, readonly TargetKind[]>> = {
  testCase: ["testCase"],
  testCycle: ["testSuite"],
  testPlan: ["release"],
  execution: ["testLog"],
  folder: ["module", "testCycle"],
};

/** The artefacts to take back: what the run created, all of it or what hangs on one record. */
export class Doom {
  readonly #runId: string;
  /** null = everything. */
  readonly #chosen: Set<string> | null;

  constructor(runId: string, chosen: Set<string> | null) {
    this.#runId = runId;
    this.#chosen = chosen;
  }

  /** Throws (exit 1) when the record named has no artefact. */
  static async of(ctx: RunContext, record: string | null): Promise<Doom> {
    return new Doom(ctx.run.id, record === null ? null : await chosenBy(ctx, record));
  }

  get isWhole(): boolean {
    return this.#chosen === null;
  }

  /** Made by the run, chosen, and in the target as far as the map knows. */
  has(row: TargetRow): boolean {
    return row.targetId !== null && row.origin === "created" && this.mayTouch(row) &&
      !row.key.includes(OPTIONS_MARK);
  }

  /** Rows of the run, or of the record whichever run made them, however they came to be. */
  mayTouch(row: TargetRow): boolean {
    return this.#chosen === null
      ? row.runId === this.#runId
      : row.runId !== null && this.#chosen.has(rowName(row));
  }
}

async function chosenBy(ctx: RunContext, record: string): Promise<Set<string>> {
  const chosen = new Set<string>();
  let open = await rowsNamed(ctx, record);
  if (open.length === 0) {
    throw new StopError(1, `Cannot roll back "${record}": the target map does not know it`, {
      hint: "`ztoq explain KEY` shows what was made from a record",
    });
  }
  while (open.length > 0) {
    for (const row of open) chosen.add(rowName(row));
    const below = await childrenOf(ctx, open);
    open = below.filter((row) => !chosen.has(rowName(row)));
  }
  return chosen;
}

/** Rows of the record with that identity or key. */
async function rowsNamed(ctx: RunContext, record: string): Promise<TargetRow[]> {
  const { store, scope } = ctx;
  const rows: TargetRow[] = [];
  const keys = new Set([record]);
  for (const hit of await store.search(scope.id, record, 50)) {
    const found = (await store.recordsByKey(scope.id, hit.kind, [hit.key])).get(hit.key);
    if (found !== undefined && "key" in found && found.key === record) keys.add(recordKey(found));
  }
  for (const kind of new Set(LIST_KINDS.flatMap((list) => ROWS_OF[list] ?? []))) {
    rows.push(...(await store.targetsByKey(scope.id, kind, [...keys])).values());
  }
  return rows;
}

/** Rows directly below others. */
export async function rowsBelow(
  ctx: Pick<RunContext, "store" | "scope">,
  rows: readonly TargetRow[],
): Promise<TargetRow[]> {
  const found: TargetRow[] = [];
  for (const parentKind of TARGET_KINDS) {
    const keys = rows.filter((row) => row.kind === parentKind).map((row) => row.key);
    if (keys.length === 0) continue;
    for (const kind of CHILD_KINDS[parentKind] ?? []) {
      found.push(...await ctx.store.targetChildren(ctx.scope.id, kind, parentKind, keys));
    }
  }
  return found;
}

/** Rows directly below others; the runs of a case count as its children. */
async function childrenOf(
  ctx: Pick<RunContext, "store" | "scope">,
  rows: readonly TargetRow[],
): Promise<TargetRow[]> {
  const found = await rowsBelow(ctx, rows);
  const cases = new Set(rows.flatMap((row) => row.kind === "testCase" ? row.key : []));
  if (cases.size === 0) return found;
  for await (const page of targetPages(ctx, "testRun")) {
    found.push(...page.filter((row) => cases.has(caseKeyOfRun(row.key))));
  }
  return found;
}

const CHILD_KINDS: Partial<Record<TargetKind, readonly TargetKind[]>> = {
  module: ["module", "testCase"],
  testCycle: ["testCycle", "testSuite"],
  testSuite: ["testRun"],
  testRun: ["testLog"],
  testCase: ["attachment"],
  testLog: ["attachment"],
  release: ["attachment"],
};

/** Doomed rows that stay, with everything that they stand in or stand on. */
export class Left {
  readonly #ctx: Pick<RunContext, "store" | "scope">;
  readonly #doom: Doom;
  readonly #kept = new Map<string, KeptArtefact>();

  constructor(ctx: Pick<RunContext, "store" | "scope">, doom: Doom) {
    this.#ctx = ctx;
    this.#doom = doom;
  }

  has(row: Ref): boolean {
    return this.#kept.has(rowName(row));
  }

  /** Rows of one kind that stay. */
  keys(kind: TargetKind): string[] {
    return this.list().filter((row) => row.kind === kind).map((row) => row.key);
  }

  list(): KeptArtefact[] {
    return [...this.#kept.values()];
  }

  /** Tells of something that stays and has no row of its own. */
  mention(artefact: KeptArtefact): void {
    this.#kept.set(rowName(artefact), artefact);
  }

  /** Whether a row is to be deleted. */
  mustGo(row: TargetRow): boolean {
    return this.#doom.has(row) && !this.has(row);
  }

  /** Keeps a row and its supports: ancestors, the case of a run, the release of a suite, called cases. */
  async keep(row: TargetRow, reason: string): Promise<void> {
    let open = [{ row, reason }];
    while (open.length > 0) {
      const next: typeof open = [];
      for (const { row, reason } of open) {
        if (!this.mustGo(row)) continue;
        const { kind, key, targetId } = row;
        this.#kept.set(rowName(row), { kind, key, targetId, reason });
        for (const support of await this.#supports(row)) {
          next.push({ row: support, reason: `${shown(row)} stays and needs it` });
        }
      }
      open = next;
    }
  }

  async #supports(row: TargetRow): Promise<TargetRow[]> {
    const refs: Ref[] = [];
    if (row.parentKind !== null && row.parentKey !== null) {
      refs.push({ kind: row.parentKind, key: row.parentKey });
    }
    if (row.kind === "testRun") refs.push({ kind: "testCase", key: caseKeyOfRun(row.key) });
    if (row.kind === "testSuite" && typeof row.detail.releaseKey === "string") {
      refs.push({ kind: "release", key: row.detail.releaseKey });
    }
    if (row.kind === "testCase" && Array.isArray(row.detail.calls)) {
      refs.push(
        ...row.detail.calls.map((key) => ({ kind: "testCase" as const, key: String(key) })),
      );
    }
    const rows: TargetRow[] = [];
    for (const { kind, key } of refs) {
      const found = await this.#ctx.store.targetsByKey(this.#ctx.scope.id, kind, [key]);
      rows.push(...found.values());
    }
    return rows;
  }
}
