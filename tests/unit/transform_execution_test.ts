import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SetAsideError } from "../../core/errors.ts";
import type { ExecutionRecord } from "../../core/records/mod.ts";
import {
  cycleOf,
  executedStep,
  executionOf,
  issueLink,
  mappingOf,
  rulesOf,
  transformWith,
} from "./transform_support.ts";

const MARKER = "<p>zephyr:execution:4001</p>";

Deno.test("executionLog() writes the note in order, absent lines left out", () => {
  const mapping = mappingOf({ users: { "acc-j": "jane" } });
  const plan = transformWith({ mapping }).executionLog(
    executionOf({
      comment: "done [~me]<br>ok",
      executedById: "acc-x",
      assignedToId: "acc-j",
      environmentId: "30",
      jiraVersionId: "10",
      automated: true,
      customFields: { "Build <n>": "1 < 2", Notes: "a<br>b", Empty: "" },
      links: [issueLink("5", "https://j.test/5")],
    }),
    null,
    null,
  );
  assertEquals(
    plan.draft?.noteHtml,
    "done [\u200b~me]<br>ok" +
      "<p>Executed by: acc-x</p><p>Assigned to: jane (acc-j)</p>" +
      "<p>Environment: Chrome &lt;90&gt;</p><p>Jira version: Jira version 10</p>" +
      "<p>Automated: yes</p><p>Build &lt;n&gt;: 1 &lt; 2</p><p>Notes: a<br>b</p>" +
      '<p>Issue link (COVERAGE): issue 5 <a href="https://j.test/5">https://j.test/5</a></p>' +
      MARKER,
  );
  assertEquals(plan.losses.map((row) => `${row.rule} ${row.field} ${row.before}`), [
    "executor-as-text executedBy acc-x",
    "issue-key-unknown link 5",
  ]);
  assertEquals([plan.links, plan.draft?.steps, plan.stepLogs, plan.stepsAsText], [1, null, 0, 0]);
});

Deno.test("executionLog() has only the marker in its note, when there is nothing to say", () => {
  assertEquals(transformWith().executionLog(executionOf(), [], null).draft?.noteHtml, MARKER);
  const off = transformWith({ marker: "none" });
  assertEquals(off.executionLog(executionOf(), null, null).draft?.noteHtml, "");
});

const TIMES: {
  name: string;
  record: Partial<ExecutionRecord>;
  start: string;
  end: string;
  isLoss: boolean;
}[] = [
  {
    name: "its end date",
    record: { executionTimeMs: 61_500 },
    start: "2026-01-02T03:03:03Z",
    end: "2026-01-02T03:04:05Z",
    isLoss: false,
  },
  {
    name: "its end date with fraction and offset",
    record: { actualEndDate: "2026-01-02T03:04:05.987+02:00" },
    start: "2026-01-02T01:04:05Z",
    end: "2026-01-02T01:04:05Z",
    isLoss: false,
  },
  {
    name: "the cycle's planned end",
    record: { actualEndDate: null },
    start: "2026-02-01T00:00:00Z",
    end: "2026-02-01T00:00:00Z",
    isLoss: true,
  },
  {
    name: "the time of the run",
    record: { actualEndDate: null, cycleId: null, executionTimeMs: 1000 },
    start: "2026-05-31T23:59:59Z",
    end: "2026-06-01T00:00:00Z",
    isLoss: true,
  },
];
for (const { name, record, start, end, isLoss } of TIMES) {
  Deno.test(`executionLog() ends at ${name}`, () => {
    const cycles = [cycleOf({ plannedEndDate: "2026-02-01T00:00:00Z" })];
    const { draft, losses } = transformWith({ cycles }).executionLog(
      executionOf(record),
      null,
      null,
    );
    assertEquals([draft?.start, draft?.end], [start, end]);
    assertEquals(rulesOf(losses), isLoss ? [`no-end-date actualEndDate: null → ${end}`] : []);
  });
}

