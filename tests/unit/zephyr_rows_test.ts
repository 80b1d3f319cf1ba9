import { assert, assertEquals } from "@std/assert";
import type { ListKind, RecordByKind } from "../../core/records/mod.ts";
import { readRow, readRows } from "../../adapters/zephyr/rows.ts";
import { toInstant } from "../../adapters/zephyr/values.ts";

function read<K extends ListKind>(kind: K, row: unknown): RecordByKind[K] {
  const result = readRow(kind, row, 0);
  assert("record" in result, JSON.stringify(result));
  return result.record;
}

const V2 = "https://api.zephyrscale.smartbear.com/v2";
const SITE = "https://site.atlassian.net";

Deno.test("readRow() reads a test case as the vendor sends it", () => {
  const record = read("testCase", {
    id: 190696404,
    key: "PROJ-T101",
    name: "Verify alert distribution",
    project: { id: 437559, self: `${V2}/projects/437559` },
    createdOn: "2018-06-08T19:00:49Z",
    objective: 'Observe <strong>x</strong>.&nbsp;See <a href="https://e.org">D</a><br>',
    precondition: null,
    estimatedTime: null,
    labels: ["Smoke"],
    component: { id: 12029, self: `${SITE}/rest/api/2/component/12029` },
    priority: { id: 7920158, self: `${V2}/priorities/7920158` },
    status: { self: `${V2}/statuses/7920144` },
    folder: { id: 18157132, self: `${V2}/folders/18157132` },
    owner: { self: `${SITE}/user?accountId=557058%3Aabc`, accountId: "557058:abc" },
    testScript: { self: `${V2}/testcases/PROJ-T101/testscript?x=1` },
    customFields: { Vendor: false, "Critical Event": "false", Postcondition: "", Unit: null },
    links: {
      issues: [{
        issueId: 305177,
        id: 103108005,
        target: `${SITE}/issue/305177`,
        type: "COVERAGE",
      }],
      webLinks: [{ id: 9, url: "not a url", description: null, type: "RELATED" }],
    },
    surprise: { nested: true },
  });
  assertEquals(record, {
    kind: "testCase",
    id: "190696404",
    key: "PROJ-T101",
    ord: 101,
    name: "Verify alert distribution",
    folderId: "18157132",
    statusId: "7920144",
    priorityId: "7920158",
    ownerId: "557058:abc",
    componentId: "12029",
    createdOn: "2018-06-08T19:00:49Z",
    objective: 'Observe <strong>x</strong>.&nbsp;See <a href="https://e.org">D</a><br>',
    precondition: null,
    estimatedTimeMs: null,
    labels: ["Smoke"],
    scriptRoute: "testscript",
    customFields: { Vendor: false, "Critical Event": "false", Postcondition: "", Unit: null },
    links: [
      {
        id: "103108005",
        type: "issue",
        url: `${SITE}/issue/305177`,
        description: null,
        issueId: "305177",
        relation: "COVERAGE",
      },
      {
        id: "9",
        type: "web",
        url: "not a url",
        description: null,
        issueId: null,
        relation: "RELATED",
      },
    ],
  });
});

Deno.test("readRow() reads a row that has nothing but its identity", () => {
  const record = read("testCase", { id: "5000000000", key: "OLD-T7", estimatedTime: "1500" });
  assertEquals([record.id, record.ord, record.estimatedTimeMs], ["5000000000", 7, 1500]);
  assertEquals([record.name, record.scriptRoute, record.ownerId], [null, null, null]);
  assertEquals([record.labels, record.customFields, record.links], [[], {}, []]);
  assertEquals(read("testPlan", { id: 1, key: "P-P3", links: null }).cycleIds, []);
});

Deno.test("readRow() takes case key and version of an execution from self, never from the id", () => {
  const record = read("execution", {
    id: 1243140627,
    testCase: { self: `${V2}/testcases/A%20B-T2339/versions/2?x`, id: 190699411 },
    testExecutionStatus: { id: 7920141 },
    status: { id: 1 },
    testCycle: { self: `${V2}/testcycles/27531072`, id: 27531072 },
    environment: null,
    actualEndDate: "2023-06-20T18:25:58.999+0200",
    executionTime: 2733000,
    executedById: "557058:abc",
    assignedToId: { accountId: null },
    automated: false,
    links: { issues: [] },
  });
  assertEquals([record.testCaseKey, record.testCaseVersion], ["A B-T2339", 2]);
  assertEquals([record.testCaseVersionId, record.ord, record.key], ["190699411", 2339, null]);
  assertEquals([record.statusId, record.cycleId], ["7920141", "27531072"]);
  assertEquals([record.environmentId, record.assignedToId], [null, null]);
  assertEquals([record.actualEndDate, record.executedById], ["2023-06-20T16:25:58Z", "557058:abc"]);
});

