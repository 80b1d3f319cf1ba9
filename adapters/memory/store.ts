// deno-lint-ignore-file require-await -- the port is asynchronous: what is thrown must come out as a rejection
/** A store in memory: nothing survives the process. It is the shortest full account of what a store does. @module */
import { LeaseLostError } from "../../core/errors.ts";
import {
  type AttachmentRecord,
  keyNumber,
  LIST_KINDS,
  type ListKind,
  type RecordByKind,
} from "../../core/records/mod.ts";
import type {
  EventRow,
  Keyset,
  Lease,
  Rows,
  Run,
  Scope,
  ScopeSpec,
  Store,
  TargetKind,
  TargetRow,
} from "../../core/ports/mod.ts";
import { addEvent, applyChange, assertStorable } from "./changes.ts";
import { idKey, pageOf, sorted } from "./keyset.ts";
import {
  countTargetRows,
  fieldStats,
  rawRecord,
  recordOrder,
  searchRecords,
  takeInventory,
  versionsExecuted,
} from "./queries.ts";
import { emptyScope, keyParts, pathKey, type ScopeTables, type SharedTables } from "./tables.ts";

/** Creates an empty store; reads and writes hand over copies. */
export function createMemoryStore(): Store {
  return new MemoryStore();
}

type Of<Method extends keyof Store> = ReturnType<NonNullable<Store[Method]>>;
type Args<Method extends keyof Store> = Parameters<NonNullable<Store[Method]>>;

