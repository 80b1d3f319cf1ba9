import { assertEquals, assertThrows } from "@std/assert";
import { Budget } from "../../adapters/qtest/simulator/budget.ts";
import { createDateWriter, readInstant } from "../../adapters/qtest/simulator/dates.ts";
import { API_ROUTES, resolveSwitches } from "../../adapters/qtest/simulator/mod.ts";
import { parseQuery, passes, type Query } from "../../adapters/qtest/simulator/query.ts";
import { normaliseHtml, rewriteParameters } from "../../adapters/qtest/simulator/text.ts";
import { loadSwagger } from "../helpers/swagger_check.ts";

const HTML_CASES = [
  ["plain text  ", "plain text"],
  ["<P class='a b' id=x>one<br/>two<br /></P> ", '<p class="a b" id="x">one<br>two<br></p>'],
  ["a&nbsp;&quot;b&quot; & c &lt;d&gt;", 'a\u00a0"b" &amp; c &lt;d&gt;'],
  ["1 < 2 and <b>3 > 2</b>", "1 &lt; 2 and <b>3 &gt; 2</b>"],
  ["<img src='data:image/png;base64,AA=='>", '<img src="data:image/png;base64,AA==">'],
];

Deno.test("normaliseHtml() rewrites markup the way the site does, twice as once", () => {
  for (const [given = "", wanted = ""] of HTML_CASES) {
    assertEquals(normaliseHtml(given), wanted);
    assertEquals(normaliseHtml(wanted), wanted);
  }
});

Deno.test("rewriteParameters() leaves a mention with a zero-width space alone", () => {
  assertEquals(rewriteParameters("hi [~me] [\u200b~you]", () => "7"), "hi [~7] [\u200b~you]");
});

Deno.test("createDateWriter() writes whole seconds with the site's offset", () => {
  assertEquals(
    createDateWriter("-04:00")(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
    "2026-01-01T23:04:05-04:00",
  );
});

Deno.test("readInstant() refuses fractions when told, and dates without offset", () => {
  const instant = Date.UTC(2026, 0, 2, 3, 4, 5);
  assertEquals(readInstant("2026-01-02T03:04:05Z", { fraction: false }), instant);
  assertEquals(readInstant("2026-01-02T04:04:05+01:00", { fraction: false }), instant);
  assertEquals(readInstant("2026-01-02T03:04:05.5Z", { fraction: true }), instant);
  assertEquals(readInstant("2026-01-02T03:04:05.5Z", { fraction: false }), null);
  assertEquals(readInstant("2026-01-02T03:04:05", { fraction: true }), null);
  assertEquals(readInstant("2026-13-02T03:04:05Z", { fraction: true }), null);
});

Deno.test("parseQuery() binds and before or, and reads lists and quoted names", () => {
  const query = parseQuery("'Zephyr Key' = 'A-1' or Id in ('TC-1', 'TC-2') and Name !~ x");
  const test = (field: string, operator: string, ...values: string[]): Query =>
    ({ type: "test", field, operator, values }) as Query;
  assertEquals(query, {
    type: "or",
    parts: [test("Zephyr Key", "=", "A-1"), {
      type: "and",
      parts: [test("Id", "in", "TC-1", "TC-2"), test("Name", "!~", "x")],
    }],
  });
  assertEquals(parseQuery("  "), null);
  for (const bad of ["Name =", "Name like 'x'", "'open = 1", "(a = 1"]) {
    assertThrows(() => parseQuery(bad));
  }
});

Deno.test("passes() compares text without case, numbers and instants", () => {
  assertEquals(passes(["SA-T12"], "~", ["sa-t1"]), true);
  assertEquals(passes(["SA-T12"], "=", ["sa-t1"]), false);
  assertEquals(passes(["12", "TC-1"], "=", ["tc-1"]), true);
  assertEquals(passes(null, "is", ["not empty"]), false);
  assertEquals(passes({ instant: Date.UTC(2026, 0, 2) }, ">", ["2026-01-01T00:00:00Z"]), true);
  assertEquals(passes(7, ">=", ["7.5"]), false);
});

Deno.test("Budget.take() counts refused requests only when the tenant does", () => {
  let now = 0;
  const make = (count429: boolean): Budget =>
    new Budget({
      requestsPerMinute: 2,
      monthLimit: 100,
      switches: resolveSwitches("strict", { count429 }),
      now: () => now,
    });
  for (const [count429, allowedLater] of [[false, true], [true, false]] as const) {
    now = 0;
    const budget = make(count429);
    assertEquals([1, 2, 3].map(() => budget.take().isAllowed), [true, true, false]);
    now = 30_000;
    assertEquals([1, 2].map(() => budget.take().isAllowed), [false, false]);
    now = 60_001;
    assertEquals(budget.take().isAllowed, allowedLater);
  }
});

Deno.test("API_ROUTES names only routes of the vendor's document, besides /version", () => {
  const { paths } = loadSwagger();
  const unknown = API_ROUTES
    .filter((route) => paths[route.path]?.[route.method.toLowerCase()] === undefined)
    .map((route) => `${route.method} ${route.path}`);
  assertEquals(unknown, ["GET /version"]);
});
