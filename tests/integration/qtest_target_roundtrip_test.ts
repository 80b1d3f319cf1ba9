import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { createHttpClient, type HttpClient } from "../../adapters/http/mod.ts";
import { createQtestHttp, createQtestTarget } from "../../adapters/qtest/mod.ts";
import {
  type QtestSimulator,
  type QtestSimulatorOptions,
  startQtestSimulator,
} from "../../adapters/qtest/simulator/mod.ts";
import type {
  Clock,
  Created,
  Draft,
  DraftField,
  Found,
  Target,
  TargetField,
  TestCaseDraft,
  Traffic,
  WriteOptions,
} from "../../core/ports/mod.ts";

const PRESETS = ["generous", "strict"] as const;
const signal = new AbortController().signal;
const write: WriteOptions = { signal, intent: () => Promise.resolve() };
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, stop) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      stop?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(stop.reason);
      }, { once: true });
    }),
};

interface Bench {
  sim: QtestSimulator;
  http: HttpClient;
  target: Target & Traffic;
}

async function withTarget(
  options: QtestSimulatorOptions & { login?: boolean },
  work: (bench: Bench) => Promise<void>,
): Promise<void> {
  const sim = await startQtestSimulator(options);
  const credentials = options.login
    ? { username: sim.username, password: sim.password }
    : { token: sim.token };
  const settings = createQtestHttp({
    ...credentials,
    baseUrl: `${sim.url}/`,
    requestsPerMinute: 0,
    timeoutMs: 5_000,
    clock,
  });
  const http = settings.bind(createHttpClient(settings));
  try {
    await work({
      sim,
      http,
      target: createQtestTarget({ http, projectId: String(sim.projectId) }),
    });
  } finally {
    http.close();
    await sim.close();
  }
}

