import { assertEquals, assertStringIncludes } from "@std/assert";
import { filePath, isBusy, placeOf, toStoreError } from "../../adapters/libsql/errors.ts";
import { LeaseLostError, StoreError } from "../../core/errors.ts";

const FILE = { name: "./ztoq.db", remote: false };
const SERVER = { name: "https://db.example", remote: true };

function failure(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}
function stateOf(error: unknown, place = FILE): string {
  const mapped = toStoreError(error, "save to", place);
  return mapped instanceof StoreError ? mapped.state : mapped.name;
}

Deno.test("toStoreError() names the state of the store for every code of the driver", () => {
  const cases: [string, string][] = [
    ["SQLITE_BUSY", "locked"],
    ["SQLITE_BUSY_SNAPSHOT", "locked"],
    ["SQLITE_LOCKED", "locked"],
    ["TRANSACTION_TIMEOUT", "locked"],
    ["SQLITE_READONLY", "read-only"],
    ["SQLITE_FULL", "disk-full"],
    ["SQLITE_CORRUPT", "corrupt"],
    ["SQLITE_NOTADB", "corrupt"],
    ["SQLITE_CANTOPEN", "other"],
    ["SQLITE_IOERR", "other"],
    ["SQLITE_CONSTRAINT", "other"],
  ];
  for (const [code, state] of cases) assertEquals([code, stateOf(failure(code))], [code, state]);
  assertEquals(stateOf(failure("SQLITE_IOERR", "write: No space left on device")), "disk-full");
});

Deno.test("toStoreError() tells an unreachable server from one that refuses", () => {
  assertEquals(stateOf(new TypeError("fetch failed"), SERVER), "unreachable");
  assertEquals(stateOf(new DOMException("timed out", "TimeoutError"), SERVER), "unreachable");
  const refused = failure("SERVER_ERROR", "Server returned HTTP status 401");
  const error = toStoreError(refused, "read", SERVER);
  assertEquals(
    error.message,
    `Cannot read database "https://db.example": the server answered HTTP 401`,
  );
  assertStringIncludes(error.hint ?? "", "ZTOQ_DB_AUTH_TOKEN");
  assertEquals(
    stateOf(failure("SERVER_ERROR", "Server returned HTTP status 502"), SERVER),
    "unreachable",
  );
});

Deno.test("toStoreError() keeps our own errors and no cause of a server", () => {
  const ours = new LeaseLostError("x");
  assertEquals(toStoreError(ours, "read", FILE) === ours, true);
  assertEquals(toStoreError(new TypeError("fetch failed"), "read", SERVER).cause, undefined);
});

Deno.test("placeOf() cuts off what could be a secret", () => {
  assertEquals(
    placeOf("libsql://u:p@db.turso.io/x?authToken=secret").name,
    "libsql://db.turso.io/x",
  );
  assertEquals(placeOf("file:./a.db"), { name: "./a.db", remote: false });
  assertEquals(placeOf(":memory:").remote, false);
});

Deno.test("filePath() gives the path of every form of file URL", () => {
  const cases: [string, string][] = [
    ["file:./a.db", "./a.db"],
    ["file:/tmp/a.db", "/tmp/a.db"],
    ["file:///tmp/a%20b.db", "/tmp/a b.db"],
    ["file://localhost/tmp/a.db", "/tmp/a.db"],
    ["file:100%.db", "100%.db"],
  ];
  for (const [url, path] of cases) assertEquals(filePath(url), path);
});

Deno.test("isBusy() is true for locks only", () => {
  assertEquals(isBusy(failure("SQLITE_BUSY")), true);
  assertEquals(isBusy(failure("SQLITE_CONSTRAINT")), false);
  assertEquals(isBusy(null), false);
});
