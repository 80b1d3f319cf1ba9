/** Rows of the target map, as the transform plans them. @module */
import type { Change, LossRow, TargetKind, TargetRow } from "../../ports/mod.ts";
import type { AttachmentRecord, RecordKind } from "../../records/mod.ts";
import { ownerKey } from "../../records/mod.ts";
import type { RunContext } from "../../engine/stage.ts";

/** A planned row with everything that starts empty filled in. */
export function targetRow(
  row: Pick<TargetRow, "kind" | "key" | "ord"> & Partial<TargetRow>,
): TargetRow {
  return {
    recordKind: null,
    parentKind: null,
    parentKey: null,
    state: "pending",
    targetId: null,
    payloadHash: null,
    attempt: 0,
    sentAt: null,
    everInDoubt: false,
    origin: null,
    runId: null,
    steps: 0,
    stepsAsText: 0,
    links: 0,
    detail: {},
    lastError: null,
    ...row,
  };
}

export function lossChange(kind: string, key: string, rows: LossRow[]): Change {
  return { op: "losses", phase: "transform", kind, key, rows };
}

/** Sets a record aside in the transform: its row, and an issue that says why. */
export function setAsideChanges(
  ctx: RunContext,
  row: TargetRow,
  kind: RecordKind,
  reason: string,
  message: string,
): Change[] {
  return [
    { op: "planTargets", rows: [{ ...row, state: "setAside", lastError: message }] },
    {
      op: "issue",
      runId: ctx.run.id,
      row: {
        phase: "transform",
        kind,
        key: row.key,
        level: "error",
        reason,
        message,
        payload: null,
        setAside: true,
        attempts: 1,
        at: ctx.nowIso(),
      },
    },
  ];
}

/** Where the files of an owner go; null = there is no slot, with the rule that says so. */
export interface FileSlot {
  object: "testCase" | "testStep" | "testLog" | "testStepLog" | "release";
  parentKind: TargetKind;
  parentKey: string;
  /** 0-based index of the step for step slots. */
  step: number | null;
}

/** Plans the rows of an owner's files; those without a slot are kept in the report folder. */
export async function attachmentChanges(
  ctx: RunContext,
  files: AttachmentRecord[],
  slotOf: (file: AttachmentRecord) => FileSlot | { rule: string },
  ord: number,
): Promise<Change[]> {
  const changes: Change[] = [];
  const rows: TargetRow[] = [];
  for (const file of files) {
    const key = `${ownerKey(file.owner)}#${file.id}`;
    const base = targetRow({ kind: "attachment", key, ord, recordKind: "attachment" });
    if (file.sha256 === null || file.size === null) {
      changes.push(...setAsideChanges(
        ctx,
        base,
        "attachment",
        "attachment-gone",
        `The source lists the file "${file.name}" of ${
          ownerKey(file.owner)
        } but does not hand it out`,
      ));
      continue;
    }
    let slot = slotOf(file);
    if (!("rule" in slot) && file.size > ctx.targetProfile.maxAttachmentBytes) {
      slot = { rule: "attachment-too-large" };
    }
    const detail = { name: file.name, sha256: file.sha256, size: file.size };
    if ("rule" in slot) {
      const kept = await keepFile(ctx, file, key);
      rows.push({ ...base, state: "withoutTarget", detail: { ...detail, file: kept } });
      changes.push(lossChange("attachment", key, [{
        kind: "attachment",
        key,
        field: "file",
        rule: slot.rule,
        before: `${file.name} (${file.size} bytes)`,
        after: kept,
      }]));
    } else {
      const { object, step, parentKind, parentKey } = slot;
      rows.push({ ...base, parentKind, parentKey, detail: { ...detail, object, step } });
    }
  }
  if (rows.length > 0) changes.unshift({ op: "planTargets", rows });
  return changes;
}

/** Copies a file to the report folder under its owner's name; returns the path people see. */
async function keepFile(ctx: RunContext, file: AttachmentRecord, key: string): Promise<string> {
  const folder = key.slice(0, key.lastIndexOf("#"));
  return await ctx.blobs.export(file.sha256 ?? "", `attachments/${folder}/${file.id}-${file.name}`);
}
