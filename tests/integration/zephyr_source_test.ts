import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHttpClient } from "../../adapters/http/mod.ts";
import {
  createZephyrHttp,
  createZephyrSource,
  type ZephyrSource,
} from "../../adapters/zephyr/mod.ts";
import {
  allAttachments,
  listedCases,
  startZephyrSimulator,
  type ZephyrSimulator,
  type ZephyrSimulatorOptions,
} from "../../adapters/zephyr/simulator/mod.ts";
import { AccessError } from "../../core/errors.ts";
import type { Clock, ListSpec } from "../../core/ports/mod.ts";
import type {
  AttachmentOwner,
  ListKind,
  RecordByKind,
  TestCaseRecord,
} from "../../core/records/mod.ts";

const signal = new AbortController().signal;

const TIMEOUT_MS = 5_003;

/** Real time, but pauses between retries are cut short; timeouts keep their length. */
const hastyClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, stop) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms === TIMEOUT_MS ? ms : Math.min(ms, 3));
      stop?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(stop.reason);
      }, { once: true });
    }),
};

async function withSource(
  options: ZephyrSimulatorOptions,
  use: (source: ZephyrSource, simulator: ZephyrSimulator) => Promise<void>,
  settings: { token?: string; projectKey?: string } = {},
): Promise<void> {
  const simulator = await startZephyrSimulator({ seed: 5, ...options });
  const baseUrl = simulator.url;
  const http = createHttpClient(createZephyrHttp({
    baseUrl,
    token: settings.token ?? simulator.token,
    requestsPerMinute: 0,
    timeoutMs: TIMEOUT_MS,
    clock: hastyClock,
  }));
  const projectKey = settings.projectKey ?? simulator.projectKey;
  try {
    await use(createZephyrSource({ http, baseUrl, projectKey }), simulator);
  } finally {
    http.close();
    await simulator.close();
  }
}

async function readList<K extends ListKind>(
  source: ZephyrSource,
  list: ListSpec & { kind: K },
): Promise<RecordByKind[K][]> {
  const records = new Map<string, RecordByKind[K]>();
  for await (const page of source.pages(list, null, signal)) {
    assertEquals(page.unreadable, []);
    for (const { record } of page.records) records.set(record.id, record);
  }
  return [...records.values()].sort((a, b) => Number(a.id) - Number(b.id));
}

function ids(rows: Iterable<{ id: number | string }>): string[] {
  return [...rows].map((row) => String(row.id)).sort((a, b) => Number(a) - Number(b));
}

async function checkLists(source: ZephyrSource, simulator: ZephyrSimulator): Promise<void> {
  const { dataset } = simulator;
  const cases = await readList(source, { kind: "testCase" });
  assertEquals(ids(cases), ids(listedCases(dataset)));
  const executions = await readList(source, { kind: "execution" });
  assertEquals(ids(executions), ids(dataset.executions));
  for (const record of executions) {
    const truth = dataset.executions.at(dataset.executions.indexOf(Number(record.id)));
    assertEquals([record.testCaseKey, record.testCaseVersion], [truth.caseKey, truth.version]);
    assertEquals(record.cycleId, truth.cycleId === null ? null : String(truth.cycleId));
    assertEquals(record.statusId, String(truth.statusId));
  }
  assertEquals(ids(await readList(source, { kind: "folder" })), ids(dataset.folders));
  const cycles = await readList(source, { kind: "testCycle" });
  assertEquals(
    cycles.map((cycle) => [cycle.id, ...cycle.planIds]),
    dataset.cycles.toSorted((a, b) => a.id - b.id)
      .map((cycle) => [`${cycle.id}`, ...cycle.plans.map((plan) => `${plan.planId}`)]),
  );
  assertEquals(ids(await readList(source, { kind: "testPlan" })), ids(dataset.plans));
}

async function checkScripts(source: ZephyrSource, simulator: ZephyrSimulator): Promise<void> {
  const { dataset } = simulator;
  const cases: TestCaseRecord[] = await readList(source, { kind: "testCase" });
  await Promise.all(cases.map(async (record) => {
    const truth = dataset.script(record.key);
    const detail = await source.script(record, signal);
    assertEquals(detail?.value.type, truth.kind);
    if (truth.kind !== "steps") return assertEquals(detail?.value.text, truth.text);
    assertEquals(
      detail?.value.steps.map((step) => [step.description ?? "", step.call?.key ?? null]),
      truth.steps.map((step) => [step.description ?? "", step.call?.key ?? null]),
    );
  }));
  await Promise.all([...dataset.executions].map(async (truth) => {
    const detail = await source.executionSteps(
      { id: `${truth.id}`, key: truth.key ?? null },
      signal,
    );
    assertEquals(
      detail?.value.map((step) => [step.dataRow, step.statusId]),
      dataset.executionSteps(truth).map((step) => [step.dataRow, `${step.statusId}`]),
    );
  }));
}

