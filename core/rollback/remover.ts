/**
 * Deletes what is to go, newest first: links and files on what stays, the execution tree, cases and
 * modules, releases, options, fields. Every delete may be repeated: what is gone already is gone.
 * @module
 */
import type { RunContext } from "../engine/stage.ts";
import { pool } from "../engine/stage.ts";
import { RefusedError } from "../errors.ts";
import { OPTIONS_MARK } from "../load/fields.ts";
import type { DraftKind, TargetKind, TargetRow } from "../ports/mod.ts";
import { targetPages } from "./basis.ts";
import { callersFirst } from "./calls.ts";
import type { Doom, Left } from "./doomed.ts";
import type { RollbackLedger } from "./ledger.ts";
import { slotOf } from "./slots.ts";
import { levels, removeTree } from "./trees.ts";
import type { TreeKind } from "./trees.ts";
import type { KeptArtefact } from "./types.ts";
import type { FieldUsage } from "./usage.ts";

export interface RemoverParts {
  ctx: RunContext;
  doom: Doom;
  left: Left;
  usage: FieldUsage;
  ledger: RollbackLedger;
  /** Takes what the target's interface cannot take back. */
  cannot: (artefact: KeptArtefact) => void;
}

/** Deletes between two commits: what a killed process asks for again at most. */
const BATCH = 50;

export class Remover {
  readonly #parts: RemoverParts;

  constructor(parts: RemoverParts) {
    this.#parts = parts;
  }

  /** Deletes everything that is to go; false when stopped before the end. */
  async run(): Promise<boolean> {
    const { ctx, doom } = this.#parts;
    const steps: (() => Promise<void>)[] = [
      () => this.#links(),
      () => this.#files(),
      () => this.#trees("testCycle"),
      () => this.#each("testRun"),
      () => this.#each("testSuite"),
      () => this.#rest("testCycle"),
      () => this.#trees("module"),
      () => this.#cases(),
      () => this.#rest("module"),
      () => this.#releases(),
      ...(doom.isWhole ? [() => this.#options(), () => this.#fields()] : []),
    ];
    for (const step of steps) {
      await step();
      if (ctx.stopping()) return false;
    }
    return true;
  }

  /** Links of requirements, which were there before, to the cases that this run made. */
  async #links(): Promise<void> {
    const { ctx, doom, ledger, cannot } = this.#parts;
    if (!doom.isWhole) return;
    for await (const rows of targetPages(ctx, "requirementLink")) {
      for (const row of rows.filter((row) => doom.has(row))) {
        if (ctx.stopping()) return;
        const ids = Array.isArray(row.detail.testCaseIds) ? row.detail.testCaseIds.map(String) : [];
        const known = await ctx.store.targetsById(ctx.scope.id, "testCase", ids);
        const isOlder = (id: string): boolean => {
          const target = known.get(id);
          return target !== undefined && !doom.has(target);
        };
        const older = ids.filter(isOlder);
        const own = ids.filter((id) => !older.includes(id));
        const isGone = own.length === 0 ||
          await this.#delete({ ...row, targetId: `${row.targetId}/${own.join(",")}` }, row);
        if (older.length > 0) {
          cannot({
            kind: row.kind,
            key: row.key,
            targetId: row.targetId,
            reason: `links to test cases that were there before (${older.join(", ")}) may be older`,
          });
        }
        if (isGone) await ledger.gone([row]);
      }
    }
  }

  /** Files on artefacts that this run did not make; all others go with theirs. */
  async #files(): Promise<void> {
    const { ctx, doom, ledger } = this.#parts;
    for await (const rows of targetPages(ctx, "attachment", BATCH)) {
      const gone: TargetRow[] = [];
      for (const row of rows.filter((row) => doom.has(row))) {
        if (ctx.stopping()) break;
        const owner = await this.#ownerOf(row);
        if (owner === null || doom.has(owner)) continue;
        const slot = slotOf(row, owner);
        const id = `${slot.kind}/${slot.id}/${row.targetId}`;
        if (await this.#delete({ ...row, targetId: id }, row)) gone.push(row);
      }
      if (gone.length > 0) await ledger.gone(gone);
      if (ctx.stopping()) return;
    }
  }

  async #ownerOf(row: TargetRow): Promise<TargetRow | null> {
    if (row.parentKind === null || row.parentKey === null) return null;
    const { store, scope } = this.#parts.ctx;
    const rows = await store.targetsByKey(scope.id, row.parentKind, [row.parentKey]);
    return rows.get(row.parentKey) ?? null;
  }

