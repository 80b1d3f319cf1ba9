import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  allAttachments,
  startZephyrSimulator,
  type ZephyrSimulator,
  type ZephyrSimulatorOptions,
} from "../../adapters/zephyr/simulator/mod.ts";
import { smallDataset, tinyDataset } from "../helpers/dataset.ts";
import { cursorPages, get, idsOf, offsetPages } from "../helpers/zephyr_client.ts";

async function withSimulator(
  options: ZephyrSimulatorOptions,
  test: (simulator: ZephyrSimulator) => Promise<void>,
): Promise<void> {
  const simulator = await startZephyrSimulator({ dataset: tinyDataset(), ...options });
  try {
    await test(simulator);
  } finally {
    await simulator.close();
  }
}

Deno.test("requests need the key; unknown paths and writes are refused and counted", async () => {
  await withSimulator({}, async (simulator) => {
    const send = async (path: string, init: RequestInit): Promise<[number, unknown]> => {
      const response = await fetch(`${simulator.url}${path}`, init);
      return [response.status, await response.json()];
    };
    const headers = { authorization: `Bearer ${simulator.token}` };
    assertEquals(simulator.token.split(".").length, 3);
    assertEquals(await send("/projects", {}), [401, { error: "Unauthorized" }]);
    const wrong = { authorization: `Bearer ${simulator.token}x` };
    assertEquals((await send("/projects", { headers: wrong }))[0], 401);
    assertEquals((await send("/customfields", { headers }))[0], 403);
    assertEquals(simulator.stats().writes, 0);
    assertEquals((await send("/testcases", { headers, method: "POST", body: "{}" }))[0], 405);
    const stats = simulator.stats();
    assertEquals([stats.writes, stats.total], [1, 4]);
  });
});

Deno.test("generations differ in cursors, step ids, filters and files", async () => {
  const seen: Record<string, unknown[]> = {};
  for (const generation of ["A", "B", "C"] as const) {
    await withSimulator({ generation }, async (simulator) => {
      const status = async (path: string): Promise<number> => (await get(simulator, path)).status;
      const step = (await get(simulator, "/testcases/SA-T1/teststeps")).json.values[0];
      const late = await get(simulator, "/testcases/nextgen?updatedAfter=2099-01-01T00:00:00Z");
      seen[generation] = [
        await status("/testcases/nextgen"),
        await status("/testexecutions/nextgen"),
        await status("/testcycles/nextgen"),
        await status("/testplans/nextgen"),
        await status("/testcases/SA-T1/attachments"),
        "id" in step,
        late.json.values?.length > 0,
      ];
    });
  }
  assertEquals(seen, {
    A: [400, 400, 400, 400, 403, false, false],
    B: [200, 400, 400, 400, 503, false, true],
    C: [200, 200, 200, 200, 200, true, false],
  });
});

Deno.test("scripts answer on their own route only; archived cases on none", async () => {
  await withSimulator({ dataset: smallDataset() }, async (simulator) => {
    const { dataset } = simulator;
    for (const row of dataset.cases) {
      const answers = [];
      for (const route of ["", "/teststeps", "/testscript"]) {
        answers.push((await get(simulator, `/testcases/${row.key}${route}`)).status);
      }
      const steps = row.scriptKind === "steps";
      assertEquals(
        answers,
        row.archived ? [404, 404, 404] : [200, steps ? 200 : 422, steps ? 422 : 200],
      );
      if (row.archived) continue;
      const { testScript } = (await get(simulator, `/testcases/${row.key}`)).json;
      assertEquals((await get(simulator, testScript.self)).status, 200);
    }
    const old = dataset.cases.find((row) => row.versionIds.length > 1);
    const versions = (await get(simulator, `/testcases/${old?.key}/versions`)).json.values;
    assertEquals(versions[0].id, old?.id, "newest first");
    assertEquals((await get(simulator, versions.at(-1).self)).json.id, old?.versionIds[0]);
  });
});

Deno.test("executions name a case by versioned address and a cycle by id alone", async () => {
  await withSimulator({}, async (simulator) => {
    const pages = await cursorPages(simulator, "/testexecutions/nextgen?limit=1000");
    const rows = pages.flatMap((page) => page.json.values);
    assertEquals(rows.length, 30);
    for (const row of rows) {
      assert(/\/testcases\/[^/]+-T\d+\/versions\/\d+$/.test(row.testCase.self));
      assertEquals(Object.keys(row.testCase).sort(), ["id", "self"]);
      assert(row.testCycle === null || !("key" in row.testCycle));
      assert(!("webLinks" in row.links) && !("status" in row));
    }
    const unknown = await get(simulator, "/testexecutions/5/links");
    assertEquals(unknown.status, 400);
    assertEquals((await get(simulator, "/testexecutions/5")).status, 404);
  });
});

