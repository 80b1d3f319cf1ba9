/**
 * Tries records again that were set aside: what could not be read is read again, what could not be
 * transformed is planned again, what the target refused is sent again, each with its descendants.
 * @module
 */
import type { Settings } from "../config/types.ts";
import { EXIT, StopError } from "../errors.ts";
import { CENSUS_NOTE } from "../extract/census.ts";
import { caseKeyOfRun } from "../load/prepare.ts";
import { REFRESHED, type RefreshedKind, refreshNote } from "../load/refresh.ts";
import type {
  Change,
  DetailTask,
  IssueRow,
  Phase,
  Run,
  Store,
  TargetKind,
  TargetRow,
} from "../ports/mod.ts";
import { PHASES, TARGET_KINDS } from "../ports/mod.ts";
import { recordKey } from "../records/mod.ts";
import { allStages } from "./graph.ts";
import { stageNote } from "./runner.ts";
import { stateOfPhases } from "./state_machine.ts";
import { noteName } from "./summary.ts";

export interface RetryParts {
  store: Store;
  run: Run;
  settings: Settings;
  nowIso: () => string;
  apply: (changes: Change[]) => Promise<void>;
}

/** What a retry took on. */
export interface Retried {
  /** Phases that end before the first record is sent again. */
  first: Phase[];
  /** Names (`kind/key`) of the rows to try again. */
  chosen: Set<string>;
  /** Names of the records to read again, which may have no row yet. */
  reread: Set<string>;
  /** Rows that stay set aside, with their last errors: planning anew would open them too. */
  others: Map<string, string | null>;
}

/** Stages that look at the whole target and have nothing to do with single records. */
const ONCE = ["load.adopt", "load.field", "load.update"];

/**
 * Opens the run again for the records of these keys, or all when there are none. Throws
 * {@linkcode StopError} (exit 1) when a key was not set aside.
 */
export async function openRetry(parts: RetryParts, keys: readonly string[]): Promise<Retried> {
  const rows = await rowsAside(parts);
  const issues = await issuesAside(parts);
  const names = keys.length === 0 ? null : await namesOf(parts, keys);
  assertKnown(keys, names, rows, issues);
  const chosen = withDescendants(rows, names);
  const picked = issues.filter((issue) =>
    names === null || isNamed(names, issue.key) || chosen.has(`${issue.kind}/${issue.key}`)
  );
  if (chosen.size === 0 && picked.length === 0) {
    return { first: [], chosen, reread: new Set(), others: new Map() };
  }
  const reading = readAgain(parts, picked);
  const plans = reading.changes.length > 0 || picked.some((issue) => issue.phase === "transform");
  const first: Phase[] = [
    ...(reading.changes.length > 0 ? ["extract" as const] : []),
    ...(plans ? ["transform" as const] : []),
  ];
  const rest = rows.filter((row) => !chosen.has(nameOf(row)));
  const others = new Map(rest.map((row) => [nameOf(row), row.lastError]));
  const reread = new Set(picked.map(nameOf));
  const retried = { first, chosen, reread, others };
  await parts.apply([
    ...reading.changes,
    ...(plans ? planAgain(parts, reading.readsLists) : []),
    ...loadAgain(parts, {
      "load.field": reading.readsLists,
      "load.update": rows.some((row) => chosen.has(nameOf(row)) && row.origin === "adopted"),
    }),
    reopenRun(parts, first[0] ?? "load"),
  ]);
  if (first.length === 0) await resetRows(parts, retried);
  return retried;
}

/** Makes the chosen rows ready to be sent; all others stay set aside. */
export async function resetRows(parts: RetryParts, retried: Retried): Promise<void> {
  const isPlannedAnew = retried.first.length > 0;
  await noteCallers(parts, retried.chosen.union(retried.reread));
  for (const kind of TARGET_KINDS) {
    for await (const page of pages(parts, kind)) {
      const changes = page.flatMap((row): RowChange[] => {
        if (retried.chosen.has(nameOf(row))) return readyAgain(row, isPlannedAnew);
        const lastError = retried.others.get(nameOf(row));
        return lastError === undefined || row.state !== "pending"
          ? []
          : [{ kind: row.kind, key: row.key, state: "setAside", lastError }];
      });
      if (changes.length > 0) await parts.apply([{ op: "targets", rows: changes }]);
    }
  }
}

