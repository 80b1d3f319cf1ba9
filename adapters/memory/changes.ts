/** Carries out the changes of one `apply` on the maps. @module */
import { recordKey } from "../../core/records/mod.ts";
import type { Change, EventRow, TargetDetail, TargetRow } from "../../core/ports/mod.ts";
import { pathKey, type ScopeTables, type SharedTables, type StoredTarget } from "./tables.ts";

type ChangeOf<Op extends Change["op"]> = Extract<Change, { op: Op }>;

/** Throws a TypeError when a change holds something that is not JSON; called before the first effect. */
export function assertStorable(changes: Change[]): void {
  for (const change of changes) {
    JSON.stringify(change.op === "page" ? { ...change, body: null } : change);
  }
}

/** Carries out one change; what is kept is a copy. */
export function applyChange(shared: SharedTables, scope: ScopeTables, given: Change): void {
  const change = given.op === "page" ? given : structuredClone(given);
  switch (change.op) {
    case "page":
      return putPage(scope, change);
    case "records":
      return putRecords(scope, change);
    case "script":
      return void scope.scripts.set(change.caseKey, change.script);
    case "executionSteps":
      return void scope.executionSteps.set(change.executionId, change.steps);
    case "attachments":
      return putAttachments(scope, change);
    case "attachmentStored":
      return storeAttachment(scope, change);
    case "detail":
      return change.rows.forEach((row) => scope.details.set(pathKey(row.task, row.key), row));
    case "removeDetails":
      return removeDetails(scope, change);
    case "checkpoint":
      if (change.value === null || change.value === undefined) {
        return void scope.checkpoints.delete(change.name);
      }
      return void scope.checkpoints.set(change.name, change.value);
    case "planTargets":
      return change.rows.forEach((row) => planTarget(scope, row, change.onlyNew === true));
    case "targets":
      return change.rows.forEach((row) => changeTarget(scope, row));
    case "removeTargets":
      return change.rows.forEach((row) => scope.targets.delete(pathKey(row.kind, row.key)));
    case "seen":
      return markSeen(scope, change);
    case "losses":
      return putLosses(scope, change);
    case "issue":
      return putIssue(shared, scope, change);
    case "clearIssues":
      return clearIssues(scope, change);
    case "run":
      return changeRun(shared, scope, change);
    case "event":
      return addEvent(shared, change);
    case "requests":
      return addRequests(shared, change);
    case "clearDifferences":
      shared.differences = shared.differences.filter((row) => row.runId !== change.runId);
      return;
    case "differences":
      return change.rows.forEach((row) =>
        void shared.differences.push({ ...row, id: ++shared.lastId })
      );
  }
}

function putPage(scope: ScopeTables, change: ChangeOf<"page">): void {
  // A new first page of a detail starts the detail anew: a shorter one leaves no old tail.
  const isDetail = change.list === "script" || change.list === "executionSteps";
  if (isDetail && change.at.endsWith("#0")) {
    for (const key of detailPages(scope, change.list, change.at.slice(0, -2))) {
      scope.pages.delete(key);
    }
  }
  scope.pages.set(pathKey(change.list, change.at), new TextDecoder().decode(change.body));
}

/** Page keys of one detail, in order. */
export function detailPages(scope: ScopeTables, list: string, key: string): string[] {
  const found: string[] = [];
  for (let n = 0; scope.pages.has(pathKey(list, `${key}#${n}`)); n++) {
    found.push(pathKey(list, `${key}#${n}`));
  }
  return found;
}

function putRecords(scope: ScopeTables, change: ChangeOf<"records">): void {
  const page = pathKey(change.list, change.at);
  for (const { ordinal, record } of change.records) {
    scope.records[record.kind].set(recordKey(record), { record, page, ordinal });
  }
}

function putAttachments(scope: ScopeTables, change: ChangeOf<"attachments">): void {
  const before = new Map(scope.attachments.get(change.ownerKey)?.map((row) => [row.id, row]));
  // The same file listed again keeps its stored bytes.
  const rows = change.attachments.map((row) => ({
    ...row,
    size: row.size ?? before.get(row.id)?.size ?? null,
    sha256: row.sha256 ?? before.get(row.id)?.sha256 ?? null,
  }));
  if (rows.length === 0) scope.attachments.delete(change.ownerKey);
  else scope.attachments.set(change.ownerKey, rows);
}

