/** Small files that ride inside the create of their case or log: one request fewer each. @module */
import type { InlineFile } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { contentTypeOf } from "./content_type.ts";

/** More than this per record goes by uploads of its own: bodies are base64 and held in memory. */
const MAX_INLINE_BYTES = 512 * 1024;

export type InlineKind = "testCase" | "testLog";

/** Note that says whether the tenant keeps inline files of a kind: null = not known yet. */
export function inlineNote(kind: InlineKind): string {
  return `inline/${kind}`;
}

/** Files of a record that are not in the target yet and small enough to ride along. */
export async function inlineFilesOf(
  ctx: RunContext,
  kind: InlineKind,
  key: string,
): Promise<{ files: InlineFile[]; keys: string[] }> {
  const none = { files: [], keys: [] };
  if (ctx.settings.include.attachments === "none") return none;
  if (await ctx.note<boolean>(inlineNote(kind)) === false) return none;
  const rows = await ctx.store.targetChildren(ctx.scope.id, "attachment", kind, [key]);
  const files: InlineFile[] = [];
  const keys: string[] = [];
  const names = new Set<string>();
  let bytes = 0;
  for (const row of rows) {
    const { object, size, sha256, name } = row.detail;
    if (row.state !== "pending" || object !== kind) continue;
    if (typeof size !== "number" || typeof sha256 !== "string" || typeof name !== "string") {
      continue;
    }
    // Two files of one name cannot be told apart in an answer; the second is uploaded on its own.
    if (size === 0 || bytes + size > MAX_INLINE_BYTES || names.has(name)) continue;
    bytes += size;
    names.add(name);
    keys.push(row.key);
    files.push({
      name,
      contentType: contentTypeOf(name),
      bytes: await readAll(await ctx.blobs.open(sha256)),
    });
  }
  return { files, keys };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