/** What is in the target without a chosen one that it names (see `load/refresh`) is sent again. */
async function noteCallers(parts: RetryParts, chosen: Set<string>): Promise<void> {
  for (const kind of REFRESHED) {
    const name = noteName(parts.run.id, refreshNote(kind));
    // A retry that was cut off may have left some.
    const before = await parts.store.checkpoint(parts.run.scopeId, name) as string[] | null;
    const callers = new Set(before);
    for await (const page of pages(parts, kind, ["loaded"])) {
      for (const row of page) if (namesOneOf(chosen, kind, row)) callers.add(row.key);
    }
    if (callers.size === 0) continue;
    await parts.apply([{ op: "checkpoint", name, value: [...callers] }]);
  }
}

function namesOneOf(chosen: Set<string>, kind: RefreshedKind, { detail }: TargetRow): boolean {
  if (kind === "testSuite") return chosen.has(`release/${detail.releaseKey}`);
  const named = Array.isArray(detail.namedCalls) ? detail.namedCalls : [];
  return named.some((called) => chosen.has(`testCase/${called}`));
}

type RowChange = Extract<Change, { op: "targets" }>["rows"][number];

/** Planning decides anew by itself; what was never in doubt is ready then. */
function readyAgain(row: TargetRow, isPlannedAnew: boolean): RowChange[] {
  const { kind, key } = row;
  const wasSent = row.everInDoubt && row.attempt > 0;
  const detail = { doubts: 0 };
  // It is in the target already: a later step was refused, not its create.
  if (row.targetId !== null) {
    return row.state === "setAside" ? [{ kind, key, state: "loaded" }] : [];
  }
  if (isPlannedAnew && row.state !== "pending") return [];
  if (!isPlannedAnew && row.state !== "setAside") return [];
  // Looked up before it is sent again: the last attempt may have landed after all.
  return [{ kind, key, state: wasSent ? "inDoubt" : "pending", detail }];
}

function nameOf(row: { kind: string; key: string }): string {
  return `${row.kind}/${row.key}`;
}

async function* pages(
  { store, run }: RetryParts,
  kind: TargetKind,
  states?: TargetRow["state"][],
): AsyncGenerator<TargetRow[]> {
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await store.targets(
      run.scopeId,
      kind,
      { after, limit: 500, ...(states === undefined ? {} : { states }) },
    );
    yield page.rows;
    after = page.cursor;
  } while (after !== null);
}

async function rowsAside(parts: RetryParts): Promise<TargetRow[]> {
  const rows: TargetRow[] = [];
  for (const kind of TARGET_KINDS) {
    for await (const page of pages(parts, kind, ["setAside"])) rows.push(...page);
  }
  return rows;
}

async function issuesAside({ store, run }: RetryParts): Promise<IssueRow[]> {
  const issues: IssueRow[] = [];
  let after: string | null = null;
  do {
    const page: { rows: IssueRow[]; cursor: string | null } = await store.issues(
      run.scopeId,
      { after, limit: 500 },
      { setAside: true },
    );
    issues.push(...page.rows);
    after = page.cursor;
  } while (after !== null);
  return issues;
}

/** Identities of the records that people mean: `SA-E5` is stored under its id. */
async function namesOf(
  { store, run }: RetryParts,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const names = new Map<string, string>(keys.map((key) => [key, key]));
  for (const key of keys) {
    for (const hit of await store.search(run.scopeId, key, 50)) {
      const found = (await store.recordsByKey(run.scopeId, hit.kind, [hit.key])).get(hit.key);
      if (found !== undefined && "key" in found && found.key === key) {
        names.set(recordKey(found), key);
      }
    }
  }
  return names;
}

/** Files are known by their owner, too: `testCase/SA-T1#5`. */
function isNamed(names: Map<string, string>, key: string): boolean {
  return names.has(key) || names.has(key.split("#")[0]?.split("/")[1] ?? key);
}

function assertKnown(
  keys: readonly string[],
  names: Map<string, string> | null,
  rows: TargetRow[],
  issues: IssueRow[],
): void {
  if (names === null) return;
  const known = new Set(
    [...rows, ...issues].flatMap(({ key }) =>
      isNamed(names, key) ? names.get(key) ?? names.get(key.split("#")[0]?.split("/")[1] ?? "") : []
    ),
  );
  const strange = keys.find((key) => !known.has(key));
  if (strange === undefined) return;
  throw new StopError(EXIT.failed, `Cannot retry "${strange}": it was not set aside`, {
    hint: "`ztoq errors list` lists what was",
  });
}

