/** What the files of a run cost in requests. @module */
import type { Store, TargetRow, TargetState } from "../ports/mod.ts";

export interface FileWork {
  /** Files with a request of their own. */
  uploads: number;
  /** Objects that carry any file. */
  fileObjects: number;
}

/** Counts the files in these states; `goesAlone` tells those that do not ride inside a create. */
export async function fileWork(
  store: Pick<Store, "targets">,
  scopeId: number,
  { states, goesAlone }: { states: TargetState[]; goesAlone: (row: TargetRow) => boolean },
): Promise<FileWork> {
  let uploads = 0;
  const objects = new Set<string>();
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await store.targets(
      scopeId,
      "attachment",
      { after, limit: 500, states },
    );
    for (const row of page.rows) {
      if (goesAlone(row)) uploads++;
      objects.add(`${row.parentKind}/${row.parentKey}/${row.detail.step ?? ""}`);
    }
    after = page.cursor;
  } while (after !== null);
  return { uploads, fileObjects: objects.size };
}
