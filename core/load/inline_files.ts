/** Small files that ride inside the create of their case or log: one request fewer each. @module */
import type { InlineFile, TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { contentTypeOf } from "./content_type.ts";

/** More than this per record goes by uploads of its own: bodies are base64 and held in memory. */
const MAX_INLINE_BYTES = 512 * 1024;

export type InlineKind = "testCase" | "testLog";

/** Note that says whether the tenant keeps inline files of a kind: null = not known yet. */
export function inlineNote(kind: InlineKind): string {
  return `inline/${kind}`;
}

export interface InlineFiles {
  files: InlineFile[];
  /** Keys of their rows, in the same order. */
  keys: string[];
}

const NONE: InlineFiles = { files: [], keys: [] };

/** Per record: files that are not in the target yet and small enough to ride along. */
export async function inlineFilesOf(
  ctx: RunContext,
  kind: InlineKind,
  recordKeys: string[],
): Promise<(key: string) => InlineFiles> {
  if (ctx.settings.include.attachments === "none") return () => NONE;
  if (await ctx.note<boolean>(inlineNote(kind)) === false) return () => NONE;
  const rows = await ctx.store.targetChildren(ctx.scope.id, "attachment", kind, recordKeys);
  const found = new Map<string, InlineFiles>();
  for (const key of new Set(rows.map((row) => row.parentKey ?? ""))) {
    found.set(key, await pick(ctx, kind, rows.filter((row) => row.parentKey === key)));
  }
  return (key) => found.get(key) ?? NONE;
}

async function pick(ctx: RunContext, kind: InlineKind, rows: TargetRow[]): Promise<InlineFiles> {
  const picked: InlineFiles = { files: [], keys: [] };
  const names = new Set<string>();
  let bytes = 0;
  for (const row of rows) {
    const { object, size, sha256, name, alone } = row.detail;
    if (row.state !== "pending" || object !== kind || alone === true) continue;
    if (typeof size !== "number" || typeof sha256 !== "string" || typeof name !== "string") {
      continue;
    }
    // Two files of one name cannot be told apart in an answer; the second is uploaded on its own.
    if (size === 0 || bytes + size > MAX_INLINE_BYTES || names.has(name)) continue;
    bytes += size;
    names.add(name);
    picked.keys.push(row.key);
    picked.files.push({
      name,
      contentType: contentTypeOf(name),
      bytes: await readAll(await ctx.blobs.open(sha256)),
    });
  }
  return picked;
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
