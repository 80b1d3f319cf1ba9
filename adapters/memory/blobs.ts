// deno-lint-ignore-file require-await -- the port is asynchronous: what is thrown must come out as a rejection
/** Attachment bytes in memory. @module */
import { createHash } from "node:crypto";
import { SetAsideError, StoreError } from "../../core/errors.ts";
import type { Blobs } from "../../core/ports/mod.ts";

/** Creates an empty store of bytes; `export` only names the place a file would have. */
export function createMemoryBlobs(): Blobs {
  return new MemoryBlobs();
}

class MemoryBlobs implements Blobs {
  #kept = new Map<string, Uint8Array<ArrayBuffer>>();

  async put(
    body: ReadableStream<Uint8Array>,
    { maxBytes = Infinity }: { maxBytes?: number } = {},
  ): Promise<{ sha256: string; size: number }> {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (size > maxBytes) {
        throw new SetAsideError(
          "too-large",
          `Cannot store attachment: larger than ${maxBytes} bytes`,
        );
      }
      chunks.push(new Uint8Array(chunk));
    }
    const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.#kept.set(sha256, bytes);
    return { sha256, size };
  }

  async open(sha256: string): Promise<ReadableStream<Uint8Array>> {
    return new Blob([this.#bytes(sha256)]).stream();
  }

  async has(sha256: string): Promise<boolean> {
    return this.#kept.has(sha256);
  }

  async export(sha256: string, relativePath: string): Promise<string> {
    this.#bytes(sha256);
    return `memory:${relativePath}`;
  }

  #bytes(sha256: string): Uint8Array<ArrayBuffer> {
    const bytes = this.#kept.get(sha256);
    if (bytes === undefined) {
      throw new StoreError("other", `Cannot open attachment "${sha256}": no such bytes are stored`);
    }
    return bytes;
  }
}
