/** Where a file of the map hangs in the target. @module */
import type { FileUpload, FoundFile, TargetRow } from "../ports/mod.ts";

/** The object of a file: a step of its owner where the map knows its id, else the owner itself. */
export function slotOf(row: TargetRow, owner: TargetRow): FileUpload["object"] {
  const { object, step } = row.detail;
  const onStep = object === "testStep" || object === "testStepLog";
  const stepId = onStep && typeof step === "number" ? owner.detail.stepIds?.[step] : null;
  return stepId
    ? { kind: object as FileUpload["object"]["kind"], id: stepId }
    : { kind: owner.kind as FileUpload["object"]["kind"], id: owner.targetId ?? "" };
}

/** Whether a file has the name of a row, as it was sent or as the target keeps it. */
export function hasNameOf(row: TargetRow, file: FoundFile): boolean {
  return file.name === row.detail.name || file.storedName === row.detail.name;
}
