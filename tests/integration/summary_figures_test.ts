import { assert, assertEquals } from "@std/assert";
import type { ListSpec, SourcePage } from "../../core/ports/mod.ts";
import type { ListKind } from "../../core/records/mod.ts";
import { startWorld } from "../helpers/world.ts";

const DATA = { seed: 5, data: { cases: 20, executions: 30 } };

Deno.test("links that are switched off count as without target", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 5 } });
  world.settings.include.links = false;
  const engine = world.engine();
  const { summary } = await engine.migrator.advance({});
  engine.close();
  const { extracted, created, withoutTarget } = summary.counts.link;
  assert(extracted > 0);
  assertEquals([created, withoutTarget], [0, extracted]);
});

Deno.test("the least number of requests knows the lists of step files", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 5 } });
  world.settings.include.attachments = "all";
  const engine = world.engine();
  const { summary } = await engine.migrator.advance({});
  engine.close();
  const { total, minimum } = summary.requests.source;
  assert(minimum > summary.counts.executionStep.extracted);
  assert(total >= minimum && total <= minimum * 1.02 + 10, `${total} of ${minimum}`);
});

Deno.test("a date that is none stands in the ledger, and its record moves", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 5 } });
  const engine = world.engine();
  const { source } = engine.services;
  const { pages } = source;
  source.pages = async function* <K extends ListKind>(
    list: ListSpec & { kind: K },
    from: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<SourcePage<K>> {
    for await (const page of pages.call(source, list, from, signal)) {
      const own = page as SourcePage<K>;
      const records = own.records.map((row, index) =>
        list.kind === "testCase" && index === 0
          ? { ...row, unread: [{ field: "createdOn", value: '"yesterday"' }] }
          : row
      );
      yield { ...own, records };
    }
  };
  const { summary, exitCode } = await engine.migrator.advance({});
  engine.close();
  assertEquals([exitCode, summary.losses["value-unreadable"]], [0, 1]);
});
