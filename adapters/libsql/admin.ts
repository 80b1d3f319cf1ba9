/** Care of the database: sizes, checks, backups. @module */
import { Buffer } from "node:buffer";
import { zstdDecompressSync } from "node:zlib";
import { StoreError } from "../../core/errors.ts";
import type { Connection } from "./connection.ts";
import { schemaVersion } from "./migrate.ts";

export interface StoreStats {
  /** Bytes are null where the database does not tell (remote servers). */
  tables: { table: string; rows: number; bytes: number | null }[];
  /** Bytes of the database without its write-ahead log; null where it does not tell. */
  fileBytes: number | null;
  schemaVersion: number;
}

/** What only operators need; every store of this adapter has it. */
export interface StoreAdmin {
  stats(): Promise<StoreStats>;
  /** Looks for damage and for rows that contradict each other; changes nothing. */
  check(): Promise<{ ok: boolean; problems: string[] }>;
  /** Writes a complete, consistent copy to a new file. Not for remote databases. */
  backup(file: string): Promise<void>;
  /** 0 = no tables yet. */
  schemaVersion(): Promise<number>;
}

/** Counts rows and bytes of every table, indexes included. */
export async function stats(connection: Connection): Promise<StoreStats> {
  const found = await connection.query(
    `SELECT "name" FROM sqlite_master WHERE "type" = 'table' AND "name" NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      AND "name" NOT LIKE 'libsql\\_%' ESCAPE '\\' ORDER BY "name"`,
  );
  const tables = found.map(([name]) => String(name));
  const counts = await connection.queryAll(
    tables.map((table) => ({ sql: `SELECT count(*) FROM "${table}"`, args: [] })),
  );
  const bytes = await tableBytes(connection);
  const [size] = await connection.query(
    `SELECT p.page_count * s.page_size FROM pragma_page_count() p, pragma_page_size() s`,
  ).catch(() => []);
  return {
    tables: tables.map((table, index) => ({
      table,
      rows: Number(counts[index]?.[0]?.[0] ?? 0),
      bytes: bytes?.get(table) ?? null,
    })),
    fileBytes: size?.[0] === undefined ? null : Number(size[0]),
    schemaVersion: await schemaVersion(connection),
  };
}

async function tableBytes(connection: Connection): Promise<Map<string, number> | null> {
  if (connection.place.remote) return null;
  const rows = await connection.query(
    `SELECT m."tbl_name", sum(d."pgsize") FROM dbstat d JOIN sqlite_master m ON m."name" = d."name"
      WHERE d."aggregate" = 1 GROUP BY 1`,
  ).catch(() => null);
  return rows && new Map(rows.map(([table, size]) => [String(table), Number(size)]));
}

/** Rows that contradict each other, and what to call them. */
const CONTRADICTIONS: [string, string][] = [
  [
    `SELECT count(*) FROM "target_map" WHERE "state" = 'loaded' AND "target_id" IS NULL`,
    "rows of the target map are loaded but have no target id",
  ],
  [
    `SELECT count(*) - count(DISTINCT "scope_id" || '/' || "target_id") FROM "target_map"
      WHERE "kind" = 'testLog' AND "target_id" IS NOT NULL`,
    "test logs of the target are mapped to more than one execution",
  ],
  [
    `SELECT count(*) FROM "test_execution" r LEFT JOIN "page" p ON p."id" = r."page_id"
      WHERE p."id" IS NULL`,
    "executions have lost the page they came in",
  ],
  [
    `SELECT count(*) FROM "test_case" r LEFT JOIN "page" p ON p."id" = r."page_id"
      WHERE p."id" IS NULL`,
    "test cases have lost the page they came in",
  ],
  [
    `SELECT count(*) FROM "run" r LEFT JOIN "scope" s ON s."id" = r."scope_id" WHERE s."id" IS NULL`,
    "runs belong to no scope",
  ],
];

/** See {@linkcode StoreAdmin.check}. */
export async function check(connection: Connection): Promise<{ ok: boolean; problems: string[] }> {
  const problems: string[] = [];
  try {
    if (!connection.place.remote) problems.push(...await damage(connection));
    // Text of damaged pages must not be read: the driver ends the process over invalid UTF-8.
    if (problems.length > 0) return { ok: false, problems };
    for (const [sql, words] of CONTRADICTIONS) {
      const [row] = await connection.query(sql);
      const count = Number(row?.[0] ?? 0);
      if (count > 0) problems.push(`${count} ${words}`);
    }
    problems.push(...await unreadablePages(connection));
  } catch (error) {
    if (!(error instanceof StoreError) || error.state !== "corrupt") throw error;
    problems.push(error.message);
  }
  return { ok: problems.length === 0, problems };
}

async function damage(connection: Connection): Promise<string[]> {
  const rows = await connection.query("PRAGMA integrity_check(20)");
  return rows.map(([text]) => String(text)).filter((text) => text !== "ok");
}

/** Unpacks every page; its checksum tells whether the bytes are as they were received. */
async function unreadablePages(connection: Connection): Promise<string[]> {
  const problems: string[] = [];
  for (let after = 0;;) {
    const pages = await connection.query(
      `SELECT "id", "scope_id", "list", "at", "size" FROM "page"
        WHERE "id" > ? AND "part" = 0 AND "body" IS NOT NULL ORDER BY "id" LIMIT 100`,
      after,
    );
    for (const [id, scopeId, list, at, size] of pages) {
      after = Number(id);
      const parts = await connection.query(
        `SELECT "body" FROM "page" WHERE "scope_id" = ? AND "list" = ? AND "at" = ? ORDER BY "part"`,
        scopeId ?? null,
        list ?? null,
        at ?? null,
      );
      const body = Buffer.concat(parts.map(([part]) => Buffer.from(part as ArrayBuffer)));
      if (unpackedSize(body) !== size) {
        problems.push(`page "${list}" at "${at}" cannot be unpacked`);
      }
    }
    if (pages.length === 0) return problems;
  }
}

function unpackedSize(body: Uint8Array): number | null {
  try {
    return zstdDecompressSync(body).byteLength;
  } catch {
    return null;
  }
}

/** See {@linkcode StoreAdmin.backup}. */
export async function backup(connection: Connection, file: string): Promise<void> {
  if (connection.place.remote) {
    throw new StoreError(
      "other",
      `Cannot back up database "${connection.place.name}": it is remote`,
      {
        hint: "Use the backup of its server.",
      },
    );
  }
  const exists = await Deno.stat(file).then(() => true, () => false);
  if (exists) {
    throw new StoreError("other", `Cannot write backup "${file}": the file exists`, {
      hint: "Name a new file; a backup never overwrites one.",
    });
  }
  await connection.execute("VACUUM INTO ?", file).catch((error) => {
    if (!(error instanceof StoreError)) throw error;
    // The driver names the database it reads, which is not the file in question.
    const seen = error.message.replace(/^.*": /s, "");
    throw new StoreError(error.state, `Cannot write backup "${file}": ${seen}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  });
}
