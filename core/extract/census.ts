/**
 * After the lists: what of the project is in use. One pass over all records collects the statuses,
 * priorities, environments and accounts that occur, finds cases that executions name but no list
 * holds, and asks for the version number of cases whose executions may be of an older one.
 * @module
 */
import type { Change, FieldObject } from "../ports/mod.ts";
import type { ListKind, LookupRecord, RecordByKind } from "../records/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { pool } from "../engine/stage.ts";
import type { RuleFinding } from "../validate/findings.ts";
import { ruleChanges } from "../validate/findings.ts";
import { SourceRules } from "./source_rules.ts";

/** Stored as a note of the run; small whatever the project's size. */
export interface Census {
  /** Count per status id of executions, per priority id of cases. */
  executionStatuses: Record<string, number>;
  priorities: Record<string, number>;
  /** Test runs the executions make: one per case and cycle. */
  runs: number;
  /** Account ids seen as owner, executor or assignee. */
  accounts: string[];
  /** Labels of ztoq's own fields that have at least one value, per object of the target. */
  ownFields: Record<FieldObject, string[]>;
  /** Requests that the census itself cost, for the plan. */
  tombstones: number;
  versionLookups: number;
}

export const CENSUS_NOTE = "census";

export function censusStage(after: string[]): Stage {
  return {
    name: "extract.census",
    phase: "extract",
    after,
    run: takeCensus,
  };
}

async function takeCensus(ctx: RunContext): Promise<boolean> {
  const seen = await collect(ctx);
  if (ctx.stopping()) return false;
  await readMissingLookups(ctx, seen);
  const tombstones = await readUnlistedCases(ctx);
  const versionLookups = await readVersions(ctx);
  if (ctx.stopping()) return false;
  const census: Census = {
    executionStatuses: seen.executionStatuses,
    priorities: seen.priorities,
    runs: seen.runs,
    accounts: [...seen.accounts].sort(),
    ownFields: {
      testCase: [...seen.ownFields.testCase],
      testSuite: [...seen.ownFields.testSuite],
      testRun: [...seen.ownFields.testRun],
      release: [...seen.ownFields.release],
    },
    tombstones,
    versionLookups,
  };
  await ctx.commit([
    ctx.noteChange(CENSUS_NOTE, census),
    ...ruleChanges(ctx, "extract", findingsOf(ctx, seen, tombstones)),
  ]);
  return true;
}

function findingsOf(ctx: RunContext, seen: Seen, tombstones: number): RuleFinding[] {
  const leavesFiles = ctx.settings.include.attachments !== "none" && !ctx.sourceProfile.attachments;
  return [...seen.rules.findings(), {
    rule: "execution_testcase_reference",
    count: tombstones,
    message: `${tombstones} cases that executions name are in no list: archived or deleted`,
  }, {
    rule: "attachment_migration_validation",
    count: leavesFiles ? 1 : 0,
    message: "The source has no attachment routes: its files, if any, stay behind",
    level: "warning",
  }];
}

interface Seen {
  executionStatuses: Record<string, number>;
  priorities: Record<string, number>;
  statuses: Set<string>;
  environments: Set<string>;
  accounts: Set<string>;
  ownFields: Record<FieldObject, Set<string>>;
  rules: SourceRules;
  runs: number;
}

async function collect(ctx: RunContext): Promise<Seen> {
  const folders = new Set<string>();
  await eachRecord(ctx, "folder", (record) => folders.add(record.id));
  const cycles = new Set<string>();
  await eachRecord(ctx, "testCycle", (record) => cycles.add(record.id));
  const seen: Seen = {
    rules: new SourceRules(folders, cycles),
    runs: 0,
    executionStatuses: {},
    priorities: {},
    statuses: new Set(),
    environments: new Set(),
    accounts: new Set(),
    ownFields: {
      testCase: new Set(["Zephyr Key"]),
      testSuite: new Set(["Zephyr Key"]),
      testRun: new Set(["Zephyr Key"]),
      release: new Set(["Zephyr Key"]),
    },
  };
  const own = (object: FieldObject, label: string, value: unknown): void => {
    if (value !== null && value !== "") seen.ownFields[object].add(label);
  };
  const add = (set: Set<string>, value: string | null): void => {
    if (value !== null) set.add(value);
  };
  await eachRecord(ctx, "testCase", (record) => {
    seen.rules.look(record);
    add(seen.statuses, record.statusId);
    add(seen.accounts, record.ownerId);
    count(seen.priorities, record.priorityId);
    own("testCase", "Zephyr Status", record.statusId);
    own("testCase", "Labels", record.labels.length === 0 ? null : "labels");
    own("testCase", "Component", record.componentId);
    own("testCase", "Owner", record.ownerId);
    own("testCase", "Estimated Time (min)", record.estimatedTimeMs);
    own("testCase", "Zephyr Created", record.createdOn);
  });
  await eachRecord(ctx, "testCycle", (record) => {
    seen.rules.look(record);
    add(seen.statuses, record.statusId);
    add(seen.accounts, record.ownerId);
    own("testSuite", "Zephyr Status", record.statusId);
    own("testSuite", "Owner", record.ownerId);
    // Links, further plans and planned dates without a system field stand in the description too.
    own("testSuite", "Zephyr Description", describes(record) ? "text" : null);
    own("testSuite", "Zephyr Version", record.jiraVersionId);
  });
  await eachRecord(ctx, "testPlan", (record) => {
    add(seen.statuses, record.statusId);
    add(seen.accounts, record.ownerId);
    own("release", "Zephyr Status", record.statusId);
    own("release", "Owner", record.ownerId);
    own("release", "Labels", record.labels.length === 0 ? null : "labels");
  });
  let item = "";
  await eachRecord(ctx, "execution", (record) => {
    seen.rules.look(record);
    // Executions come case by case and cycle by cycle.
    const next = `${record.testCaseKey}/${record.cycleId}`;
    if (next !== item) seen.runs++;
    item = next;
    count(seen.executionStatuses, record.statusId);
    add(seen.environments, record.environmentId);
    add(seen.accounts, record.executedById);
    add(seen.accounts, record.assignedToId);
  });
  return seen;
}