Deno.test("archived lookups are hidden from lists but found by id, when told so", async () => {
  await withSimulator({ hideArchivedLookups: true }, async (simulator) => {
    const { dataset } = simulator;
    const list = "/statuses?projectKey=SA&statusType=TEST_EXECUTION";
    const listed = idsOf(await offsetPages(simulator, list));
    const used = new Set(Array.from(dataset.executions, (row) => row.statusId));
    const hidden = dataset.statuses.filter((row) => row.archived && used.has(row.id));
    assert(hidden.length > 0);
    for (const row of hidden) {
      assert(!listed.includes(row.id));
      assertEquals((await get(simulator, `/statuses/${row.id}`)).json.name, row.name);
    }
    assert(!("type" in (await get(simulator, list)).json.values[0]));
  });
});

for (const downloadRedirect of [false, true]) {
  Deno.test(`files arrive byte for byte, redirected: ${downloadRedirect}`, async () => {
    await withSimulator({ dataset: smallDataset(), downloadRedirect }, async (simulator) => {
      const base: Record<string, string> = {
        testCase: "testcases",
        testStep: "testcases",
        testCycle: "testcycles",
        testPlan: "testplans",
        execution: "testexecutions",
        executionStep: "testexecutions",
      };
      let files = 0;
      for (const file of allAttachments(simulator.dataset)) {
        const { kind, id, stepId } = file.owner;
        const step = stepId === undefined ? "" : `/teststeps/${stepId}`;
        const path = `/${base[kind]}/${id}${step}/attachments`;
        const { attachments } = (await get(simulator, path)).json;
        assert(attachments.some((row: { id: number }) => row.id === file.id), path);
        // fetch() itself drops the key when the host changes.
        const response = await fetch(`${simulator.url}${path}/${file.id}`, {
          headers: { authorization: `Bearer ${simulator.token}` },
        });
        assertEquals(response.status, 200);
        const bytes = new Uint8Array(await response.arrayBuffer());
        assertEquals(bytes.length, file.size);
        assert(indexedDifference(bytes, simulator.dataset.attachmentBytes(file)) === -1, path);
        files++;
      }
      assert(files > 20);
      assertEquals(simulator.stats().downloads, {
        total: downloadRedirect ? files : 0,
        withAuthorization: 0,
      });
      assertEquals((await get(simulator, "/testcases/SA-T2/attachments")).status, 404);
      if (!downloadRedirect) return;
      const headers = { authorization: `Bearer ${simulator.token}` };
      const path = `/testcases/SA-T1/attachments`;
      const { attachments } = (await get(simulator, path)).json;
      const url = `${simulator.url}${path}/${attachments[0].id}`;
      const redirect = await fetch(url, { headers, redirect: "manual" });
      const leak = await fetch(redirect.headers.get("location") ?? "", { headers });
      await leak.body?.cancel();
      assertEquals([leak.status, simulator.stats().downloads.withAuthorization], [400, 1]);
    });
  });
}

function indexedDifference(a: Uint8Array, b: Uint8Array): number {
  return a.findIndex((value, i) => value !== b[i]);
}

Deno.test("more requests than allowed get 429, every one is counted", async () => {
  for (const retryAfter of ["seconds", "zero", "absent"] as const) {
    await withSimulator({ requestsPerMinute: 60, rateBurst: 5, retryAfter }, async (simulator) => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => get(simulator, "/projects")),
      );
      const refused = answers.filter((answer) => answer.status === 429);
      assert(refused.length >= 6, `${refused.length} refused`);
      const expected = { seconds: "1", zero: "0", absent: null };
      assertEquals(refused[0]?.headers.get("retry-after"), expected[retryAfter]);
      const stats = simulator.stats();
      assertEquals([stats.total, stats.rateLimited], [12, refused.length]);
      assertEquals(stats.duplicates, 11);
      simulator.setRequestsPerMinute(0);
      assertEquals((await get(simulator, "/projects")).status, 200);
    });
  }
});

