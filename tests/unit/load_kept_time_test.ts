import { assertEquals } from "@std/assert";
import { withKeptTime } from "../../core/load/kept_time.ts";
import type { LogPlan } from "../../core/transform/types.ts";

const NOW = "2026-05-04T12:00:00Z";

function plan(end: string, rules: string[]): LogPlan {
  const start = "2026-05-04T11:59:00Z";
  return {
    draft: { kind: "testLog", statusId: "601", start, end, noteHtml: "", steps: null },
    losses: rules.map((rule) => ({
      kind: "execution",
      key: "7",
      field: "actualEndDate",
      rule,
      before: null,
      after: end,
    })),
    links: 0,
    stepLogs: 0,
    stepsAsText: 0,
  };
}

function times(kept: LogPlan): (string | null | undefined)[] {
  return [kept.draft?.start, kept.draft?.end, kept.losses[0]?.after];
}

Deno.test("withKeptTime() keeps the time of an earlier run where no end date is told", () => {
  const row = { detail: { end: "2026-01-02T03:04:05+00:00" } };
  const kept = withKeptTime(plan(NOW, ["no-end-date"]), row, NOW);
  assertEquals(times(kept), [
    "2026-01-02T03:03:05Z",
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05Z",
  ]);
});

Deno.test("withKeptTime() leaves told and planned ends, and logs of this run, as planned", () => {
  const row = { detail: { end: "2026-01-02T03:04:05Z" } };
  for (
    const [planned, detail] of [
      [plan(NOW, []), row.detail],
      [plan("2025-12-31T00:00:00Z", ["no-end-date"]), row.detail],
      [plan(NOW, ["no-end-date"]), {}],
    ] as const
  ) {
    assertEquals(withKeptTime(planned, { detail }, NOW), planned);
  }
});
