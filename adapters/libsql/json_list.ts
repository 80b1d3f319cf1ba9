/** Lists of keys and values as one JSON argument each. @module */

/** A server takes at most 5 MB an argument; a character is at most 3 bytes of UTF-8. */
const CHARACTERS_PER_ARGUMENT = 1_200_000;

/** Serialises a list, cut into as few texts as the size of an argument allows. */
export function jsonLists(items: unknown[]): string[] {
  if (items.length === 0) return [];
  const text = JSON.stringify(items);
  if (text.length <= CHARACTERS_PER_ARGUMENT || items.length === 1) return [text];
  const middle = items.length >> 1;
  return [...jsonLists(items.slice(0, middle)), ...jsonLists(items.slice(middle))];
}

/** Keeps the last value of each key, in the order of those last ones. */
export function lastByKey<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T> {
  const last = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    last.delete(key);
    last.set(key, item);
  }
  return last;
}