async function collect(pages: AsyncIterable<Found[]>): Promise<Found[]> {
  const found: Found[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

function stream(text: string): () => Promise<ReadableStream<Uint8Array>> {
  return () => Promise.resolve(new Blob([text]).stream());
}

function caseDraft(parentId: string, name: string, fields: DraftField[] = []): TestCaseDraft {
  const step = { calledTestCaseId: null, expectedHtml: "is done" };
  return {
    kind: "testCase",
    parentId,
    name,
    order: null,
    descriptionHtml: "<p>what</p>",
    preconditionHtml: "<p>first</p>",
    steps: [{ ...step, descriptionHtml: "one" }, { ...step, descriptionHtml: "two" }],
    fields,
    attachments: [],
  };
}

interface Loaded {
  module: Created;
  sub: Created;
  release: Created;
  cycle: Created;
  testCase: Created;
  suite: Created;
  run: Created;
  log: Created;
}

async function makeField(target: Target, object: TargetField["object"]): Promise<TargetField> {
  const draft = { object, label: "Zephyr Key", type: "text", options: [] } as const;
  return await target.createField({ ...draft, options: [] }, write);
}

/** One of each, in the order of dependence. */
async function loadOne(target: Target): Promise<Loaded> {
  const make = (draft: Draft): Promise<Created> => target.create(draft, write);
  const key = async (object: TargetField["object"], text: string): Promise<DraftField[]> => [
    { field: await makeField(target, object), value: { type: "text", text } },
  ];
  const module = await make({
    kind: "module",
    parentId: null,
    name: "Root",
    descriptionHtml: "<p>zephyr:project:SA</p>",
  });
  const sub = await make({
    kind: "module",
    parentId: module.id,
    name: "Sub",
    descriptionHtml: "<p>zephyr:folder:1</p>",
  });
  const release = await make({
    kind: "release",
    name: "Plan",
    descriptionHtml: "<p>p</p>",
    fields: await key("release", "SA-P1"),
  });
  const cycle = await make({
    kind: "testCycle",
    parent: { type: "root", id: null },
    name: "Cycles",
    descriptionHtml: "<p>zephyr:folder:2</p>",
  });
  const testCase = await make(caseDraft(sub.id, "Log in", await key("testCase", "SA-T1")));
  const { versionId } = await target.approve(testCase.id, write);
  const suite = await make({
    kind: "testSuite",
    parent: { type: "testCycle", id: cycle.id },
    name: "Sprint 1",
    targetReleaseId: release.id,
    fields: await key("testSuite", "SA-R1"),
  });
  const run = await make({
    kind: "testRun",
    parent: { type: "testSuite", id: suite.id },
    name: "Log in",
    testCaseId: testCase.id,
    testCaseVersionId: versionId,
    fields: await key("testRun", "SA-R1/SA-T1"),
  });
  const log = await make(await logDraft(target, run.id, testCase.id, versionId));
  return { module, sub, release, cycle, testCase, suite, run, log };
}

async function logDraft(
  target: Target,
  runId: string,
  caseId: string,
  testCaseVersionId: string | null,
): Promise<Draft> {
  const { statuses } = await target.profile(signal);
  const statusId = statuses.find((status) => status.name === "Passed")?.id ?? "";
  const steps = (await target.read("testCase", caseId, signal))?.steps ?? [];
  return {
    kind: "testLog",
    runId,
    statusId,
    start: "2026-01-02T03:04:05.500Z",
    end: "2026-01-02T03:05:05Z",
    noteHtml: "<p>zephyr:execution:9</p>",
    testCaseVersionId,
    steps: steps.map((step) => ({
      testStepId: step.id,
      order: step.order,
      statusId,
      descriptionHtml: step.descriptionHtml,
      expectedHtml: step.expectedHtml,
      actualHtml: "as expected",
      calledTestCaseId: null,
      parentTestStepId: null,
    })),
    attachments: [],
  };
}

function keyOf(found: Found | undefined): unknown {
  return found?.fields.find((field) => field.label === "Zephyr Key")?.value;
}

for (const preset of PRESETS) {
  Deno.test(`createQtestTarget() reads back what it created, by lists and by sweeps (${preset})`, async () => {
    await withTarget({ preset }, async ({ sim, target }) => {
      await target.profile(signal);
      const made = await loadOne(target);
      const lists: [keyof Loaded, Found[]][] = [
        ["module", await collect(target.children("module", null, signal))],
        ["sub", await collect(target.children("module", made.module.id, signal))],
        ["release", await collect(target.children("release", null, signal))],
        ["cycle", await collect(target.children("testCycle", null, signal))],
        ["testCase", await collect(target.children("testCase", made.sub.id, signal))],
        [
          "suite",
          await collect(
            target.children("testSuite", { type: "testCycle", id: made.cycle.id }, signal),
          ),
        ],
        [
          "run",
          await collect(
            target.children("testRun", { type: "testSuite", id: made.suite.id }, signal),
          ),
        ],
        ["log", await collect(target.children("testLog", made.run.id, signal))],
      ];
      for (const [name, found] of lists) {
        assert(found.some((each) => each.id === made[name].id), `children ${name}`);
      }
      // Search shows new objects after a while only.
      await clock.sleep(sim.state.switches.searchLagMs + 20);
      const [testCase] = await collect(target.sweep("testCase", signal));
      assertEquals([testCase?.id, testCase?.parentId], [made.testCase.id, made.sub.id]);
      assertEquals(testCase?.steps?.map((step) => step.order), [1, 2]);
      assertEquals(keyOf(testCase), { type: "text", text: "SA-T1" });
      const modules = await collect(target.sweep("module", signal));
      const sub = modules.find((each) => each.id === made.sub.id);
      assertEquals([sub?.parentId, modules.find((each) => each.id === made.module.id)?.parentId], [
        made.module.id,
        null,
      ]);
      const [suite] = await collect(target.sweep("testSuite", signal));
      assertEquals([suite?.parentId, suite?.parentType, suite?.targetReleaseId, keyOf(suite)], [
        made.cycle.id,
        "testCycle",
        made.release.id,
        { type: "text", text: "SA-R1" },
      ]);
      const [run] = await collect(target.sweep("testRun", signal));
      assertEquals([run?.parentId, run?.testCaseId, keyOf(run)], [
        made.suite.id,
        made.testCase.id,
        { type: "text", text: "SA-R1/SA-T1" },
      ]);
      const [log] = await collect(target.sweep("testLog", signal));
      assertEquals(
        [log?.parentId, log?.log?.start, log?.log?.statusName, log?.log?.steps?.length],
        [
          made.run.id,
          "2026-01-02T03:04:05Z",
          "Passed",
          2,
        ],
      );
      assertEquals(log?.log?.steps?.[0]?.actualHtml.includes("as expected"), true);
      const releases = await collect(target.sweep("release", signal));
      assertEquals(keyOf(releases.find((each) => each.id === made.release.id)), {
        type: "text",
        text: "SA-P1",
      });
      assertEquals((await collect(target.sweep("testCycle", signal))).length >= 1, true);
      for (
        const kind of [
          "module",
          "release",
          "testCycle",
          "testCase",
          "testSuite",
          "testRun",
        ] as const
      ) {
        const name =
          { testCycle: "cycle", testSuite: "suite", testRun: "run" }[kind as "testRun"] ?? kind;
        assert(await target.read(kind, made[name as keyof Loaded].id, signal), `read ${kind}`);
      }
      assertEquals(sim.oracle().duplicates, []);
    });
  });

  Deno.test(`createQtestTarget() replaces content, steps included (${preset})`, async () => {
    await withTarget({ preset }, async ({ target }) => {
      const made = await loadOne(target);
      const draft = caseDraft(made.sub.id, "Log out");
      draft.steps.pop();
      const updated = await target.update(made.testCase.id, draft, write);
      const found = await target.read("testCase", made.testCase.id, signal);
      assertEquals([found?.name, found?.steps?.length, found?.parentId], [
        "Log out",
        1,
        made.sub.id,
      ]);
      if (updated.stepIds !== null) {
        assertEquals(updated.stepIds, found?.steps?.map((step) => step.id) ?? []);
      }
      const cycle = {
        kind: "testCycle",
        parent: { type: "root", id: null },
        name: "Renamed",
        descriptionHtml: "",
      } as const;
      await target.update(made.cycle.id, cycle, write);
      assertEquals((await target.read("testCycle", made.cycle.id, signal))?.name, "Renamed");
      const log = await logDraft(target, made.run.id, made.testCase.id, null);
      assert(log.kind === "testLog");
      await target.update(made.log.id, { ...log, steps: [], noteHtml: "changed" }, write);
      const read = await target.read("testLog", `${made.run.id}/${made.log.id}`, signal);
      assertEquals(read?.log?.noteHtml.includes("changed"), true);
    });
  });

  Deno.test(`createQtestTarget() stores files byte for byte under their names (${preset})`, async () => {
    await withTarget({ preset }, async ({ target }) => {
      const made = await loadOne(target);
      const object = { kind: "testCase", id: made.testCase.id } as const;
      const names = ["plain name.txt", "größe 50%.txt", "empty.txt"];
      for (const name of names) {
        const text = name === "empty.txt" ? "" : name;
        const size = new TextEncoder().encode(text).length;
        const file = { object, name, contentType: "text/plain", size, open: stream(text) };
        assertEquals((await target.upload(file, write)).name, name);
      }
      const files = await target.files("testCase", [made.testCase.id], signal);
      assertEquals(files.map((file) => file.name).toSorted(), names.toSorted());
      for (const file of files) {
        const body = await target.file(object, file.id, signal);
        assertEquals(await new Response(body).text(), file.name === "empty.txt" ? "" : file.name);
      }
      const step = (await target.read("testLog", `${made.run.id}/${made.log.id}`, signal))?.log
        ?.steps?.[0];
      const slot = { kind: "testStepLog", id: step?.id ?? "" } as const;
      const upload = {
        object: slot,
        name: "s.txt",
        contentType: "text/plain",
        size: 1,
        open: stream("s"),
      };
      await target.upload(upload, write);
      assertEquals((await target.files("testStepLog", [slot.id], signal)).length, 1);
      const id = files[0]?.id ?? "";
      assertEquals(await target.remove("attachment", `testCase/${object.id}/${id}`, write), true);
      assertEquals(await target.file(object, id, signal), null);
    });
  });

  Deno.test(`createQtestTarget() links requirements and removes everything again (${preset})`, async () => {
    await withTarget({ preset }, async ({ sim, target }) => {
      const made = await loadOne(target);
      await clock.sleep(sim.state.switches.searchLagMs + 20);
      const requirement = await target.findRequirement("SA-101", signal);
      assert(requirement !== null);
      assertEquals(await target.findRequirement("SA-999", signal), null);
      const linked = await target.linkRequirement(requirement.id, [made.testCase.id, "9"], write);
      assertEquals(linked, [made.testCase.id]);
      const all = await target.linkedTestCases([requirement.id], signal);
      assertEquals(all.get(requirement.id), [made.testCase.id]);
      await target.remove("requirementLink", `${requirement.id}/${made.testCase.id}`, write);
      assertEquals(
        (await target.linkedTestCases([requirement.id], signal)).get(requirement.id),
        [],
      );
      const order = [
        ["testRun", made.run],
        ["testSuite", made.suite],
        ["testCycle", made.cycle],
        ["testCase", made.testCase],
        ["module", made.sub],
        ["module", made.module],
        ["release", made.release],
      ] as const;
      for (const [kind, { id }] of order) {
        assertEquals(await target.remove(kind, id, write), true);
        assertEquals(await target.read(kind, id, signal), null);
        assertEquals(await target.remove(kind, id, write), true);
      }
      const field = (await target.profile(signal)).fields.find((each) =>
        each.label === "Zephyr Key"
      );
      assertEquals(await target.remove("field", field?.id ?? "", write), true);
    });
  });

  Deno.test(`createQtestTarget() writes and reads every field type (${preset})`, async () => {
    await withTarget({ preset }, async ({ target }) => {
      const profile = await target.profile(signal);
      const user = profile.users[0]?.id ?? "";
      const many = Array.from({ length: 130 }, (_, index) => `value ${index}`);
      const kinds: [TargetField["type"], string[], DraftField["value"]][] = [
        ["text", [], { type: "text", text: "a < b" }],
        ["richText", [], { type: "richText", html: "<p>x</p>" }],
        ["number", [], { type: "number", value: 1.5 }],
        ["date", [], { type: "date", iso: "2026-01-02T00:00:00Z" }],
        ["dateTime", [], { type: "dateTime", iso: "2026-01-02T03:04:05Z" }],
        ["combo", many, { type: "options", labels: ["value 129"] }],
        ["multiSelect", ["a", "b, c"], { type: "options", labels: ["a", "b, c"] }],
        ["checkbox", [], { type: "boolean", value: true }],
        ["user", [], { type: "users", ids: [user] }],
      ];
      const fields: DraftField[] = [];
      for (const [type, options, value] of kinds) {
        const draft = { object: "testCase", label: `F ${type}`, type, options } as const;
        const field = await target.createField({ ...draft, options: [...options] }, write);
        assertEquals([field.type, field.label], [type, `F ${type}`]);
        assertGreaterOrEqual(field.options.length, options.length);
        fields.push({ field, value });
      }
      const module = await target.create(
        { kind: "module", parentId: null, name: "M", descriptionHtml: "" },
        write,
      );
      const made = await target.create(caseDraft(module.id, "Typed", fields), write);
      const found = await target.read("testCase", made.id, signal);
      for (const { field, value } of fields) {
        const read = found?.fields.find((each) => each.fieldId === field.id)?.value;
        assertEquals(read ?? null, value, field.label);
      }
    });
  });
}

Deno.test("createQtestHttp() logs in, and again when the token dies in the middle", async () => {
  await withTarget({ login: true, preset: "strict" }, async ({ sim, http, target }) => {
    const profile = await target.profile(signal);
    assertEquals(profile.user.username, sim.username);
    sim.expireTokens();
    const module = { kind: "module", parentId: null, name: "M", descriptionHtml: "" } as const;
    await target.create(module, write);
    assertEquals(http.stats().byRoute["POST /oauth/token"], 2);
    assertEquals(
      (await collect(target.children("module", null, signal))).filter((each) => each.name === "M")
        .length,
      1,
    );
  });
});

Deno.test("children() reads a module to its end, although the page size is capped silently", async () => {
  await withTarget({ preset: "strict", switches: { maxListSize: 7 } }, async ({ target }) => {
    const module = await target.create(
      { kind: "module", parentId: null, name: "M", descriptionHtml: "" },
      write,
    );
    const names = Array.from({ length: 23 }, (_, index) => `case ${index}`);
    for (const name of names) await target.create(caseDraft(module.id, name), write);
    const found = await collect(target.children("testCase", module.id, signal));
    assertEquals(found.map((each) => each.name).toSorted(), names.toSorted());
  });
});
