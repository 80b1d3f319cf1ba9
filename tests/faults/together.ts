/** Migrations spend most of their time waiting: several run side by side, each a test of its own. */

const AT_ONCE = 5;

/** Registers one test per case; the first one to run starts them all, a few at a time. */
export function testTogether<Case extends { name: string }>(
  cases: Case[],
  run: (item: Case) => Promise<void>,
): void {
  const results = new Map<Case, Promise<void>>();
  let queue: Promise<unknown>[] = [];
  const start = (): void => {
    const waiting = cases.map((item) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const result = promise.then(() => run(item));
      // Its own test reports a failure, however long before that it happens.
      result.catch(() => {});
      results.set(item, result);
      return { resolve, result };
    });
    const next = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        one.resolve();
        await one.result.catch(() => {});
      }
    };
    queue = Array.from({ length: AT_ONCE }, next);
  };
  for (const item of cases) {
    Deno.test(item.name, async () => {
      if (queue.length === 0) start();
      await results.get(item);
    });
  }
}
