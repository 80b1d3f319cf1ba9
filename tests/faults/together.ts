/** Migrations spend most of their time waiting: several run side by side, each a test of its own. */

const AT_ONCE = 5;

/** Registers one test per case; each also starts the next few, so that they are under way by then. */
export function testTogether<Case extends { name: string }>(
  cases: Case[],
  run: (item: Case) => Promise<void>,
): void {
  const results = new Map<Case, Promise<void>>();
  for (const [index, item] of cases.entries()) {
    Deno.test(item.name, async () => {
      for (const next of cases.slice(index, index + AT_ONCE)) {
        if (results.has(next)) continue;
        const result = run(next);
        // Its own test reports a failure, however long before that it happens.
        result.catch(() => {});
        results.set(next, result);
      }
      await results.get(item);
    });
  }
}