Deno.test("faults are those of the plan, the same for the same seed, and end by themselves", async () => {
  const run = async (): Promise<string[]> => {
    const seen: string[] = [];
    const faults = {
      rate: 0.5,
      kinds: { "500": 1, "502-html": 1, "504-html": 1, truncated: 1, reset: 1, slow: 1 },
      slowMs: [1, 2] as [number, number],
    };
    await withSimulator({ faults, seed: 3 }, async (simulator) => {
      for (let i = 0; i < 30; i++) {
        for (let attempt = 0;; attempt++) {
          assert(attempt < 3, "at most two faults in a row");
          const answer = await get(simulator, `/testexecutions?maxResults=${1 + i}`).catch(() =>
            null
          );
          const outcome = answer === null
            ? "reset"
            : answer.status !== 200
            ? String(answer.status)
            : answer.json === undefined
            ? "truncated"
            : "ok";
          seen.push(outcome);
          if (outcome === "ok") break;
        }
      }
      const counts = Object.values(simulator.stats().faults).reduce((sum, n) => sum + n, 0);
      assert(counts >= seen.filter((outcome) => outcome !== "ok").length);
    });
    return seen;
  };
  const first = await run();
  assertEquals(await run(), first);
  assertEquals(new Set(first), new Set(["ok", "500", "502", "504", "truncated", "reset"]));
});

Deno.test("control changes are seen at once and by updatedAfter; archived cases just vanish", async () => {
  let now = Date.UTC(2025, 10, 1);
  await withSimulator({ now: () => now }, async (simulator) => {
    const { control, dataset } = simulator;
    const changed = async (path: string): Promise<number[]> =>
      idsOf(await cursorPages(simulator, `${path}/nextgen?updatedAfter=2025-10-31T00:00:00Z`));
    assertEquals(await changed("/testcases"), []);
    const inserted = control.insertCase({ name: "New" });
    assert(inserted.id > Math.max(...dataset.cases.slice(0, -1).map((row) => row.id)));
    now += 1000;
    control.replaceSteps("SA-T1", [{ description: "only" }]);
    const run = control.insertExecution({ caseKey: inserted.key });
    const first = dataset.executions.idAt(0);
    control.updateExecution(first, { comment: "edited" });
    assertEquals(await changed("/testcases"), [dataset.caseByKey("SA-T1")?.id, inserted.id]);
    assertEquals(await changed("/testexecutions"), [first, run.id]);
    assertEquals((await get(simulator, `/testexecutions/${first}`)).json.comment, "edited");
    const steps = (await get(simulator, "/testcases/SA-T1/teststeps")).json.values;
    assertEquals(steps.map((s: { inline: { description: string } }) => s.inline.description), [
      "only",
    ]);
    control.archiveCase(inserted.key);
    control.deleteExecution(run.id);
    assertEquals(await changed("/testexecutions"), [first]);
    assertEquals((await get(simulator, `/testcases/${inserted.key}`)).status, 404);
    const file = control.addAttachment({ kind: "testCase", id: "SA-T2" }, "new.txt", 5);
    assertEquals((await get(simulator, "/testcases/SA-T2/attachments")).json, {
      attachments: [{ id: file.id, name: "new.txt" }],
    });
  });
});

Deno.test("a data file and the dataset route carry a tenant from one simulator to another", async () => {
  await withSimulator({}, async (simulator) => {
    const origin = new URL(simulator.url).origin;
    const stats = await (await fetch(`${origin}/__sim/stats`)).json();
    assertEquals(stats.total, 0);
    const summary = await (await fetch(`${origin}/__sim/dataset`)).json();
    assertEquals(summary.counts, simulator.dataset.counts());
    const dataFile = await Deno.makeTempFile({ suffix: ".json" });
    const full = await fetch(`${origin}/__sim/dataset?full=true`);
    await Deno.writeTextFile(dataFile, await full.text());
    const copy = await startZephyrSimulator({ dataFile });
    assertEquals(copy.dataset.counts(), simulator.dataset.counts());
    const path = "/testcases?maxResults=100";
    const other = (await get(copy, path)).text.replaceAll(new URL(copy.url).host, "HOST");
    assertEquals(other, (await get(simulator, path)).text.replaceAll(new URL(origin).host, "HOST"));
    await copy.close();
    await Deno.remove(dataFile);
  });
});

Deno.test("close() frees the port", async () => {
  const simulator = await startZephyrSimulator({ dataset: tinyDataset(), latencyMs: 60_000 });
  const waiting = get(simulator, "/projects").catch(() => null);
  await simulator.close();
  await waiting;
  await assertRejects(() => get(simulator, "/projects"), TypeError);
});