  /** Trees that hold nothing but what is to go, each with one request. */
  async #trees(kind: TreeKind): Promise<void> {
    const { ctx, left, ledger } = this.#parts;
    const rows = (await levels(ctx, left, kind)).flat();
    const inside = new Set(rows.map((row) => row.key));
    const tops = rows.filter((row) => row.parentKey === null || !inside.has(row.parentKey));
    for (const row of tops) {
      if (ctx.stopping()) return;
      if (await removeTree(ctx, kind, row)) await ledger.goneWithContent([row]);
    }
  }

  /** What is left of the trees: deepest first, each empty by then. */
  async #rest(kind: TreeKind): Promise<void> {
    const { ctx, left } = this.#parts;
    for (const level of await levels(ctx, left, kind)) await this.#batch(level);
  }

  async #each(kind: DraftKind): Promise<void> {
    const { ctx, left } = this.#parts;
    for await (const rows of targetPages(ctx, kind)) {
      await this.#batch(rows.filter((row) => left.mustGo(row)));
      if (ctx.stopping()) return;
    }
  }

  async #cases(): Promise<void> {
    const { ctx, left } = this.#parts;
    for (const level of await callersFirst(ctx, left)) await this.#batch(level);
    if (!ctx.stopping()) await this.#each("testCase");
  }

  async #releases(): Promise<void> {
    const { ctx, left } = this.#parts;
    for await (const rows of targetPages(ctx, "release")) {
      for (const row of rows.filter((row) => left.mustGo(row))) {
        if (ctx.stopping()) return;
        const inside = await this.#contentOf(row);
        if (inside === null) await this.#batch([row]);
        else await left.keep(row, `holds ${inside}, which is not to be deleted`);
      }
    }
  }

  /** The first thing that stands in a release; ours never do. */
  async #contentOf(row: TargetRow): Promise<string | null> {
    const { ctx } = this.#parts;
    if (await ctx.target.read("release", row.targetId ?? "", ctx.readSignal) === null) return null;
    for (const kind of ["testCycle", "testSuite", "testRun"] as const) {
      const parent = { type: "release" as const, id: row.targetId };
      for await (const page of ctx.target.children(kind, parent, ctx.readSignal)) {
        const first = page[0];
        if (first !== undefined) return `${kind} ${first.pid ?? first.id}`;
      }
    }
    return null;
  }

  /** Options that this run added to fields which were there before. */
  async #options(): Promise<void> {
    const { ctx, doom, left, ledger } = this.#parts;
    for await (const rows of targetPages(ctx, "field")) {
      for (const row of rows) {
        if (!row.key.includes(OPTIONS_MARK) || !doom.mayTouch(row)) continue;
        const field = ctx.targetProfile.fields.find((each) => each.id === row.targetId);
        const labels = Array.isArray(row.detail.options) ? row.detail.options.map(String) : [];
        let isOver = true;
        for (const option of field?.options ?? []) {
          if (!labels.includes(option.label) || ctx.stopping()) continue;
          const id = `${row.targetId}/${option.id}`;
          const user = await this.#userOf(row.targetId ?? "", option.label);
          if (user === null && await this.#delete({ ...row, targetId: id }, null)) continue;
          isOver = false;
          const why = user === null ? "the target keeps it" : `${user} uses it`;
          left.mention({
            kind: "field",
            key: `${row.key.split(OPTIONS_MARK)[0]}#${option.label}`,
            targetId: id,
            reason: `option "${option.label}": ${why}`,
          });
        }
        if (isOver && !ctx.stopping()) await ledger.gone([row]);
      }
    }
  }

  /** Fields that this run made, where nothing that stays has a value in them. */
  async #fields(): Promise<void> {
    const { ctx, left, ledger } = this.#parts;
    for await (const rows of targetPages(ctx, "field")) {
      for (const row of rows.filter((row) => left.mustGo(row))) {
        if (ctx.stopping()) return;
        const user = await this.#userOf(row.targetId ?? "");
        if (user !== null) await left.keep(row, `${user} has a value in it`);
        else if (await this.#delete(row, row)) await ledger.gone([row]);
      }
    }
  }

  async #userOf(fieldId: string, label?: string): Promise<string | null> {
    await this.#learnLeft();
    return this.#parts.usage.userOf(fieldId, label);
  }

  #hasLearned = false;

  /** Values of what is left of this run count as well. */
  async #learnLeft(): Promise<void> {
    if (this.#hasLearned) return;
    this.#hasLearned = true;
    const { ctx, left, usage } = this.#parts;
    for (const kind of ["testCase", "testSuite", "testRun", "release"] as const) {
      for (const { kind: of, targetId } of left.list()) {
        if (of !== kind || targetId === null) continue;
        const found = await ctx.target.read(kind, targetId, ctx.readSignal);
        if (found !== null) usage.learn(found);
      }
    }
  }

  /** Deletes rows one by one, a few at a time. */
  async #batch(rows: TargetRow[]): Promise<void> {
    const { ctx, left, ledger } = this.#parts;
    for (let start = 0; start < rows.length && !ctx.stopping(); start += BATCH) {
      const gone: TargetRow[] = [];
      const chunk = rows.slice(start, start + BATCH);
      try {
        await pool(chunk, ctx.settings.target.concurrency, ctx.stopping, async (row) => {
          if (left.mustGo(row) && await this.#delete(row, row)) gone.push(row);
        });
      } finally {
        if (gone.length > 0) await ledger.goneWithContent(gone);
      }
    }
  }

  /** One delete; false when the target refused, which keeps `owner`. */
  async #delete(row: TargetRow, owner: TargetRow | null): Promise<boolean> {
    const { ctx, left } = this.#parts;
    try {
      return await ctx.target.remove(row.kind as TargetKind, row.targetId ?? "", {
        signal: ctx.signal,
        intent: () => Promise.resolve(ctx.assertMayWrite()),
      });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (owner !== null) await left.keep(owner, `the target keeps it: ${error.message}`);
      return false;
    }
  }
}
