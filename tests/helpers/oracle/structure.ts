/** Roots and folder trees. @module */
import type { SimFolder } from "../../../adapters/zephyr/simulator/mod.ts";
import { plainName, type Scope } from "./scope.ts";
import { rich } from "./text.ts";

type Tree = {
  type: SimFolder["folderType"];
  kind: "module" | "testCycle";
  children: (parentId: number) => { id: number; name: string; description: string }[];
};

function trees(scope: Scope): Tree[] {
  const { state } = scope;
  return [
    {
      type: "TEST_CASE",
      kind: "module",
      children: (parent) => state.children("modules", "module", parent).sort(byOrder),
    },
    {
      type: "TEST_CYCLE",
      kind: "testCycle",
      children: (parent) =>
        state.children("test-cycles", parent === 0 ? "root" : "test-cycle", parent).sort(byOrder),
    },
  ];
}

function byOrder(a: { order: number }, b: { order: number }): number {
  return a.order - b.order;
}

/** Id of the root module or root cycle; 0 when there is none. */
export function rootId(scope: Scope, kind: "module" | "testCycle"): number {
  const tree = trees(scope).find((row) => row.kind === kind);
  return tree?.children(0).find((row) => row.name === scope.settings.target.rootName)?.id ?? 0;
}

/** Where a record of a folder belongs: its folder's artefact, else the root. */
export function placeOf(
  scope: Scope,
  kind: "module" | "testCycle",
  folderId: number | null,
): number {
  const type = kind === "module" ? "TEST_CASE" : "TEST_CYCLE";
  const known = scope.folders.some((row) => row.id === folderId && row.folderType === type);
  return known ? scope.idOf(kind, String(folderId)) ?? -1 : rootId(scope, kind);
}

/** Folders whose parent is not there, and one of each loop: these stand under the root. */
export function lostFolders(scope: Scope): { lost: Set<number>; inLoops: Set<number> } {
  const byId = new Map(scope.folders.map((row) => [row.id, row]));
  const lost = new Set<number>();
  const inLoops = new Set<number>();
  for (const folder of scope.folders) {
    const { parentId } = folder;
    if (parentId === null) continue;
    const parent = byId.get(parentId);
    if (parent === undefined || parent.folderType !== folder.folderType) {
      lost.add(folder.id);
      continue;
    }
    let at: SimFolder | undefined = parent;
    for (let steps = 0; at !== undefined && steps < 50; steps++) {
      if (at.id === folder.id) inLoops.add(folder.id);
      at = at.parentId === null ? undefined : byId.get(at.parentId);
    }
  }
  return { lost, inLoops };
}

/** Checks both trees: every folder once, below the right parent, siblings in order. */
export function checkStructure(scope: Scope): void {
  for (const tree of trees(scope)) checkTree(scope, tree);
}

function checkTree(scope: Scope, tree: Tree): void {
  const { findings, settings } = scope;
  const roots = tree.children(0);
  findings.same(`${tree.kind} roots`, roots.map((row) => row.name), [settings.target.rootName]);
  checkMarker(scope, `${tree.kind} root`, roots[0]?.description ?? "", `zephyr:project:`);
  const wanted = scope.folders.filter((row) => row.folderType === tree.type);
  const { lost, inLoops } = lostFolders(scope);
  const folderOf = new Map(wanted.map((row) => [scope.idOf(tree.kind, String(row.id)) ?? -1, row]));
  const seen = new Set<number>();
  const walk = (parentId: number, parent: SimFolder | null): void => {
    let last = -1;
    for (const child of tree.children(parentId)) {
      const folder = folderOf.get(child.id);
      if (folder === undefined) {
        if (parent === null && child.name === "Archived") continue;
        findings.fail(`${tree.kind} ${child.name}`, "stands for no folder");
        continue;
      }
      const where = `folder ${folder.id} ${folder.name}`;
      if (seen.has(folder.id)) findings.fail(where, "is there twice");
      seen.add(folder.id);
      const numbered = settings.target.onExisting === "update" && parent !== undefined
        ? child.name.replace(/ \(\d+\)$/, "")
        : child.name;
      findings.same(`${where} name`, numbered, plainName(folder.name));
      checkMarker(scope, where, child.description, `zephyr:folder:${folder.id}`);
      if (!inLoops.has(folder.id)) {
        const should = lost.has(folder.id) ? null : folder.parentId;
        findings.same(`${where} parent`, parent?.id ?? null, should);
      }
      if (folder.index < last) findings.fail(where, "stands before a sibling of lower index");
      last = Math.max(last, folder.index);
      walk(child.id, folder);
    }
  };
  walk(roots[0]?.id ?? -1, null);
  findings.same(`${tree.kind} folders`, seen.size, wanted.length);
}

function checkMarker(scope: Scope, where: string, html: string, marker: string): void {
  const line = marker.endsWith(":") ? `${marker}${scope.projectKey}` : marker;
  const should = scope.settings.target.marker === "none" ? "" : `⟨p⟩${line}⟨/p⟩`;
  scope.findings.same(`${where} description`, rich(html), should);
}
