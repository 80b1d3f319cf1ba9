import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  listedCases,
  startZephyrSimulator,
  type ZephyrSimulator,
  type ZephyrSimulatorOptions,
} from "../../adapters/zephyr/simulator/mod.ts";
import { smallDataset } from "../helpers/dataset.ts";
import { cursorPages, get, idsOf, offsetPages } from "../helpers/zephyr_client.ts";

async function withSimulator(
  options: ZephyrSimulatorOptions,
  test: (simulator: ZephyrSimulator) => Promise<void>,
): Promise<void> {
  const simulator = await startZephyrSimulator({ dataset: smallDataset(), ...options });
  try {
    await test(simulator);
  } finally {
    await simulator.close();
  }
}

const LISTS: [string, (s: ZephyrSimulator) => number[]][] = [
  ["/testcases", (s) => listedCases(s.dataset).map((row) => row.id)],
  ["/testexecutions", (s) => Array.from(s.dataset.executions, (row) => row.id)],
  ["/testcycles", (s) => s.dataset.cycles.map((row) => row.id)],
  ["/testplans", (s) => s.dataset.plans.map((row) => row.id)],
];

for (const preset of ["generous", "strict"] as const) {
  Deno.test(`lists are complete in both ways of paging, ${preset}`, async () => {
    await withSimulator({ preset }, async (simulator) => {
      for (const [path, truth] of LISTS) {
        const cursor = await cursorPages(simulator, `${path}/nextgen?projectKey=SA&limit=40`);
        assertEquals(idsOf(cursor), truth(simulator), `${path}/nextgen`);
        const offset = await offsetPages(simulator, `${path}?projectKey=SA&maxResults=40`);
        assertEquals(idsOf(offset).sort(), truth(simulator).sort(), path);
      }
    });
  });
}

Deno.test("offset lists give 10 rows by default, at most 1,000, and ignore cursor parameters", async () => {
  await withSimulator({}, async (simulator) => {
    const plain = (await get(simulator, "/testcases?limit=500&startAtId=7")).json;
    assertEquals([plain.values.length, plain.maxResults, plain.startAt], [10, 10, 0]);
    const wide = (await get(simulator, "/testexecutions?maxResults=5000")).json;
    assertEquals([wide.maxResults, wide.values.length, wide.isLast, wide.next], [
      1000,
      300,
      true,
      null,
    ]);
  });
});

Deno.test("a lowered page size is named, and a start inside a page falls back to its first row", async () => {
  await withSimulator({ pageCap: 25 }, async (simulator) => {
    const page = (await get(simulator, "/testcases?projectKey=SA&maxResults=1000&startAt=30")).json;
    assertEquals([page.maxResults, page.startAt, page.values.length], [25, 25, 25]);
    const next = new URL(page.next);
    assertEquals(next.searchParams.get("startAt"), "50");
    assertEquals(next.searchParams.get("projectKey"), "SA");
  });
});

Deno.test("strict offset lists have an order of their own and leave optional keys out", async () => {
  await withSimulator({ preset: "strict" }, async (simulator) => {
    const pages = await offsetPages(simulator, "/testexecutions?maxResults=20");
    const ids = idsOf(pages);
    assertNotEquals(ids, ids.toSorted((a, b) => a - b));
    assertEquals(idsOf(await offsetPages(simulator, "/testexecutions?maxResults=20")), ids);
    for (const key of ["isLast", "total"]) {
      assert(pages.some((page) => !(key in page.json)), `${key} is sometimes missing`);
      assert(pages.some((page) => key in page.json), `${key} is sometimes there`);
    }
    pages.slice(0, -1).forEach(({ json }) => {
      assert(json.isLast !== true && typeof json.next === "string");
      assert(json.total === undefined || json.total === 300);
    });
  });
});