for (const spent of [-5, 9e15]) {
  Deno.test(`executionLog() starts at its end, when it took ${spent} ms`, () => {
    const record = executionOf({ executionTimeMs: spent });
    const { draft, losses } = transformWith({}).executionLog(record, null, null);
    assertEquals(draft?.start, draft?.end);
    assertEquals(rulesOf(losses), [`value-unfit executionTime: ${spent} → ${draft?.end}`]);
  });
}

Deno.test("executionLog() makes step logs, when steps match the case one to one", () => {
  const plan = transformWith().executionLog(
    executionOf({ statusId: "2" }),
    [
      executedStep({ description: "do", testData: "x", expectedResult: "ok", actualResult: "yes" }),
      executedStep({ statusId: "5", actualResult: '<img src="https://cdn.test/a.png">' }),
      executedStep({ statusId: null }),
    ],
    { stepCount: 3, hasCall: false },
  );
  assertEquals(plan.draft?.statusId, "602");
  assertEquals(plan.draft?.steps?.map((step) => [step.order, step.statusId]), [
    [1, "601"],
    [2, "605"],
    [3, "605"],
  ]);
  assertEquals(plan.draft?.steps?.[0], {
    order: 1,
    statusId: "601",
    descriptionHtml: "do<p><strong>Test data:</strong> x</p>",
    expectedHtml: "ok",
    actualHtml: "yes",
  });
  assertEquals(plan.draft?.steps?.[1]?.actualHtml, "[Image: a.png, https://cdn.test/a.png]");
  assertEquals(plan.losses.map((row) => row.rule), ["image-unreachable"]);
  assertEquals([plan.stepLogs, plan.stepsAsText], [3, 0]);
});

const MISMATCHES = [
  { name: "another number of steps", shape: { stepCount: 3, hasCall: false }, row: null },
  { name: "a called step", shape: { stepCount: 2, hasCall: true }, row: null },
  { name: "data rows", shape: { stepCount: 2, hasCall: false }, row: 1 },
  { name: "no loaded case", shape: null, row: null },
];
for (const { name, shape, row } of MISMATCHES) {
  Deno.test(`executionLog() puts steps into the note, when there is ${name}`, () => {
    const plan = transformWith().executionLog(
      executionOf({ comment: "c" }),
      [
        executedStep({ description: "one<br>", dataRow: row, actualResult: "a < b" }),
        executedStep({ description: "two", dataRow: row, statusId: "8" }),
      ],
      shape,
    );
    const note = plan.draft?.noteHtml ?? "";
    assert(note.startsWith("c<table>") && note.endsWith(`</table>${MARKER}`));
    const cell = row === null ? "" : "1";
    assertStringIncludes(
      note,
      `<tr><td>${cell}</td><td>1. one<br></td><td>Pass</td><td>a < b</td></tr>` +
        `<tr><td>${cell}</td><td>2. two</td><td>Parked</td><td></td></tr>`,
    );
    assertEquals(plan.losses.map((loss) => [loss.rule, loss.before]), [[
      "steps-in-note",
      "2 steps",
    ]]);
    assertEquals([plan.draft?.steps, plan.stepLogs, plan.stepsAsText], [null, 0, 2]);
  });
}

Deno.test("executionLog() counts the steps of each data row from one", () => {
  const steps = [1, 1, 2, 2].map((dataRow) => executedStep({ description: "s", dataRow }));
  const note = transformWith().executionLog(executionOf(), steps, null).draft?.noteHtml ?? "";
  assertEquals([...note.matchAll(/<td>(\d)<\/td><td>(\d)\. s/g)].map((m) => [m[1], m[2]]), [
    ["1", "1"],
    ["1", "2"],
    ["2", "1"],
    ["2", "2"],
  ]);
});

