/** The report as JUnit XML, so that build servers show a migration like a test run. @module */
import { RECORD_KINDS } from "../records/mod.ts";
import type { ReportContent } from "./content.ts";

/**
 * One suite `migration` with a case per record kind and one for the validation, then one suite with
 * a failing case per difference and an erring case per record set aside.
 */
export async function* renderJunit(content: ReportContent): AsyncIterable<string> {
  const { summary } = content;
  const seconds = (summary.durationMs / 1_000).toFixed(3);
  yield '<?xml version="1.0" encoding="UTF-8"?>\n';
  yield `<testsuites name="${xml(`ztoq ${summary.runId}`)}" time="${seconds}">\n`;
  yield* overview(content);
  yield '  <testsuite name="records">\n';
  for await (const row of content.issues()) {
    if (!row.setAside) continue;
    yield testCase(
      row.kind,
      row.key,
      `<error type="${xml(row.reason)}" message="${xml(row.message)}"/>`,
    );
  }
  for await (const row of content.differences()) {
    const what = row.field === null ? row.verdict : `${row.verdict}: ${row.field}`;
    const body = `expected: ${row.expected ?? ""}\nactual: ${row.actual ?? ""}`;
    yield testCase(
      row.kind,
      row.key,
      `<failure type="${xml(row.verdict)}" message="${xml(what)}">${xml(body)}</failure>`,
    );
  }
  yield "  </testsuite>\n</testsuites>\n";
}

function* overview({ summary }: ReportContent): Iterable<string> {
  const lines = RECORD_KINDS.map((kind) => {
    const { extracted, setAside } = summary.counts[kind];
    const name = `${extracted} extracted`;
    return testCase(kind, name, setAside > 0 ? `<failure message="${setAside} set aside"/>` : "");
  });
  const { checked, equal } = summary.validation;
  const failed = checked !== equal;
  lines.push(testCase(
    "validation",
    `${checked} compared`,
    failed ? `<failure message="${checked - equal} not equal"/>` : "",
  ));
  const failures = lines.filter((line) => line.includes("<failure")).length;
  yield `  <testsuite name="migration" tests="${lines.length}" failures="${failures}">\n`;
  yield* lines;
  yield "  </testsuite>\n";
}

function testCase(className: string, name: string, body: string): string {
  const head = `    <testcase classname="${xml(className)}" name="${xml(name)}"`;
  return body === "" ? `${head}/>\n` : `${head}>${body}</testcase>\n`;
}

/** Escapes text for elements and attributes, and drops what XML 1.0 cannot hold. */
function xml(text: string): string {
  return text
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
