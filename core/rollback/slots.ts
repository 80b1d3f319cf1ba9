/** Where a file of the map hangs in the target. @module */
import type { FileUpload, TargetRow } from "../ports/mod.ts";

/** The object of a file: a step of its owner where the map knows its id, else the owner itself. */
export function slotOf(row: TargetRow, owner: TargetRow): FileUpload["object"] {
  const { object, step } = row.detail;
  const onStep = object === "testStep" || object === "testStepLog";
  const stepId = onStep && typeof step === "number" ? owner.detail.stepIds?.[step] : null;
  return stepId
    ? { kind: object as FileUpload["object"]["kind"], id: stepId }
    : { kind: owner.kind as FileUpload["object"]["kind"], id: owner.targetId ?? "" };
}
