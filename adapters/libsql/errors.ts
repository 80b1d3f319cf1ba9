/** Turns what the driver throws into {@linkcode StoreError}; the only place that knows its codes. @module */
import { MigrationError, StoreError } from "../../core/errors.ts";

/** Where the database is, in words that are safe to print. */
export interface Place {
  /** Path or URL without query, user or password. */
  name: string;
  remote: boolean;
}

/** Returns the place of a store URL; what could be a secret is cut off. */
export function placeOf(url: string): Place {
  if (url.startsWith("file:") || url === ":memory:") {
    return { name: filePath(url), remote: false };
  }
  const bare = url.replace(/[?#].*$/s, "").replace(/\/\/[^/@]*@/, "//");
  return { name: bare, remote: true };
}

/** Path of a `file:` URL as the file system knows it. */
export function filePath(url: string): string {
  const path = url.replace(/^file:(\/\/(localhost)?(?=\/))?/, "").replace(/[?#].*$/s, "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Code of a driver error, `` when it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** Whether another connection held the database; the client that saw this must not be used again. */
export function isBusy(error: unknown): boolean {
  return /^(SQLITE_BUSY|SQLITE_LOCKED|TRANSACTION_TIMEOUT|STREAM_EXPIRED)/.test(codeOf(error));
}

/** Whether a remote server did not answer, or not in a way that tells what happened. */
export function isOutage(error: unknown): boolean {
  const code = codeOf(error);
  if (code === "SERVER_ERROR") return !/status 4\d\d/.test(messageOf(error));
  if (/^(SQLITE_|SQL_|ARGS_|RESPONSE_|URL_|CLIENT_CLOSED)/.test(code)) return false;
  return code !== "" || error instanceof TypeError || error instanceof DOMException;
}

/** End of the message of an answer that the server refuses to send (more than 10 MB). */
export const TOO_LARGE = "the answer is larger than the server sends";

/** Whether the guard of a batch refused it: the lease is another's. */
export function isGuard(error: unknown): boolean {
  return messageOf(error).includes("NOT NULL constraint failed: lease.owner");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface Rule {
  when: RegExp;
  state: StoreError["state"];
  seen: string;
  hint: string;
}

const RULES: Rule[] = [
  {
    when: /^(SQLITE_BUSY|SQLITE_LOCKED|TRANSACTION_TIMEOUT|STREAM_EXPIRED)/,
    state: "locked",
    seen: "another program holds the database",
    hint: "Close the program that has it open for writing, then run the same command again.",
  },
  {
    when: /^SQLITE_READONLY|attempt to write a readonly/,
    state: "read-only",
    seen: "it cannot be written to",
    hint: "Give this user write permission on the file and its folder, or name another store.",
  },
  {
    when: /^SQLITE_FULL|disk is full|no space left|ENOSPC/i,
    state: "disk-full",
    seen: "the disk is full",
    hint: "Free some space and run the same command again; nothing half-written was kept.",
  },
  {
    when: /^SQLITE_(CORRUPT|NOTADB)|file is not a database|malformed/,
    state: "corrupt",
    seen: "the file is damaged or is no database",
    hint: "Look at it with `ztoq db check`; restore it from a backup.",
  },
  {
    when: /^SQLITE_CANTOPEN|unable to open (database|connection)/i,
    state: "other",
    seen: "the file cannot be opened",
    hint: "Check that it is a file in a folder where this user may read and write.",
  },
  {
    when: /^RESPONSE_TOO_LARGE|response is too large/i,
    state: "other",
    seen: TOO_LARGE,
    hint: "One record is that large; keep this project in a database file instead.",
  },
  {
    when: /^SQLITE_IOERR/,
    state: "other",
    seen: "reading or writing the disk failed",
    hint: "Check the disk and its free space, then `ztoq db check`.",
  },
  {
    when: /(table|index) \S+ already exists/,
    state: "other",
    seen: "it holds tables of another program",
    hint: "Name a file of its own in store.url (ZTOQ_DB_URL).",
  },
  {
    when: /^SQLITE_ERROR no such table|no such table/,
    state: "other",
    seen: "it has no ztoq tables",
    hint: "Run `ztoq db migrate`, or check that the store's URL names the right database.",
  },
];

/**
 * Maps a driver error. `action` completes "Cannot … database": `open`, `read`, `save to`.
 * Errors of a remote client are not kept as cause: they may hold the request.
 */
export function toStoreError(error: unknown, action: string, place: Place): MigrationError {
  if (error instanceof MigrationError) return error;
  const start = `Cannot ${action} database "${place.name}"`;
  const cause = place.remote ? {} : { cause: error };
  const text = `${codeOf(error)} ${messageOf(error)}`;
  const rule = RULES.find(({ when }) => when.test(text) || when.test(messageOf(error)));
  if (rule !== undefined) {
    return new StoreError(rule.state, `${start}: ${rule.seen}`, { ...cause, hint: rule.hint });
  }
  const refused = /status (4\d\d)/.exec(text)?.[1];
  if (place.remote && refused !== undefined) {
    return new StoreError("unreachable", `${start}: the server answered HTTP ${refused}`, {
      hint: "Check the address and the token (ZTOQ_DB_AUTH_TOKEN).",
    });
  }
  if (place.remote && error instanceof SyntaxError) {
    return new StoreError("unreachable", `${start}: what answers there is no libSQL server`, {
      hint: "Check store.url (ZTOQ_DB_URL): a login page or a proxy may be in the way.",
    });
  }
  if (place.remote && isOutage(error)) {
    return new StoreError("unreachable", `${start}: the server does not answer`, {
      hint: "Check that it runs and can be reached, then run the same command again.",
    });
  }
  return new StoreError("other", `${start}: ${messageOf(error).slice(0, 500)}`, cause);
}
