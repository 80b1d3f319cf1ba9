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
    const copies = await copiesOf(ctx, page.rows, found);
    tally.duplicate += copies.length;
    differences.push(...copies);
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

/** Second copies of what was sent more than once: of the row's name, on its object, in no row. */
async function copiesOf(
  ctx: RunContext,
  rows: TargetRow[],
  found: Map<string, FoundFile>,
): Promise<DifferenceRow[]> {
  const copies = new Map<string, DifferenceRow>();
  const sent = rows.filter((row) => row.attempt + (row.detail.inlined === true ? 1 : 0) > 1);
  for (const row of sent) {
    const own = found.get(row.targetId ?? "");
    const alike = [...found.values()].filter((file) =>
      file.objectId === own?.objectId && verdictOf(row, file) === null
    );
    const known = await ctx.store.targetsById(ctx.scope.id, "attachment", alike.map((f) => f.id));
    for (const file of alike.filter(({ id }) => !known.has(id))) {
      copies.set(file.id, {
        runId: ctx.run.id,
        kind: "attachment",
        key: row.key,
        targetId: file.id,
        verdict: "duplicate",
        field: null,
        expected: row.targetId,
        actual: file.name,
      });
    }
  }
  return [...copies.values()];
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
