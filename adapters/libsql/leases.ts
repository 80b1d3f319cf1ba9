/** Scopes and their leases: one row each, changed only by comparing what was read. @module */
import type { Lease, LeaseRow, Scope, ScopeSpec, Store } from "../../core/ports/mod.ts";
import { StoreError } from "../../core/errors.ts";
import { type Connection, type Row, rowsOf, type Statement } from "./connection.ts";

const SCOPE_COLUMNS = `"source_url", "source_project", "target_url", "target_project", "root_name"`;

/** Returns the scope of a pair, creating it and its lease row when new. */
export async function openScope(connection: Connection, spec: ScopeSpec): Promise<Scope> {
  const { sourceUrl, sourceProject, targetUrl, targetProject, rootName } = spec;
  const args = [sourceUrl, sourceProject, targetUrl, targetProject, rootName].map(String);
  const select: Statement = {
    sql: `SELECT "id", ${SCOPE_COLUMNS} FROM "scope" WHERE (${SCOPE_COLUMNS}) = (?, ?, ?, ?, ?)`,
    args,
  };
  const [known] = await connection.query(select.sql, ...args);
  if (known !== undefined) return toScope(known);
  const results = await connection.write([
    {
      sql: `INSERT INTO "scope" (${SCOPE_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      args,
    },
    {
      sql:
        `INSERT INTO "lease" ("scope_id", "owner", "epoch", "host", "pid", "heartbeat_at", "expires_at")
        SELECT "id", '', 0, '', 0, '', '' FROM "scope" WHERE true ON CONFLICT DO NOTHING`,
      args: [],
    },
    select,
  ]);
  const made = results[2] && rowsOf(results[2])[0];
  if (made === undefined) {
    throw new StoreError("other", `Cannot open scope "${sourceProject}": it was not kept`);
  }
  return toScope(made);
}

/** All scopes by id. */
export async function scopes(connection: Connection): Promise<Scope[]> {
  const rows = await connection.query(`SELECT "id", ${SCOPE_COLUMNS} FROM "scope" ORDER BY "id"`);
  return rows.map(toScope);
}

function toScope(row: Row): Scope {
  const [id, sourceUrl, sourceProject, targetUrl, targetProject, rootName] = row;
  return { sourceUrl, sourceProject, targetUrl, targetProject, rootName, id } as unknown as Scope;
}

interface KnownLease {
  row: LeaseRow;
  lastWrite: string | null;
}

async function readLease(connection: Connection, scopeId: number): Promise<KnownLease | null> {
  const [row] = await connection.query(
    `SELECT "owner", "epoch", "host", "pid", "heartbeat_at", "expires_at", "last_write"
      FROM "lease" WHERE "scope_id" = ?`,
    scopeId,
  );
  if (row === undefined) return null;
  const [owner, epoch, host, pid, heartbeatAt, expiresAt, lastWrite] = row;
  return {
    row: { scopeId, owner, epoch, host, pid, heartbeatAt, expiresAt } as unknown as LeaseRow,
    lastWrite: lastWrite === null ? null : String(lastWrite),
  };
}

/** The lease as it is held, expired or not; null when it is free. */
export async function leaseOf(connection: Connection, scopeId: number): Promise<LeaseRow | null> {
  const known = await readLease(connection, scopeId);
  return known === null || known.row.owner === "" ? null : known.row;
}

/** See {@linkcode Store.acquireLease}. */
export async function acquireLease(
  connection: Connection,
  ...[request, isDead]: Parameters<Store["acquireLease"]>
): ReturnType<Store["acquireLease"]> {
  const { scopeId, owner, host, pid, now, expiresAt } = request;
  for (;;) {
    const seen = (await readLease(connection, scopeId))?.row;
    if (seen === undefined) {
      throw new StoreError("other", `Cannot take the lease of scope "${scopeId}": no such scope`);
    }
    if (seen.owner !== "" && seen.expiresAt > now && !isDead({ ...seen })) {
      return { lease: null, holder: seen };
    }
    await connection.write([{
      sql: `UPDATE "lease" SET "owner" = ?, "epoch" = ?, "host" = ?, "pid" = ?,
          "heartbeat_at" = ?, "expires_at" = ?
        WHERE "scope_id" = ? AND "epoch" = ? AND "owner" = ? AND "heartbeat_at" = ?`,
      args: [
        ...[owner, seen.epoch + 1, host, pid, now, expiresAt],
        ...[scopeId, seen.epoch, seen.owner, seen.heartbeatAt],
      ],
    }]);
    // The number of changed rows would lie after a batch that was sent twice; the row does not.
    const lease = { scopeId, owner, epoch: seen.epoch + 1 };
    const after = await readLease(connection, scopeId);
    if (after !== null && isHeld(after.row, lease)) return { lease, holder: null };
  }
}

function isHeld(row: LeaseRow, lease: Lease): boolean {
  return row.owner === lease.owner && row.epoch === lease.epoch;
}

/** Prolongs a lease; false when it is another's. */
export async function heartbeat(
  connection: Connection,
  lease: Lease,
  now: string,
  expiresAt: string,
): Promise<boolean> {
  const [result] = await connection.write([{
    sql: `UPDATE "lease" SET "heartbeat_at" = ?, "expires_at" = ?
      WHERE "scope_id" = ? AND "epoch" = ? AND "owner" = ?`,
    args: [now, expiresAt, lease.scopeId, lease.epoch, lease.owner],
  }]);
  return result !== undefined && result.rowsAffected > 0;
}

/** Frees a lease that is still ours. */
export async function releaseLease(connection: Connection, lease: Lease): Promise<void> {
  await connection.write([{
    sql: `UPDATE "lease" SET "owner" = '', "expires_at" = ''
      WHERE "scope_id" = ? AND "epoch" = ? AND "owner" = ?`,
    args: [lease.scopeId, lease.epoch, lease.owner],
  }]);
}

/** Whether a batch that its guard refused had in truth taken place: its answer was lost on the way. */
export async function tookPlace(
  connection: Connection,
  lease: Lease,
  batch: string,
): Promise<boolean> {
  const known = await readLease(connection, lease.scopeId);
  return known !== null && isHeld(known.row, lease) && known.lastWrite === batch;
}