for (const generation of ["A", "B", "C"] as const) {
  Deno.test(`the source reads everything of generation ${generation} through traps and faults`, async () => {
    const options: ZephyrSimulatorOptions = {
      generation,
      preset: "strict",
      pageCap: 7,
      shortCursorPages: false,
      data: { preset: "tiny" },
      faults: { rate: 0.1, kinds: { "500": 2, "503-html": 1, reset: 1, truncated: 1 } },
    };
    await withSource(options, async (source, simulator) => {
      const profile = await source.probe(signal);
      assertEquals([profile.generation, profile.attachments], [generation, generation === "C"]);
      await checkLists(source, simulator);
      await checkScripts(source, simulator);
    });
  });
}

Deno.test("the source reads each list of a plain tenant with the least number of requests", async () => {
  await withSource({ data: { cases: 30, executions: 1_500 } }, async (source, simulator) => {
    await source.probe(signal);
    assertEquals(simulator.requestLog.stats().total, 4);
    await checkLists(source, simulator);
    // Cases, cycles, plans, folders: one page each; executions: two.
    assertEquals(simulator.requestLog.stats().total, 10);
    const count = await source.count({ kind: "execution" }, signal);
    assertEquals(count, simulator.dataset.executions.length);
  });
});

Deno.test("the source reads lookups, also archived ones that no list names", async () => {
  await withSource({ preset: "strict", data: { preset: "tiny" } }, async (source, simulator) => {
    const { dataset } = simulator;
    const statuses = (await Promise.all(
      (["TEST_CASE", "TEST_PLAN", "TEST_CYCLE", "TEST_EXECUTION"] as const).map((statusType) =>
        readList(source, { kind: "status", statusType })
      ),
    )).flat();
    const own = dataset.statuses.filter((status) => status.projectId === dataset.project.id);
    for (const truth of own) {
      const listed = statuses.find((status) => status.id === `${truth.id}`);
      const found = listed ?? await source.lookup("status", `${truth.id}`, signal);
      assertEquals(found?.name, truth.name);
      if (listed !== undefined) assertEquals(listed.statusType, truth.type);
    }
  });
});

Deno.test("the source lists and downloads every file; the other host never sees the token", async () => {
  await withSource({ preset: "strict", data: { preset: "tiny" } }, async (source, simulator) => {
    const { dataset } = simulator;
    let files = 0;
    for (const truth of allAttachments(dataset)) {
      const { kind, id, stepId } = truth.owner;
      const owner: AttachmentOwner = {
        kind,
        key: id,
        stepId: stepId === undefined ? null : `${stepId}`,
      };
      const listed = await source.attachments(owner, signal);
      assert(listed.some((file) => file.id === `${truth.id}` && file.name === truth.name));
      if (truth.size > 1_000_000) continue;
      const file = await source.download(owner, `${truth.id}`, signal);
      const bytes = new Uint8Array(await new Response(file?.body).arrayBuffer());
      assertEquals(bytes, dataset.attachmentBytes(truth));
      files++;
    }
    assert(files > 0);
    assertEquals(simulator.stats().downloads.withAuthorization, 0);
  });
});

Deno.test("the source says what is wrong with key, project and archived cases", async () => {
  const data = { preset: "tiny" } as const;
  await withSource({ data }, async (source) => {
    const error = await assertRejects(() => source.probe(signal), AccessError);
    assertEquals(error.status, 401);
    assert(error.hint?.includes("residency"));
  }, { token: "x.y.z" });
  await withSource({ data }, async (source) => {
    await assertRejects(() => source.probe(signal), AccessError, "not found or not visible");
  }, { projectKey: "NOPE" });
  await withSource({ data }, async (source, simulator) => {
    const archived = simulator.dataset.cases.find((row) => row.archived);
    assert(archived !== undefined);
    assertEquals(await source.testCase(archived.key, signal), null);
    assertEquals(await source.script({ key: archived.key, scriptRoute: null }, signal), null);
    assertEquals(await source.latestVersion(archived.key, signal), null);
    const [live] = listedCases(simulator.dataset);
    assert(live !== undefined);
    assertEquals((await source.testCase(live.key, signal))?.value.id, `${live.id}`);
    assertEquals(await source.latestVersion(live.key, signal), live.versionIds.length);
  });
});
