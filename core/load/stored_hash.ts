/** SHA-256 of a file that the target holds. @module */
import type { FileUpload, Target } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";

/** Times a file is opened whose body breaks off. */
const ATTEMPTS = 5;

/** Null when the file is gone. A body that breaks off leaves nothing behind: it is opened again. */
export async function storedHash(
  ctx: Pick<RunContext, "blobs" | "clock" | "readSignal"> & { target: Pick<Target, "file"> },
  object: FileUpload["object"],
  fileId: string,
): Promise<string | null> {
  for (let attempt = 1;; attempt++) {
    const body = await ctx.target.file(object, fileId, ctx.readSignal);
    if (body === null) return null;
    try {
      return (await ctx.blobs.put(body)).sha256;
    } catch (error) {
      if (ctx.readSignal.aborted || attempt >= ATTEMPTS) throw error;
      await ctx.clock.sleep(500 * attempt, ctx.readSignal);
    }
  }
}
