import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { RECORD_KINDS } from "../../core/records/mod.ts";
import {
  type DifferenceRow,
  type IssueRow,
  type LossRow,
  type Phase,
  PHASES,
} from "../../core/ports/mod.ts";
import {
  csvLine,
  type KindCounts,
  type Redirect,
  renderRedirectsCsv,
  renderReport,
  type ReportContent,
  type ReportFormat,
  type RequestSummary,
  type Summary,
} from "../../core/report/mod.ts";
import { summaryText } from "../../tasks/cli/summary_text.ts";

const EVIL = `<script>alert("x")</script>&'`;

function summary(): Summary {
  const counts: KindCounts = {
    extracted: 10,
    transformed: 10,
    created: 7,
    updated: 0,
    unchanged: 1,
    withoutTarget: 1,
    setAside: 1,
  };
  const requests: RequestSummary = {
    total: 120,
    byRoute: { "GET /testcases": 100, "GET /folders": 20 },
    minimum: 110,
    retried: 2,
    rateLimited: 1,
    peakPerMinute: 90,
  };
  return {
    runId: "run-1",
    state: "completed",
    exitCode: 3,
    counts: Object.fromEntries(RECORD_KINDS.map((kind) => [kind, counts])) as Summary["counts"],
    artefacts: { module: 3, testCase: 7 },
    requests: { source: requests, target: requests },
    validation: { checked: 7, equal: 6, different: 1, missing: 0, extra: 0, duplicate: 0 },
    losses: { "name-cut": 2, [EVIL]: 1 },
    issues: [],
    durationMs: 65_000,
    phases: Object.fromEntries(
      PHASES.map((phase) => [phase, { state: "done", durationMs: 1_500 }]),
    ) as Summary["phases"],
    files: { report: null, redirects: null, database: null },
    next: `see ${EVIL}`,
  };
}

async function* many<T>(count: number, row: (index: number) => T): AsyncIterable<T> {
  for (let index = 0; index < count; index++) yield await Promise.resolve(row(index));
}

function content(rows = 1): ReportContent {
  return {
    summary: summary(),
    source: EVIL,
    target: "acme",
    generatedAt: "2026-01-02T03:04:05Z",
    accepted: ["name-cut"],
    losses: () =>
      many<LossRow & { phase: Phase }>(rows, (index) => ({
        phase: "transform",
        kind: "testCase",
        key: `SA-T${index}`,
        field: "name",
        rule: "name-cut",
        before: '=HYPERLINK("x")',
        after: EVIL,
      })),
    issues: () =>
      many<IssueRow>(1, () => ({
        phase: "load",
        kind: "testCase",
        key: "SA-T9",
        level: "error",
        reason: "refused",
        message: `400 ${EVIL} \u0007`,
        payload: null,
        setAside: true,
        attempts: 1,
        at: "2026-01-02T03:04:05.000Z",
      })),
    differences: () =>
      many<DifferenceRow>(1, () => ({
        runId: "run-1",
        kind: "testCase",
        key: "SA-T1",
        targetId: "5",
        verdict: "different",
        field: "name",
        expected: "a",
        actual: EVIL,
      })),
  };
}

async function render(format: ReportFormat, rows?: number): Promise<string> {
  return (await Array.fromAsync(renderReport(format, content(rows)))).join("");
}

