import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccessError, RefusedError } from "../../core/errors.ts";
import type { AttachmentOwner } from "../../core/records/mod.ts";
import { type Canned, fakeSource, noAbort, type Script } from "./zephyr_fake.ts";

const PROJECT = { id: 437559, jiraProjectId: 10, key: "PROJ", enabled: true };

/** A tenant of a generation; what `special` answers goes first. */
function tenant(generation: "A" | "B" | "C", special: Script = () => undefined): Script {
  const cursor: Canned = {
    json: { next: null, nextStartAtId: null, limit: 1, values: [{ id: 1, key: "PROJ-T1" }] },
  };
  const refusal: Canned = { status: 400, json: { errorCode: 400, message: "pattern" } };
  return (asked) => {
    const first = special(asked);
    if (first !== undefined) return first;
    if (asked.path === "/projects/PROJ") return { json: PROJECT };
    if (asked.path === "/testcases/nextgen") return generation === "A" ? refusal : cursor;
    if (asked.path === "/testexecutions/nextgen") return generation === "C" ? cursor : refusal;
    if (asked.path === "/projects") return { json: { startAt: 0, maxResults: 1, values: [] } };
    return undefined;
  };
}

Deno.test("probe() tells the generations apart with at most 4 requests", async () => {
  for (const [generation, requests] of [["A", 2], ["B", 3], ["C", 4]] as const) {
    const { source, http } = fakeSource(tenant(generation));
    assertEquals(await source.probe(noAbort), {
      project: { id: "437559", key: "PROJ", enabled: true },
      generation,
      attachments: generation === "C",
    });
    assertEquals(http.asked.length, requests);
  }
});

Deno.test("probe() spares the lists of an old tenant a refused request", async () => {
  const { source, http } = fakeSource(
    tenant(
      "B",
      ({ path }) =>
        path === "/testplans" || path === "/testexecutions"
          ? { json: { startAt: 0, maxResults: 1000, isLast: true, values: [] } }
          : undefined,
    ),
  );
  await source.probe(noAbort);
  const before = http.asked.length;
  for (const kind of ["testPlan", "execution", "testCase"] as const) {
    for await (const _ of source.pages({ kind }, null, noAbort)) { /* only the requests count */ }
  }
  assertEquals(http.asked.slice(before).map(({ path }) => path), [
    "/testplans",
    "/testexecutions",
    "/testcases/nextgen",
  ]);
});

Deno.test("probe() finds out that attachment routes refuse for good", async () => {
  for (const status of [403, 503]) {
    const { source } = fakeSource(
      tenant(
        "C",
        ({ path }) => path.endsWith("/attachments") ? { status, text: "<html>" } : undefined,
      ),
    );
    assertEquals((await source.probe(noAbort)).attachments, false);
  }
});

Deno.test("probe() names project and region when access is refused", async () => {
  const answers: [Canned, string][] = [
    [{ status: 404, json: { errorCode: 404, message: "x" } }, "not found or not visible"],
    [{ status: 403, json: { message: "Forbidden" } }, "not found or not visible"],
    [{ status: 401, json: { error: "Unauthorized" } }, "refused 401"],
  ];
  for (const [answer, words] of answers) {
    const { source } = fakeSource(() => answer);
    const error = await assertRejects(() => source.probe(noAbort), AccessError, words);
    assert(error.hint?.includes("residency"));
    assertEquals(error.hint?.includes("permission to browse"), answer.status === 403);
    assert(error.message.length + (error.hint?.length ?? 0) < 390);
  }
});

Deno.test("probe() refuses a disabled project, an answer of something else, and an outage", async () => {
  const answers: [Canned, string][] = [
    [{ json: { ...PROJECT, enabled: false } }, "disabled"],
    [{ json: { hello: "world" } }, "no Zephyr Scale project"],
    [{ status: 503, text: "<html>" }, "answered 503"],
  ];
  for (const [answer, words] of answers) {
    await assertRejects(() => fakeSource(() => answer).source.probe(noAbort), AccessError, words);
  }
});

Deno.test("probe() uses the key that lists accept when the project was renamed", async () => {
  const { source, http } = fakeSource(tenant("A", ({ path, query }) => {
    if (path === "/projects/PROJ") return { json: { ...PROJECT, key: "OLD" } };
    if (path !== "/testcases") return undefined;
    return query.projectKey === "OLD" ? { json: { startAt: 0, maxResults: 1 } } : { status: 404 };
  }));
  assertEquals((await source.probe(noAbort)).project.key, "OLD");
  await source.count({ kind: "testCase" }, noAbort);
  assertEquals(http.asked.at(-1)?.query.projectKey, "OLD");
});

