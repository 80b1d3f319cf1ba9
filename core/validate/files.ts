/** Compares the files of every object with the map: names and numbers, in batched reads. @module */
import type { DifferenceRow, FileUpload, FoundFile, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { NO_TALLY, tallyNote } from "./tally.ts";

type ObjectKind = FileUpload["object"]["kind"];

export async function validateFiles(ctx: RunContext): Promise<boolean> {
  const tally = { ...NO_TALLY };
  const differences: DifferenceRow[] = [];
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      "attachment",
      { after, limit: 500, states: ["loaded"] },
    );
    const found = await filesOf(ctx, page.rows);
    for (const row of page.rows) {
      tally.checked++;
      const file = found.get(row.targetId ?? "");
      const verdict = verdictOf(row, file);
      if (verdict === null) {
        tally.equal++;
        continue;
      }
      tally[verdict]++;
      differences.push({
        runId: ctx.run.id,
        kind: "attachment",
        key: row.key,
        targetId: row.targetId,
        verdict,
        field: verdict === "different" ? "name" : null,
        expected: String(row.detail.name),
        actual: file?.name ?? null,
      });
    }
    ctx.progress("validate.attachment", { done: tally.checked });
    after = page.cursor;
  } while (after !== null && !ctx.stopping());
  if (ctx.stopping()) return false;
  await ctx.commit([
    { op: "differences", rows: differences },
    ctx.noteChange(tallyNote("attachment"), tally),
  ]);
  return true;
}

function verdictOf(row: TargetRow, file: FoundFile | undefined): "missing" | "different" | null {
  if (file === undefined) return "missing";
  const isSame = file.name === row.detail.name || file.storedName === row.detail.name;
  return isSame ? null : "different";
}

/** Files by id, of all objects that the rows name. */
async function filesOf(ctx: RunContext, rows: TargetRow[]): Promise<Map<string, FoundFile>> {
  const idsByKind = new Map<ObjectKind, Set<string>>();
  for (const parentKind of ["testCase", "testLog", "release"] as const) {
    const own = rows.filter((row) => row.parentKind === parentKind);
    const parents = await ctx.store.targetsByKey(
      ctx.scope.id,
      parentKind,
      [...new Set(own.flatMap((row) => row.parentKey ?? []))],
    );
    for (const row of own) {
      const parent = parents.get(row.parentKey ?? "");
      const object = objectOf(row, parent, parentKind);
      if (object === null) continue;
      idsByKind.set(object.kind, (idsByKind.get(object.kind) ?? new Set()).add(object.id));
    }
  }
  const files = new Map<string, FoundFile>();
  for (const [kind, ids] of idsByKind) {
    for (const file of await ctx.target.files(kind, [...ids], ctx.readSignal)) {
      files.set(file.id, file);
    }
  }
  return files;
}

function objectOf(
  row: TargetRow,
  parent: TargetRow | undefined,
  parentKind: "testCase" | "testLog" | "release",
): { kind: ObjectKind; id: string } | null {
  if (parent?.targetId == null) return null;
  const { object, step } = row.detail;
  const onStep = object === "testStep" || object === "testStepLog";
  const stepId = onStep && typeof step === "number" ? parent.detail.stepIds?.[step] : null;
  return stepId
    ? { kind: object as ObjectKind, id: stepId }
    : { kind: parentKind, id: parent.targetId };
}