function storeAttachment(scope: ScopeTables, change: ChangeOf<"attachmentStored">): void {
  for (const row of scope.attachments.get(change.ownerKey) ?? []) {
    if (row.id === change.id) Object.assign(row, { size: change.size, sha256: change.sha256 });
  }
}

function removeDetails(scope: ScopeTables, { task, keys }: ChangeOf<"removeDetails">): void {
  for (const [id, row] of scope.details) {
    if (row.task === task && (keys === null || keys.includes(row.key))) scope.details.delete(id);
  }
}

/** Keys given override; a null removes its key. */
function mergeDetail(before: TargetDetail, given: TargetDetail): TargetDetail {
  const merged = Object.entries({ ...before, ...given })
    .filter(([key, value]) => !(key in given) || (value !== null && value !== undefined));
  return Object.fromEntries(merged);
}

/** Whether planning decides the state anew: nothing was sent yet, or it had no place before. */
function takesPlannedState(row: TargetRow): boolean {
  if (row.state === "pending") return true;
  return row.targetId === null && (row.state === "withoutTarget" || row.state === "setAside");
}

function planTarget(scope: ScopeTables, row: TargetRow, onlyNew: boolean): void {
  const key = pathKey(row.kind, row.key);
  const before = scope.targets.get(key);
  if (before === undefined) {
    scope.targets.set(key, { ...row, seenPass: 0 });
    return;
  }
  if (onlyNew) return;
  const planned: Partial<StoredTarget> = {
    recordKind: row.recordKind,
    parentKind: row.parentKind,
    parentKey: row.parentKey,
    ord: row.ord,
    payloadHash: row.payloadHash,
    steps: row.steps,
    stepsAsText: row.stepsAsText,
    links: row.links,
    detail: mergeDetail(before.detail, row.detail),
  };
  if (takesPlannedState(before)) {
    planned.state = row.state;
    planned.lastError = row.lastError;
  }
  Object.assign(before, planned);
}

function changeTarget(scope: ScopeTables, row: ChangeOf<"targets">["rows"][number]): void {
  const before = scope.targets.get(pathKey(row.kind, row.key));
  if (before === undefined) return;
  const detail = row.detail === undefined ? before.detail : mergeDetail(before.detail, row.detail);
  const named = Object.entries(row).filter(([, value]) => value !== undefined);
  Object.assign(before, Object.fromEntries(named), { detail });
}

function markSeen(scope: ScopeTables, change: ChangeOf<"seen">): void {
  for (const key of change.keys) {
    const row = scope.targets.get(pathKey(change.kind, key));
    if (row !== undefined) row.seenPass = change.pass;
  }
}

function putLosses(scope: ScopeTables, change: ChangeOf<"losses">): void {
  const { phase, kind, key, rows } = change;
  if (rows.length === 0) scope.losses.delete(pathKey(phase, kind, key));
  else scope.losses.set(pathKey(phase, kind, key), { phase, kind, key, rows });
}

function putIssue(shared: SharedTables, scope: ScopeTables, change: ChangeOf<"issue">): void {
  const { row } = change;
  const key = pathKey(row.phase, row.kind, row.key, row.reason);
  const before = scope.issues.get(key);
  scope.issues.set(key, {
    ...row,
    attempts: before === undefined ? row.attempts : before.attempts + 1,
    id: before?.id ?? ++shared.lastId,
    runId: change.runId,
  });
}

function clearIssues(scope: ScopeTables, change: ChangeOf<"clearIssues">): void {
  for (const [id, row] of scope.issues) {
    if (row.phase === change.phase && row.kind === change.kind && row.key === change.key) {
      scope.issues.delete(id);
    }
  }
}

function changeRun(shared: SharedTables, scope: ScopeTables, change: ChangeOf<"run">): void {
  const run = shared.runs.find((row) => row.id === change.id && row.scopeId === scope.scope.id);
  if (run === undefined) return;
  const named = Object.entries(change.set).filter(([, value]) => value !== undefined);
  Object.assign(run, Object.fromEntries(named));
}

/** Appends an event under the next id. */
export function addEvent(shared: SharedTables, event: Omit<EventRow, "id">): void {
  const { runId, type, at, data } = event;
  shared.events.push({ id: (shared.events.at(-1)?.id ?? 0) + 1, runId, type, at, data });
}

function addRequests(shared: SharedTables, change: ChangeOf<"requests">): void {
  for (const row of change.rows) {
    const key = pathKey(change.runId, row.system, row.route, row.status);
    shared.requests.set(key, (shared.requests.get(key) ?? 0) + row.count);
  }
}
