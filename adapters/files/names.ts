/** File names that are safe on every system. @module */

/** Longest name in bytes, below the 255 that file systems take, with room for ` (2)`. */
const MAX_NAME_BYTES = 200;
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * Makes a path of harmless segments: no way up or to the root, odd characters replaced by `_`.
 * Never empty.
 */
export function safePath(path: string): string {
  const segments = path.split(/[/\\]+/).filter((part) => !/^\s*\.{0,2}\s*$/.test(part)).map(
    safeName,
  );
  return segments.length === 0 ? "_" : segments.join("/");
}

function safeName(name: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what must go
  const plain = name.toWellFormed().normalize("NFC").replace(/[\x00-\x1f\x7f<>:"|?*]/g, "_")
    .replace(/^\s+|[\s.]+$/g, "");
  const named = plain === "" ? "_" : RESERVED.test(plain) ? `_${plain}` : plain;
  return shorten(named);
}

/** Cuts in the middle, so that the extension stays. */
function shorten(name: string): string {
  const { stem, extension } = splitName(name);
  let kept = stem;
  while (new TextEncoder().encode(kept + extension).byteLength > MAX_NAME_BYTES && kept !== "") {
    kept = [...kept].slice(0, -1).join("");
  }
  return kept === "" ? [...name].slice(0, MAX_NAME_BYTES >> 2).join("") : kept + extension;
}

function splitName(name: string): { stem: string; extension: string } {
  const [extension = ""] = /\.[^.]{1,16}$/.exec(name) ?? [];
  return extension === name
    ? { stem: name, extension: "" }
    : { stem: name.slice(0, name.length - extension.length), extension };
}

/** Returns the path itself when it is free or already holds the content, else the first free ` (2)`, ` (3)` … */
export async function freePath(
  wanted: string,
  isSame: (path: string) => Promise<boolean>,
): Promise<{ path: string; exists: boolean }> {
  const folderEnd = wanted.lastIndexOf("/") + 1;
  const { stem, extension } = splitName(wanted.slice(folderEnd));
  for (let copy = 1;; copy++) {
    const suffix = copy === 1 ? "" : ` (${copy})`;
    const path = `${wanted.slice(0, folderEnd)}${stem}${suffix}${extension}`;
    const isTaken = await Deno.lstat(path).then(() => true, (error) => {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    });
    if (!isTaken) return { path, exists: false };
    if (await isSame(path)) return { path, exists: true };
  }
}
