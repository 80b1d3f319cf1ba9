/** One way to the database: a writer queue, patience with other writers, errors in our words. @module */
import type { Client, Config, InValue, ResultSet } from "@libsql/client";
import { setImmediate } from "node:timers";
import { StoreError } from "../../core/errors.ts";
import { isBusy, isOutage, type Place, placeOf, toStoreError } from "./errors.ts";

export interface Statement {
  sql: string;
  args: InValue[];
}
export type Value = string | number | ArrayBuffer | null;
/** A row by position. */
export type Row = Value[];

export interface ConnectionOptions {
  /** `file:PATH`, `:memory:`, `libsql://…`, `https://…`, `http://…`. */
  url: string;
  authToken?: string | null;
  /** Refuses every write; the file must exist. */
  readOnly?: boolean;
  /** How long to wait for another writer or for a server that does not answer, ms. @default {10_000} */
  busyTimeoutMs?: number;
}

/** The native wait for a lock blocks the whole process, so it is short and repeated in between turns. */
const NATIVE_WAIT_MS = 100;
/** A wedged server never answers. */
const REMOTE_TIMEOUT_MS = 30_000;

/** Opens the database; the native driver or the HTTP client is loaded here and not before. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const place = placeOf(options.url);
  if (!place.remote) await checkPath(place, options);
  const create = place.remote ? remoteFactory(options) : fileFactory(options);
  const connection = new Connection(place, await create, options);
  await connection.open();
  return connection;
}

/** A missing folder or file is told before the driver says "unable to open". */
async function checkPath(place: Place, options: ConnectionOptions): Promise<void> {
  if (place.name === ":memory:") return;
  const exists = (path: string): Promise<boolean> =>
    Deno.stat(path).then(() => true, (error) => !(error instanceof Deno.errors.NotFound));
  const folder = place.name.replace(/[^/\\]*$/, "") || ".";
  if (!await exists(folder)) {
    throw new StoreError(
      "other",
      `Cannot open database "${place.name}": the folder "${folder}" does not exist`,
      { hint: "Create the folder, or change store.url (ZTOQ_DB_URL)." },
    );
  }
  if (await Deno.stat(place.name).then(({ isDirectory }) => isDirectory, () => false)) {
    throw new StoreError("other", `Cannot open database "${place.name}": it is a folder`, {
      hint: "Name a file in store.url (ZTOQ_DB_URL).",
    });
  }
  if (options.readOnly && !await exists(place.name)) {
    throw new StoreError("other", `Cannot open database "${place.name}": there is no such file`, {
      hint: "Check store.url (ZTOQ_DB_URL); `ztoq migrate` creates the file.",
    });
  }
}

type Factory = () => Promise<Client>;

async function fileFactory(options: ConnectionOptions): Promise<Factory> {
  const { createClient } = await import("@libsql/client");
  const url = options.url === ":memory:" ? "file::memory:" : options.url;
  return async () => {
    // One connection: settings hold for every statement, and no second writer can meet the first.
    const client = createClient({ url, concurrency: 1, timeout: NATIVE_WAIT_MS });
    try {
      if (options.readOnly) await client.execute("PRAGMA query_only = 1");
      else await client.execute("PRAGMA journal_mode = WAL");
      await client.execute("PRAGMA synchronous = FULL");
      await client.execute("PRAGMA cache_size = -32000");
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  };
}

async function remoteFactory(options: ConnectionOptions): Promise<Factory> {
  const { createClient } = await import("@libsql/client/http");
  const config: Config = { url: options.url, fetch: sendOnce };
  if (options.authToken) config.authToken = options.authToken;
  return () => Promise.resolve(createClient(config));
}

/** A body given as a stream is never sent again by fetch on its own. */
function sendOnce(request: Request): Promise<Response> {
  return fetch(request.url, {
    method: request.method,
    headers: request.headers,
    body: request.body,
    signal: AbortSignal.timeout(REMOTE_TIMEOUT_MS),
  });
}

/** All statements of one store go through here. */
export class Connection {
  readonly place: Place;
  readonly readOnly: boolean;
  readonly #create: Factory;
  readonly #patienceMs: number;
  #client: Client | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(place: Place, create: Factory, options: ConnectionOptions) {
    this.place = place;
    this.readOnly = options.readOnly ?? false;
    this.#create = create;
    this.#patienceMs = options.busyTimeoutMs ?? 10_000;
  }

  /** Opens the file at once, so that its errors come early; a server is asked with the first statement. */
  async open(): Promise<void> {
    await this.#patiently("open", () => this.#connected());
  }

  /** Runs one query. */
  async query(sql: string, ...args: InValue[]): Promise<Row[]> {
    const result = await this.#turn("read", (client) => client.execute({ sql, args }));
    return rowsOf(result);
  }

  /** Runs queries that see one state of the database. */
  async queryAll(statements: Statement[]): Promise<Row[][]> {
    const results = await this.#turn("read", (client) => client.batch(statements, "read"));
    return results.map(rowsOf);
  }

  /** Runs statements in one transaction, whole or not at all; a lost answer makes it run again. */
  async write(statements: Statement[]): Promise<ResultSet[]> {
    return await this.#turn("save to", (client) => client.batch(statements, "write"));
  }

  /** Runs a statement outside of a transaction, as `VACUUM` needs. */
  async execute(sql: string, ...args: InValue[]): Promise<void> {
    await this.#turn("save to", (client) => client.execute({ sql, args }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue;
    if (!this.place.remote && !this.readOnly) await this.#settle();
    this.#drop();
  }

  /** Moves everything into the one file: the driver alone leaves it in the write-ahead log. */
  async #settle(): Promise<void> {
    try {
      await this.#client?.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // another process reads or writes: the log stays and is as good
    }
  }

  /** One operation at a time: the file driver has one connection, and a server likes one writer. */
  #turn<T>(action: string, operate: (client: Client) => Promise<T>): Promise<T> {
    const result = this.#queue.then(async () => {
      if (this.#closed) throw new StoreError("other", "Cannot use the store: it is closed");
      const value = await this.#patiently(action, async () => operate(await this.#connected()));
      // The driver is synchronous inside and frees statements only between macrotasks.
      await new Promise<void>((resolve) => setImmediate(resolve));
      return value;
    });
    this.#queue = result.catch(() => {});
    return result;
  }

  async #connected(): Promise<Client> {
    this.#client ??= await this.#create();
    return this.#client;
  }

  async #patiently<T>(action: string, operate: () => Promise<T>): Promise<T> {
    const end = performance.now() + this.#patienceMs;
    for (let waitMs = 20;; waitMs = Math.min(waitMs * 2, 1_000)) {
      try {
        return await operate();
      } catch (error) {
        const passing = isBusy(error) || (this.place.remote && isOutage(error));
        // After a busy error this client may report writes that never happen.
        if (passing) this.#drop();
        if (!passing || performance.now() + waitMs > end) {
          throw isDriverError(error) ? toStoreError(error, action, this.place) : error;
        }
        await new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random())));
      }
    }
  }

  #drop(): void {
    this.#client?.close();
    this.#client = null;
  }
}

/** The driver's rows are objects that cannot be iterated. */
export function rowsOf(result: ResultSet): Row[] {
  const width = result.columns.length;
  return result.rows.map((row) => {
    const values: Row = new Array(width);
    for (let index = 0; index < width; index++) values[index] = row[index] as Value;
    return values;
  });
}

/** Mistakes of the program itself stay what they are. */
function isDriverError(error: unknown): boolean {
  return !(error instanceof RangeError || error instanceof ReferenceError);
}