const CASE: AttachmentOwner = { kind: "testCase", key: "PROJ-T1", stepId: null };

Deno.test("attachments() asks the route of each kind of owner; 404 means none", async () => {
  const { source, http } = fakeSource(() => undefined);
  const owners: AttachmentOwner[] = [
    CASE,
    { kind: "testStep", key: "PROJ-T1", stepId: "5" },
    { kind: "testCycle", key: "7", stepId: null },
    { kind: "testPlan", key: "8", stepId: null },
    { kind: "execution", key: "9", stepId: null },
    { kind: "executionStep", key: "9", stepId: "6" },
  ];
  for (const owner of owners) assertEquals(await source.attachments(owner, noAbort), []);
  assertEquals(http.asked.map(({ path }) => path), [
    "/testcases/PROJ-T1/attachments",
    "/testcases/PROJ-T1/teststeps/5/attachments",
    "/testcycles/7/attachments",
    "/testplans/8/attachments",
    "/testexecutions/9/attachments",
    "/testexecutions/9/teststeps/6/attachments",
  ]);
});

Deno.test("attachments() keeps duplicate names and reads a bare array too", async () => {
  const files = [{ id: 123, name: "ü %.png" }, { id: 124, name: "ü %.png", size: 1 }, { id: 9 }];
  for (const json of [{ attachments: files }, files]) {
    const { source } = fakeSource(() => ({ json }));
    assertEquals(await source.attachments(CASE, noAbort), [
      { id: "123", name: "ü %.png" },
      { id: "124", name: "ü %.png" },
      { id: "9", name: "attachment-9" },
    ]);
  }
  const { source } = fakeSource(() => ({ json: { attachments: [{ name: "x" }] } }));
  await assertRejects(() => source.attachments(CASE, noAbort), RefusedError, "no id");
});

Deno.test("attachments() refuses one record on 403 and never takes a refusal for none", async () => {
  const { source } = fakeSource(() => ({ status: 403, json: {} }));
  await assertRejects(() => source.attachments(CASE, noAbort), RefusedError, "403");
});

Deno.test("attachments() tells an outage from a route that fails while others answer", async () => {
  let down = 1;
  const outage = fakeSource(tenant("C", ({ path }) => {
    if (!path.endsWith("/attachments")) return undefined;
    return down-- > 0 ? { status: 503 } : { json: { attachments: [] } };
  }));
  assertEquals(await outage.source.attachments(CASE, noAbort), []);
  assertEquals(outage.http.asked.map(({ path }) => path).slice(1), [
    "/projects",
    "/testcases/PROJ-T1/attachments",
  ]);
  const old = fakeSource(
    tenant("C", ({ path }) => path.endsWith("/attachments") ? { status: 503 } : undefined),
  );
  await assertRejects(() => old.source.attachments(CASE, noAbort), RefusedError);
  const asked = old.http.asked.length;
  await assertRejects(() => old.source.attachments(CASE, noAbort), RefusedError);
  assertEquals(old.http.asked.length, asked);
});

Deno.test("probe() does not take one troubled record for a missing route", async () => {
  for (const status of [403, 500]) {
    const { source } = fakeSource(
      tenant("C", ({ path }) => path === "/testcases/PROJ-T1/attachments" ? { status } : undefined),
    );
    assertEquals((await source.probe(noAbort)).attachments, true);
    if (status === 403) {
      await assertRejects(() => source.attachments(CASE, noAbort), RefusedError);
    }
    assertEquals(await source.attachments({ ...CASE, key: "PROJ-T2" }, noAbort), []);
  }
});

Deno.test("download() streams a file; null when it is gone, refused when not permitted", async () => {
  const { source, http } = fakeSource(({ path }) => {
    if (path.endsWith("/7")) return { text: "bytes", headers: { "content-type": "image/png" } };
    return path.endsWith("/8") ? { status: 403 } : undefined;
  });
  const file = await source.download(CASE, "7", noAbort);
  assertEquals(file?.contentType, "image/png");
  assertEquals(await new Response(file?.body).text(), "bytes");
  await assertRejects(() => source.download(CASE, "8", noAbort), RefusedError, "403");
  assertEquals(await source.download(CASE, "a/b", noAbort), null);
  assertEquals(http.asked.at(-1)?.path, "/testcases/PROJ-T1/attachments/a%2Fb");
  assertEquals(http.asked.at(-1)?.route, "/testcases/{testCaseKey}/attachments/{attachmentId}");
});
