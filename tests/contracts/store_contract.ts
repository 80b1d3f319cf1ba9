/** What every store does, on the ports alone. Run by `store_test.ts` against each adapter. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { LeaseLostError } from "../../core/errors.ts";
import type { TestScript } from "../../core/records/mod.ts";
import type {
  Change,
  DetailRow,
  Lease,
  Rows,
  Store,
  TargetCount,
  TargetRow,
} from "../../core/ports/mod.ts";
import type { Keyset, Phase, TargetState } from "../../core/ports/mod.ts";
import {
  aCase,
  aCycle,
  aFile,
  aFolder,
  aLookup,
  anExecution,
  anIssue,
  aPlan,
  aRun,
  aTarget,
  bytes,
  isoAt,
  pageOf,
  SPEC,
} from "./store_samples.ts";

export interface Opened {
  store: Store;
  close: () => Promise<void>;
}
type Body = (at: { store: Store; scopeId: number; lease: Lease; apply: Apply }) => Promise<void>;
type Apply = (...changes: Change[]) => Promise<void>;

/** Registers the suite for one adapter; `open` gives an empty, migrated store each time. */
export function storeContract(
  name: string,
  open: () => Promise<Opened>,
  options: { ignore?: boolean } = {},
): void {
  function test(what: string, body: Body): void {
    Deno.test({
      name: `${name}: ${what}`,
      ignore: options.ignore ?? false,
      fn: async () => {
        const { store, close } = await open();
        try {
          const scope = await store.openScope(SPEC);
          const lease = await take(store, scope.id);
          const apply: Apply = (...changes) => store.apply(lease, changes);
          await body({ store, scopeId: scope.id, lease, apply });
        } finally {
          await close();
        }
      },
    });
  }
  scopesAndLeases(test);
  sourceRecords(test);
  sourceDetails(test);
  analysis(test);
  targetMap(test);
  ledgers(test);
}

type Test = (what: string, body: Body) => void;

async function take(store: Store, scopeId: number, owner = "a", now = 0): Promise<Lease> {
  const request = {
    scopeId,
    owner,
    host: "h",
    pid: 1,
    now: isoAt(now),
    expiresAt: isoAt(now + 10),
  };
  const { lease, holder } = await store.acquireLease(request, () => false);
  if (lease === null) throw new Error(`held by ${holder.owner}`);
  return lease;
}

/** Reads all pages of one row each and checks that cursors end in time. */
async function all<T>(read: (page: Keyset) => Promise<Rows<T>>, limit = 1): Promise<T[]> {
  const rows: T[] = [];
  for (let after: string | null = null;;) {
    const page: Rows<T> = await read({ after, limit });
    rows.push(...page.rows);
    if (page.cursor === null) return rows;
    after = page.cursor;
  }
}

