/** Seeded randomness: the same seed gives the same data on every machine. @module */

/** A repeatable source of random values. */
export interface Random {
  /** Next number in [0, 1). */
  next(): number;
  /** Whole number between `min` and `max`, both included. */
  int(min: number, max: number): number;
  /** True with probability `p`. */
  chance(p: number): boolean;
  /** One item of a list that is not empty; throws RangeError otherwise. */
  pick<T>(items: readonly T[]): T;
  /** Some of the items, at least one, each at most once, in their order. */
  pickMany<T>(items: readonly T[]): T[];
  /** Index into `weights`, drawn in proportion to them. */
  weighted(weights: readonly number[]): number;
  /** A new list with the items in random order. */
  shuffle<T>(items: readonly T[]): T[];
}

/** Hashes a text to an unsigned 32-bit number (FNV-1a with a final mix). */
export function hashText(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mix32(hash);
}

/** Hashes up to three whole numbers (also beyond 32 bits) to an unsigned 32-bit number. */
export function hashNumbers(a: number, b = 0, c = 0): number {
  return addToHash(addToHash(addToHash(0x9e3779b9, a), b), c);
}

function addToHash(hash: number, value: number): number {
  const mixed = mix32(hash ^ (value >>> 0));
  return value < 4_294_967_296 ? mixed : mix32(mixed + Math.floor(value / 4_294_967_296));
}

function mix32(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Creates a generator (mulberry32) whose whole sequence depends on `seed` alone. */
export function createRandom(seed: number): Random {
  return new Mulberry32(seed);
}

class Mulberry32 implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    const state = this.#state;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("Cannot pick from an empty list");
    return items[this.int(0, items.length - 1)] as T;
  }

  pickMany<T>(items: readonly T[]): T[] {
    const first = this.int(0, items.length - 1);
    return items.filter((_, index) => index === first || this.next() < 0.4);
  }

  weighted(weights: readonly number[]): number {
    let rest = this.next() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < weights.length; i++) {
      rest -= weights[i] ?? 0;
      if (rest < 0) return i;
    }
    return weights.length - 1;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const list = [...items];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      const held = list[i] as T;
      list[i] = list[j] as T;
      list[j] = held;
    }
    return list;
  }
}

/** Repeatable bytes of a file: `size` bytes that depend on `seed` alone. */
export function randomBytes(seed: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}
