/** Notes of a run in memory. @module */
import type { Change } from "../ports/mod.ts";

/** Notes are read often and written by this process alone: kept after each commit. */
export class NoteCache {
  readonly #values = new Map<string, unknown>();

  has(key: string): boolean {
    return this.#values.has(key);
  }
  get(key: string): unknown {
    return this.#values.get(key);
  }
  set(key: string, value: unknown): void {
    this.#values.set(key, value ?? null);
  }
  learn(changes: Change[]): void {
    for (const change of changes) {
      if (change.op === "checkpoint") this.set(change.name, change.value);
    }
  }
}
