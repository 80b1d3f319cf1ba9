/** Attachments: every byte at its place, nothing else. @module */
import type {
  SimAttachment,
  SimAttachmentOwner,
  SimExecution,
} from "../../../adapters/zephyr/simulator/mod.ts";
import { expectedSteps } from "./cases.ts";
import { areStepLogs, readSteps } from "./runs.ts";
import { type Scope, targetStatus } from "./scope.ts";

interface Place {
  type: string;
  id: number;
}
/** A file of the source with its place in the target, or the rule that says why it has none. */
export interface PlannedFile {
  file: SimAttachment;
  place: Place | string;
}

/** All files this run has to read. */
export function plannedFiles(scope: Scope): PlannedFile[] {
  const { include } = scope.settings;
  const list: PlannedFile[] = [];
  if (!scope.hasFiles || include.attachments === "none") return list;
  const add = (owner: SimAttachmentOwner, place: Place | string): void => {
    for (const file of scope.dataset.attachments(owner)) {
      const isLarge = file.size > scope.state.switches.maxAttachmentBytes;
      list.push({
        file,
        place: isLarge && typeof place !== "string" ? "attachment-too-large" : place,
      });
    }
  };
  const withSteps = include.attachments === "all";
  addCaseFiles(scope, add, withSteps);
  if (include.attachments === "cases") return list;
  for (const row of scope.plans) {
    const id = scope.idOf("release", String(row.id)) ?? scope.idOf("release", row.key) ?? -1;
    add({ kind: "testPlan", id: String(row.id) }, { type: "releases", id });
  }
  for (const row of scope.cycles) {
    add({ kind: "testCycle", id: String(row.id) }, "cycle-attachment");
  }
  for (const row of scope.executions) addExecutionFiles(scope, row, add, withSteps);
  return list;
}

type Add = (owner: SimAttachmentOwner, place: Place | string) => void;

function addCaseFiles(scope: Scope, add: Add, withSteps: boolean): void {
  for (const key of scope.cases.keys()) {
    const id = scope.idOf("testCase", key) ?? -1;
    add({ kind: "testCase", id: key }, { type: "test-cases", id });
    if (!withSteps) continue;
    const version = scope.state.get("test-cases", id)?.versions.at(-1);
    const row = scope.cases.get(key);
    const loaded = row === undefined ? 0 : expectedSteps(scope, row).length;
    scope.dataset.script(key).steps.forEach((step, index) => {
      const place = index < loaded
        ? { type: "test-steps", id: version?.steps[index]?.id ?? -1 }
        : { type: "test-cases", id };
      add({ kind: "testStep", id: key, stepId: step.id }, place);
    });
  }
}

function addExecutionFiles(scope: Scope, row: SimExecution, add: Add, withSteps: boolean): void {
  const logId = scope.idOf("testLog", String(row.id)) ?? -1;
  const hasLog = targetStatus(scope, row.statusId) !== null;
  const place = hasLog ? { type: "test-logs", id: logId } : "no-log-attachment";
  add({ kind: "execution", id: String(row.id) }, place);
  if (!withSteps) return;
  const steps = readSteps(scope, row);
  const log = scope.state.get("test-logs", logId);
  const asStepLogs = areStepLogs(scope, row, steps);
  steps.forEach((step, index) => {
    const own = hasLog && asStepLogs
      ? { type: "test-step-logs", id: log?.stepLogs[index]?.id ?? -1 }
      : place;
    add({ kind: "executionStep", id: String(row.id), stepId: step.id }, own);
  });
}

/** Whether the ledger says that the target keeps the name encoded: no header can hold it there. */
function isEncoded(scope: Scope, file: SimAttachment): boolean {
  const { owner } = file;
  return scope.losses.some((row) =>
    row.rule === "file-name-encoded" && row.before === file.name &&
    row.key.startsWith(`${owner.kind}/${owner.id}`) && row.key.endsWith(`#${file.id}`)
  );
}

/** Compares the target's files with the planned ones, byte for byte. */
export function checkFiles(scope: Scope): void {
  const { findings, state } = scope;
  const open = new Map<string, { name: string; bytes: Uint8Array }[]>();
  for (const file of state.attachments.values()) {
    const key = `${file.objectType} ${file.objectId}`;
    open.set(key, [...open.get(key) ?? [], { name: file.name, bytes: file.bytes }]);
  }
  for (const { file, place } of plannedFiles(scope)) {
    if (typeof place === "string") continue;
    const where = `file ${file.owner.kind} ${file.owner.id} "${file.name}" ${file.id}`;
    findings.compared++;
    const there = open.get(`${place.type} ${place.id}`) ?? [];
    const bytes = scope.dataset.attachmentBytes(file);
    const names = isEncoded(scope, file) ? [encodeURIComponent(file.name)] : [file.name];
    const at = there.findIndex((found) =>
      sameBytes(found.bytes, bytes) && names.includes(found.name)
    );
    if (at >= 0) there.splice(at, 1);
    else {
      const others = there.map((found) => `${found.name} (${found.bytes.length})`);
      findings.fail(where, `is not at ${place.type} ${place.id}, which has ${others.join(" | ")}`);
    }
  }
  for (const [place, files] of open) {
    for (const file of files) findings.fail(place, `has an unexpected file "${file.name}"`);
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
