/** Creates and upgrades the tables. @module */
import { StoreError } from "../../core/errors.ts";
import type { Connection, Statement } from "./connection.ts";
import schema from "./migrations/0000_schema.sql" with { type: "text" };

/** All migrations in order; version n is the n-th. A test compares this list with the folder. */
export const MIGRATIONS: readonly { name: string; sql: string }[] = [
  { name: "0000_schema", sql: schema },
];

const VERSIONS = `CREATE TABLE IF NOT EXISTS "schema_version" (
  "version" integer PRIMARY KEY NOT NULL, "name" text NOT NULL, "applied_at" text NOT NULL)`;

/** Version of the tables: 0 = none yet. */
export async function schemaVersion(connection: Connection): Promise<number> {
  const [found] = await connection.query(
    `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'`,
  );
  if (Number(found?.[0] ?? 0) === 0) return 0;
  const [row] = await connection.query(`SELECT max("version") FROM "schema_version"`);
  return Number(row?.[0] ?? 0);
}

/** Throws when the tables are of a later program than this. */
export async function refuseNewer(connection: Connection): Promise<number> {
  const version = await schemaVersion(connection);
  if (version > MIGRATIONS.length) {
    throw new StoreError(
      "newer",
      `Cannot open database "${connection.place.name}": it is of version ${version}, ` +
        `this program knows ${MIGRATIONS.length}`,
      { hint: "Use the newer ztoq that wrote it, or name another store." },
    );
  }
  return version;
}

/** Brings the tables to the newest version in one transaction; nothing to do is no write. */
export async function migrate(connection: Connection): Promise<void> {
  const version = await refuseNewer(connection);
  if (version === MIGRATIONS.length) return;
  try {
    await connection.write(statementsFrom(version));
  } catch (error) {
    // Another process may have done it meanwhile; then this one had no effect.
    if (await refuseNewer(connection) !== MIGRATIONS.length) throw error;
  }
}

function statementsFrom(version: number): Statement[] {
  const statements: Statement[] = [{ sql: VERSIONS, args: [] }];
  MIGRATIONS.forEach(({ name, sql }, index) => {
    if (index < version) return;
    statements.push({
      sql: `INSERT INTO "schema_version" VALUES (?, ?, ?)`,
      args: [index + 1, name, new Date().toISOString()],
    });
    for (const part of sql.split("--> statement-breakpoint")) {
      if (part.trim() !== "") statements.push({ sql: part, args: [] });
    }
  });
  return statements;
}
