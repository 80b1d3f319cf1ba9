/** Wakes stages that wait for other stages. @module */

/** Named counters that can be waited on; a stage bumps its own name after each commit. */
export class Topics {
  #version = 0;
  readonly #versions = new Map<string, number>();
  #waiters: { topics: string[]; since: number; wake: () => void }[] = [];

  /** Current point in time, to wait from. */
  get version(): number {
    return this.#version;
  }

  bump(topic: string): void {
    this.#versions.set(topic, ++this.#version);
    if (this.#waiters.length === 0) return;
    const woken = this.#waiters.filter((waiter) => waiter.topics.includes(topic));
    if (woken.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !woken.includes(waiter));
    for (const waiter of woken) waiter.wake();
  }

  movedSince(topics: string[], since: number): boolean {
    return topics.some((topic) => (this.#versions.get(topic) ?? 0) > since);
  }

  /** Resolves when one of the topics moved after `since`, or after `maxMs`. */
  async wait(topics: string[], since: number, maxMs: number): Promise<void> {
    if (this.movedSince(topics, since)) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters = this.#waiters.filter((waiter) => waiter !== entry);
        resolve();
      };
      const entry = { topics, since, wake: done };
      const timer = setTimeout(done, maxMs);
      this.#waiters.push(entry);
    });
  }
}
