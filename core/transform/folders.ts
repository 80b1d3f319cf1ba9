/** Where records stand in the trees of the target. @module */
import type { FolderRecord, FolderType } from "../records/mod.ts";
import { cleanName } from "../text/mod.ts";
import type { Transformed } from "./types.ts";
import { Ledger } from "./ledger.ts";
import { compareIds } from "./references.ts";
import type { Scope } from "./scope.ts";
import { markerLine } from "./scope.ts";

/** A module or a test cycle (a folder of the execution tree). */
export interface ContainerDraft {
  name: string;
  descriptionHtml: string;
}
export interface FolderPlan extends Transformed<ContainerDraft> {
  /** Key of the parent in the target map: `root` or a folder id. */
  parentKey: string;
}

/** The record's name for the target, with its losses; a record without name is called by its key. */
export function nameOf(
  raw: string | null,
  fallback: string,
  ledger: Ledger,
  suffix = "",
): string {
  const { name, full, cut } = cleanName(raw, suffix);
  if (full === "") {
    ledger.add("name", "name-missing", raw, fallback);
    return fallback + suffix;
  }
  if (cut) ledger.add("name", "name-cut", full, name);
  return name;
}

/** Ids of folders whose chain of parents comes back to them; the lowest id of each ring is cut loose. */
function isCutLoose(scope: Scope, folder: FolderRecord): boolean {
  const { folders } = scope.context;
  const seen = new Set([folder.id]);
  let lowest = folder.id;
  let at = folder.parentId;
  while (at !== null && at !== folder.id) {
    if (seen.has(at)) return false;
    seen.add(at);
    if (compareIds(at, lowest) < 0) lowest = at;
    at = folders.get(at)?.parentId ?? null;
  }
  return at === folder.id && lowest === folder.id;
}

/** The parent that counts: null at the root and wherever the source's one cannot be used. */
function parentOf(scope: Scope, folder: FolderRecord): FolderRecord | null {
  const parent = folder.parentId === null ? undefined : scope.context.folders.get(folder.parentId);
  return parent === undefined || parent.folderType !== folder.folderType ||
      isCutLoose(scope, folder)
    ? null
    : parent;
}

/** Names from the root down to a folder. */
export function folderPath(scope: Scope, folder: FolderRecord): string[] {
  const path: string[] = [];
  const seen = new Set<string>();
  let at: FolderRecord | null = folder;
  while (at !== null && !seen.has(at.id)) {
    seen.add(at.id);
    path.unshift(cleanName(at.name).full || `folder ${at.id}`);
    at = parentOf(scope, at);
  }
  return path;
}

/** Plans a folder; plan folders have no artefact and only their losses count. */
export function planFolder(scope: Scope, folder: FolderRecord): FolderPlan {
  const ledger = new Ledger("folder", folder.id);
  const parent = parentOf(scope, folder);
  if (folder.parentId !== null && parent === null) {
    ledger.add("parent", "missing-parent", folder.parentId, "root");
  }
  if (folder.folderType === "TEST_PLAN") {
    const path = folderPath(scope, folder).join(" / ");
    ledger.add("folder", "plan-folder", path, "description of the releases of its plans");
  }
  return {
    draft: {
      name: nameOf(folder.name, `folder ${folder.id}`, ledger),
      descriptionHtml: markerLine(scope, "folder", folder.id),
    },
    parentKey: parent?.id ?? "root",
    losses: ledger.rows,
    links: 0,
  };
}

/** Where a record stands: its folder's key, and the line for its text when folders are left out. */
export function homeOf(
  scope: Scope,
  folderId: string | null,
  folderType: FolderType,
  ledger: Ledger,
): { key: string; folder: FolderRecord | null; excluded: string | null } {
  if (folderId === null) return { key: "root", folder: null, excluded: null };
  if (!scope.context.include.folders) {
    const text = `folder ${folderId}`;
    ledger.add("folder", "not-included", folderId, text);
    return { key: "root", folder: null, excluded: text };
  }
  const folder = scope.context.folders.get(folderId);
  if (folder === undefined || folder.folderType !== folderType) {
    ledger.add("folder", "missing-parent", folderId, "root");
    return { key: "root", folder: null, excluded: null };
  }
  return { key: folder.id, folder, excluded: null };
}