function scopesAndLeases(test: Test): void {
  test("migrate() does nothing, when done already", async ({ store, scopeId }) => {
    await store.migrate();
    assertEquals((await store.scopes()).map((scope) => scope.id), [scopeId]);
  });

  test("openScope() returns the same scope for the same pair only", async ({ store, scopeId }) => {
    assertEquals(await store.openScope({ ...SPEC }), { ...SPEC, id: scopeId });
    const other = await store.openScope({ ...SPEC, rootName: "Other" });
    assertEquals(other.id === scopeId, false);
    assertEquals((await store.scopes()).map((s) => s.rootName), [SPEC.rootName, "Other"]);
    assertEquals(await store.leaseOf(other.id), null);
  });

  test("acquireLease() gives the holder, when held, and takes over the expired", async (at) => {
    const { store, scopeId, lease } = at;
    const request = { scopeId, owner: "b", host: "i", pid: 2, now: isoAt(5), expiresAt: isoAt(15) };
    const held = await store.acquireLease(request, () => false);
    const row = { ...lease, host: "h", pid: 1, heartbeatAt: isoAt(0), expiresAt: isoAt(10) };
    assertEquals(held, { lease: null, holder: row });
    const later = { ...request, now: isoAt(10), expiresAt: isoAt(20) };
    const taken = await store.acquireLease(later, () => false);
    assertEquals(taken.lease, { scopeId, owner: "b", epoch: lease.epoch + 1 });
    assertEquals((await store.leaseOf(scopeId))?.owner, "b");
  });

  test("acquireLease() takes over at once, when the owner is dead", async (at) => {
    const { store, scopeId, lease } = at;
    const request = { scopeId, owner: "b", host: "h", pid: 2, now: isoAt(1), expiresAt: isoAt(9) };
    const { lease: taken } = await store.acquireLease(request, (row) => row.pid === 1);
    assertEquals(taken?.epoch, lease.epoch + 1);
    assertEquals(await store.heartbeat(lease, isoAt(2), isoAt(12)), false);
    await store.releaseLease(lease);
    assertEquals((await store.leaseOf(scopeId))?.owner, "b");
  });

  test("heartbeat() prolongs and releaseLease() frees, when it is ours", async (at) => {
    const { store, scopeId, lease } = at;
    assertEquals(await store.heartbeat(lease, isoAt(5), isoAt(15)), true);
    assertEquals((await store.leaseOf(scopeId))?.expiresAt, isoAt(15));
    await store.releaseLease(lease);
    assertEquals(await store.leaseOf(scopeId), null);
    assertEquals(await store.heartbeat(lease, isoAt(6), isoAt(16)), false);
    assertEquals((await take(store, scopeId, "c", 6)).epoch, lease.epoch + 1);
  });

  test("apply() changes nothing, when the lease moved on or was released", async (at) => {
    const { store, scopeId, lease, apply } = at;
    await apply({ op: "checkpoint", name: "n", value: 1 });
    const newer = await take(store, scopeId, "a", 20);
    const stale: Change[] = [
      { op: "checkpoint", name: "n", value: 2 },
      { op: "event", runId: null, type: "t", at: isoAt(0), data: {} },
      { op: "planTargets", rows: [aTarget("testCase", "A-T1")] },
    ];
    await assertRejects(() => store.apply(lease, stale), LeaseLostError);
    await assertRejects(() => store.apply({ ...newer, owner: "b" }, stale), LeaseLostError);
    await assertRejects(() => store.apply({ ...newer, scopeId: 99 }, stale), LeaseLostError);
    assertEquals(await store.checkpoint(scopeId, "n"), 1);
    assertEquals(await store.events(null, 0, 9), []);
    assertEquals(await store.countTargets(scopeId), []);
    await store.apply(newer, stale);
    assertEquals(await store.checkpoint(scopeId, "n"), 2);
    await store.releaseLease(newer);
    await assertRejects(() => store.apply(newer, stale), LeaseLostError);
  });

  test("apply() changes nothing, when one change cannot be kept", async (at) => {
    const { store, scopeId, apply } = at;
    const bad = { op: "event", runId: null, type: "t", at: isoAt(0), data: { n: 1n } } as const;
    await assertRejects(() => apply({ op: "checkpoint", name: "n", value: 1 }, bad), TypeError);
    assertEquals(await store.checkpoint(scopeId, "n"), null);
  });

  test("checkpoint() gives the last value, null after deletion, per scope", async (at) => {
    const { store, scopeId, apply } = at;
    const value = { cursor: "c", seen: [1, "two", null, true] };
    await apply(
      { op: "checkpoint", name: "a", value: 1 },
      { op: "checkpoint", name: "b", value: 5 },
      { op: "checkpoint", name: "a", value },
    );
    assertEquals(await store.checkpoint(scopeId, "a"), value);
    assertEquals(await store.checkpoint(scopeId + 1, "a"), null);
    await apply(
      { op: "checkpoint", name: "a", value: null },
      { op: "checkpoint", name: "b", value: "text" },
    );
    assertEquals(await store.checkpoint(scopeId, "a"), null);
    assertEquals(await store.checkpoint(scopeId, "b"), "text");
  });

  test("runs are created, changed and listed newest first", async (at) => {
    const { store, scopeId, apply } = at;
    const other = await store.openScope({ ...SPEC, rootName: "Other" });
    const runs = [aRun("r1", scopeId, 1), aRun("r2", scopeId, 2), aRun("r3", other.id, 2)];
    for (const run of runs) await store.createRun(run);
    assertEquals(await store.run("r1"), runs[0]);
    assertEquals(await store.run("none"), null);
    const set = {
      state: "completed",
      result: 3,
      completedAt: isoAt(3),
      summary: { counts: [1] },
      reason: null,
      workedMs: 12.5,
    } as const;
    await apply({ op: "run", id: "r1", set }, { op: "run", id: "r3", set });
    assertEquals(await store.run("r1"), { ...aRun("r1", scopeId, 1), ...set });
    assertEquals(await store.run("r3"), runs[2], "a run of another scope stays");
    assertEquals((await store.runs(null)).map((run) => run.id), ["r3", "r2", "r1"]);
    assertEquals((await store.runs(scopeId)).map((run) => run.id), ["r2", "r1"]);
  });

  test("requestControl() keeps the last value per name and needs no lease", async ({ store }) => {
    await store.requestControl("r", "pause", { by: "cli" });
    await store.requestControl("r", "pause", true);
    await store.requestControl("r", "limits", { source: 10 });
    await store.requestControl("s", "pause", 1);
    assertEquals(await store.controls("r"), { limits: { source: 10 }, pause: true });
    await store.requestControl("r", "pause", null);
    assertEquals(await store.controls("r"), { limits: { source: 10 } });
    assertEquals(await store.controls("none"), {});
  });
}

