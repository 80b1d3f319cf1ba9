import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { AccessError, RefusedError, StopError } from "../../core/errors.ts";
import type { ListSpec, SourcePage } from "../../core/ports/source.ts";
import type { ListKind } from "../../core/records/mod.ts";
import type { ZephyrSource } from "../../adapters/zephyr/mod.ts";
import { type Asked, type Canned, fakeSource, noAbort, type Script } from "./zephyr_fake.ts";

async function readAll(
  source: ZephyrSource,
  list: ListSpec,
  from: string | null = null,
): Promise<SourcePage[]> {
  const pages: SourcePage[] = [];
  for await (const page of source.pages(list as ListSpec & { kind: ListKind }, from, noAbort)) {
    pages.push(page);
  }
  return pages;
}

function idsOf(pages: SourcePage[]): number[] {
  const ids = pages.flatMap((page) => page.records.map(({ record }) => Number(record.id)));
  return [...new Set(ids)].sort((a, b) => a - b);
}

function count(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

interface Offsets {
  rows: number;
  cap: number;
  /** Which of the optional members are there, by page. */
  omit?: (page: number) => { isLast?: boolean; total?: boolean; next?: boolean };
  capAt?: (request: number) => number;
}

/** A list with offsets as the facts describe it: floored starts, lowered pages, optional members. */
function offsetServer(server: Offsets): Script {
  let request = 0;
  return ({ path, query }: Asked): Canned | undefined => {
    if (path !== "/folders") return undefined;
    const cap = server.capAt?.(request) ?? server.cap;
    const size = Math.min(Number(query.maxResults ?? 10), cap);
    const startAt = Number(query.startAt) - Number(query.startAt) % size;
    const values = count(server.rows).slice(startAt, startAt + size)
      .map((id) => ({ id, folderType: "TEST_CASE", name: `f${id}` }));
    const last = startAt + size >= server.rows;
    const omit = server.omit?.(request++) ?? {};
    const next = last ? null : `https://elsewhere.test/v2/folders?startAt=${startAt + size}`;
    return {
      json: {
        startAt,
        maxResults: size,
        values,
        ...(omit.isLast ? {} : { isLast: last }),
        ...(omit.total ? {} : { total: server.rows }),
        ...(omit.next ? {} : { next }),
      },
    };
  };
}

Deno.test("pages() asks for 1000 rows and advances by the returned maxResults", async () => {
  const { source, http } = fakeSource(offsetServer({ rows: 600, cap: 250 }));
  const pages = await readAll(source, { kind: "folder" });
  assertEquals(idsOf(pages), count(600));
  assertEquals(http.asked.map(({ query }) => `${query.startAt}/${query.maxResults}`), [
    "0/1000",
    "250/250",
    "500/250",
  ]);
  assertEquals(pages.map((page) => page.at), ["offset:0:1000", "offset:250:250", "offset:500:250"]);
  assertEquals(pages.map((page) => page.next), ["offset:250:250", "offset:500:250", null]);
  assertEquals(http.asked[0]?.query.projectKey, "PROJ");
});

Deno.test("pages() loses no row whatever optional members are omitted and sizes lowered", async () => {
  const page = fc.record({ isLast: fc.boolean(), total: fc.boolean(), next: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(900),
      fc.array(page, { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 40, max: 400 }), { minLength: 1, maxLength: 4 }),
      async (rows, omits, caps) => {
        const { source, http } = fakeSource(offsetServer({
          rows,
          cap: 1_000,
          omit: (request) => omits[request % omits.length] ?? {},
          capAt: (request) => caps[Math.min(request, caps.length - 1)] ?? 100,
        }));
        const pages = await readAll(source, { kind: "folder" });
        assertEquals(idsOf(pages), count(rows));
        assertEquals(new Set(pages.map((page) => page.at)).size, pages.length);
        assert(http.asked.length < 120);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("pages() needs no extra request when the last page is exactly full", async () => {
  for (const omit of [{ isLast: true, total: true }, { next: true, total: true }]) {
    const { source, http } = fakeSource(
      offsetServer({ rows: 2_000, cap: 1_000, omit: () => omit }),
    );
    await readAll(source, { kind: "folder" });
    assertEquals(http.asked.length, 2);
  }
});

Deno.test("pages() goes on after a short page until the vendor says it is the last", async () => {
  const answers: Canned[] = [
    { json: { startAt: 0, maxResults: 1000, next: "x?startAt=1000", values: [] } },
    { json: { startAt: 1000, maxResults: 1000, isLast: true, values: [{ id: 7, name: null }] } },
  ];
  const { source } = fakeSource(() => answers.shift());
  assertEquals(idsOf(await readAll(source, { kind: "priority" })), [7]);
});

Deno.test("pages() continues from a saved cursor with its page size", async () => {
  const { source, http } = fakeSource(offsetServer({ rows: 600, cap: 250 }));
  assertEquals(idsOf(await readAll(source, { kind: "folder" }, "offset:500:250")).length, 100);
  assertEquals(http.asked.map(({ query }) => query.startAt), ["500"]);
});

Deno.test("pages() stops with an error when the server answers another place", async () => {
  const { source } = fakeSource(() => ({
    json: { startAt: 0, maxResults: 10, isLast: false, values: [{ id: 1 }] },
  }));
  await assertRejects(() => readAll(source, { kind: "priority" }), StopError, "asked for row 10");
});

Deno.test("pages() refuses an answer that is no list instead of taking it for an empty one", async () => {
  const { source } = fakeSource(() => ({ json: { message: "hello" } }));
  await assertRejects(() => readAll(source, { kind: "priority" }), StopError, "no list");
});

Deno.test("pages() halves a page that keeps failing and grows back after it", async () => {
  const server = offsetServer({ rows: 4_000, cap: 1_000 });
  const { source, http } = fakeSource((asked) => {
    const start = Number(asked.query.startAt);
    const tooBig = Number(asked.query.maxResults) > 250 && start >= 1_000 && start < 2_000;
    return tooBig ? { status: 504, text: "<html>" } : server(asked);
  });
  const pages = await readAll(source, { kind: "folder" });
  assertEquals(idsOf(pages), count(4_000));
  assertEquals(pages.map((page) => page.at), [
    "offset:0:1000",
    "offset:1000:250",
    "offset:1250:250",
    "offset:1500:250",
    "offset:1750:250",
    "offset:2000:250",
    "offset:2250:250",
    "offset:2500:500",
    "offset:3000:1000",
  ]);
  assertEquals(http.asked[1]?.maxAttempts, 3);
});

Deno.test("pages() waits without a bound once the page is small", async () => {
  const { source, http } = fakeSource(() => ({ status: 503 }));
  await assertRejects(() => readAll(source, { kind: "folder" }), StopError, "unreachable");
  assertEquals(http.asked.map(({ query }) => query.maxResults), [
    "1000",
    "500",
    "250",
    "125",
    "25",
  ]);
  assertEquals(http.asked.at(-1)?.maxAttempts, undefined);
});

Deno.test("pages() explains that offsets end at 1,000,000 and that a project is not visible", async () => {
  const { source } = fakeSource(({ query }) => ({ status: query.startAt === "0" ? 404 : 400 }));
  const beyond = await assertRejects(
    () => readAll(source, { kind: "folder" }, "offset:1001000:1000"),
    RefusedError,
    "beyond 1000000",
  );
  assertEquals(beyond.status, 400);
  const hidden = await assertRejects(() => readAll(source, { kind: "folder" }), AccessError);
  assert(hidden.hint?.includes("residency"));
});

/** A cursor list: inclusive start, ascending ids; every other page is empty, the rest hold 2 rows. */
function cursorServer(ids: number[], name: string): Script {
  let request = 0;
  return ({ path, query }) => {
    if (path !== "/testcases/nextgen") return undefined;
    const start = Number(query.startAtId);
    const rest = ids.filter((id) => id >= start);
    const size = request++ % 2 === 0 ? 0 : 2;
    const values = rest.slice(0, size).map((id) => ({ id, key: `PROJ-T${id}` }));
    return { json: { next: null, [name]: rest[size] ?? null, limit: 1000, values } };
  };
}

Deno.test("pages() passes cursors on verbatim and survives empty pages until null", async () => {
  const ids = [5, 10, 4_000_000_000, 4_000_000_010, 4_000_000_020];
  for (const name of ["nextStartAtId", "nextStartId"]) {
    const { source, http } = fakeSource(cursorServer(ids, name));
    const pages = await readAll(source, { kind: "testCase" });
    assertEquals(idsOf(pages), ids);
    // The empty pages at 4000000000 and 4000000020 name their own start and are asked again.
    const at = ["id:0", "id:5", "id:4000000000", "id:4000000020"];
    assertEquals(pages.map((page) => page.at), at);
    assertEquals(pages.map((page) => page.next), [...at.slice(1), null]);
    assertEquals(pages.map((page) => page.records.length), [0, 2, 2, 1]);
    assertEquals(http.asked.length, 6);
    assertEquals(http.asked[0]?.query, { projectKey: "PROJ", limit: "1000", startAtId: "0" });
  }
});

Deno.test("pages() gives up on a cursor list that stays at one place with empty pages", async () => {
  const { source, http } = fakeSource(() => ({ json: { nextStartAtId: 7, values: [] } }));
  await assertRejects(() => readAll(source, { kind: "testCase" }), StopError, "from 7");
  assertEquals(http.asked.length, 21);
});

Deno.test("pages() stops when a cursor does not advance or is missing", async () => {
  for (const json of [{ nextStartAtId: 0, values: [{ id: 1 }] }, { values: [] }]) {
    const { source } = fakeSource(() => ({ json }));
    await assertRejects(() => readAll(source, { kind: "testCase" }), StopError, "does not advance");
  }
});

Deno.test("pages() falls back to offsets where the cursor list is refused, and remembers", async () => {
  for (const status of [400, 403, 404]) {
    const { source, http } = fakeSource(({ path }) =>
      path.endsWith("/nextgen") ? { status, json: { message: "no" } } : {
        json: { startAt: 0, maxResults: 1000, isLast: true, values: [{ id: 1, key: "PROJ-R1" }] },
      }
    );
    await readAll(source, { kind: "testCycle" });
    const pages = await readAll(source, { kind: "testCycle" });
    assertEquals(pages[0]?.at, "offset:0:1000");
    assertEquals(http.asked.map(({ path }) => path), [
      "/testcycles/nextgen",
      "/testcycles",
      "/testcycles",
    ]);
  }
});

Deno.test("pages() halves the limit of a cursor list that keeps failing", async () => {
  const { source, http } = fakeSource(({ query }) =>
    Number(query.limit) > 250
      ? { status: 500 }
      : { json: { nextStartAtId: query.startAtId === "0" ? 9 : null, values: [] } }
  );
  const pages = await readAll(source, { kind: "execution" });
  assertEquals(pages.map((page) => page.at), ["id:0", "id:9"]);
  assertEquals(http.asked.map(({ query }) => query.limit).slice(0, 3), ["1000", "500", "250"]);
});

Deno.test("pages() filters executions and statuses as the list says", async () => {
  const { source, http } = fakeSource(({ path }) => ({
    json: path.endsWith("nextgen")
      ? { nextStartAtId: null, limit: 1000 }
      : { startAt: 0, maxResults: 1000, isLast: true, values: [{ id: 3, name: "Pass" }] },
  }));
  await readAll(source, { kind: "execution", onlyLast: true });
  const [page] = await readAll(source, { kind: "status", statusType: "TEST_EXECUTION" });
  assertEquals(http.asked[0]?.query.onlyLastExecutions, "true");
  assertEquals(http.asked[1]?.query.statusType, "TEST_EXECUTION");
  const record = page?.records[0]?.record;
  assert(record?.kind === "status");
  assertEquals(record.statusType, "TEST_EXECUTION");
});

Deno.test("pages() reads one page ahead and drops it when the consumer leaves", async () => {
  const { source, http } = fakeSource(offsetServer({ rows: 5_000, cap: 1_000 }));
  for await (const _ of source.pages({ kind: "folder" }, null, noAbort)) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    break;
  }
  assertEquals(http.asked.length, 2);
});

Deno.test("pages() yields the good page before the error of the one after it", async () => {
  const server = offsetServer({ rows: 2_000, cap: 1_000 });
  const { source } = fakeSource((asked) =>
    asked.query.startAt === "0" ? server(asked) : { status: 401 }
  );
  const seen: string[] = [];
  await assertRejects(async () => {
    for await (const page of source.pages({ kind: "folder" }, null, noAbort)) seen.push(page.at);
  }, AccessError);
  assertEquals(seen, ["offset:0:1000"]);
});

Deno.test("count() asks the classic list for one row and reads total", async () => {
  const answers: unknown[] = [
    { startAt: 0, maxResults: 1, total: 445_000, values: [{}] },
    { startAt: 0, maxResults: 1, isLast: true, values: [{}] },
    { startAt: 0, maxResults: 1, isLast: false, values: [{}] },
  ];
  const { source, http } = fakeSource(() => ({ json: answers.shift() }));
  assertEquals(await source.count({ kind: "execution", onlyLast: true }, noAbort), 445_000);
  assertEquals(await source.count({ kind: "testPlan" }, noAbort), 1);
  assertEquals(await source.count({ kind: "testPlan" }, noAbort), null);
  assertEquals(http.asked[0]?.path, "/testexecutions");
  assertEquals(http.asked[0]?.query, {
    projectKey: "PROJ",
    onlyLastExecutions: "true",
    maxResults: "1",
  });
});
