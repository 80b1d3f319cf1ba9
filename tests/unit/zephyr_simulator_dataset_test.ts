import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  allAttachments,
  datasetFromJson,
  generateDataset,
  listedCases,
  snapshotDataset,
  type ZephyrDataset,
} from "../../adapters/zephyr/simulator/mod.ts";
import { createExecutionText } from "../../adapters/zephyr/simulator/execution_text.ts";
import { createWire } from "../../adapters/zephyr/simulator/wire.ts";
import { smallDataset, tinyDataset } from "../helpers/dataset.ts";

const data = smallDataset();
const text = (dataset: ZephyrDataset): string => JSON.stringify(snapshotDataset(dataset));

Deno.test("generateDataset() gives the same content for a seed, another for another", () => {
  assertEquals(text(tinyDataset(3)), text(tinyDataset(3)));
  assertNotEquals(text(tinyDataset(3)), text(tinyDataset(4)));
});

Deno.test("generateDataset() lists exactly the wanted number of cases and executions", () => {
  for (const [cases, executions] of [[1, 1], [12, 0], [200, 1000]] as const) {
    const dataset = generateDataset({ seed: 2, cases, executions });
    assertEquals(listedCases(dataset).length, cases);
    assertEquals([...dataset.executions].length, executions);
    assert(dataset.cases.some((row) => row.archived));
  }
});

Deno.test("generateDataset() hostile adds what no default mapping knows, bulk leaves files out", () => {
  const hostile = generateDataset({ seed: 1, cases: 30, executions: 60, preset: "hostile" });
  assert(hostile.statuses.some((row) => row.name === "Parked"));
  const byId = new Map(hostile.folders.map((row) => [row.id, row]));
  assert(hostile.folders.some((row) => byId.get(row.parentId ?? 0)?.parentId === row.id), "a loop");
  const bulk = generateDataset({ seed: 1, cases: 300, executions: 3000, preset: "bulk" });
  assertEquals(bulk.counts().attachment, 0);
  assertEquals(bulk.counts().execution, 3000);
});

Deno.test("generateDataset() keeps ids ascending, above 32 bits, overlapping between kinds", () => {
  const ids = (rows: Iterable<{ id: number }>): number[] => Array.from(rows, (row) => row.id);
  for (const rows of [data.cases, data.cycles, data.plans, data.folders, data.executions]) {
    const list = ids(rows);
    assertEquals(list, [...new Set(list)].sort((a, b) => a - b));
    assert((list[0] ?? 0) > 2 ** 31);
  }
  assert(ids(data.cases).some((id) => ids(data.executions).includes(id)));
  const at = data.executions.indexOf(data.executions.idAt(77));
  assertEquals([at, data.executions.indexOf(1)], [77, -1]);
});

Deno.test("generateDataset() makes folder trees that are hard to rebuild", () => {
  const { folders } = data;
  const byId = new Map(folders.map((row) => [row.id, row]));
  assertEquals(new Set(folders.map((row) => row.folderType)).size, 3);
  assert(folders.length >= 26);
  assert(folders.some((row) => row.parentId === null));
  assert(folders.some((row) => row.parentId !== null && !byId.has(row.parentId)));
  assert(folders.some((row) => row.parentId !== null && row.parentId > row.id), "child first");
  assert(folders.filter((row) => row.name === "Smoke").length > 3);
  const depth = (id: number): number => {
    const parent = byId.get(id)?.parentId;
    return parent === null || parent === undefined ? 1 : 1 + depth(parent);
  };
  assert(Math.max(...folders.map((row) => depth(row.id))) >= 10);
  const used = new Set([...data.cases, ...data.cycles, ...data.plans].map((row) => row.folderId));
  assert(folders.some((row) => !used.has(row.id)), "empty folder");
  assert(data.cases.some((row) => row.folderId !== null && !byId.has(row.folderId)));
});

Deno.test("generateDataset() has scripts of every size and kind, and calls of every sort", () => {
  const cases = listedCases(data);
  const scripts = cases.map((row) => data.script(row.key));
  assertEquals(new Set(scripts.map((script) => script.kind)), new Set(["steps", "plain", "bdd"]));
  const sizes = new Set(scripts.filter((s) => s.kind === "steps").map((s) => s.steps.length));
  for (const size of [0, 1, 101, 250]) assert(sizes.has(size), `a script of ${size} steps`);
  const calls = cases.flatMap((row) =>
    data.script(row.key).steps.flatMap((step) =>
      step.call === null ? [] : [{ from: row.key, to: step.call.key, call: step.call }]
    )
  );
  const number = (key: string): number => Number(key.split("-T")[1]);
  const own = calls.filter(({ to }) => to.startsWith("SA-"));
  assert(own.some(({ from, to }) => number(to) < number(from)));
  assert(own.some(({ from, to }) => number(to) > number(from)));
  assert(calls.some(({ to }) => to.startsWith("XP-")));
  assert(calls.some(({ to }) => data.caseByKey(to)?.archived === true));
  assert(calls.some(({ to }) => data.caseByKey(to) === undefined));
  assert(calls.some(({ call }) => call.parameters.length > 1));
  assert(own.some((a) => own.some((b) => a.from === b.to && a.to === b.from)), "a loop");
  const stepIds = scripts.flatMap((script) => script.steps.map((step) => step.id));
  assertEquals(new Set(stepIds).size, stepIds.length);
});

