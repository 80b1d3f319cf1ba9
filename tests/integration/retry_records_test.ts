import { assert, assertEquals, assertRejects } from "@std/assert";
import { RefusedError, SetAsideError, StopError } from "../../core/errors.ts";
import type { Services } from "../../core/engine/types.ts";
import type { IssueRow, ListSpec, SourcePage, TestCaseDraft } from "../../core/ports/mod.ts";
import { type ListKind, ownerKey, type RecordByKind, recordKey } from "../../core/records/mod.ts";
import type { Summary } from "../../core/report/model.ts";
import { startWorld, type World } from "../helpers/world.ts";

const DATA = { seed: 11, data: { cases: 20, executions: 60 } };
/** Fewer executions than cases. */
const FEW = { seed: 11, data: { cases: 40, executions: 25 } };

function setAside(summary: Summary): number {
  return Object.values(summary.counts).reduce((sum, row) => sum + row.setAside, 0);
}

async function issuesOf(world: World): Promise<IssueRow[]> {
  const [scope] = await world.store.scopes();
  const page = { after: null, limit: 1000 };
  return (await world.store.issues(scope?.id ?? 0, page, { setAside: true })).rows;
}

/** A migration whose services misbehave first; returns what it ended with. */
async function migrateWith(
  world: World,
  spoil: (services: Services) => void,
): Promise<Summary> {
  const engine = world.engine();
  spoil(engine.services);
  const outcome = await engine.migrator.advance({});
  engine.close();
  assertEquals([outcome.exitCode, outcome.run.state], [3, "completed"]);
  return outcome.summary;
}

async function retry(world: World, keys: string[] = []): Promise<{ exit: number; sum: Summary }> {
  const engine = world.engine();
  try {
    const outcome = await engine.migrator.retry(keys, {});
    assertEquals(outcome.run.result, outcome.exitCode);
    return { exit: outcome.exitCode, sum: outcome.summary };
  } finally {
    engine.close();
  }
}

/** Cases that executions name, in the order of their keys. */
async function executedCases(world: World): Promise<string[]> {
  const [scope] = await world.store.scopes();
  const { rows } = await world.store.records(scope?.id ?? 0, "execution", {
    after: null,
    limit: 1000,
  });
  const own = rows.flatMap((row) => row.testCaseKey ?? []).filter((key) => key.startsWith("SA-"));
  return [...new Set(own)];
}

function keyOf(draft: TestCaseDraft): string {
  const value = draft.fields.find(({ field }) => field.label === "Zephyr Key")?.value;
  return value?.type === "text" ? value.text : "";
}

function refuse(services: Services, isBad: (key: string) => boolean): void {
  const { create } = services.target;
  services.target.create = async (draft, options) => {
    if (draft.kind === "testCase" && isBad(keyOf(draft))) {
      throw new RefusedError("Cannot create: 400", { status: 400, answer: "no" });
    }
    return await create.call(services.target, draft, options);
  };
}

Deno.test("retry() sends refused records again with their descendants and updates the result", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  const engine = world.engine();
  await engine.migrator.advance({ phases: ["extract"] });
  engine.close();
  const [first = "", second = ""] = await executedCases(world);
  const summary = await migrateWith(
    world,
    (services) => refuse(services, (key) => [first, second].includes(key)),
  );
  assert(summary.counts.execution.setAside > 0);
  const one = await retry(world, [second]);
  assertEquals(one.exit, 3);
  assertEquals(one.sum.counts.testCase.setAside, 1);
  const open = await issuesOf(world);
  assertEquals(open.filter((row) => row.kind === "testCase").map((row) => row.key), [first]);
  const all = await retry(world);
  assertEquals([all.exit, setAside(all.sum)], [0, 0]);
  assertEquals(await issuesOf(world), []);
  const { duplicates, orphans } = world.qtest.oracle();
  assertEquals([duplicates, orphans], [[], []]);
  assertEquals(all.sum.validation.equal, all.sum.validation.checked);
});

/** A case that no execution names and another case calls. */
async function calledCase(): Promise<string> {
  await using world = await startWorld({ zephyr: FEW, qtest: { seed: 11 } });
  const engine = world.engine();
  await engine.migrator.advance({ phases: ["extract", "transform"] });
  engine.close();
  const executed = new Set(await executedCases(world));
  const [scope] = await world.store.scopes();
  const { rows } = await world.store.targets(scope?.id ?? 0, "testCase", {
    after: null,
    limit: 1000,
  });
  const called = new Set(rows.flatMap((row) => row.detail.calls as string[] ?? []));
  return rows.find(({ key }) => key.startsWith("SA-") && !executed.has(key) && called.has(key))
    ?.key ?? "";
}

function brokenBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller): void {
      controller.enqueue(new Uint8Array(9));
      controller.error(new TypeError("error reading a body from connection"));
    },
  });
}