function describes(cycle: RecordByKind["testCycle"]): boolean {
  return (cycle.description ?? "") !== "" || cycle.links.length > 0 || cycle.planIds.length > 0 ||
    cycle.plannedStartDate !== null || cycle.plannedEndDate !== null;
}

function count(counts: Record<string, number>, id: string | null): void {
  if (id !== null) counts[id] = (counts[id] ?? 0) + 1;
}

/** Streams all records of a kind in pages, yielding the event loop between pages. */
export async function eachRecord<K extends ListKind>(
  ctx: Pick<RunContext, "store" | "scope">,
  kind: K,
  visit: (record: RecordByKind[K]) => void,
): Promise<void> {
  let after: string | null = null;
  do {
    const page: { rows: RecordByKind[K][]; cursor: string | null } = await ctx.store.records(
      ctx.scope.id,
      kind,
      { after, limit: 1000 },
    );
    for (const record of page.rows) visit(record);
    after = page.cursor;
  } while (after !== null);
}

/** Lists may hide archived statuses and environments that records still name: read them one by one. */
async function readMissingLookups(ctx: RunContext, seen: Seen): Promise<void> {
  const lookup = ctx.source.lookup;
  if (lookup === undefined) return;
  const wanted: [LookupRecord["kind"], Set<string>][] = [
    ["status", new Set([...seen.statuses, ...Object.keys(seen.executionStatuses)])],
    ["priority", new Set(Object.keys(seen.priorities))],
    ["environment", seen.environments],
  ];
  for (const [kind, ids] of wanted) {
    const known = await ctx.store.recordsByKey(ctx.scope.id, kind, [...ids]);
    const missing = [...ids].filter((id) => !known.has(id));
    await pool(missing, 4, ctx.stopping, async (id) => {
      const record = await lookup.call(ctx.source, kind, id, ctx.readSignal);
      if (record === null) return;
      await ctx.commit([{
        op: "records",
        list: kind,
        at: `id:${id}`,
        records: [{ ordinal: 0, record }],
      }]);
    });
  }
}

/** Cases named by executions that no list holds: archived, deleted, or added while we paged. */
async function readUnlistedCases(ctx: RunContext): Promise<number> {
  if (!ctx.settings.include.testCases) return 0;
  const unknown = await ctx.store.unknownCaseKeys(ctx.scope.id);
  // Keys of other projects are not ours to read: they become placeholders at once.
  const own = unknown.filter((key) => key.startsWith(`${ctx.scope.sourceProject}-`));
  const known = await ctx.store.details(ctx.scope.id, "tombstone", own);
  const open = own.filter((key) => !known.has(key));
  await pool(open, ctx.settings.source.concurrency, ctx.stopping, async (key) => {
    const found = await ctx.source.testCase(key, ctx.readSignal);
    const changes: Change[] = [{
      op: "detail",
      rows: [{ task: "tombstone", key, state: found === null ? "gone" : "done", count: 0 }],
    }];
    if (found !== null) {
      const at = `key:${key}`;
      const body = found.raw[0] ?? new Uint8Array();
      changes.push({ op: "page", list: "testCase", at, body, rows: 1 }, {
        op: "records",
        list: "testCase",
        at,
        records: [{ ordinal: 0, record: found.value }],
      });
    }
    await ctx.commit(changes);
  });
  return own.length;
}

/**
 * An execution names the version it ran. When its version-row id is the case's own id it is the
 * current one; else only the case's newest version number can tell, at one request per case.
 */
async function readVersions(ctx: RunContext): Promise<number> {
  let asked = 0;
  let after: string | null = null;
  do {
    const page: {
      rows: { caseKey: string; version: number | null; versionId: string | null }[];
      cursor: string | null;
    } = await ctx.store.executedVersions(ctx.scope.id, { after, limit: 500 });
    const cases = await ctx.store.recordsByKey(ctx.scope.id, "testCase", [
      ...new Set(page.rows.map((row) => row.caseKey)),
    ]);
    const { pending, current } = sortVersions(page.rows, cases);
    const known = await ctx.store.details(ctx.scope.id, "version", [...pending]);
    asked += [...pending].filter((key) => !current.has(key)).length;
    const open = [...pending].filter((key) => !known.has(key));
    await pool(open, ctx.settings.source.concurrency, ctx.stopping, async (key) => {
      const latest = current.get(key) ?? await ctx.source.latestVersion(key, ctx.readSignal);
      const state = latest === null ? "gone" : "done";
      await ctx.commit([{
        op: "detail",
        rows: [{ task: "version", key, state, count: latest ?? 0 }],
      }]);
    });
    after = page.cursor;
  } while (after !== null && !ctx.stopping());
  return asked;
}

/** Cases with executions of another version row, and the newest versions that executions already tell. */
function sortVersions(
  rows: { caseKey: string; version: number | null; versionId: string | null }[],
  cases: Map<string, RecordByKind["testCase"]>,
): { pending: Set<string>; current: Map<string, number> } {
  const pending = new Set<string>();
  const current = new Map<string, number>();
  for (const row of rows) {
    const record = cases.get(row.caseKey);
    if (record === undefined || row.version === null) continue;
    if (row.versionId === record.id) current.set(row.caseKey, row.version);
    else pending.add(row.caseKey);
  }
  return { pending, current };
}
