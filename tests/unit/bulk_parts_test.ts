import { assertEquals, assertStringIncludes } from "@std/assert";
import { readJob, submitBody, submitLogs } from "../../adapters/qtest/bulk.ts";
import { QtestApi } from "../../adapters/qtest/api.ts";
import type { HttpClient, RequestSpec } from "../../adapters/http/types.ts";
import { targetMinimum } from "../../core/plan/minimum.ts";
import type { BulkLogDraft, TargetCount, TargetField } from "../../core/ports/mod.ts";
import type { ExecutionRecord } from "../../core/records/mod.ts";
import {
  AutomatedCases,
  automationProblems,
  automationResult,
  statusesOfResult,
} from "../../core/transform/automation.ts";
import { writing } from "./qtest_fake.ts";

const LOG: BulkLogDraft = {
  runName: "Login",
  runFields: [],
  automationContent: "SA-T1",
  testCaseVersionId: "77",
  result: "PASSED",
  start: "2026-01-02T03:04:05Z",
  end: "2026-01-02T03:05:05Z",
  noteHtml: "<p>zephyr:execution:1</p>",
  steps: [],
  attachments: [],
};

Deno.test("submitBody() numbers steps from 0 and writes dates without fraction", () => {
  const step = { result: "FAILED", descriptionHtml: "a", expectedHtml: "", actualHtml: "b" };
  const body = submitBody({
    suiteId: "12",
    logs: [{ ...LOG, end: "2026-03-04T00:00:00Z" }, { ...LOG, steps: [step, step] }],
  });
  assertEquals([body.test_suite, body.execution_date], ["12", "2026-03-04"]);
  const [first, second] = body.test_logs as Record<string, unknown>[];
  assertEquals(first, {
    name: "Login",
    automation_content: "SA-T1",
    status: "PASSED",
    exe_start_date: "2026-01-02T03:04:05+00:00",
    exe_end_date: "2026-03-04T00:00:00+00:00",
    test_case_version_id: 77,
    note: "<p>zephyr:execution:1</p>",
  });
  const steps = second?.test_step_logs as Record<string, unknown>[];
  assertEquals(steps.map((item) => [item.order, item.status, item.expected_result]), [
    [0, "FAILED", ""],
    [1, "FAILED", ""],
  ]);
});

function jobApi(status: number, json: unknown): QtestApi {
  const request = (): ReturnType<HttpClient["request"]> =>
    Promise.resolve({ status, headers: new Headers(), bytes: new Uint8Array(), text: "", json });
  return new QtestApi({ request } as unknown as HttpClient, "1");
}

Deno.test("submitLogs() says that texts are not escaped, as the vendor names two defaults", async () => {
  const queries: unknown[] = [];
  const request = (spec: RequestSpec): ReturnType<HttpClient["request"]> => {
    queries.push(spec.query);
    const json = { id: 9, state: "IN_WAITING" };
    return Promise.resolve({
      status: 201,
      headers: new Headers(),
      bytes: new Uint8Array(),
      text: "",
      json,
    });
  };
  const api = new QtestApi({ request } as unknown as HttpClient, "1");
  assertEquals(await submitLogs(api, { suiteId: "12", logs: [LOG] }, writing()), { jobId: "9" });
  assertEquals(queries, [{ type: "automation", escapeXml: "false" }]);
});

Deno.test("readJob() tells running, ended and forgotten jobs apart", async () => {
  const { signal } = new AbortController();
  const read = (json: unknown, status = 200): ReturnType<typeof readJob> =>
    readJob(jobApi(status, json), "9", signal);
  for (const state of ["IN_WAITING", "IN_PROCESSING", "PENDING", undefined]) {
    assertEquals((await read({ id: 9, state }))?.state, "running");
  }
  assertEquals((await read({ id: 9, state: "SUCCESS", content: '{"a":1}' }))?.state, "succeeded");
  const failed = await read({ id: 9, state: "FAILED", content: '{"message":"not mapped"}' });
  assertEquals([failed?.state, failed?.message], ["failed", "not mapped"]);
  assertEquals((await read({ id: 9, state: "FAILED", content: "boom" }))?.message, "boom");
  assertEquals(await read(null, 404), null);
});

