/** File names in a header that takes Latin-1 only. @module */

/**
 * Returns a name for the `File-Name` header: as it is when it is printable ASCII without `%` and
 * without outer spaces, percent-encoded as UTF-8 otherwise.
 */
export function encodeFileName(name: string): string {
  return /^[\x20-\x24\x26-\x7e]*$/.test(name) && name.trim() === name
    ? name
    : encodeURIComponent(name.toWellFormed());
}

/**
 * Whether the header can hold the name as it is, for targets that do not decode it: Latin-1 without
 * control characters and outer spaces.
 */
export function isHeaderSafe(name: string): boolean {
  return /^[\x20-\x7e\xa0-\xff]*$/.test(name) && name.trim() === name;
}

/**
 * Returns the name a file was uploaded under. Whether the target decodes the header is not
 * documented, so only what {@linkcode encodeFileName} would have sent is decoded.
 */
export function decodeFileName(stored: string): string {
  if (!stored.includes("%")) return stored;
  try {
    const name = decodeURIComponent(stored);
    return encodeFileName(name) === stored ? name : stored;
  } catch {
    return stored;
  }
}
