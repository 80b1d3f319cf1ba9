/** Rollbacks over both simulators, and people who work in the target meanwhile. */
import { assert } from "@std/assert";
import { createMigrator } from "../../core/engine/mod.ts";
import type { RollbackOptions, RollbackReport } from "../../core/rollback/mod.ts";
import type { AdvanceOptions, Outcome } from "../../core/engine/types.ts";
import type { World } from "./world.ts";

/** Everything the target holds, as its users see it. */
export function contentOf(world: World): unknown {
  const { state } = world.qtest;
  const links = [...state.table("requirements").keys()]
    .map((id) => state.linksOf(`requirements ${id}`));
  return structuredClone({ dump: world.qtest.dump(), fields: [...state.fields.values()], links });
}

/** Advances with an engine of its own, as a process would. */
export async function migrate(world: World, options: AdvanceOptions = {}): Promise<Outcome> {
  const engine = world.engine();
  try {
    return await createMigrator({ ...engine.services, store: world.store }).advance(options);
  } finally {
    engine.close();
  }
}

/** Rolls back with an engine of its own. */
export async function rollBack(
  world: World,
  options: RollbackOptions = {},
): Promise<RollbackReport> {
  const engine = world.engine();
  try {
    const migrator = createMigrator({ ...engine.services, store: world.store });
    return (await migrator.rollback(options)).report;
  } finally {
    engine.close();
  }
}

export interface Named {
  id: number;
  name: string;
  [key: string]: unknown;
}

/** Somebody with a browser: writes to the project without ztoq. */
export async function people(
  world: World,
  method: string,
  path: string,
  body?: unknown,
): Promise<Named> {
  const { url, projectId, token } = world.qtest;
  const isFile = body instanceof Uint8Array;
  const response = await fetch(`${url}/api/v3/projects/${projectId}${path}`, {
    method,
    headers: {
      authorization: `bearer ${token}`,
      "content-type": isFile ? "text/plain" : "application/json",
      ...(isFile ? { "file-name": "notes.txt" } : {}),
    },
    body: isFile ? new Uint8Array(body) : body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  assert(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === "" ? { id: 0, name: "" } : JSON.parse(text);
}

/** Content of people: a case with steps and a file, a suite with a run and a log of it. */
export async function seedPeople(world: World): Promise<{ testCase: Named; suite: Named }> {
  const module = await people(world, "POST", "/modules", { name: "By hand" });
  const testCase = await people(world, "POST", "/test-cases", {
    name: "Hand-made case",
    parent_id: module.id,
    test_steps: [{ description: "Do", expected: "See", order: 1 }],
  });
  await people(
    world,
    "POST",
    `/test-cases/${testCase.id}/blob-handles`,
    new TextEncoder().encode("kept"),
  );
  const suite = await people(world, "POST", "/test-suites?parentId=0&parentType=root", {
    name: "Hand-made suite",
  });
  const approved = await people(world, "PUT", `/test-cases/${testCase.id}/approve`);
  assert(approved.id === testCase.id);
  const run = await people(
    world,
    "POST",
    `/test-runs?parentId=${suite.id}&parentType=test-suite`,
    { name: "Hand-made run", test_case: { id: testCase.id } },
  );
  await addLog(world, run.id);
  return { testCase, suite };
}

export async function addLog(world: World, runId: number): Promise<Named> {
  const run = await people(world, "GET", `/test-runs/${runId}`);
  return await people(world, "POST", `/test-runs/${runId}/test-logs`, {
    test_case_version_id: run.test_case_version_id,
    status: { id: world.qtest.state.statuses[0]?.id },
    exe_start_date: "2026-01-02T03:04:05+00:00",
    exe_end_date: "2026-01-02T03:05:05+00:00",
    note: "done by hand",
  });
}

/** Target ids by key of one kind, from the map. */
export async function idsOf(
  world: World,
  kind: "module" | "testCase" | "testRun" | "testSuite" | "release" | "testCycle",
): Promise<Map<string, string>> {
  const [scope] = await world.store.scopes();
  const { rows } = await world.store.targets(scope?.id ?? 0, kind, { after: null, limit: 1000 });
  return new Map(rows.flatMap((row) => row.targetId === null ? [] : [[row.key, row.targetId]]));
}