Deno.test("retry() reads files again that were refused or broke off, which set aside them alone", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  const bad: string[] = [];
  const summary = await migrateWith(world, ({ source }) => {
    const { download } = source;
    source.download = async (owner, id, signal) => {
      const file = `${ownerKey(owner)}#${id}`;
      if (bad.length < 2 && !bad.includes(file)) bad.push(file);
      const place = bad.indexOf(file);
      if (place < 0) return await download.call(source, owner, id, signal);
      if (place === 1) return { body: brokenBody(), contentType: null };
      throw new RefusedError("Cannot read the file: 403", { status: 403, answer: "" });
    };
  });
  assertEquals([summary.counts.attachment.setAside, setAside(summary)], [2, 2]);
  assertEquals(
    new Set((await issuesOf(world)).map((row) => row.reason)),
    new Set(["attachment-gone"]),
  );
  const again = await retry(world);
  assertEquals([again.exit, setAside(again.sum)], [0, 0]);
  assertEquals(again.sum.counts.attachment.extracted, summary.counts.attachment.extracted);
});

Deno.test("retry() reads scripts and list rows again that could not be read", async () => {
  const hidden = await calledCase();
  assert(hidden !== "");
  await using world = await startWorld({ zephyr: FEW, qtest: { seed: 11 } });
  await migrateWith(world, ({ source }) => {
    const { script, pages } = source;
    let scripts = 0;
    source.script = async (record, signal) => {
      if (++scripts === 3) throw new SetAsideError("unreadable", "no such script");
      return await script.call(source, record, signal);
    };
    source.pages = async function* <K extends ListKind>(
      list: ListSpec & { kind: K },
      from: string | null,
      signal: AbortSignal,
    ): AsyncGenerator<SourcePage<K>> {
      for await (const page of pages.call(source, list, from, signal)) {
        const own = page as SourcePage<K>;
        const isHidden = (row: { record: RecordByKind[K] }): boolean =>
          list.kind === "testCase" && recordKey(row.record) === hidden;
        const unreadable = own.records.filter(isHidden).map(({ ordinal }) => ({
          ordinal,
          key: hidden,
          reason: "no name",
        }));
        yield { ...own, records: own.records.filter((row) => !isHidden(row)), unreadable };
      }
    };
  });
  const reasons = new Set((await issuesOf(world)).map((row) => row.reason));
  for (const reason of ["script-unreadable", "unreadable"]) {
    assert(reasons.has(reason), `${reason} of ${[...reasons]}`);
  }
  const { exit, sum } = await retry(world);
  assertEquals([exit, setAside(sum)], [0, 0]);
  assertEquals(await issuesOf(world), []);
  assertEquals(sum.counts.testCase.extracted, 40);
  assertEquals(sum.validation.equal, sum.validation.checked);
  assertEquals(world.qtest.oracle().duplicates, []);
});

Deno.test("retry() keeps a record set aside with one attempt more, when it fails again", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  let bad = "";
  const spoil = (services: Services): void =>
    refuse(services, (key) => {
      bad ||= key;
      return key === bad;
    });
  await migrateWith(world, spoil);
  const isRefused = (row: IssueRow): boolean => row.reason === "refused";
  const before = (await issuesOf(world)).find(isRefused);
  const engine = world.engine();
  spoil(engine.services);
  const outcome = await engine.migrator.retry([], {});
  engine.close();
  assertEquals(outcome.exitCode, 3);
  const after = (await issuesOf(world)).find(isRefused);
  assertEquals([after?.key, after?.attempts], [before?.key, (before?.attempts ?? 0) + 1]);
});

Deno.test("retry() refuses a key that was not set aside, and repeats the result of a clean run", async () => {
  await using world = await startWorld({ zephyr: DATA, qtest: { seed: 11 } });
  const engine = world.engine();
  await engine.migrator.advance({});
  const sent = world.qtest.requestLog.stats().total;
  const error = await assertRejects(() => engine.migrator.retry(["SA-T1"], {}), StopError);
  assertEquals(error.exitCode, 1);
  const outcome = await engine.migrator.retry([], {});
  engine.close();
  assertEquals(outcome.exitCode, 0);
  assertEquals(world.qtest.requestLog.stats().total, sent);
});

Deno.test("retry() gives the suites of a plan their release, when it was set aside at first", async () => {
  await using world = await startWorld({ zephyr: DATA });
  await migrateWith(world, (services) => {
    const { create } = services.target;
    services.target.create = async (draft, options) => {
      if (draft.kind !== "release") return await create(draft, options);
      throw new RefusedError("refused", { status: 400, answer: "Bad Request" });
    };
  });
  const { exit, sum } = await retry(world);
  assertEquals([exit, sum.validation.different], [0, 0]);
  assert(world.qtest.state.table("test-suites").size > 0);
});
