import { assert, assertEquals } from "@std/assert";
import { examine } from "../helpers/mapping_oracle.ts";
import { nastyDataset } from "../helpers/oracle/nasty.ts";
import { startWorld, type World, type WorldOptions } from "../helpers/world.ts";

const ACCOUNTS = {
  "557058:16240000-aaaa-4bbb-8ccc-1234567890ab": "jane.doe@example.com",
  "5b10a2844c20165700ede21g": "john.roe@example.com",
  "712020:0c9d8e7f-1111-2222-3333-444455556666": "jane.doe@example.com",
  "60d5ecb0a7b3d40071a1b2c3": "migration@example.com",
  "557058:abc": "john.roe@example.com",
  "qm:1f2e3d4c-0000-4000-8000-00000000c0de": "jane.doe@example.com",
};
/** Every other Jira issue is a requirement of the target, the rest nobody knows there. */
const ISSUES = Object.fromEntries(
  Array.from({ length: 500 }, (_, n) => [String(305_001 + n), n % 2 === 0 ? "SA-101" : `AB-${n}`]),
);
const ALL = { executionSteps: "all", attachments: "all" } as const;

const SCENARIOS: Record<string, WorldOptions> = {
  "with everything there is, cases approved": {
    zephyr: { seed: 21, data: { cases: 28, executions: 90 } },
    target: { approve: true },
    include: ALL,
  },
  "between strict servers": {
    zephyr: { seed: 22, preset: "strict", data: { cases: 26, executions: 80 } },
    qtest: { seed: 22, preset: "strict" },
    include: ALL,
  },
  "with hostile content between strict servers": {
    zephyr: { seed: 23, preset: "strict", data: { preset: "hostile", cases: 24, executions: 80 } },
    qtest: { seed: 23, preset: "strict" },
    target: { approve: true },
  },
  "with hostile content and little else": {
    zephyr: { seed: 24, data: { preset: "hostile", cases: 24, executions: 80 } },
    include: { executionSteps: "failed", attachments: "cases" },
  },
  "with nasty values": { zephyr: { seed: 25, dataset: nastyDataset(25) }, include: ALL },
  "with nasty values and markers in texts": {
    zephyr: { seed: 26, dataset: nastyDataset(26) },
    target: { marker: "text" },
  },
  "with nasty values into a strict server": {
    zephyr: { seed: 27, preset: "strict", dataset: nastyDataset(27) },
    qtest: { seed: 27, preset: "strict" },
    mapping: { users: ACCOUNTS },
  },
  "without markers": {
    zephyr: { seed: 28, data: { preset: "tiny" } },
    target: { marker: "none" },
  },
  "from a source of generation A": {
    zephyr: { seed: 29, generation: "A", data: { cases: 20, executions: 60 } },
    include: { executions: "last", executionSteps: "none" },
  },
  "from a strict source of generation B": {
    zephyr: { seed: 30, generation: "B", preset: "strict", data: { cases: 20, executions: 60 } },
  },
  "without executions": {
    zephyr: { seed: 31, data: { cases: 20, executions: 60 } },
    include: { executions: "none", attachments: "none" },
  },
  "without plans and folders": {
    zephyr: { seed: 32, data: { cases: 20, executions: 60 } },
    include: { testPlans: false, folders: false },
  },
  "without cycles and links": {
    zephyr: { seed: 33, data: { cases: 20, executions: 60 } },
    include: { testCycles: false, links: false },
  },
  "without cases": {
    zephyr: { seed: 34, data: { cases: 20, executions: 60 } },
    include: { testCases: false },
  },
  "with people, names and issues from the mapping file": {
    zephyr: { seed: 35, data: { cases: 26, executions: 60 } },
    mapping: {
      users: ACCOUNTS,
      issues: ISSUES,
      names: { "component 12023": "<Billing> & co", "Jira version 10004": "v<4>" },
    },
  },
  "with some people known, statuses and priorities mapped": {
    zephyr: { seed: 36, data: { cases: 20, executions: 60 } },
    mapping: {
      users: { "557058:abc": "john.roe@example.com", "5b10a2844c20165700ede21g": "nobody" },
      statuses: { execution: { pass: "Incomplete", Blocked: null, "Not Executed": "Unexecuted" } },
      priorities: { Lowest: "Undecided" },
    },
  },
  "with files over the target's limit": {
    zephyr: { seed: 37, data: { cases: 10, executions: 40 } },
    qtest: { switches: { maxAttachmentBytes: 15_000 } },
    include: ALL,
  },
};

async function migrate(options: WorldOptions): Promise<{
  world: World;
  findings: () => Promise<{ findings: string[]; compared: number }>;
}> {
  const world = await startWorld(options);
  const startedMs = Date.now();
  const engine = world.engine();
  try {
    const { exitCode, summary } = await engine.migrator.advance({});
    assertEquals(exitCode, 0);
    const generation = options.zephyr?.generation ?? "C";
    return { world, findings: () => examine(world, { summary, startedMs, generation }) };
  } finally {
    engine.close();
  }
}

for (const [name, options] of Object.entries(SCENARIOS)) {
  Deno.test(`advance() moves every value as the mapping says, ${name}`, async () => {
    const { world, findings } = await migrate(options);
    await using _ = world;
    const found = await findings();
    assertEquals(found.findings, []);
    assert(found.compared > 200, `only ${found.compared} values compared`);
  });
}

Deno.test("examine() notices a single change to any kind of artefact", async () => {
  const { world, findings } = await migrate({
    zephyr: { seed: 38, data: { cases: 12, executions: 40 } },
    include: ALL,
  });
  await using _ = world;
  assertEquals((await findings()).findings, []);
  const { state } = world.qtest;
  const first = <T>(rows: Iterable<T>, test: (row: T) => boolean = () => true): T => {
    const found = [...rows].find(test);
    assert(found !== undefined);
    return found;
  };
  const changes: Record<string, (undo: boolean) => void> = {};
  const change = <T, K extends keyof T>(name: string, row: T, key: K, value: T[K]): void => {
    const before = row[key];
    changes[name] = (undo) => row[key] = undo ? before : value;
  };
  const module = first(state.table("modules").values(), (row) => row.parentId !== 0);
  const testCase = first(
    state.table("test-cases").values(),
    (row) => (row.versions.at(-1)?.steps.length ?? 0) > 1,
  );
  const version = first(testCase.versions.slice(-1));
  const suite = first(state.table("test-suites").values(), (row) => row.properties.size > 2);
  const log = first(state.table("test-logs").values(), (row) => row.stepLogs.length > 0);
  const run = first(state.table("test-runs").values(), (row) => row.logIds.length > 1);
  change("module name", module, "name", "x");
  change("module parent", testCase, "parentId", 1);
  change("step order", version, "steps", version.steps.toReversed());
  change("precondition", version, "precondition", "other");
  change("case fields", testCase, "properties", new Map());
  change("release of a suite", suite, "targetReleaseId", 7);
  change("suite fields", suite, "properties", new Map([...suite.properties].slice(1)));
  change("end of a log", log, "endAt", log.endAt + 1000);
  change("note", log, "note", log.note.replace("zephyr", "zephir"));
  change("actual result", first(log.stepLogs), "actual", "other");
  change("order of logs", run, "logIds", run.logIds.toReversed());
  change("file", first(state.attachments.values()), "bytes", new Uint8Array(3));
  change("file name", first(state.attachments.values()), "name", "x");
  for (const [name, apply] of Object.entries(changes)) {
    apply(false);
    assert((await findings()).findings.length > 0, `${name} went unnoticed`);
    apply(true);
  }
  assertEquals((await findings()).findings, []);
});