class MemoryStore implements Store {
  #shared: SharedTables = {
    scopes: [],
    runs: [],
    events: [],
    differences: [],
    requests: new Map(),
    controls: new Map(),
    lastId: 0,
  };

  async migrate(): Promise<void> {}
  async close(): Promise<void> {}

  async openScope(spec: ScopeSpec): Promise<Scope> {
    const { sourceUrl, sourceProject, targetUrl, targetProject, rootName } = spec;
    const identity = { sourceUrl, sourceProject, targetUrl, targetProject, rootName };
    const wanted = JSON.stringify(identity);
    const known = this.#shared.scopes.find(({ scope: { id: _, ...rest } }) =>
      JSON.stringify(rest) === wanted
    );
    if (known !== undefined) return { ...known.scope };
    const scope = { ...identity, id: this.#shared.scopes.length + 1 };
    this.#shared.scopes.push(emptyScope(scope));
    return { ...scope };
  }

  async scopes(): Promise<Scope[]> {
    return this.#shared.scopes.map(({ scope }) => ({ ...scope }));
  }

  async createRun(run: Run): Promise<void> {
    this.#shared.runs.push(structuredClone(run));
  }

  async run(id: string): Promise<Run | null> {
    return structuredClone(this.#shared.runs.find((run) => run.id === id) ?? null);
  }

  async runs(scopeId: number | null): Promise<Run[]> {
    const runs = this.#shared.runs.filter((run) => scopeId === null || run.scopeId === scopeId);
    return structuredClone(
      runs.reverse().sort((a, b) =>
        a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0
      ),
    );
  }

  async acquireLease(...[request, isDead]: Args<"acquireLease">): Of<"acquireLease"> {
    const tables = this.#scope(request.scopeId);
    const holder = tables.lease;
    if (holder !== null && holder.expiresAt > request.now && !isDead({ ...holder })) {
      return { lease: null, holder: { ...holder } };
    }
    const { scopeId, owner, host, pid, now, expiresAt } = request;
    const epoch = ++tables.epoch;
    tables.lease = { scopeId, owner, epoch, host, pid, heartbeatAt: now, expiresAt };
    return { lease: { scopeId, owner, epoch }, holder: null };
  }

  async heartbeat(lease: Lease, now: string, expiresAt: string): Promise<boolean> {
    const row = this.#held(lease);
    if (row !== null) Object.assign(row, { heartbeatAt: now, expiresAt });
    return row !== null;
  }

  async releaseLease(lease: Lease): Promise<void> {
    if (this.#held(lease) !== null) this.#scope(lease.scopeId).lease = null;
  }

  async leaseOf(scopeId: number): Of<"leaseOf"> {
    return structuredClone(this.#scope(scopeId).lease);
  }

  async apply(...[lease, changes]: Args<"apply">): Promise<void> {
    assertStorable(changes);
    if (this.#held(lease) === null) {
      throw new LeaseLostError(
        `Cannot save to scope "${lease.scopeId}": another process has taken it over`,
      );
    }
    const tables = this.#scope(lease.scopeId);
    for (const change of changes) applyChange(this.#shared, tables, change);
  }

  async requestControl(runId: string, name: string, value: unknown): Promise<void> {
    const named = this.#shared.controls.get(runId) ?? new Map();
    this.#shared.controls.set(runId, named);
    if (value === null || value === undefined) named.delete(name);
    else named.set(name, structuredClone(value));
  }

  async controls(runId: string): Promise<Record<string, unknown>> {
    return structuredClone(Object.fromEntries(this.#shared.controls.get(runId) ?? []));
  }

  async checkpoint(scopeId: number, name: string): Promise<unknown> {
    return structuredClone(this.#scope(scopeId).checkpoints.get(name) ?? null);
  }

  async records<K extends ListKind>(
    scopeId: number,
    kind: K,
    page: Keyset,
  ): Promise<Rows<RecordByKind[K]>> {
    const found = pageOf(this.#scope(scopeId).records[kind].values(), page, recordOrder);
    return { ...found, rows: found.rows.map((row) => row.record as RecordByKind[K]) };
  }

  async recordsByKey<K extends ListKind>(
    scopeId: number,
    kind: K,
    keys: string[],
  ): Promise<Map<string, RecordByKind[K]>> {
    const found = pick(this.#scope(scopeId).records[kind], keys);
    return new Map([...found].map(([key, row]) => [key, row.record as RecordByKind[K]]));
  }

  async countRecords(scopeId: number): Promise<Record<ListKind, number>> {
    const { records } = this.#scope(scopeId);
    const counts = LIST_KINDS.map((kind) => [kind, records[kind].size]);
    return Object.fromEntries(counts) as Record<ListKind, number>;
  }

  async inventory(scopeId: number): Of<"inventory"> {
    return takeInventory(this.#scope(scopeId));
  }

  async scripts(scopeId: number, caseKeys: string[]): Of<"scripts"> {
    return pick(this.#scope(scopeId).scripts, caseKeys);
  }

  async executionSteps(scopeId: number, executionIds: string[]): Of<"executionSteps"> {
    return pick(this.#scope(scopeId).executionSteps, executionIds);
  }

  async attachments(scopeId: number, ownerKeys: string[]): Of<"attachments"> {
    const found = pick(this.#scope(scopeId).attachments, ownerKeys);
    for (const [owner, files] of found) {
      found.set(owner, sorted(files, (file) => [file.ord, ...idKey(file.id)]));
    }
    return found;
  }

  async allAttachments(...[scopeId, page, where]: Args<"allAttachments">): Of<"allAttachments"> {
    const rows = [...this.#scope(scopeId).attachments].flatMap(([owner, files]) =>
      files.map((file: AttachmentRecord) => ({ owner, file }))
    ).filter(({ file }) => where?.stored === undefined || where.stored === (file.sha256 !== null));
    const found = pageOf(rows, page, ({ owner, file }) => [owner, file.ord, ...idKey(file.id)]);
    return { ...found, rows: found.rows.map((row) => row.file) };
  }

  async details(...[scopeId, task, keys]: Args<"details">): Of<"details"> {
    const { details } = this.#scope(scopeId);
    const found = pick(details, keys.map((key) => pathKey(task, key)));
    return new Map([...found.values()].map((row) => [row.key, row]));
  }

  async unknownCaseKeys(scopeId: number): Promise<string[]> {
    const { records } = this.#scope(scopeId);
    const named = versionsExecuted(this.#scope(scopeId)).map((row) => row.caseKey);
    const unknown = new Set(named.filter((key) => !records.testCase.has(key)));
    return sorted(unknown, (key) => [keyNumber(key), key]);
  }

  async executedVersions(scopeId: number, page: Keyset): Of<"executedVersions"> {
    const found = pageOf(versionsExecuted(this.#scope(scopeId)), page, (row) => row.order);
    return { ...found, rows: found.rows.map(({ order: _, ...row }) => row) };
  }

  async customFieldStats(...[scopeId, kind]: Args<"customFieldStats">): Of<"customFieldStats"> {
    return fieldStats(this.#scope(scopeId), kind);
  }

  async raw(...[scopeId, kind, key]: Args<"raw">): Promise<string | null> {
    return rawRecord(this.#scope(scopeId), kind, key);
  }

  async search(...[scopeId, text, limit]: Args<"search">): Of<"search"> {
    return searchRecords(this.#scope(scopeId), text, limit);
  }

  async targets(...[scopeId, kind, page]: Args<"targets">): Of<"targets"> {
    const rows = this.#targets(scopeId, kind).filter((row) =>
      (page.states === undefined || page.states.includes(row.state)) &&
      (page.everInDoubt === undefined || page.everInDoubt === row.everInDoubt)
    );
    return targetPage(rows, page);
  }

  async targetsByKey(...[scopeId, kind, keys]: Args<"targetsByKey">): Of<"targetsByKey"> {
    const found = pick(this.#scope(scopeId).targets, keys.map((key) => pathKey(kind, key)));
    return new Map([...found.values()].map((row) => [row.key, publicTarget(row)]));
  }

  async targetsById(...[scopeId, kind, targetIds]: Args<"targetsById">): Of<"targetsById"> {
    const wanted = new Set(targetIds);
    const rows = this.#targets(scopeId, kind).flatMap((row) =>
      row.targetId !== null && wanted.has(row.targetId)
        ? [[row.targetId, publicTarget(row)] as const]
        : []
    );
    return structuredClone(new Map(rows));
  }

  async targetChildren(...args: Args<"targetChildren">): Promise<TargetRow[]> {
    const [scopeId, kind, parentKind, parentKeys] = args;
    const parents = new Set<string | null>(parentKeys);
    const rows = this.#targets(scopeId, kind).filter((row) =>
      row.parentKind === parentKind && parents.has(row.parentKey)
    );
    return targetPage(rows, { after: null, limit: Infinity }).rows;
  }

  async unseen(...[scopeId, kind, pass, page]: Args<"unseen">): Of<"unseen"> {
    const rows = this.#targets(scopeId, kind).filter((row) =>
      row.targetId !== null && row.seenPass !== pass
    );
    return targetPage(rows, page);
  }

  async countTargets(...[scopeId, kind]: Args<"countTargets">): Of<"countTargets"> {
    const counts = countTargetRows(this.#scope(scopeId));
    return kind === undefined ? counts : counts.filter((row) => row.kind === kind);
  }

  async losses(...[scopeId, page, where]: Args<"losses">): Of<"losses"> {
    const rows = [...this.#scope(scopeId).losses.values()].flatMap(({ rows, ...owner }) =>
      rows.map((row, index) => ({
        order: [owner.key, owner.phase, owner.kind, index],
        row: { ...row, phase: owner.phase },
      }))
    ).filter(({ row }) =>
      (where?.rule === undefined || row.rule === where.rule) &&
      (where?.key === undefined || row.key === where.key)
    );
    const found = pageOf(rows, page, (entry) => entry.order);
    return { ...found, rows: found.rows.map((entry) => entry.row) };
  }

  async countLosses(scopeId: number): Promise<Record<string, number>> {
    const rows = [...this.#scope(scopeId).losses.values()].flatMap((entry) => entry.rows);
    const counts: Record<string, number> = {};
    for (const { rule } of sorted(rows, (row) => [row.rule])) {
      counts[rule] = (counts[rule] ?? 0) + 1;
    }
    return counts;
  }

  async issues(...[scopeId, page, where = {}]: Args<"issues">): Of<"issues"> {
    const rows = [...this.#scope(scopeId).issues.values()].filter((row) =>
      (where.setAside === undefined || row.setAside === where.setAside) &&
      (where.key === undefined || row.key === where.key) &&
      (where.phase === undefined || row.phase === where.phase)
    );
    const found = pageOf(rows, page, (row) => [row.id]);
    return { ...found, rows: found.rows.map(({ id: _, runId: __, ...row }) => row) };
  }

  async countIssues(scopeId: number): Of<"countIssues"> {
    const groups = new Map<string, Awaited<Of<"countIssues">>[number]>();
    for (const { phase, kind, level, setAside } of this.#scope(scopeId).issues.values()) {
      const key = pathKey(phase, kind, level, String(setAside));
      const group = groups.get(key) ?? { phase, kind, level, setAside, count: 0 };
      groups.set(key, group);
      group.count++;
    }
    return sorted(groups.values(), (row) => [row.phase, row.kind, row.level, Number(row.setAside)]);
  }

  async differences(runId: string, page: Keyset): Of<"differences"> {
    const rows = this.#shared.differences.filter((row) => row.runId === runId);
    const found = pageOf(rows, page, (row) => [row.id]);
    return { ...found, rows: found.rows.map(({ id: _, ...row }) => row) };
  }

  async events(runId: string | null, afterId: number, limit: number): Of<"events"> {
    const rows = this.#shared.events.filter((row) =>
      row.id > afterId && (runId === null || row.runId === runId)
    );
    return structuredClone(rows.slice(0, limit));
  }

  async appendEvent(event: Omit<EventRow, "id">): Promise<void> {
    addEvent(this.#shared, structuredClone(event));
  }

  async requestCounts(runId: string): Of<"requestCounts"> {
    const rows = [...this.#shared.requests].map(([key, count]) => ({
      parts: keyParts(key),
      count,
    }));
    return sorted(rows.filter(({ parts }) => parts[0] === runId), ({ parts }) => parts)
      .map(({ parts: [, system, route = "", status = ""], count }) => ({
        system: system as "source" | "target",
        route,
        status,
        count,
      }));
  }

  #scope(id: number): ScopeTables {
    const tables = this.#shared.scopes.find(({ scope }) => scope.id === id);
    // Reads of a scope that does not exist find nothing, as in a database.
    return tables ?? emptyScope({
      id,
      sourceUrl: "",
      sourceProject: "",
      targetUrl: "",
      targetProject: "",
      rootName: "",
    });
  }

  #held({ scopeId, owner, epoch }: Lease): ScopeTables["lease"] {
    const row = this.#scope(scopeId).lease;
    return row !== null && row.owner === owner && row.epoch === epoch ? row : null;
  }

  #targets(scopeId: number, kind: TargetKind): (TargetRow & { seenPass: number })[] {
    return [...this.#scope(scopeId).targets.values()].filter((row) => row.kind === kind);
  }
}

/** Copies the values of those keys that are there. */
function pick<T>(map: Map<string, T>, keys: string[]): Map<string, T> {
  const found = new Map<string, T>();
  for (const key of keys) {
    const value = map.get(key);
    if (value !== undefined) found.set(key, structuredClone(value));
  }
  return found;
}

function publicTarget({ seenPass: _, ...row }: TargetRow & { seenPass: number }): TargetRow {
  return row;
}

function targetPage(rows: (TargetRow & { seenPass: number })[], page: Keyset): Rows<TargetRow> {
  const found = pageOf(rows, page, (row) => [row.ord, row.key]);
  return { ...found, rows: found.rows.map(publicTarget) };
}