function sourceRecords(test: Test): void {
  test("records() gives every kind as it was, in canonical order", async (at) => {
    const { store, scopeId, apply } = at;
    const cases = ["A-T2", "A-T10", "A-T9"].map((key) => aCase(key));
    const executions = [
      anExecution("1000", "A-T2", "7"),
      anExecution("999", "A-T2", "7"),
      anExecution("5", "A-T2", null),
      anExecution("4", "A-T10", "7"),
      anExecution("3", null, null),
    ];
    const cycles = [aCycle("1000", "A-R3"), aCycle("999", "A-R3"), aCycle("1", "A-R4")];
    const plans = [aPlan("12", "A-P2"), aPlan("13", "A-P1")];
    const folders = [aFolder("100"), aFolder("99", "TEST_CYCLE", "100")];
    const lookups = [aLookup("priority", "2"), aLookup("status", "2"), aLookup("environment", "1")];
    for (const records of [cases, executions, cycles, plans, folders, lookups]) {
      await apply(...pageOf(records[0]?.kind ?? "", "0", records));
    }
    const read = <K extends Parameters<Store["records"]>[1]>(kind: K) =>
      all((page) => store.records(scopeId, kind, page));
    assertEquals(await read("testCase"), [cases[0], cases[2], cases[1]]);
    const ids = ["3", "5", "999", "1000", "4"];
    assertEquals((await read("execution")).map((row) => row.id), ids);
    assertEquals((await read("execution"))[3], executions[0]);
    assertEquals(await read("testCycle"), [cycles[1], cycles[0], cycles[2]]);
    assertEquals(await read("testPlan"), [plans[1], plans[0]]);
    assertEquals(await read("folder"), [folders[1], folders[0]]);
    assertEquals(await read("status"), [lookups[1]]);
    assertEquals(await store.records(scopeId + 1, "testCase", { after: null, limit: 5 }), {
      rows: [],
      cursor: null,
    });
    assertEquals(await store.countRecords(scopeId), {
      priority: 1,
      status: 1,
      environment: 1,
      folder: 2,
      testPlan: 2,
      testCycle: 3,
      testCase: 3,
      execution: 5,
    });
  });

  test("records() pages without gaps, when many rows share their order", async (at) => {
    const { store, scopeId, apply } = at;
    const rows = Array.from({ length: 257 }, (_, n) => anExecution(String(n + 1), "A-T1", null));
    await apply(...pageOf("execution", "0", rows));
    const found = await all((page) => store.records(scopeId, "execution", page), 50);
    assertEquals(found.map((row) => row.id), rows.map((row) => row.id));
  });

  test("records replace older ones and point at their new page", async (at) => {
    const { store, scopeId, apply } = at;
    await apply(...pageOf("testCase", "0", [aCase("A-T1"), aCase("A-T2")]));
    const changed = { ...aCase("A-T2"), name: "new", folderId: null, labels: [] };
    await apply(...pageOf("testCase", "1", [changed, aCase("A-T3")]));
    assertEquals((await store.recordsByKey(scopeId, "testCase", ["A-T2"])).get("A-T2"), changed);
    const raw = JSON.parse(await store.raw(scopeId, "testCase", "A-T2") ?? "");
    assertEquals(raw.name, "new");
    assertEquals((await store.countRecords(scopeId)).testCase, 3);
  });

  test("recordsByKey() finds those that are there, by many keys", async (at) => {
    const { store, scopeId, apply } = at;
    const rows = Array.from({ length: 300 }, (_, n) => aCase(`A-T${n}`));
    await apply(...pageOf("testCase", "0", rows));
    const keys = ["nope", `odd "'%`, ...rows.map((row) => row.key)];
    const found = await store.recordsByKey(scopeId, "testCase", keys);
    assertEquals(found.size, 300);
    assertEquals(found.get("A-T7"), rows[7]);
    assertEquals((await store.recordsByKey(scopeId, "testCycle", ["A-T7"])).size, 0);
    assertEquals((await store.recordsByKey(scopeId, "testCase", [])).size, 0);
  });

  test("texts come back as they were, odd ones too", async ({ store, scopeId, apply }) => {
    const texts = [
      "",
      " ",
      "5",
      "5.0",
      "null",
      "<b>é ü 漢字 🚀</b>\r\n\t",
      `"'\\`,
      "a\u0000b",
      "x".repeat(70_000),
    ];
    const rows = texts.map((name, n) => ({
      ...aCase(`A-T${n + 1}`),
      name,
      objective: name,
      statusId: name,
      customFields: { [`${name} ?/(s)`]: name, list: [name], n: 1.5, no: null, yes: true },
    }));
    await apply(...pageOf("testCase", "0", rows));
    assertEquals(await all((page) => store.records(scopeId, "testCase", page), 3), rows);
  });

  test("raw() gives exactly the row as received", async ({ store, scopeId, apply }) => {
    const body = `{"values":[{"id":1},{"id":9007199254740993,"n":1.50,"s":"é"}]}`;
    const record = aCase("A-T1");
    await apply(
      { op: "page", list: "testCase", at: "c", body: bytes(body), rows: 2 },
      { op: "records", list: "testCase", at: "c", records: [{ ordinal: 1, record }] },
      { op: "page", list: "folder", at: "0", body: bytes(`[{"id":5}]`), rows: 1 },
      { op: "records", list: "folder", at: "0", records: [{ ordinal: 0, record: aFolder("5") }] },
      { op: "page", list: "testCase", at: "one/A-T2", body: bytes(`{"key":"A-T2"}`), rows: 1 },
      {
        op: "records",
        list: "testCase",
        at: "one/A-T2",
        records: [{ ordinal: 0, record: aCase("A-T2") }],
      },
      {
        op: "records",
        list: "testCase",
        at: "no",
        records: [{ ordinal: 0, record: aCase("A-T3") }],
      },
    );
    assertEquals(
      await store.raw(scopeId, "testCase", "A-T1"),
      `{"id":9007199254740993,"n":1.50,"s":"é"}`,
    );
    assertEquals(await store.raw(scopeId, "folder", "5"), `{"id":5}`);
    assertEquals(await store.raw(scopeId, "testCase", "A-T2"), `{"key":"A-T2"}`);
    assertEquals(await store.raw(scopeId, "testCase", "A-T3"), null);
    assertEquals(await store.raw(scopeId, "testCase", "A-T4"), null);
  });

  test("raw() joins the pages of a detail and forgets an older, longer one", async (at) => {
    const { store, scopeId, apply } = at;
    const part = (place: string, body: string): Change => (
      { op: "page", list: "script", at: place, body: bytes(body), rows: 1 }
    );
    const many = Array.from({ length: 11 }, (_, n) => part(`A-T1#${n}`, `${n}`));
    await apply(...many, part("A-T12#0", `"other"`));
    const joined = `[${many.map((_, n) => n).join(",")}]`;
    assertEquals(await store.raw(scopeId, "script", "A-T1"), joined);
    await apply(part("A-T1#0", `{"new":1}`));
    assertEquals(await store.raw(scopeId, "script", "A-T1"), `[{"new":1}]`);
    assertEquals(await store.raw(scopeId, "script", "A-T12"), `["other"]`);
    assertEquals(await store.raw(scopeId, "executionSteps", "A-T1"), null);
  });

  test("raw() gives a page that is too large for one argument", async (at) => {
    const { store, scopeId, apply } = at;
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    const text = Array.from({ length: 100 }, (_, n) => noise.map((x) => x ^ n).toBase64()).join("");
    const body = bytes(JSON.stringify({ values: [{ text }] }));
    await apply(
      { op: "page", list: "testCase", at: "0", body, rows: 1 },
      {
        op: "records",
        list: "testCase",
        at: "0",
        records: [{ ordinal: 0, record: aCase("A-T1") }],
      },
    );
    assertEquals(await store.raw(scopeId, "testCase", "A-T1") === JSON.stringify({ text }), true);
    await apply({ op: "page", list: "testCase", at: "0", body: bytes("[{}]"), rows: 1 });
    assertEquals(await store.raw(scopeId, "testCase", "A-T1"), "{}");
  });
}

