/** Attachment bytes in a folder: `ab/cdef…` by their SHA-256, written once and never changed. @module */
import { createHash } from "node:crypto";
import { fileFault } from "../../core/config/file_fault.ts";
import { MigrationError, SetAsideError, StoreError } from "../../core/errors.ts";
import type { Blobs } from "../../core/ports/mod.ts";
import { freePath, safePath } from "./names.ts";

/**
 * Keeps bytes below `dir`, which is created with the first write; `export` copies below `exportDir`.
 * What an interrupted process left half-written is removed before the first write.
 */
export function createFileBlobs(dir: string, exportDir: string = `${dir}/export`): Blobs {
  return new FileBlobs(dir, exportDir);
}

/** Half-written files carry this prefix; they lie in `dir` itself so that a rename is enough. */
const PARTIAL = ".partial-";
/** Written to more recently, a file may belong to a living process on the same folder. */
const LEFTOVER_AGE_MS = 10 * 60_000;

class FileBlobs implements Blobs {
  readonly #dir: string;
  readonly #exportDir: string;
  #ready: Promise<void> | undefined;

  constructor(dir: string, exportDir: string) {
    this.#dir = dir;
    this.#exportDir = exportDir;
  }

  async put(
    body: ReadableStream<Uint8Array>,
    { maxBytes = Infinity }: { maxBytes?: number } = {},
  ): Promise<{ sha256: string; size: number }> {
    const partial = `${this.#dir}/${PARTIAL}${crypto.randomUUID()}`;
    try {
      await this.#prepared();
      const { sha256, size } = await writeHashed(partial, body, maxBytes);
      const path = this.#path(sha256);
      await Deno.mkdir(parent(path), { recursive: true });
      await Deno.rename(partial, path);
      await syncFolder(parent(path));
      return { sha256, size };
    } catch (error) {
      await body.cancel(error).catch(() => {});
      await Deno.remove(partial).catch(() => {});
      throw toStoreError(error, `store attachment in "${this.#dir}"`);
    }
  }

  async open(sha256: string): Promise<ReadableStream<Uint8Array>> {
    try {
      return (await Deno.open(this.#path(sha256))).readable;
    } catch (error) {
      throw toStoreError(error, `open attachment "${sha256}"`);
    }
  }

  async has(sha256: string): Promise<boolean> {
    try {
      return (await Deno.stat(this.#path(sha256))).isFile;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw toStoreError(error, `look for attachment "${sha256}"`);
    }
  }

  async export(sha256: string, relativePath: string): Promise<string> {
    const wanted = `${this.#exportDir}/${safePath(relativePath)}`;
    try {
      await Deno.mkdir(parent(wanted), { recursive: true });
      const path = await freePath(wanted, (taken) => sameContent(taken, sha256));
      if (!path.exists) await Deno.copyFile(this.#path(sha256), path.path);
      return path.path;
    } catch (error) {
      throw toStoreError(error, `copy attachment to "${wanted}"`);
    }
  }

  #path(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new RangeError(`"${sha256}" is no SHA-256`);
    return `${this.#dir}/${sha256.slice(0, 2)}/${sha256.slice(2)}`;
  }

  #prepared(): Promise<void> {
    this.#ready ??= this.#prepare().catch((error) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #prepare(): Promise<void> {
    await Deno.mkdir(this.#dir, { recursive: true });
    for await (const { name } of Deno.readDir(this.#dir)) {
      if (!name.startsWith(PARTIAL)) continue;
      const { mtime } = await Deno.stat(`${this.#dir}/${name}`).catch(() => ({ mtime: null }));
      const ageMs = Date.now() - (mtime?.getTime() ?? Date.now());
      if (ageMs > LEFTOVER_AGE_MS) await Deno.remove(`${this.#dir}/${name}`).catch(() => {});
    }
  }
}

async function writeHashed(
  path: string,
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<{ sha256: string; size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  using file = await Deno.open(path, { write: true, createNew: true });
  const reader = body.getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > maxBytes) {
        throw new SetAsideError(
          "too-large",
          `Cannot store attachment: larger than ${maxBytes} bytes`,
        );
      }
      hash.update(value);
      await writeAll(file, value);
    }
  } finally {
    reader.releaseLock();
  }
  await file.sync();
  return { sha256: hash.digest("hex"), size };
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    written += await file.write(bytes.subarray(written));
  }
}

/** A rename survives a power cut only when its folder was synced; not every system can. */
async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using folder = await Deno.open(path);
  await folder.sync();
}

async function sameContent(path: string, sha256: string): Promise<boolean> {
  const hash = createHash("sha256");
  for await (const chunk of (await Deno.open(path)).readable) hash.update(chunk);
  return hash.digest("hex") === sha256;
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Errors of the disk become ours; those of the source's stream stay what they are. */
function toStoreError(error: unknown, action: string): unknown {
  if (!(error instanceof Error) || error instanceof MigrationError) return error;
  const fault = fileFault(error);
  if (fault === null) return error;
  const state = fault.kind === "full"
    ? "disk-full"
    : fault.kind === "denied"
    ? "read-only"
    : "other";
  return new StoreError(state, `Cannot ${action}: ${fault.seen}`, {
    cause: error,
    hint: fault.hint,
  });
}
