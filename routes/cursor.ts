/** Cursors as clients see them: opaque, and checked, so that one from elsewhere is told, not followed. @module */
import { createHash } from "node:crypto";
import { Problem } from "./problem.ts";

const CHECK_CHARS = 8;

/** The cursor of a list for its next page; null at the end. */
export function tellCursor(list: string, cursor: string | null): string | null {
  if (cursor === null) return null;
  const bytes = new TextEncoder().encode(checkOf(list, cursor) + cursor);
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** What {@linkcode tellCursor} was given; null for none. @throws {Problem} 422 */
export function readCursor(list: string, text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  let told: string;
  try {
    told = new TextDecoder().decode(Uint8Array.fromBase64(text, { alphabet: "base64url" }));
  } catch {
    throw badCursor();
  }
  const cursor = told.slice(CHECK_CHARS);
  if (checkOf(list, cursor) !== told.slice(0, CHECK_CHARS)) throw badCursor();
  return cursor;
}

/** A cursor that no page of the list ended with. */
export function badCursor(): Problem {
  const message = "not a cursor of this list";
  return new Problem(422, `cursor: ${message}`, {
    hint: "Take it from the page before, or leave it out to begin with the first page.",
    errors: [{ key: "cursor", message }],
  });
}

function checkOf(list: string, cursor: string): string {
  return createHash("sha256").update(`${list} ${cursor}`).digest("hex").slice(0, CHECK_CHARS);
}