function sourceDetails(test: Test): void {
  test("scripts() gives the last script whole, steps in order", async (at) => {
    const { store, scopeId, apply } = at;
    const step = (id: string | null, description: string | null) => ({
      id,
      description,
      testData: null,
      expectedResult: "e",
      customFields: { "Conditional?": false },
      call: null,
    });
    const call = { key: "A-T9", parameters: [{ name: "p", value: null }] };
    const steps = [...Array(12).keys()].map((n) => step(String(n), `do ${n}`));
    const long: TestScript = { type: "steps", text: null, steps };
    const short: TestScript = { type: "steps", text: null, steps: [{ ...step(null, null), call }] };
    const bdd: TestScript = { type: "bdd", text: "Given", steps: [] };
    const none: TestScript = { type: "none", text: null, steps: [] };
    await apply(
      { op: "script", caseKey: "A-T1", script: long },
      { op: "script", caseKey: "A-T2", script: { ...bdd, steps: [] } },
      { op: "script", caseKey: "A-T3", script: { ...none, steps: [] } },
    );
    const keys = ["A-T1", "A-T2", "A-T3", "A-T4"];
    const first = await store.scripts(scopeId, keys);
    assertEquals([...first.keys()].sort(), ["A-T1", "A-T2", "A-T3"]);
    assertEquals([first.get("A-T1"), first.get("A-T2"), first.get("A-T3")], [long, bdd, none]);
    await apply({ op: "script", caseKey: "A-T1", script: short });
    assertEquals((await store.scripts(scopeId, keys)).get("A-T1"), short);
  });

  test("executionSteps() tells no steps from not known", async ({ store, scopeId, apply }) => {
    const step = (n: number) => ({
      id: n % 2 === 0 ? String(n) : null,
      description: `do ${n}`,
      testData: null,
      expectedResult: null,
      actualResult: "a",
      dataRow: n > 5 ? n : null,
      statusId: "3",
    });
    const steps = [...Array(11).keys()].map(step);
    await apply(
      { op: "executionSteps", executionId: "1", steps },
      { op: "executionSteps", executionId: "2", steps: [] },
    );
    const found = await store.executionSteps(scopeId, ["1", "2", "3"]);
    assertEquals([found.get("1"), found.get("2"), found.get("3")], [steps, [], undefined]);
    await apply({ op: "executionSteps", executionId: "1", steps: [step(0)] });
    assertEquals((await store.executionSteps(scopeId, ["1"])).get("1"), [step(0)]);
    assertEquals((await store.inventory(scopeId)).executionSteps, 1);
  });

  test("attachments are replaced per owner and keep their bytes", async (at) => {
    const { store, scopeId, apply } = at;
    const one = aFile("10", "execution", "1", 1);
    const two = aFile("9", "execution", "1", 0);
    const step = aFile("9", "testStep", "A-T1", 0, "77");
    await apply(
      { op: "attachments", ownerKey: "execution/1", attachments: [one, two] },
      { op: "attachments", ownerKey: "testStep/A-T1/77", attachments: [step] },
      { op: "attachmentStored", ownerKey: "execution/1", id: "9", size: 3, sha256: "ab" },
    );
    const stored = { ...two, size: 3, sha256: "ab" };
    const found = await store.attachments(scopeId, ["execution/1", "testStep/A-T1/77", "x"]);
    assertEquals(found, new Map([["execution/1", [stored, one]], ["testStep/A-T1/77", [step]]]));
    const read = (where?: { stored?: boolean }) =>
      all((page) => store.allAttachments(scopeId, page, where));
    assertEquals(await read(), [stored, one, step]);
    assertEquals(await read({ stored: true }), [stored]);
    assertEquals(await read({ stored: false }), [one, step]);
    const renamed = { ...two, name: "renamed", ord: 4 };
    await apply(
      { op: "attachments", ownerKey: "execution/1", attachments: [renamed] },
      { op: "attachments", ownerKey: "testStep/A-T1/77", attachments: [] },
    );
    assertEquals(await read(), [{ ...stored, name: "renamed", ord: 4 }]);
    const { attachments, attachmentBytes } = await store.inventory(scopeId);
    assertEquals([attachments, attachmentBytes], [1, 3]);
  });

  test("removeDetails forgets the named keys of a task, or all of it", async (at) => {
    const { store, scopeId, apply } = at;
    const keys = ["A-T1", "A-T2", "A-T3"];
    const row = (task: "script" | "version", key: string): DetailRow => ({
      task,
      key,
      state: "done",
      count: 1,
    });
    await apply({
      op: "detail",
      rows: keys.flatMap((key) => [row("script", key), row("version", key)]),
    });
    await apply({ op: "removeDetails", task: "script", keys: ["A-T2", "A-T9"] });
    const named = await store.details(scopeId, "script", keys);
    assertEquals([...named.keys()].sort(), ["A-T1", "A-T3"]);
    await apply({ op: "removeDetails", task: "script", keys: null });
    assertEquals((await store.details(scopeId, "script", keys)).size, 0);
    assertEquals((await store.details(scopeId, "version", keys)).size, 3);
  });

  test("details() gives the last state per task and key", async ({ store, scopeId, apply }) => {
    const row = { task: "script", key: "A-T1", state: "done", count: 3 } as const;
    await apply(
      { op: "detail", rows: [row, { ...row, key: "A-T2", state: "gone", count: 0 }] },
      { op: "detail", rows: [{ ...row, count: 4 }, { ...row, task: "version", count: 9 }] },
    );
    const found = await store.details(scopeId, "script", ["A-T1", "A-T2", "A-T3"]);
    assertEquals(found.get("A-T1"), { ...row, count: 4 });
    assertEquals([found.get("A-T2")?.state, found.size], ["gone", 2]);
  });
}

