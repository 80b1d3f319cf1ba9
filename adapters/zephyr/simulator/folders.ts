/** The three folder trees with everything that makes them hard to rebuild. @module */
import { type Context, FIRST_ID } from "./context.ts";
import type { SimFolder, SimFolderType } from "./types.ts";
import { words } from "./texts.ts";

const TYPES: SimFolderType[] = ["TEST_CASE", "TEST_CYCLE", "TEST_PLAN"];
const DEPTH = 12;

/**
 * Makes the trees. Each has roots, a branch 11 deep, equal names under different parents, a folder
 * whose parent is not in the list and an empty folder. Ids are dealt at random, so children stand
 * before their parents in id order.
 */
export function makeFolders(context: Context): SimFolder[] {
  const total = Math.max(26, context.options.folders);
  const caseShare = total - 16;
  const sizes: Record<SimFolderType, number> = {
    TEST_CASE: Math.max(17, Math.ceil(caseShare * 0.7)),
    TEST_CYCLE: Math.max(8, Math.floor(caseShare * 0.3) + 8),
    TEST_PLAN: 5,
  };
  const count = TYPES.reduce((sum, type) => sum + sizes[type], 0);
  const ids = context.random("folder ids").shuffle(
    Array.from({ length: count }, (_, i) => FIRST_ID + 1 + i * 2),
  );
  const folders: SimFolder[] = [];
  for (const type of TYPES) {
    folders.push(...makeTree(context, type, ids.splice(0, sizes[type])));
  }
  return folders.sort((a, b) => a.id - b.id);
}

function makeTree(context: Context, folderType: SimFolderType, ids: number[]): SimFolder[] {
  const random = context.random(`folders ${folderType}`);
  const tree: SimFolder[] = [];
  const siblings = new Map<number | null, number>();
  const add = (parentId: number | null, name: string): SimFolder => {
    const index = siblings.get(parentId) ?? 0;
    siblings.set(parentId, index + 1);
    const id = ids[tree.length] as number;
    const folder = { id, projectId: context.projectId, folderType, parentId, name, index };
    tree.push(folder);
    return folder;
  };
  add(null, "Smoke");
  add(null, "Regression &amp; more");
  // The id is one that no folder has: the parent was archived or is not visible.
  add(FIRST_ID + 1_000_002, "Orphan");
  add(null, "Empty folder");
  let parent = tree[1] as SimFolder;
  for (let level = 2; level < DEPTH && tree.length < ids.length - 2; level++) {
    parent = add(parent.id, level % 3 === 0 ? "Smoke" : `Level ${level} 😀`);
  }
  while (tree.length < ids.length) {
    const under = random.chance(0.15) ? null : (random.pick(tree)).id;
    add(under, random.chance(0.2) ? "Smoke" : words(random, 2));
  }
  if (context.hostile) makeLoop(tree);
  return tree;
}

/** Two folders that are each other's parent, and twins among siblings. */
function makeLoop(tree: SimFolder[]): void {
  const last = tree[tree.length - 1];
  const beforeLast = tree[tree.length - 2];
  if (last === undefined || beforeLast === undefined || tree.length < 8) return;
  beforeLast.name = last.name = "Loop";
  beforeLast.parentId = last.id;
  last.parentId = beforeLast.id;
}
