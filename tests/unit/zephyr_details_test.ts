import { assert, assertEquals, assertRejects } from "@std/assert";
import { RefusedError, SetAsideError } from "../../core/errors.ts";
import { type Canned, fakeSource, noAbort, type Script } from "./zephyr_fake.ts";

const STEPS = { key: "PROJ-T1", scriptRoute: "teststeps" } as const;

/** Serves numbered steps, at most `cap` a page, echoing the start as asked or floored. */
function stepServer(
  rows: number,
  cap: (request: number) => number,
  echo: "asked" | "floored",
): Script {
  let request = 0;
  return ({ query }) => {
    const size = Math.min(Number(query.maxResults), cap(request++));
    const asked = Number(query.startAt);
    const start = asked - asked % size;
    const values = Array.from({ length: rows }, (_, index) => index).slice(start, start + size)
      .map((index) => ({ inline: { description: `step ${index}` } }));
    const startAt = echo === "asked" ? asked : start;
    return { json: { startAt, maxResults: size, values, isLast: start + size >= rows } };
  };
}

Deno.test("script() reads all pages of steps in order, each once", async () => {
  for (const rows of [0, 1, 100, 101, 250]) {
    for (const echo of ["asked", "floored"] as const) {
      const { source } = fakeSource(stepServer(rows, (request) => request === 0 ? 100 : 30, echo));
      const detail = await source.script(STEPS, noAbort);
      assertEquals(
        detail?.value.steps.map((step) => step.description),
        Array.from({ length: rows }, (_, index) => `step ${index}`),
      );
    }
  }
  const { source, http } = fakeSource(stepServer(250, () => 100, "asked"));
  const detail = await source.script(STEPS, noAbort);
  assertEquals(http.asked.map(({ query }) => [query.maxResults, query.startAt]), [
    ["100", "0"],
    ["100", "100"],
    ["100", "200"],
  ]);
  assertEquals(detail?.raw.length, 3);
});

Deno.test("script() reads called cases, step fields, and keeps an empty step", async () => {
  const { source, http } = fakeSource(() => ({
    json: {
      startAt: 0,
      maxResults: 100,
      total: 4,
      isLast: true,
      values: [
        {
          id: 5001,
          inline: {
            description: "Do <br> it",
            testData: null,
            expectedResult: "",
            customFields: { "Conditional Step?": false },
          },
          testCase: null,
        },
        {
          inline: null,
          testCase: {
            self: "https://x/v2/testcases/OTHER-T7",
            testCaseKey: "OTHER-T7",
            parameters: [{ name: "user", type: "DEFAULT_VALUE", value: null }, {
              name: "n",
              value: 3,
            }],
          },
        },
        { inline: null, testCase: { self: "https://x/v2/testcases/PROJ-T9", parameters: null } },
        "junk",
      ],
    },
  }));
  const detail = await source.script({ key: "A/B T1", scriptRoute: null }, noAbort);
  assertEquals(http.asked[0]?.path, "/testcases/A%2FB%20T1/teststeps");
  assertEquals(http.asked[0]?.route, "/testcases/{testCaseKey}/teststeps");
  assertEquals(detail?.value.type, "steps");
  const [inline, called, bare] = detail?.value.steps ?? [];
  assertEquals([inline?.id, inline?.testData, inline?.expectedResult], ["5001", null, ""]);
  assertEquals(inline?.customFields, { "Conditional Step?": false });
  assertEquals(called?.call, {
    key: "OTHER-T7",
    parameters: [{ name: "user", value: null }, { name: "n", value: "3" }],
  });
  assertEquals([called?.description, called?.id, bare?.call?.key], [null, null, "PROJ-T9"]);
  assertEquals(detail?.unreadable.map(({ ordinal }) => ordinal), [3]);
});

Deno.test("script() reads the other route once after 422, and never without", async () => {
  const { source, http } = fakeSource(({ path }) =>
    path.endsWith("/teststeps")
      ? { status: 422, json: { errorCode: 422, message: "no steps" } }
      : { json: { type: "bdd", text: "Given x" } }
  );
  const detail = await source.script(STEPS, noAbort);
  assertEquals(detail?.value, { type: "bdd", text: "Given x", steps: [] });
  await source.script({ key: "PROJ-T1", scriptRoute: "testscript" }, noAbort);
  assertEquals(http.asked.map(({ path }) => path.split("/").at(-1)), [
    "teststeps",
    "testscript",
    "testscript",
  ]);
});

Deno.test("script() is null for a case that is gone and refused when both routes say 422", async () => {
  assertEquals(await fakeSource(() => undefined).source.script(STEPS, noAbort), null);
  const { source } = fakeSource(() => ({ status: 422, json: {} }));
  const error = await assertRejects(() => source.script(STEPS, noAbort), RefusedError);
  assertEquals(error.status, 422);
});