function analysis(test: Test): void {
  test("inventory() counts per type, route and status", async ({ store, scopeId, apply }) => {
    await apply(
      ...pageOf("folder", "0", [aFolder("1"), aFolder("2"), aFolder("3", "TEST_PLAN")]),
      ...pageOf("testCase", "0", [
        aCase("A-T1"),
        { ...aCase("A-T2"), scriptRoute: "testscript", links: [] },
        { ...aCase("A-T3"), scriptRoute: null, links: [] },
      ]),
      ...pageOf("testPlan", "0", [aPlan("1", "A-P1")]),
      ...pageOf("testCycle", "0", [aCycle("1", "A-R1")]),
      ...pageOf("execution", "0", [
        anExecution("1", "A-T1", null),
        { ...anExecution("2", "A-T1", null), statusId: null, links: [] },
        anExecution("3", "A-T1", null),
      ]),
    );
    assertEquals(await store.inventory(scopeId), {
      folders: { TEST_CASE: 2, TEST_PLAN: 1, TEST_CYCLE: 0 },
      testCases: 3,
      scripts: { teststeps: 1, testscript: 1 },
      testPlans: 1,
      testCycles: 1,
      executions: 3,
      executionsByStatus: { "": 1, "40": 2 },
      executionSteps: 0,
      attachments: 0,
      attachmentBytes: 0,
      links: 10,
    });
  });

  test("unknownCaseKeys() and executedVersions() see what executions name", async (at) => {
    const { store, scopeId, apply } = at;
    const run = (id: string, key: string | null, version: number | null, row: string | null) => ({
      ...anExecution(id, key, null),
      testCaseVersion: version,
      testCaseVersionId: row,
    });
    await apply(
      ...pageOf("testCase", "0", [aCase("A-T2")]),
      ...pageOf("execution", "0", [
        run("1", "A-T10", 1, "x"),
        run("2", "A-T2", 2, "b"),
        run("3", "A-T2", 1, "a"),
        run("4", "A-T2", 2, "b"),
        run("5", "A-T3", null, null),
        run("6", null, 7, "n"),
        run("7", "A-T2", 2, null),
      ]),
    );
    assertEquals(await store.unknownCaseKeys(scopeId), ["A-T3", "A-T10"]);
    for (const limit of [1, 2, 3, 100]) {
      assertEquals(await all((page) => store.executedVersions(scopeId, page), limit), [
        { caseKey: "A-T2", version: 1, versionId: "a" },
        { caseKey: "A-T2", version: 2, versionId: null },
        { caseKey: "A-T2", version: 2, versionId: "b" },
        { caseKey: "A-T3", version: null, versionId: null },
        { caseKey: "A-T10", version: 1, versionId: "x" },
      ]);
    }
  });

  test("customFieldStats() tells types, values and shapes of text", async (at) => {
    const { store, scopeId, apply } = at;
    const fields: Record<string, unknown>[] = [
      { "Browser (s)?": "Chrome", n: 1, ok: true, tags: ["a", "b"], when: "2024-01-31", empty: "" },
      { "Browser (s)?": "Chrome", n: 2.5, ok: false, tags: [], when: "2024-01-31T10:00:00Z" },
      { "Browser (s)?": "Edge", n: null, ok: "true", tags: ["b"], html: "a<br>b", empty: null },
      { "Browser (s)?": "", obj: { a: 1 }, html: "1 < 2 and 3 > 2", long: "é🚀" },
    ];
    await apply(
      ...pageOf(
        "testCase",
        "0",
        fields.map((customFields, n) => ({ ...aCase(`A-T${n}`), customFields })),
      ),
    );
    const stats = await store.customFieldStats(scopeId, "testCase");
    const none = { date: 0, dateTime: 0, withMarkup: 0, maxLength: 0 };
    const of = (name: string) => stats.find((row) => row.name === name);
    assertEquals(stats.map((row) => row.name), [...stats.map((row) => row.name)].sort());
    assertEquals(of("Browser (s)?"), {
      name: "Browser (s)?",
      count: 3,
      types: { string: 3 },
      values: [{ value: "Chrome", count: 2 }, { value: "Edge", count: 1 }],
      strings: { ...none, maxLength: 6 },
    });
    assertEquals(of("n")?.types, { number: 2 });
    assertEquals(of("n")?.values, [{ value: "1", count: 1 }, { value: "2.5", count: 1 }]);
    assertEquals(of("ok")?.types, { boolean: 2, string: 1 });
    assertEquals(of("ok")?.values, [{ value: "true", count: 2 }, { value: "false", count: 1 }]);
    assertEquals([of("tags")?.count, of("tags")?.types], [2, { array: 2 }]);
    assertEquals(of("tags")?.values, [{ value: "b", count: 2 }, { value: "a", count: 1 }]);
    assertEquals(of("when")?.strings, { ...none, date: 1, dateTime: 1, maxLength: 20 });
    assertEquals(of("html")?.strings.withMarkup, 1);
    assertEquals([of("empty")?.count, of("empty")?.values, of("long")?.strings.maxLength], [
      0,
      [],
      2,
    ]);
    assertEquals(of("obj")?.types, { object: 1 });
    assertEquals(await store.customFieldStats(scopeId, "testPlan"), []);
  });

  test("customFieldStats() gives at most 201 values, most frequent first", async (at) => {
    const { store, scopeId, apply } = at;
    const rows = Array.from({ length: 260 }, (_, n) => ({
      ...aCycle(String(n), `A-R${n}`),
      customFields: { f: n < 5 ? "often" : `v${String(n).padStart(3, "0")}` },
    }));
    await apply(...pageOf("testCycle", "0", rows));
    const [stats] = await store.customFieldStats(scopeId, "testCycle");
    assertEquals([stats?.count, stats?.values.length], [260, 201]);
    assertEquals(stats?.values.slice(0, 2), [{ value: "often", count: 5 }, {
      value: "v005",
      count: 1,
    }]);
  });

  test("search() finds text in keys and names, equal keys first", async (at) => {
    const { store, scopeId, apply } = at;
    const named = (key: string, name: string | null) => ({ ...aCase(key), id: `9${key}`, name });
    await apply(
      ...pageOf("testCase", "0", [
        named("A-T11", "Log in"),
        named("A-T1", "50%_off"),
        named("A-T2", null),
      ]),
      ...pageOf("testCycle", "0", [{ ...aCycle("12", "A-R1"), name: "LOGIN cycle" }]),
      ...pageOf("execution", "0", [{ ...anExecution("31", "A-T1", null), key: "A-E31" }]),
    );
    const find = async (text: string, limit = 9) =>
      (await store.search(scopeId, text, limit)).map((row) => `${row.kind} ${row.key}`);
    assertEquals(await find("A-T1"), ["testCase A-T1", "testCase A-T11"]);
    assertEquals(await find("a-t11"), ["testCase A-T11"]);
    assertEquals(await find("A-R1"), ["testCycle 12"]);
    assertEquals(await find("log"), ["testCase A-T11", "testCycle 12"]);
    assertEquals(await find("%_"), ["testCase A-T1"]);
    assertEquals(await find("A-E31"), ["execution 31"]);
    assertEquals(await find("A-T", 2), ["testCase A-T1", "testCase A-T2"]);
    assertEquals(await find("nothing\\"), []);
  });
}

