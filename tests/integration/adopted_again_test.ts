import { assert, assertEquals } from "@std/assert";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { createMigrator } from "../../core/engine/mod.ts";
import type { Draft } from "../../core/ports/mod.ts";
import { migrate, people, rollBack } from "../helpers/rollback_world.ts";
import { startWorld } from "../helpers/world.ts";

const OPTIONS = {
  zephyr: { seed: 8, data: { cases: 20, executions: 80 } },
  qtest: { seed: 8 },
};
const HOUR_MS = 3_600_000;

Deno.test("advance() leaves the time of an adopted log without end date as it is", async () => {
  await using world = await startWorld(OPTIONS);
  const startedMs = Math.floor(Date.now() / 1000) * 1000;
  await migrate(world);
  // As if the database had been lost an hour after that run.
  const logs = [...world.qtest.state.table("test-logs").values()]
    .filter((log) => log.endAt >= startedMs);
  assert(logs.length > 0);
  for (const log of logs) Object.assign(log, shifted(log));
  const before = structuredClone(logs.map(({ id, startAt, endAt }) => ({ id, startAt, endAt })));
  world.store = createMemoryStore();
  const { exitCode, summary } = await migrate(world);
  assertEquals(
    logs.map(({ id, startAt, endAt }) => ({ id, startAt, endAt })),
    before,
  );
  assertEquals([exitCode, summary.counts.execution.updated], [0, 0]);
  assertEquals(summary.validation.different, 0);
});

function shifted({ startAt, endAt }: { startAt: number; endAt: number }): {
  startAt: number;
  endAt: number;
} {
  return { startAt: startAt - HOUR_MS, endAt: endAt - HOUR_MS };
}

Deno.test("advance() changes an adopted log with the step numbers it has", async () => {
  await using world = await startWorld(OPTIONS);
  await migrate(world);
  const log = [...world.qtest.state.table("test-logs").values()]
    .find(({ stepLogs }) => stepLogs.length > 1);
  assert(log !== undefined);
  // A job counted them from 0.
  for (const [index, step] of log.stepLogs.entries()) step.order = index;
  log.endAt += HOUR_MS;
  world.store = createMemoryStore();
  const engine = world.engine();
  const { target } = engine.services;
  const { update } = target;
  const sent: Draft[] = [];
  target.update = async (id, draft, write) => {
    sent.push(draft);
    return await update.call(target, id, draft, write);
  };
  const { exitCode, summary } = await createMigrator({ ...engine.services, store: world.store })
    .advance({});
  engine.close();
  const orders = sent.flatMap((draft) =>
    draft.kind === "testLog" ? [draft.steps.map(({ order }) => order)] : []
  );
  assertEquals(orders, [log.stepLogs.map(({ order }) => order)]);
  assertEquals([exitCode, summary.counts.execution.updated], [0, 1]);
});

Deno.test("advance() approves an adopted case only when it has to change it", async () => {
  await using world = await startWorld({ ...OPTIONS, target: { approve: true } });
  await migrate(world);
  const cases = [...world.qtest.state.table("test-cases").values()];
  const [edited] = cases;
  assert(edited !== undefined);
  await people(world, "PUT", `/test-cases/${edited.id}`, { name: "Renamed" });
  const versions = cases.map((item) => item.versions.length);
  world.store = createMemoryStore();
  const { exitCode, summary } = await migrate(world);
  assertEquals([exitCode, summary.counts.testCase.updated], [0, 1]);
  const approvals = summary.requests.target
    .byRoute["PUT /api/v3/projects/{projectId}/test-cases/{testCaseId}/approve"] ?? 0;
  // Once because people's change was not approved, once after it was set right.
  assert(approvals >= 1 && approvals <= 2, String(approvals));
  assertEquals(
    cases.map((item) => item.versions.length).slice(1),
    versions.slice(1),
  );
  assertEquals(edited.versions.at(-1)?.approved, true);
  const { cannot } = await rollBack(world);
  assertEquals(new Set(cannot.map(({ targetId }) => targetId)), new Set([String(edited.id)]));
});

Deno.test("advance() makes no release and no cycle before the root that tells of them", async () => {
  await using world = await startWorld(OPTIONS);
  await migrate(world);
  const posts = world.qtest.requestLog.recent()
    .filter(({ method }) => method === "POST")
    .map(({ route }) => route.replace(/^.*\//, ""));
  const [root, release, cycle] = ["modules", "releases", "test-cycles"]
    .map((name) => posts.indexOf(name));
  assert(root !== undefined && root >= 0);
  assert(Number(release) > root && Number(cycle) > root, posts.slice(0, 30).join(" "));
});