Deno.test("readRow() reads an ad-hoc execution without case, cycle, status", () => {
  const record = read("execution", { id: 1, testCase: null, testCycle: null, owner: null });
  assertEquals([record.testCaseKey, record.cycleId, record.statusId], [null, null, null]);
  assertEquals([record.ord, record.automated], [0, false]);
});

Deno.test("readRow() reads plan and cycle links from their own id fields", () => {
  const cycle = read("testCycle", {
    id: 27531072,
    key: "PROJ-C181",
    owner: { accountId: null },
    plannedStartDate: "2023-07-01",
    jiraProjectVersion: { id: 10001 },
    links: {
      testPlans: [
        { id: 1, testPlanId: 796396, target: `${SITE}/testplans/796396` },
        { id: 2, testPlanId: 796396 },
        { id: 3, target: `${SITE}/testplans/796397` },
      ],
    },
  });
  assertEquals([cycle.ord, cycle.planIds], [181, ["796396", "796397"]]);
  assertEquals([cycle.ownerId, cycle.jiraVersionId], [null, "10001"]);
  assertEquals(cycle.plannedStartDate, "2023-07-01T00:00:00Z");
  const plan = read("testPlan", {
    id: 3,
    key: "P-P3",
    links: { testCycles: [{ testCycleId: 4 }] },
  });
  assertEquals(plan.cycleIds, ["4"]);
});

Deno.test("readRow() reads folders of three trees, root folders with null parent", () => {
  const folder = read("folder", { id: 1, folderType: "TEST_PLAN", parentId: null, name: "a" });
  assertEquals([folder.parentId, folder.index], [null, 0]);
  const child = read("folder", { id: 2, folderType: "TEST_PLAN", parentId: 1, index: 4 });
  assertEquals([child.parentId, child.index], ["1", 4]);
});

Deno.test("readRows() sets a bad row aside with its key and keeps the page", () => {
  const rows = [{ id: 1, key: "P-T1" }, { key: "P-T2" }, null, { id: 4 }, { id: 5, key: "P-T5" }];
  const { records, unreadable } = readRows("testCase", rows, null);
  assertEquals(records.map(({ ordinal, record }) => [ordinal, record.key]), [[0, "P-T1"], [
    4,
    "P-T5",
  ]]);
  assertEquals(unreadable.map(({ ordinal, key }) => [ordinal, key]), [[1, "P-T2"], [2, null], [
    3,
    "4",
  ]]);
  assert(unreadable[0]?.reason.startsWith("id:"));
  const folder = readRow("folder", { id: 9, folderType: "TEST_RUN" }, 0);
  assert("unreadable" in folder && folder.unreadable.key === "9");
});

Deno.test("toInstant() cuts to seconds, applies offsets, and says null to what is no date", () => {
  const expected: [unknown, string | null][] = [
    ["2023-06-20T16:25:58Z", "2023-06-20T16:25:58Z"],
    ["2023-06-20T16:25:58.999Z", "2023-06-20T16:25:58Z"],
    ["2023-06-20T16:25:58.123+02:00", "2023-06-20T14:25:58Z"],
    ["2023-06-20T16:25:58-0300", "2023-06-20T19:25:58Z"],
    ["2023-06-20T16:25:58", "2023-06-20T16:25:58Z"],
    ["2023-06-20", "2023-06-20T00:00:00Z"],
    ["2023-13-45", null],
    ["soon", null],
    ["", null],
    [null, null],
    [undefined, null],
  ];
  for (const [value, instant] of expected) assertEquals(toInstant(value), instant);
});

Deno.test("readRows() tells values that are not what they should be, and only those", () => {
  const { records } = readRows("execution", [
    { id: 1, actualEndDate: "yesterday", executionTime: "soon", estimatedTime: "90" },
    { id: 2, actualEndDate: "2026-01-02T03:04:05Z", executionTime: null, estimatedTime: "" },
  ], null);
  assertEquals(records.map(({ unread }) => unread), [
    [{ field: "actualEndDate", value: '"yesterday"' }, {
      field: "executionTime",
      value: '"soon"',
    }],
    undefined,
  ]);
});