Deno.test("generateDataset() has null, empty and missing values, and nasty texts", () => {
  const cases = listedCases(data);
  const objectives = cases.map((row) => row.objective);
  for (const wanted of [null, undefined, ""]) assert(objectives.includes(wanted), `${wanted}`);
  assert(objectives.some((value) => (value?.length ?? 0) > 200_000));
  assert(cases.some((row) => row.owner === null));
  assert(cases.some((row) => row.owner?.accountId === null));
  assert(cases.some((row) => row.owner?.accountId?.includes(":") === true));
  const names = cases.map((row) => row.name);
  assert(names.some((name) => name.length === 255));
  assert(new Set(names).size < names.length);
  const all = text(data);
  for (
    const trap of ["&nbsp;", "\u2060", "😀", "cloudfront", "[~accountid:", "<var>", "Tests.jspa"]
  ) {
    assert(all.includes(trap), trap);
  }
});

Deno.test("generateDataset() links cycles and plans many to many, from both sides alike", () => {
  assert(data.cycles.some((row) => row.plans.length > 1));
  assert(data.cycles.some((row) => row.plans.length === 0));
  assert(data.plans.some((row) => row.cycles.length > 1));
  assert(data.plans.some((row) => row.cycles.length === 0));
  const pairs = data.cycles.flatMap((row) => row.plans.map((link) => `${link.planId}/${row.id}`));
  const back = data.plans.flatMap((row) => row.cycles.map((link) => `${row.id}/${link.cycleId}`));
  assertEquals(pairs.sort(), back.sort());
  const run = new Set(Array.from(data.executions, (row) => row.cycleId));
  assert(data.cycles.some((row) => !run.has(row.id)), "a cycle without executions");
});

Deno.test("generateDataset() makes executions of every kind", () => {
  const rows = [...data.executions];
  const own = data.statuses.filter((row) =>
    row.type === "TEST_EXECUTION" && row.projectId === data.project.id
  );
  assert(own.length > 10);
  assertEquals(new Set(rows.map((row) => row.statusId)), new Set(own.map((row) => row.id)));
  assert(rows.some((row) => row.cycleId === null));
  assert(rows.some((row) => row.key === undefined));
  assert(rows.some((row) => data.caseByKey(row.caseKey) === undefined), "deleted case");
  assert(rows.some((row) => data.caseByKey(row.caseKey)?.archived === true));
  assert(rows.some((row) => row.caseKey.startsWith("XP-")));
  const old = rows.filter((row) => row.versionId !== data.caseByKey(row.caseKey)?.id);
  assert(old.length > 5);
  assert(old.every((row) => !data.cases.some((other) => other.id === row.versionId)));
  const pairs = rows.filter((row) => row.cycleId !== null).map((r) => `${r.cycleId}/${r.caseKey}`);
  assert(new Set(pairs).size < pairs.length, "several of one pair");
  rows.forEach((row, i) => {
    const { cycleId, caseKey } = data.executions.pairAt(i);
    assertEquals([cycleId, caseKey], [row.cycleId, row.caseKey]);
  });
});

Deno.test("executionSteps() snapshots the case, repeats data rows and differs now and then", () => {
  let same = 0;
  let other = 0;
  let rows = 0;
  for (const row of data.executions) {
    const script = data.script(row.caseKey);
    if (script.kind !== "steps" || script.steps.some((step) => step.call !== null)) continue;
    const steps = data.executionSteps(row);
    assertEquals(new Set(steps.map((step) => step.id)).size, steps.length);
    if (steps.some((step) => step.dataRow !== null)) rows++;
    else if (steps.length === script.steps.length) same++;
    else other++;
  }
  assert(same > 100 && other > 5 && rows > 3, `${same} ${other} ${rows}`);
});

Deno.test("attachments() covers every kind of owner, odd names and sizes, with fixed bytes", () => {
  const files = [...allAttachments(data)];
  const kinds = new Set(files.map((file) => file.owner.kind));
  assertEquals(kinds.size, 6);
  const [first] = files;
  assert(first !== undefined);
  assertEquals(data.attachmentBytes(first), smallDataset().attachmentBytes(first));
  assert(files.some((file) => file.size === 0));
  assert(files.some((file) => file.size === 1_500_000));
  const special = data.attachments({ kind: "testCase", id: "SA-T1" });
  assert(new Set(special.map((file) => file.name)).size < special.length, "two of one name");
  assertEquals(data.attachments({ kind: "testCase", id: "SA-T99999" }), []);
});

Deno.test("counts() agrees with a walk over the content", () => {
  const counts = data.counts();
  assertEquals(counts.testCase, 120);
  assertEquals(counts.execution, 300);
  assertEquals(counts.attachment, [...allAttachments(data)].length);
  const steps = Array.from(data.executions, (row) => data.executionSteps(row).length);
  assertEquals(counts.executionStep, steps.reduce((sum, count) => sum + count, 0));
});

Deno.test("datasetFromJson() reads back what snapshotDataset() wrote", () => {
  const original = tinyDataset();
  const copy = datasetFromJson(JSON.parse(text(original)));
  assertEquals(text(copy), JSON.stringify(JSON.parse(text(original))));
  assertEquals(copy.counts(), original.counts());
  assertEquals(datasetFromJson({ seed: 1, preset: "tiny" }).counts(), original.counts());
});

Deno.test("createExecutionText() equals the JSON of the row", () => {
  const base = "http://127.0.0.1:1/v2";
  const wire = createWire(base, true);
  const render = createExecutionText(base, wire);
  for (const row of data.executions) assertEquals(render(row), JSON.stringify(wire.execution(row)));
});