Deno.test("strict cursor lists have short and empty pages before their end", async () => {
  await withSimulator({ preset: "strict" }, async (simulator) => {
    const pages = await cursorPages(simulator, "/testexecutions/nextgen?limit=10");
    const sizes = pages.slice(0, -1).map((page) => page.json.values.length);
    assert(sizes.includes(0), "an empty page");
    assert(sizes.some((size) => size > 0 && size < 10), "a short page");
    assert(pages.every(({ json }) => !("total" in json) && !("isLast" in json)));
    assertEquals(pages.at(-1)?.json.nextStartAtId, null);
  });
});

Deno.test("cursor lists start at the given id itself", async () => {
  await withSimulator({}, async (simulator) => {
    const id = simulator.dataset.executions.idAt(123);
    const page = (await get(simulator, `/testexecutions/nextgen?limit=2&startAtId=${id}`)).json;
    assertEquals(page.values[0].id, id);
    assertEquals(page.nextStartAtId, simulator.dataset.executions.idAt(125));
  });
});

Deno.test("steps come 100 a page whatever is asked, in their order", async () => {
  await withSimulator({}, async (simulator) => {
    const pages = await offsetPages(simulator, "/testcases/SA-T5/teststeps?maxResults=1000");
    assertEquals(pages.map((page) => page.json.values.length), [100, 100, 50]);
    assertEquals(idsOf(pages), simulator.dataset.script("SA-T5").steps.map((step) => step.id));
  });
});

Deno.test("bad parameters are refused with 400, unknown projects and folders with 404", async () => {
  await withSimulator({}, async (simulator) => {
    const status = async (path: string): Promise<number> => (await get(simulator, path)).status;
    assertEquals(await status("/testcases?maxResults=abc"), 400);
    assertEquals(await status("/testcases?maxResults=0"), 400);
    assertEquals(await status("/testcases?startAt=1000001"), 400);
    assertEquals(await status("/testcases?projectKey=lower"), 400);
    assertEquals(await status("/testcases?projectKey=NOPE"), 404);
    assertEquals(await status("/testcases?projectKey=PD3"), 404, "disabled");
    assertEquals(await status("/testcases?folderId=5"), 404);
    assertEquals(await status("/testcases/12345"), 400, "an id is no key");
    assertEquals(await status("/testexecutions?testCycle=2200000000"), 400, "only keys");
    assertEquals(await status("/testcases/nextgen?updatedAfter=yesterday"), 400);
    const executions = await get(simulator, "/testexecutions?projectKey=NOPE");
    assertEquals([executions.status, executions.json.values], [200, []]);
  });
});

Deno.test("filters select what they name", async () => {
  await withSimulator({}, async (simulator) => {
    const { dataset } = simulator;
    const all = [...dataset.executions];
    const read = async (query: string): Promise<number[]> =>
      idsOf(await cursorPages(simulator, `/testexecutions/nextgen?limit=1000&${query}`));
    const truth = (keep: (row: typeof all[number]) => boolean): number[] =>
      all.filter(keep).map((row) => row.id);
    const cycle = dataset.cycles[0];
    assertEquals(await read("testCycle=SA-R1"), truth((row) => row.cycleId === cycle?.id));
    assertEquals(await read("testCase=SA-T2"), truth((row) => row.caseKey === "SA-T2"));
    const day = "2024-06-01T00:00:00Z";
    assertEquals(
      await read(`actualEndDateAfter=${day}`),
      truth((row) => (row.actualEndDate ?? "") > day),
    );
    const last = new Map(all.map((row) => [`${row.cycleId}/${row.caseKey}`, row.id]));
    assertEquals(
      await read("onlyLastExecutions=true"),
      truth((row) => [...last.values()].includes(row.id)),
    );
    const mine = await offsetPages(simulator, "/folders?folderType=TEST_PLAN");
    assertEquals(
      idsOf(mine),
      dataset.folders.filter((row) => row.folderType === "TEST_PLAN").map((row) => row.id),
    );
  });
});

Deno.test("pages that would be too large fail with 502", async () => {
  await withSimulator({ maxAnswerBytes: 100_000 }, async (simulator) => {
    assertEquals((await get(simulator, "/testexecutions?maxResults=1000")).status, 502);
    assertEquals((await get(simulator, "/testexecutions?maxResults=50")).status, 200);
  });
});
