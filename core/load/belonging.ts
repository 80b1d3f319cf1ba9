/**
 * Whose an artefact with a marker is: several source projects may share one target project, and some
 * markers (folder ids, the suite of executions without cycle, stand-ins for cases of other projects)
 * do not name theirs.
 * @module
 */
import type { DraftKind, Found, TargetKind } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";

const PARENT_KIND: Partial<Record<DraftKind, TargetKind>> = {
  module: "module",
  testCycle: "testCycle",
  testCase: "module",
  testSuite: "testCycle",
  testRun: "testSuite",
  testLog: "testRun",
};

/** An artefact and the key that its marker names. */
export interface Marked {
  key: string;
  found: Found;
}

/** Whether a key can only be of this project. */
function isOwnKey(kind: DraftKind, key: string, project: string): boolean {
  if (kind === "module" || kind === "testCycle") return key === "root" || key === "archived";
  return key.startsWith(`${project}-`);
}

/** Whether the parent is in the map; what has no parent is judged by its marker alone. */
export async function insideOurTree(
  ctx: RunContext,
  kind: DraftKind,
  marked: Marked[],
): Promise<(item: Marked) => boolean> {
  const parentKind = PARENT_KIND[kind];
  if (parentKind === undefined) return ({ key }) => isOwnKey(kind, key, ctx.scope.sourceProject);
  const ids = marked.flatMap(({ found }) => found.parentId ?? []);
  const parents = await ctx.store.targetsById(ctx.scope.id, parentKind, ids);
  return ({ found }) => found.parentId === null || parents.has(found.parentId);
}

/** Those of this project: by their key, by what was read from the source, or by where they stand. */
export async function onlyOurs(
  ctx: RunContext,
  kind: DraftKind,
  marked: Marked[],
): Promise<Marked[]> {
  const { scope, store } = ctx;
  const keys = marked.map(({ key }) => key);
  const known = kind === "testLog"
    ? await store.recordsByKey(scope.id, "execution", keys)
    : await store.targetsByKey(scope.id, kind, kind === "testSuite" ? [] : keys);
  const isInside = await insideOurTree(ctx, kind, marked);
  const taken = new Set<string>();
  return marked.filter((item) => {
    const { id, parentId } = item.found;
    const isOurs = isOwnKey(kind, item.key, scope.sourceProject) || known.has(item.key) ||
      (parentId !== null && (isInside(item) || taken.has(parentId)));
    if (isOurs) taken.add(id);
    return isOurs;
  });
}