function targetMap(test: Test): void {
  test("planTargets() keeps what was sent and takes the rest", async (at) => {
    const { store, scopeId, apply } = at;
    const loaded: TargetRow = {
      ...aTarget("testCase", "A-T1"),
      state: "loaded",
      targetId: "900",
      attempt: 2,
      sentAt: isoAt(4),
      everInDoubt: true,
      origin: "created",
      runId: "r1",
      detail: { pid: "TC-1", stepIds: ["1", "2"], map: { a: 1 }, old: 1 },
      lastError: "was slow",
    };
    await apply({ op: "planTargets", rows: [loaded] });
    assertEquals((await store.targetsByKey(scopeId, "testCase", ["A-T1"])).get("A-T1"), loaded);
    const planned: TargetRow = {
      ...aTarget("testCase", "A-T1"),
      recordKind: null,
      parentKind: "module",
      parentKey: "7",
      ord: 99,
      payloadHash: "h2",
      steps: 5,
      stepsAsText: 6,
      links: 7,
      detail: { map: { b: 2 }, extra: ["x"], old: null },
      runId: "r2",
    };
    await apply({ op: "planTargets", rows: [planned] });
    assertEquals((await store.targetsByKey(scopeId, "testCase", ["A-T1"])).get("A-T1"), {
      ...loaded,
      recordKind: null,
      parentKind: "module",
      parentKey: "7",
      ord: 99,
      payloadHash: "h2",
      steps: 5,
      stepsAsText: 6,
      links: 7,
      detail: { pid: "TC-1", stepIds: ["1", "2"], map: { b: 2 }, extra: ["x"] },
    });
  });

  test("planTargets() decides the state anew, when nothing was sent", async (at) => {
    const { store, scopeId, apply } = at;
    const row = (key: string, state: TargetState, targetId: string | null = null) => (
      { ...aTarget("module", key), state, targetId }
    );
    const before = [
      row("pending", "pending"),
      row("without", "withoutTarget"),
      row("aside", "setAside"),
      row("asideLoaded", "setAside", "5"),
      row("sending", "sending"),
      row("doubt", "inDoubt"),
      row("loaded", "loaded", "6"),
    ];
    await apply({ op: "planTargets", rows: before });
    const again = before.map(({ key }) =>
      row(key, key === "pending" ? "withoutTarget" : "pending")
    );
    await apply({ op: "planTargets", rows: again });
    const rows = await all((page) => store.targets(scopeId, "module", page));
    assertEquals(Object.fromEntries(rows.map(({ key, state }) => [key, state])), {
      pending: "withoutTarget",
      without: "pending",
      aside: "pending",
      asideLoaded: "setAside",
      sending: "sending",
      doubt: "inDoubt",
      loaded: "loaded",
    });
  });

  test("planTargets() leaves rows that exist alone, when only new ones are wanted", async (at) => {
    const { store, scopeId, apply } = at;
    const row = (key: string, ord: number) => ({ ...aTarget("field", key), ord });
    await apply(
      { op: "planTargets", rows: [row("a", 1)] },
      { op: "planTargets", rows: [row("a", 2), row("b", 2)], onlyNew: true },
      { op: "planTargets", rows: [row("b", 3), row("c", 3)], onlyNew: true },
      { op: "planTargets", rows: [row("c", 4)] },
    );
    const { rows } = await store.targets(scopeId, "field", { after: null, limit: 9 });
    assertEquals(rows.map(({ key, ord }) => [key, ord]), [["a", 1], ["b", 2], ["c", 4]]);
  });

  test("targets overwrites named columns only, in the order given", async (at) => {
    const { store, scopeId, apply } = at;
    const rows = ["1", "2", "3"].map((key) => aTarget("testRun", key));
    await apply({ op: "planTargets", rows });
    const at1 = { kind: "testRun", key: "1" } as const;
    const at2 = { kind: "testRun", key: "2" } as const;
    await apply(
      {
        op: "targets",
        rows: [
          { ...at1, state: "sending", attempt: 1, sentAt: isoAt(1), lastError: "late" },
          { ...at2, state: "inDoubt", everInDoubt: true },
          { kind: "testRun", key: "none", state: "loaded" },
        ],
      },
      {
        op: "targets",
        rows: [{
          ...at1,
          state: "loaded",
          targetId: "11",
          origin: "created",
          runId: "r",
          lastError: null,
          detail: { pid: "TR-1", versionId: null },
        }],
      },
      { op: "targets", rows: [{ ...at2, detail: { pid: null } }] },
    );
    const [one, two, three] = ["1", "2", "3"].map((key) => aTarget("testRun", key)) as [
      TargetRow,
      TargetRow,
      TargetRow,
    ];
    const found = await store.targetsByKey(scopeId, "testRun", ["1", "2", "3", "none"]);
    assertEquals(found.size, 3);
    assertEquals(found.get("1"), {
      ...one,
      state: "loaded",
      attempt: 1,
      sentAt: isoAt(1),
      targetId: "11",
      origin: "created",
      runId: "r",
      detail: { pid: "TR-1" },
    });
    assertEquals(found.get("2"), { ...two, state: "inDoubt", everInDoubt: true });
    assertEquals(found.get("3"), three);
    assertEquals((await store.targetsByKey(scopeId, "testLog", ["1"])).size, 0);
    assertEquals((await store.targetsByKey(scopeId + 1, "testRun", ["1"])).size, 0);
  });

  test("targets() filters by state and doubt and keeps the order", async (at) => {
    const { store, scopeId, apply } = at;
    const states: TargetState[] = ["pending", "loaded", "sending", "inDoubt"];
    const rows = Array.from({ length: 40 }, (_, n) => ({
      ...aTarget("testLog", String(n)),
      ord: n >> 2,
      state: states[n % 4] ?? "pending",
      targetId: n % 4 === 1 ? `t${n}` : null,
      everInDoubt: n % 8 === 3,
    }));
    await apply({ op: "planTargets", rows });
    const read = async (
      where: { states?: TargetState[]; everInDoubt?: boolean },
      limit = 7,
    ): Promise<string[]> =>
      (await all((page) => store.targets(scopeId, "testLog", { ...page, ...where }), limit))
        .map((row) => row.key);
    const order = [...rows].sort((a, b) => a.ord - b.ord || (a.key < b.key ? -1 : 1));
    const keys = (keep: (row: TargetRow) => boolean): string[] =>
      order.filter(keep).map((row) => row.key);
    assertEquals(await read({}), keys(() => true));
    assertEquals(await read({ states: ["pending"] }), keys((row) => row.state === "pending"));
    assertEquals(
      await read({ states: ["inDoubt", "sending"] }),
      keys((row) => row.state === "inDoubt" || row.state === "sending"),
    );
    assertEquals(await read({ everInDoubt: true }, 2), keys((row) => row.everInDoubt));
    assertEquals(await read({ everInDoubt: false }), keys((row) => !row.everInDoubt));
    assertEquals(await read({ everInDoubt: true, states: ["pending"] }), []);
    assertEquals(await read({ states: [] }), []);
    const found = await store.targetsById(scopeId, "testLog", ["t1", "t5", "none"]);
    assertEquals([found.get("t1")?.key, found.get("t5")?.key, found.size], ["1", "5", 2]);
  });

  test("targetChildren() gives the children of several parents in order", async (at) => {
    const { store, scopeId, apply } = at;
    const child = (key: string, parentKey: string | null, ord: number) => (
      { ...aTarget("testLog", key), parentKind: "testRun" as const, parentKey, ord }
    );
    const rows = [child("b", "1", 2), child("a", "1", 2), child("c", "2", 1), child("d", "3", 0)];
    const elsewhere = { ...child("e", "1", 0), parentKind: "testCase" as const };
    await apply({ op: "planTargets", rows: [...rows, elsewhere, child("f", null, 0)] });
    const found = await store.targetChildren(scopeId, "testLog", "testRun", ["1", "2", "9"]);
    assertEquals(found.map((row) => row.key), ["c", "a", "b"]);
  });

  test("unseen() gives rows with an id that the pass has not seen", async (at) => {
    const { store, scopeId, apply } = at;
    const row = (key: string, targetId: string | null) => ({ ...aTarget("module", key), targetId });
    await apply({
      op: "planTargets",
      rows: [row("a", "1"), row("b", "2"), row("c", null), row("d", "4")],
    });
    await apply({ op: "seen", kind: "module", keys: ["a", "b"], pass: 1 });
    const read = async (pass: number): Promise<string[]> =>
      (await all((page) => store.unseen(scopeId, "module", pass, page))).map(({ key }) => key);
    assertEquals(await read(1), ["d"]);
    assertEquals(await read(2), ["a", "b", "d"]);
    await apply({ op: "seen", kind: "module", keys: ["b", "d"], pass: 2 });
    assertEquals(await read(2), ["a"]);
  });

  test("removeTargets and countTargets() agree", async ({ store, scopeId, apply }) => {
    const row = (key: string, more: Partial<TargetRow>) => ({
      ...aTarget("testCase", key),
      ...more,
    });
    const done = {
      state: "loaded",
      origin: "created",
      runId: "r",
      recordKind: "testCase",
    } as const;
    await apply({
      op: "planTargets",
      rows: [
        row("1", { ...done, targetId: "1", steps: 2, stepsAsText: 1, links: 3 }),
        row("2", { ...done, targetId: "2", steps: 4 }),
        row("3", { state: "pending", recordKind: "testCase" }),
        row("4", { state: "pending", recordKind: null }),
        row("5", { state: "pending", recordKind: null }),
      ],
    });
    await apply({
      op: "removeTargets",
      rows: [{ kind: "testCase", key: "5" }, { kind: "module", key: "4" }],
    });
    const group = {
      kind: "testCase" as const,
      origin: null,
      runId: null,
      steps: 1,
      stepsAsText: 0,
      links: 0,
    };
    const counts: TargetCount[] = [
      { ...group, ...done, count: 2, steps: 6, stepsAsText: 1, links: 3 },
      { ...group, recordKind: null, state: "pending", count: 1 },
      { ...group, recordKind: "testCase", state: "pending", count: 1 },
    ];
    assertEquals(await store.countTargets(scopeId), counts);
    await apply({ op: "planTargets", rows: [aTarget("module", "1")] });
    assertEquals(await store.countTargets(scopeId, "testCase"), counts);
    assertEquals((await store.countTargets(scopeId, "module")).map((row) => row.count), [1]);
    assertEquals(await store.countTargets(scopeId, "testLog"), []);
    assertEquals(await store.countTargets(scopeId + 1), []);
  });
}