Deno.test("renderReport() html escapes every value and needs no other file", async () => {
  const html = await render("html");
  assert(!html.includes("<script"), "script");
  assert(!/(src|href)=|url\(|@import/.test(html), "outside reference");
  assertStringIncludes(html, "&#60;script&#62;");
  assertStringIncludes(html, "<svg");
  assertStringIncludes(html, "SA-T9");
  assertMatch(html, /<\/main><\/body><\/html>\n$/);
  assertEquals(html.split("<section").length, html.split("</section>").length);
});

Deno.test("renderReport() html shows the rates of each phase and the findings by phase and level", async () => {
  const issue = {
    phase: "load",
    level: "warning",
    reason: "test_status_mapping",
    count: 3,
  } as const;
  const one = { ...content(), summary: { ...summary(), issues: [issue] } };
  const html = (await Array.fromAsync(renderReport("html", one))).join("");
  const cells = (row: string): string[] =>
    [...row.matchAll(/<td[^>]*>([^<]*)<\/td>/g)].map(([, cell]) => cell ?? "");
  const rows = html.split("<tr>").map(cells);
  // 80 records of eight kinds in 1.5 s.
  assert(rows.some((row) => row.join() === "extract,done,1.5 s,80,53,3,200"), html);
  assert(rows.some((row) => row.join() === "validate,done,1.5 s,7,4.7,280"), html);
  assert(rows.some((row) => row.join() === "load,0,0,3,0"), html);
  assertStringIncludes(html, "Without target: ");
});

Deno.test("renderReport() html cuts long lists and says where all of them are", async () => {
  const html = await render("html", 600);
  assertStringIncludes(html, "SA-T499");
  assert(!html.includes("SA-T500<"));
  assertStringIncludes(html, "Only the first 500 are shown");
});

Deno.test("renderReport() json is one document with the summary's members on top", async () => {
  const document = Object(JSON.parse(await render("json", 3)));
  assertEquals(document.runId, "run-1");
  assertEquals(document.counts.testCase.created, 7);
  assertEquals(document.losses["name-cut"], 2);
  assertEquals(document.lossRows.length, 3);
  assertEquals(document.issueRows[0].key, "SA-T9");
  assertEquals(document.differenceRows[0].verdict, "different");
  assertEquals(Object(JSON.parse(await render("json", 0))).lossRows, []);
});

Deno.test("renderReport() csv holds every row and no formulas", async () => {
  const csv = await render("csv", 2);
  const lines = csv.split("\r\n");
  assertEquals(lines.length, 6);
  assertMatch(lines[0] ?? "", /^type,phase,level/);
  assertStringIncludes(csv, `"'=HYPERLINK(""x"")"`);
  assertStringIncludes(csv, "loss,transform,accepted,testCase,SA-T0");
  assertEquals(csvLine([-5, "-5", "-x", 'a"b', null]), '-5,-5,\'-x,"a""b",\r\n');
});

Deno.test("renderReport() junit counts and escapes, and drops what XML cannot hold", async () => {
  const xml = await render("junit");
  assertStringIncludes(xml, '<testsuite name="migration" tests="9" failures="9">');
  assertStringIncludes(xml, '<failure type="different" message="different: name">');
  assertStringIncludes(xml, '<error type="refused"');
  assert(!xml.includes("<script") && !xml.includes("\u0007"));
  const opened = [...xml.matchAll(/<(testsuites|testsuite|testcase)\b[^>]*[^/]>/g)].length;
  assertEquals([...xml.matchAll(/<\/(testsuites|testsuite|testcase)>/g)].length, opened);
});

Deno.test("renderRedirectsCsv() writes old key, new id and address", async () => {
  const rows = many<Redirect>(1, () => ({
    kind: "testCycle",
    key: "SA-R1",
    sourceId: "77",
    targetKind: "testSuite",
    targetId: "9",
    pid: "TS-3",
    url: null,
  }));
  assertEquals(
    (await Array.fromAsync(renderRedirectsCsv(rows))).join(""),
    "kind,key,sourceId,targetKind,targetId,pid,url\r\ntestCycle,SA-R1,77,testSuite,9,TS-3,\r\n",
  );
});

Deno.test("summaryText() shows result, counts, requests beside their minimum, losses and next step", () => {
  const text = summaryText(summary(), (_colour, plain) => plain);
  assertMatch(text, /Run run-1: completed in 1 min 05 s/);
  assertMatch(text, /Exit code 3: done, but records were set aside/);
  assertMatch(text, /testCase +10 +10 +7 +0 +1 +1 +1/);
  assertMatch(text, /source +120 +110 +2 +1 +90/);
  assertMatch(text, /name-cut +2 +a name was longer than the target takes/);
  const issues = [
    { phase: "load", level: "warning", reason: "test_status_mapping", count: 2 } as const,
    { phase: "extract", level: "info", reason: "invalid_references", count: 1 } as const,
  ];
  const found = summaryText({ ...summary(), issues }, (_colour, plain) => plain);
  assertStringIncludes(found, "Findings: 2 warnings, 1 note; the report lists them\n");
  assertMatch(text, /Without target: the target has no place/);
  assertMatch(text, /Next: see/);
});
