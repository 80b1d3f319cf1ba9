/**
 * The store in libSQL: a file by default, sqld or Turso by URL. Loading this module loads no native
 * code; opening a file does.
 * @module
 */
import { LeaseLostError } from "../../core/errors.ts";
import type { ListKind, RecordByKind } from "../../core/records/mod.ts";
import type {
  EventRow,
  Keyset,
  Lease,
  Rows,
  Run,
  Scope,
  ScopeSpec,
  Store,
} from "../../core/ports/mod.ts";
import * as admin from "./admin.ts";
import * as analysis from "./analysis.ts";
import { changeStatements, guardStatement } from "./apply.ts";
import { connect, type Connection, type ConnectionOptions } from "./connection.ts";
import { isGuard } from "./errors.ts";
import * as leases from "./leases.ts";
import { eventStatements } from "./ledger_changes.ts";
import * as ledger from "./ledger_reads.ts";
import { migrate, refuseNewer, schemaVersion } from "./migrate.ts";
import { encode, insert, membersOf } from "./rows.ts";
import { SHAPES } from "./shapes.ts";
import * as source from "./source_reads.ts";

export type { StoreAdmin, StoreStats } from "./admin.ts";
export type { ConnectionOptions as LibsqlOptions } from "./connection.ts";

/**
 * Opens a database; the tables are made by `migrate()`.
 * @throws StoreError when it cannot be opened, is no database, or is of a newer version.
 */