Deno.test("executionLog() lists every value of an execution whose status means no log", () => {
  const plan = transformWith().executionLog(
    executionOf({
      statusId: "5",
      comment: "c",
      executedById: "acc-x",
      assignedToId: "acc-y",
      environmentId: "30",
      jiraVersionId: "10",
      executionTimeMs: 5,
      automated: true,
      customFields: { Build: 7, Empty: null },
      links: [issueLink("5", "https://j.test/5")],
    }),
    [executedStep(), executedStep()],
    { stepCount: 2, hasCall: false },
  );
  assertEquals(plan.draft, null);
  assertEquals([plan.stepLogs, plan.stepsAsText, plan.links], [0, 2, 1]);
  assertEquals(rulesOf(plan.losses), [
    "no-log status: Not Executed → null",
    "no-log comment: c → null",
    "no-log executedBy: acc-x → null",
    "no-log assignedTo: acc-y → null",
    "no-log environment: Chrome <90> → null",
    "no-log jiraVersion: Jira version 10 → null",
    "no-log actualEndDate: 2026-01-02T03:04:05Z → null",
    "no-log executionTime: 5 → null",
    "no-log automated: yes → null",
    "no-log steps: 2 steps → null",
    "no-log Build: 7 → null",
    "no-log link: https://j.test/5 → null",
  ]);
});

Deno.test("executionLog() always lists the status of an execution without log", () => {
  const { losses } = transformWith().executionLog(
    executionOf({ statusId: "7", actualEndDate: null }),
    null,
    null,
  );
  assertEquals(rulesOf(losses), ["no-log status: Geplant → null"]);
});

Deno.test("executionLog() sets an execution aside, when its status has no place", () => {
  const error = assertThrows(
    () => transformWith().executionLog(executionOf({ statusId: "8" }), null, null),
    SetAsideError,
    'status "Parked" has no mapping',
  );
  assertEquals(error.reason, "status-unmapped");
});

Deno.test("executionLog() marks step statuses without a place as not executed", () => {
  const { draft, losses } = transformWith().executionLog(
    executionOf(),
    [executedStep({ statusId: "8" })],
    { stepCount: 1, hasCall: false },
  );
  assertEquals(draft?.steps?.[0]?.statusId, "605");
  assertEquals(rulesOf(losses), ["status-unmapped step 1 status: Parked → Unexecuted"]);
});

Deno.test("executionLog() names the version, when an older one was executed", () => {
  const record = executionOf({ testCaseVersion: 2 });
  const rules = (currentVersion: number | null): string[] =>
    rulesOf(transformWith().executionLog(record, null, null, { currentVersion }).losses);
  assertEquals(rules(3), ["old-version testCaseVersion: version 2 → version 3"]);
  assertEquals([rules(2), rules(null)], [[], []]);
});

Deno.test("executionLog() keeps the cycle as text, when cycles are left out", () => {
  const include = {
    testPlans: true,
    testCycles: false,
    testCases: true,
    folders: true,
    links: true,
  };
  const { draft, losses } = transformWith({ include }).executionLog(executionOf(), null, null);
  assertStringIncludes(draft?.noteHtml ?? "", "<p>Test cycle: test cycle 50</p>");
  assertEquals(losses.map((row) => row.rule), ["not-included"]);
});

Deno.test("executionLog() lists the estimate of an execution, which has no field", () => {
  const { losses } = transformWith().executionLog(executionOf({ estimatedTimeMs: 9 }), null, null);
  assertEquals(rulesOf(losses), ["no-field estimatedTime: 9 → null"]);
});

Deno.test("executionLog() names the cycle that is gone, with a log and without", () => {
  for (const statusId of ["1", null]) {
    const mapping = mappingOf({ defaults: {}, statuses: { execution: { "": null } } });
    const record = executionOf({ cycleId: "999", statusId });
    const { losses } = transformWith({ mapping }).executionLog(record, null, null);
    assertEquals(rulesOf(losses.slice(0, 1)), [
      "missing-parent testCycle: 999 → Ad hoc executions",
    ]);
  }
  const off = transformWith({
    include: { testPlans: true, testCycles: false, testCases: true, folders: true, links: true },
  });
  assertEquals(rulesOf(off.executionLog(executionOf({ cycleId: "999" }), null, null).losses), [
    "not-included testCycle: 999 → test cycle 999",
  ]);
  assertEquals(transformWith().executionLog(executionOf({ cycleId: null }), null, null).losses, []);
});