const PROFILE = {
  statuses: ["Passed", "Failed", "Incomplete", "Blocked", "Unexecuted"].map((name, index) => ({
    id: String(601 + index),
    name,
    isDefault: false,
  })),
};
// deno-lint-ignore no-explicit-any -- only statuses and names matter here
const names = (automationStatuses: Record<string, string>): any => ({
  profile: PROFILE,
  mapping: { automationStatuses },
});

Deno.test("automationResult() takes the mapping file's name, else the usual one", () => {
  const ids = PROFILE.statuses.map((status) => status.id);
  const results = (table: Record<string, string>): (string | null)[] =>
    ids.map((id) => automationResult(names(table), id));
  assertEquals(results({}), ["PASSED", "FAILED", "INCOMPLETE", "BLOCKED", null]);
  assertEquals(results({ passed: "PASS", Unexecuted: "SKIP" }), [
    "PASS",
    "FAILED",
    "INCOMPLETE",
    "BLOCKED",
    "SKIP",
  ]);
  assertEquals(statusesOfResult(names({ Failed: "KO", Blocked: "KO" }), "KO"), [
    "Failed",
    "Blocked",
  ]);
});

Deno.test("AutomatedCases.keys() holds cases with a run of automated executions only", () => {
  const cases = new AutomatedCases();
  const add = (testCaseKey: string, cycleId: string, automated: boolean, hasLog = true): void =>
    cases.add({ testCaseKey, cycleId, automated } as ExecutionRecord, hasLog);
  add("T1", "1", true);
  add("T1", "1", false);
  add("T2", "1", false);
  add("T2", "2", true);
  add("T3", "1", true);
  add("T3", "1", false, false);
  add("T4", "1", true, false);
  assertEquals([...cases.keys()], ["T2", "T3"]);
});

Deno.test("automationProblems() names the field that is missing", () => {
  const field = (originalName: string, options: string[]): TargetField => ({
    id: "1",
    object: "testCase",
    label: "Renamed",
    type: options.length > 0 ? "combo" : "text",
    dataType: null,
    multiple: false,
    required: false,
    isSystem: true,
    originalName,
    options: options.map((label) => ({ id: label, label })),
    defaultValue: null,
  });
  const content = field("AutomationContentTestCase", []);
  const flag = field("AutomationTestCase", ["No", "Yes"]);
  assertEquals(automationProblems({ fields: [] }, "manual"), []);
  assertEquals(automationProblems({ fields: [flag, content] }, "bulk"), []);
  const [missing] = automationProblems({ fields: [flag] }, "auto");
  assertStringIncludes(missing?.message ?? "", "Automation Content");
  const [without] = automationProblems(
    { fields: [field("AutomationTestCase", ["No"]), content] },
    "bulk",
  );
  assertStringIncludes(without?.message ?? "", 'no value "Yes"');
});

Deno.test("targetMinimum() counts batches, polls and the reading of run ids", () => {
  const counts = Object.entries({
    module: 500,
    testCase: 20_000,
    testCycle: 500,
    testSuite: 500,
    testRun: 80_000,
    testLog: 80_000,
  }).map(([kind, count]) => ({
    kind: kind as "module",
    recordKind: null,
    state: "loaded" as const,
    origin: "created" as const,
    runId: null,
    count,
    steps: 0,
    stepsAsText: 0,
    links: 0,
  }));
  const work = { counts, uploads: 0, fileObjects: 0, approve: false, validated: false };
  assertEquals(targetMinimum(work), 181_500);
  const bulk = { runs: 80_000, logs: 80_000, batches: 1_000, reads: 500 };
  assertEquals(targetMinimum({ ...work, bulk }), 24_000);
  assertEquals(targetMinimum({ ...work, bulk, approve: true }), 44_000);
});

Deno.test("targetMinimum() takes nothing for what was there before but its comparison", () => {
  const row = (kind: "testCase" | "testLog", origin: TargetCount["origin"]): TargetCount => ({
    kind,
    recordKind: null,
    state: "loaded",
    origin,
    runId: null,
    count: 2_000,
    steps: 0,
    stepsAsText: 0,
    links: 0,
  });
  const counts = [row("testCase", "unchanged"), row("testLog", "adopted")];
  const work = { counts, uploads: 0, fileObjects: 0, approve: true, validated: true };
  assertEquals(targetMinimum({ ...work, validated: false }), 0);
  assertEquals(targetMinimum(work), 3 + 3 + 3 + 1 + 1);
  const changed = { ...work, counts: [row("testLog", "updated")], validated: false };
  assertEquals(targetMinimum(changed), 2_000);
});