function ledgers(test: Test): void {
  test("losses are replaced per phase and record, filtered and counted", async (at) => {
    const { store, scopeId, apply } = at;
    const loss = (key: string, rule: string, kind = "testCase") => (
      { kind, key, field: "name", rule, before: "a", after: null }
    );
    const of = (phase: Phase, key: string, ...rows: ReturnType<typeof loss>[]): Change => (
      { op: "losses", phase, kind: "testCase", key, rows }
    );
    await apply(
      of(
        "transform",
        "A-T1",
        loss("A-T1", "cut"),
        loss("A-T1", "merged"),
        loss("9", "no-place", "link"),
      ),
      of("load", "A-T1", loss("A-T1", "cut")),
      of("transform", "A-T2", loss("A-T2", "old")),
      of("transform", "A-T2", loss("A-T2", "cut")),
    );
    const read = (where?: { rule?: string; key?: string }) =>
      all((page) => store.losses(scopeId, page, where));
    assertEquals((await read()).length, 5);
    assertEquals(await read({ rule: "merged" }), [{
      ...loss("A-T1", "merged"),
      phase: "transform",
    }]);
    assertEquals(await read({ key: "9" }), [{
      ...loss("9", "no-place", "link"),
      phase: "transform",
    }]);
    assertEquals((await read({ key: "A-T1" })).length, 3);
    assertEquals((await read({ key: "A-T1", rule: "cut" })).length, 2);
    assertEquals(await store.countLosses(scopeId), { cut: 3, merged: 1, "no-place": 1 });
    await apply(of("transform", "A-T1"), of("load", "A-T1", loss("A-T1", "late")));
    assertEquals(await store.countLosses(scopeId), { cut: 1, late: 1 });
  });

  test("issues count up, are filtered, counted and cleared", async (at) => {
    const { store, scopeId, apply } = at;
    const put = (row: Change & { op: "issue" }): Promise<void> => apply(row);
    const one = anIssue("A-T1", { setAside: true, level: "error" });
    const two = anIssue("A-T2", { phase: "validate", level: "warning", payload: null });
    await put({ op: "issue", runId: "r", row: one });
    await put({ op: "issue", runId: "r", row: two });
    await put({ op: "issue", runId: "r", row: { ...one, message: "again", at: isoAt(9) } });
    await put({ op: "issue", runId: "r", row: { ...one, reason: "other" } });
    const read = (where?: Parameters<Store["issues"]>[2]) =>
      all((page) => store.issues(scopeId, page, where));
    const again = { ...one, message: "again", at: isoAt(9), attempts: 2 };
    assertEquals(await read(), [again, two, { ...one, reason: "other" }]);
    assertEquals((await read({ setAside: true })).length, 2);
    assertEquals(await read({ setAside: false }), [two]);
    assertEquals(await read({ key: "A-T2", phase: "validate" }), [two]);
    assertEquals(await read({ phase: "load", setAside: false }), []);
    assertEquals(await store.countIssues(scopeId), [
      { phase: "load", kind: "testCase", level: "error", setAside: true, count: 2 },
      { phase: "validate", kind: "testCase", level: "warning", setAside: false, count: 1 },
    ]);
    await apply({ op: "clearIssues", phase: "load", kind: "testCase", key: "A-T1" });
    assertEquals(await read(), [two]);
  });

  test("events() gives those after an id, of one run or all", async ({ store, apply }) => {
    const event = (runId: string | null, type: string): Change => (
      { op: "event", runId, type, at: isoAt(1), data: { n: 1, nested: { a: [null] } } }
    );
    await apply(event("r", "one"), event("s", "two"));
    await apply(event(null, "three"), event("r", "four"));
    const all = await store.events(null, 0, 10);
    assertEquals(all.map((row) => row.type), ["one", "two", "three", "four"]);
    assertEquals(all[2]?.runId, null);
    assertEquals(all[0]?.data, { n: 1, nested: { a: [null] } });
    await store.appendEvent?.({ runId: null, type: "five", at: isoAt(2), data: { by: "cli" } });
    const appended = (await store.events(null, all[3]?.id ?? 0, 9))[0];
    assertEquals([appended?.type, appended?.data], ["five", { by: "cli" }]);
    const second = all[1]?.id ?? 0;
    assertEquals((await store.events("r", second, 10)).map((row) => row.type), ["four"]);
    assertEquals((await store.events(null, second, 1)).map((row) => row.type), ["three"]);
  });

  test("requestCounts() adds up", async ({ store, apply }) => {
    const row = { system: "source", route: "GET /a/{id}", status: "200", count: 2 } as const;
    const more = { ...row, system: "target", status: "error", count: 1 } as const;
    await apply({ op: "requests", runId: "r", rows: [row, more] });
    await apply(
      { op: "requests", runId: "r", rows: [row] },
      { op: "requests", runId: "r", rows: [row] },
      { op: "requests", runId: "s", rows: [row] },
    );
    assertEquals(await store.requestCounts("r"), [{ ...row, count: 6 }, more]);
    assertEquals(await store.requestCounts("none"), []);
  });

  test("differences are kept in order and cleared per run", async ({ store, apply }) => {
    const row = (key: string, runId = "r") => ({
      runId,
      kind: "testCase",
      key,
      targetId: null,
      verdict: "different" as const,
      field: "name",
      expected: "a",
      actual: null,
    });
    await apply({ op: "differences", rows: [row("2"), row("1"), row("3", "s")] });
    assertEquals(await all((page) => store.differences("r", page)), [row("2"), row("1")]);
    await apply({ op: "clearDifferences", runId: "r" }, { op: "differences", rows: [row("4")] });
    assertEquals(await all((page) => store.differences("r", page)), [row("4")]);
    assertEquals((await store.differences("s", { after: null, limit: 5 })).rows.length, 1);
  });
}