/** The rows named and all that were set aside because of them. */
function withDescendants(rows: TargetRow[], names: Map<string, string> | null): Set<string> {
  const chosen = new Set<string>();
  for (const row of rows) if (names === null || isNamed(names, row.key)) chosen.add(nameOf(row));
  for (let before = -1; before !== chosen.size;) {
    before = chosen.size;
    for (const row of rows) {
      const onParent = row.parentKind !== null && chosen.has(`${row.parentKind}/${row.parentKey}`);
      const onCase = row.kind === "testRun" && chosen.has(`testCase/${caseKeyOfRun(row.key)}`);
      if (onParent || onCase) chosen.add(nameOf(row));
    }
  }
  // A case that could not be read was named by its executions: they wait under its key.
  for (const row of rows) {
    if (row.kind !== "testRun" || names === null) continue;
    if (names.has(caseKeyOfRun(row.key))) chosen.add(nameOf(row));
  }
  return chosen;
}

const TASKS: readonly DetailTask[] = ["script", "executionSteps", "attachments"];

/** Lets the stages that read the source do so again for what could not be read. */
function readAgain(
  { run, settings }: RetryParts,
  issues: IssueRow[],
): { changes: Change[]; readsLists: boolean } {
  const stages = new Set<string>();
  const known = allStages(settings).filter((stage) => stage.phase === "extract")
    .map((stage) => stage.name);
  const changes: Change[] = [];
  const forget = (task: DetailTask, key: string): void => {
    changes.push({ op: "removeDetails", task, keys: [key, ownerOfStep(key)] });
    const kind = key.split("/")[0] ?? "";
    if (task === "attachments") stages.add(`extract.attachments.${OWNERS[kind] ?? kind}`);
    else stages.add(`extract.${task}`);
  };
  let readsLists = false;
  for (const issue of issues) {
    const task = TASKS.find((name) => issue.reason === `${name}-unreadable`);
    if (issue.reason === "attachment-gone") forget("attachments", issue.key.replace(/#[^#]*$/, ""));
    else if (task !== undefined) forget(task, issue.key);
    else if (issue.phase === "extract" && issue.reason === "unreadable") {
      readsLists = true;
      for (const name of known) {
        if (name === `extract.${issue.kind}` || name.startsWith(`extract.${issue.kind}/`)) {
          stages.add(name);
        }
      }
      if (!isIdentity(issue)) {
        changes.push({ op: "clearIssues", phase: "extract", kind: issue.kind, key: issue.key });
      }
    }
  }
  if (readsLists) stages.add("extract.census");
  for (const stage of stages) {
    changes.push(
      { op: "checkpoint", name: noteName(run.id, stageNote(stage)), value: null },
      {
        op: "checkpoint",
        name: noteName(run.id, `list/${stage.slice("extract.".length)}`),
        value: null,
      },
    );
  }
  if (readsLists) {
    changes.push({ op: "checkpoint", name: noteName(run.id, CENSUS_NOTE), value: null });
  }
  return { changes, readsLists };
}

const OWNERS: Record<string, string> = { testStep: "testCase", executionStep: "execution" };

/** Files of steps are read with their record: `testStep/SA-T1/77` → `testCase/SA-T1`. */
function ownerOfStep(key: string): string {
  const [kind = "", owner = ""] = key.split("/");
  return OWNERS[kind] === undefined ? key : `${OWNERS[kind]}/${owner}`;
}

/** Rows without a readable key are named by their place, which says nothing on the next reading. */
function isIdentity(issue: IssueRow): boolean {
  return !/ row \d+$/.test(issue.key);
}

function planAgain({ run, settings }: RetryParts, withMapping: boolean): Change[] {
  const stages = allStages(settings).filter((stage) =>
    stage.phase === "transform" && (withMapping || stage.name !== "transform.mapping")
  );
  return [...stages.map((stage) => stageNote(stage.name)), "plan/testCase", "plan/execution"].map(
    (name) => ({ op: "checkpoint", name: noteName(run.id, name), value: null }),
  );
}

function loadAgain(
  { run, settings }: RetryParts,
  also: Record<string, boolean>,
): Change[] {
  const stages = allStages(settings).filter((stage) => {
    if (stage.phase === "validate") return true;
    const isOnce = ONCE.includes(stage.name) && also[stage.name] !== true;
    return stage.phase === "load" && !isOnce;
  });
  return stages.map((stage) => ({
    op: "checkpoint",
    name: noteName(run.id, stageNote(stage.name)),
    value: null,
  }));
}

function reopenRun({ run, nowIso }: RetryParts, from: Phase): Change {
  const phases = { ...run.phases };
  for (const phase of PHASES.slice(PHASES.indexOf(from))) {
    if (phases[phase] === "done") phases[phase] = "active";
  }
  const state = stateOfPhases(phases);
  const set = {
    phases,
    state,
    result: null,
    completedAt: null,
    summary: null,
    updatedAt: nowIso(),
  };
  return { op: "run", id: run.id, set };
}
