/** Which records are compared field by field when `validation.sample` asks for a share. @module */

/** Whether a key is in the sample: the same keys in every pass, spread over all of them. */
export function isSampled(key: string, share: number): boolean {
  if (share >= 1) return true;
  // FNV-1a: spreads keys that differ in their last digit only.
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32 < share;
}