Deno.test("script() tells plain text, and a script that is not there", async () => {
  const bodies = [{ type: "plain", text: "Do it" }, { id: 1 }, { type: "plain", text: null }];
  const { source } = fakeSource(() => ({ json: bodies.shift() }));
  const types: unknown[] = [];
  for (let index = 0; index < 3; index++) {
    const detail = await source.script({ key: "K-T1", scriptRoute: "testscript" }, noAbort);
    types.push([detail?.value.type, detail?.value.text]);
  }
  assertEquals(types, [["plain", "Do it"], ["none", null], ["plain", null]]);
});

Deno.test("script() asks for smaller pages when the gateway breaks off big ones", async () => {
  const server = stepServer(120, () => 100, "asked");
  const { source } = fakeSource((asked) =>
    Number(asked.query.maxResults) > 50 ? { status: 504 } : server(asked)
  );
  assertEquals((await source.script(STEPS, noAbort))?.value.steps.length, 120);
});

Deno.test("script() reads again when rows of the total are missing, then sets the case aside", async () => {
  const { source, http } = fakeSource(() => ({
    json: { startAt: 0, maxResults: 100, total: 3, isLast: true, values: [{ inline: {} }] },
  }));
  const error = await assertRejects(() => source.script(STEPS, noAbort), SetAsideError);
  assertEquals([error.reason, http.asked.length], ["incomplete", 2]);
});

Deno.test("executionSteps() keeps repeated data rows and goes by key, else by id", async () => {
  const step = (row: unknown): unknown => ({
    inline: {
      description: "Do it",
      actualResult: "<div>log</div>",
      testDataRowNumber: row,
      status: { id: 7920141, self: "x" },
    },
  });
  const { source, http } = fakeSource(() => ({
    json: { startAt: 0, maxResults: 100, isLast: true, values: [step(1), step("2"), step(null)] },
  }));
  const detail = await source.executionSteps({ id: "12", key: null }, noAbort);
  await source.executionSteps({ id: "12", key: "PROJ-E1" }, noAbort);
  assertEquals(detail?.value.map(({ dataRow }) => dataRow), [1, 2, null]);
  assertEquals(detail?.value[0]?.statusId, "7920141");
  assertEquals(http.asked.map(({ path }) => path), [
    "/testexecutions/12/teststeps",
    "/testexecutions/PROJ-E1/teststeps",
  ]);
  const gone = fakeSource(() => undefined).source;
  assertEquals(await gone.executionSteps({ id: "12", key: null }, noAbort), null);
});

Deno.test("latestVersion() takes the highest number from self, in one request", async () => {
  const self = (version: number): unknown => ({
    id: version,
    self: `https://x/v2/testcases/K-T1/versions/${version}`,
  });
  const { source, http } = fakeSource(() => ({
    json: { startAt: 0, maxResults: 10, values: [self(9), self(12), self(3)] },
  }));
  assertEquals(await source.latestVersion("K-T1", noAbort), 12);
  assertEquals(http.asked.map(({ path, query }) => [path, query.maxResults]), [
    ["/testcases/K-T1/versions", "1"],
  ]);
  assertEquals(await fakeSource(() => undefined).source.latestVersion("K-T1", noAbort), null);
});

Deno.test("testCase() is null for what cannot be read and sets aside what has no key", async () => {
  for (const status of [400, 403, 404]) {
    const { source } = fakeSource(() => ({ status, json: {} }));
    assertEquals(await source.testCase("K-T1", noAbort), null);
  }
  const answers: Canned[] = [{ json: { id: 4, key: "K-T1" } }, { json: { id: 4 } }];
  const { source } = fakeSource(() => answers.shift());
  const detail = await source.testCase("K-T1", noAbort);
  assert(detail !== null && detail.value.key === "K-T1" && detail.raw.length === 1);
  await assertRejects(() => source.testCase("K-T1", noAbort), SetAsideError);
});

Deno.test("lookup() reads an archived value by its id", async () => {
  const { source, http } = fakeSource(({ path }) =>
    path === "/statuses/77" ? { json: { id: 77, name: "Old", archived: true } } : undefined
  );
  const status = await source.lookup("status", "77", noAbort);
  assertEquals([status?.name, status?.isArchived, status?.statusType], ["Old", true, null]);
  assertEquals(http.asked[0]?.route, "/statuses/{statusId}");
  assertEquals(await source.lookup("environment", "1", noAbort), null);
  assertEquals(http.asked[1]?.route, "/environments/{environmentId}");
});
