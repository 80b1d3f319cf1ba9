import { assert, assertEquals } from "@std/assert";
import { startZephyrSimulator, type ZephyrSimulator } from "../../adapters/zephyr/simulator/mod.ts";
import { tinyDataset } from "../helpers/dataset.ts";
import { get } from "../helpers/zephyr_client.ts";
import { zephyrSpec } from "../helpers/zephyr_spec.ts";

/** The one documented GET that is not simulated: a zip of feature files nobody needs. */
const NOT_SIMULATED = "/automations/testcases";

/** The description forgets that this route refuses anything. */
const UNDOCUMENTED =
  "GET /testexecutions/{testExecutionIdOrKey}/teststeps: status 404 is not documented";

/** Concrete paths for every template of the description, good ones first. */
function concretePaths(simulator: ZephyrSimulator, template: string): string[] {
  const { dataset } = simulator;
  const values: Record<string, (string | number | undefined)[]> = {
    testCaseKey: [...dataset.cases.map((row) => row.key), "SA-T99999"],
    version: [1, 77],
    testCycleIdOrKey: [...dataset.cycles.map((row) => row.key), dataset.cycles[0]?.id, "SA-R999"],
    testPlanIdOrKey: [...dataset.plans.map((row) => row.id), "SA-P1", "SA-P999"],
    testExecutionIdOrKey: [...Array.from(dataset.executions, (row) => row.id), 5, "SA-E2"],
    projectIdOrKey: ["SA", dataset.project.id, "NOPE"],
    folderId: [...dataset.folders.map((row) => row.id), 5],
    priorityId: [...dataset.priorities.map((row) => row.id), 5],
    statusId: [...dataset.statuses.map((row) => row.id), 5],
    environmentId: [...dataset.environments.map((row) => row.id), 5],
    issueKey: ["ABC-12", "ABC-100"],
  };
  let paths = [template];
  for (const [, name = ""] of template.matchAll(/\{(\w+)\}/g)) {
    paths = paths.flatMap((path) =>
      (values[name] ?? []).map((value) => path.replace(`{${name}}`, String(value)))
    );
  }
  return paths;
}

for (const generation of ["A", "B"] as const) {
  for (const preset of ["generous", "strict"] as const) {
    Deno.test(`startZephyrSimulator() answers as description ${generation} says, ${preset}`, async () => {
      const spec = zephyrSpec(generation);
      const simulator = await startZephyrSimulator({ dataset: tinyDataset(), generation, preset });
      const problems = new Set<string>();
      let good = 0;
      for (const template of spec.paths("GET").filter((path) => path !== NOT_SIMULATED)) {
        for (const path of concretePaths(simulator, template)) {
          for (const query of ["", "?projectKey=SA&maxResults=50&limit=50"]) {
            const answer = await get(simulator, path + query);
            spec.problems("GET", path, answer.status, answer.json).forEach((p) => problems.add(p));
            if (answer.status === 200) good++;
          }
        }
      }
      assertEquals([...problems], [UNDOCUMENTED]);
      assert(good > 200, `${good} good answers`);
      assertEquals(simulator.stats().byRoute["GET (unknown)"], undefined);
      await simulator.close();
    });
  }
}

Deno.test("loadSpec() finds a wrong type, a missing key and an unknown path", () => {
  const spec = zephyrSpec("B");
  const list = (row: unknown): unknown => ({ startAt: 0, maxResults: 10, values: [row] });
  const project = { id: 1, jiraProjectId: 2, key: "SA", enabled: true };
  assertEquals(spec.problems("GET", "/projects", 200, list(project)), []);
  assertEquals(spec.problems("GET", "/projects", 200, list({ ...project, id: "1" })).length, 1);
  assertEquals(spec.problems("GET", "/projects", 200, list({ id: 1 })).length, 3);
  assertEquals(spec.problems("GET", "/customfields", 200, {}).length, 1);
});