export async function openLibsqlStore(
  options: ConnectionOptions,
): Promise<Store & admin.StoreAdmin> {
  const connection = await connect(options);
  try {
    await refuseNewer(connection);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return new LibsqlStore(connection);
}

type Of<Method extends keyof Store> = ReturnType<NonNullable<Store[Method]>>;
type Args<Method extends keyof Store> = Parameters<NonNullable<Store[Method]>>;

class LibsqlStore implements Store, admin.StoreAdmin {
  readonly #db: Connection;

  constructor(connection: Connection) {
    this.#db = connection;
  }

  migrate(): Promise<void> {
    return migrate(this.#db);
  }
  close(): Promise<void> {
    return this.#db.close();
  }
  stats(): Promise<admin.StoreStats> {
    return admin.stats(this.#db);
  }
  check(): Promise<{ ok: boolean; problems: string[] }> {
    return admin.check(this.#db);
  }
  backup(file: string): Promise<void> {
    return admin.backup(this.#db, file);
  }
  schemaVersion(): Promise<number> {
    return schemaVersion(this.#db);
  }

  openScope(spec: ScopeSpec): Promise<Scope> {
    return leases.openScope(this.#db, spec);
  }
  scopes(): Promise<Scope[]> {
    return leases.scopes(this.#db);
  }
  acquireLease(...args: Args<"acquireLease">): Of<"acquireLease"> {
    return leases.acquireLease(this.#db, ...args);
  }
  heartbeat(lease: Lease, now: string, expiresAt: string): Promise<boolean> {
    return leases.heartbeat(this.#db, lease, now, expiresAt);
  }
  releaseLease(lease: Lease): Promise<void> {
    return leases.releaseLease(this.#db, lease);
  }
  leaseOf(scopeId: number): Of<"leaseOf"> {
    return leases.leaseOf(this.#db, scopeId);
  }

  async createRun(run: Run): Promise<void> {
    const members = membersOf(SHAPES.run, "sequence");
    const values = run as unknown as Record<string, unknown>;
    const rows = [members.map((member) => values[member])];
    await this.#db.write(insert(SHAPES.run, members, rows, { conflict: "NOTHING" }));
  }
  run(id: string): Promise<Run | null> {
    return ledger.run(this.#db, id);
  }
  runs(scopeId: number | null): Promise<Run[]> {
    return ledger.runs(this.#db, scopeId);
  }

  async apply(...[lease, changes]: Args<"apply">): Promise<void> {
    const batch = crypto.randomUUID();
    const statements = changeStatements(lease.scopeId, changes);
    try {
      await this.#db.write([guardStatement(lease, batch), ...statements]);
    } catch (error) {
      if (!isGuard(error)) throw error;
      if (await leases.tookPlace(this.#db, lease, batch)) return;
      throw new LeaseLostError(
        `Cannot save to scope "${lease.scopeId}": another process has taken it over`,
        { hint: "The other process goes on with the same run; nothing needs to be done here." },
      );
    }
  }

  async requestControl(runId: string, name: string, value: unknown): Promise<void> {
    if (value === null || value === undefined) {
      const sql = `DELETE FROM "control" WHERE "run_id" = ? AND "name" = ?`;
      await this.#db.write([{ sql, args: [runId, name] }]);
      return;
    }
    await this.#db.write(
      insert(SHAPES.control, ["runId", "name", "value"], [[runId, name, value]]),
    );
  }
  async controls(runId: string): Promise<Record<string, unknown>> {
    const sql = `SELECT "name", "value" FROM "control" WHERE "run_id" = ? ORDER BY "name"`;
    const rows = await this.#db.query(sql, runId);
    return Object.fromEntries(
      rows.map(([name, value]) => [String(name), JSON.parse(String(value))]),
    );
  }
  async checkpoint(scopeId: number, name: string): Promise<unknown> {
    const sql = `SELECT "value" FROM "checkpoint" WHERE "scope_id" = ? AND "name" = ?`;
    const [row] = await this.#db.query(sql, scopeId, encode("text", name));
    return row === undefined ? null : JSON.parse(String(row[0]));
  }

  records<K extends ListKind>(
    scopeId: number,
    kind: K,
    page: Keyset,
  ): Promise<Rows<RecordByKind[K]>> {
    return source.records(this.#db, scopeId, kind, page);
  }
  recordsByKey<K extends ListKind>(
    scopeId: number,
    kind: K,
    keys: string[],
  ): Promise<Map<string, RecordByKind[K]>> {
    return source.recordsByKey(this.#db, scopeId, kind, keys);
  }
  countRecords(scopeId: number): Of<"countRecords"> {
    return source.countRecords(this.#db, scopeId);
  }
  inventory(scopeId: number): Of<"inventory"> {
    return source.inventory(this.#db, scopeId);
  }
  scripts(...args: Args<"scripts">): Of<"scripts"> {
    return source.scripts(this.#db, ...args);
  }
  executionSteps(...args: Args<"executionSteps">): Of<"executionSteps"> {
    return source.executionSteps(this.#db, ...args);
  }
  attachments(...args: Args<"attachments">): Of<"attachments"> {
    return source.attachments(this.#db, ...args);
  }
  allAttachments(...[scopeId, page, where]: Args<"allAttachments">): Of<"allAttachments"> {
    return source.allAttachments(this.#db, scopeId, page, where?.stored);
  }
  details(...args: Args<"details">): Of<"details"> {
    return source.details(this.#db, ...args);
  }
  unknownCaseKeys(scopeId: number): Of<"unknownCaseKeys"> {
    return source.unknownCaseKeys(this.#db, scopeId);
  }
  executedVersions(...args: Args<"executedVersions">): Of<"executedVersions"> {
    return source.executedVersions(this.#db, ...args);
  }
  customFieldStats(...args: Args<"customFieldStats">): Of<"customFieldStats"> {
    return analysis.customFieldStats(this.#db, ...args);
  }
  raw(...args: Args<"raw">): Of<"raw"> {
    return source.raw(this.#db, ...args);
  }
  search(...args: Args<"search">): Of<"search"> {
    return analysis.search(this.#db, ...args);
  }

  targets(...args: Args<"targets">): Of<"targets"> {
    return ledger.targets(this.#db, ...args);
  }
  targetsByKey(...args: Args<"targetsByKey">): Of<"targetsByKey"> {
    return ledger.targetsByKey(this.#db, ...args);
  }
  targetsById(...args: Args<"targetsById">): Of<"targetsById"> {
    return ledger.targetsById(this.#db, ...args);
  }
  targetChildren(...args: Args<"targetChildren">): Of<"targetChildren"> {
    return ledger.targetChildren(this.#db, ...args);
  }
  unseen(...args: Args<"unseen">): Of<"unseen"> {
    return ledger.unseen(this.#db, ...args);
  }
  countTargets(...args: Args<"countTargets">): Of<"countTargets"> {
    return ledger.countTargets(this.#db, ...args);
  }
  losses(...args: Args<"losses">): Of<"losses"> {
    return ledger.losses(this.#db, ...args);
  }
  countLosses(scopeId: number): Of<"countLosses"> {
    return ledger.countLosses(this.#db, scopeId);
  }
  issues(...args: Args<"issues">): Of<"issues"> {
    return ledger.issues(this.#db, ...args);
  }
  countIssues(scopeId: number): Of<"countIssues"> {
    return ledger.countIssues(this.#db, scopeId);
  }
  differences(...args: Args<"differences">): Of<"differences"> {
    return ledger.differences(this.#db, ...args);
  }
  events(...args: Args<"events">): Of<"events"> {
    return ledger.events(this.#db, ...args);
  }
  async appendEvent(event: Omit<EventRow, "id">): Promise<void> {
    await this.#db.write(eventStatements(0, [event]));
  }
  requestCounts(runId: string): Of<"requestCounts"> {
    return ledger.requestCounts(this.#db, runId);
  }
}
