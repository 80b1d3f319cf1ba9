/**
 * `onExisting: rename`: an earlier migration stays as it is, under its name and with its markers, and
 * this one is made anew beside it. What would stand next to its twin (the two roots and releases)
 * gets the first free number after its name, `Zephyr SA (2)`; everything below a root keeps its name.
 * @module
 */
import type { Change, Found, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { forgetTransform, LEFT_ALONE, transformOf } from "../transform/stages/context.ts";
import { keyOfFound } from "./identity.ts";
import { numberedName, prepare } from "./prepare.ts";

/** Kinds whose artefacts stand side by side with those of other migrations. */
const TOP_KINDS = ["module", "testCycle", "release"] as const;
type TopKind = (typeof TOP_KINDS)[number];
type RowChange = Extract<Change, { op: "targets" }>["rows"][number];

/** Notes what is left alone and numbers the names that are taken; always done in one go. */
export async function leaveAlone(ctx: RunContext): Promise<boolean> {
  const { context } = await transformOf(ctx);
  const ids = [...context.leftAlone ?? []];
  const rows: RowChange[] = [];
  const names = new Map<TopKind, Set<string>>();
  for (const kind of TOP_KINDS) {
    const present = await topOf(ctx, kind);
    names.set(kind, new Set(present.map((found) => found.name.toLowerCase())));
    const ours = present.filter((found) => {
      const key = keyOfFound(found, context);
      return kind === "release" ? key !== null : key === "root";
    });
    ids.push(...ours.map((found) => `${kind}/${found.id}`));
  }
  // Both roots bear one name, so their number has to be free among modules and cycles.
  const taken = new Set([...names.get("module") ?? [], ...names.get("testCycle") ?? []]);
  rows.push(...await numbered(ctx, "module", taken), ...await numbered(ctx, "testCycle", taken));
  rows.push(...await numbered(ctx, "release", names.get("release") ?? new Set()));
  await ctx.commit([
    { op: "checkpoint", name: LEFT_ALONE, value: ids },
    { op: "targets", rows },
  ]);
  forgetTransform(ctx);
  return true;
}

async function topOf(ctx: RunContext, kind: TopKind): Promise<Found[]> {
  const parent = kind === "testCycle" ? { type: "root" as const, id: null } : null;
  const found: Found[] = [];
  for await (const page of ctx.target.children(kind, parent, ctx.signal)) found.push(...page);
  return found;
}

/** Numbers for the planned rows whose names are taken. */
async function numbered(
  ctx: RunContext,
  kind: TopKind,
  taken: ReadonlySet<string>,
): Promise<RowChange[]> {
  const rows = await plannedTop(ctx, kind);
  const prepared = await prepare(ctx, kind, rows);
  return rows.flatMap(({ key }): RowChange[] => {
    const ready = prepared.get(key);
    if (ready?.state !== "ready" || !("name" in ready.draft)) return [];
    const { name } = ready.draft;
    if (!taken.has(name.toLowerCase())) return [];
    let nameNumber = 2;
    while (taken.has(numberedName(name, nameNumber).toLowerCase())) nameNumber++;
    return [{ kind, key, detail: { nameNumber, originalName: name } }];
  });
}

async function plannedTop(ctx: RunContext, kind: TopKind): Promise<TargetRow[]> {
  if (kind !== "release") {
    return [...(await ctx.store.targetsByKey(ctx.scope.id, kind, ["root"])).values()];
  }
  const rows: TargetRow[] = [];
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      kind,
      { after, limit: 500, states: ["pending"] },
    );
    rows.push(...page.rows);
    after = page.cursor;
  } while (after !== null);
  return rows;
}
