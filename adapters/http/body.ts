/** A streamed body that cannot hang and fails in our own words. @module */
import type { Clock } from "../../core/ports/mod.ts";
import { RetryError } from "../../core/errors.ts";
import { untilAborted } from "./attempt.ts";

/**
 * Passes a body on. Errors it with {@linkcode RetryError} when it breaks off or nothing comes for
 * `idleMs`, and with `signal.reason` when the signal fires.
 */
export function guardBody(
  body: ReadableStream<Uint8Array>,
  options: { idleMs: number; signal: AbortSignal; clock: Clock; action: string },
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytes = 0;

  async function read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    const over = new AbortController();
    const idle = options.clock.sleep(options.idleMs, over.signal).then(
      () => Promise.reject(new Error("idle")),
      () => new Promise<never>(() => {}),
    );
    try {
      return await untilAborted(Promise.race([reader.read(), idle]), options.signal);
    } finally {
      over.abort();
    }
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await read();
        if (done) return controller.close();
        bytes += value.byteLength;
        controller.enqueue(value);
      } catch {
        reader.cancel().catch(() => {});
        options.signal.throwIfAborted();
        throw new RetryError(`Cannot ${options.action}: the body broke off after ${bytes} bytes`);
      }
    },
    cancel: (reason): Promise<void> => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
