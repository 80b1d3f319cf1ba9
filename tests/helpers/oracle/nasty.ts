/** A small tenant whose every value is written to trip a careless mapping. @module */
import {
  datasetFromJson,
  generateDataset,
  type SimCase,
  type SimCycle,
  type SimExecution,
  type SimStep,
  snapshotDataset,
  type ZephyrDataset,
} from "../../../adapters/zephyr/simulator/mod.ts";

const MARKUP = `<b>5 < 6 & "7"</b> &lt;i&gt; [~jdoe] {p} 'x'`;

/** Twelve cases and thirty executions, most of them changed. Same seed, same data. */
export function nastyDataset(seed: number): ZephyrDataset {
  const data = snapshotDataset(generateDataset({ seed, preset: "tiny" }));
  const mine = data.cases.filter((row) => row.projectId === data.project.id && !row.archived);
  mine.forEach(nastyCase);
  data.cycles.forEach(nastyCycle);
  data.executions.forEach((row, index) => nastyExecution(row, index, data.cycles));
  data.plans.forEach((row, index) => {
    row.name = ["&amp;lt;plan&amp;gt;", "plan [~x]", `${"p".repeat(255)}`][index] ?? row.name;
    row.objective = [MARKUP, "two\nlines", "<p>unclosed", null, undefined][index];
    row.customFields = { ...row.customFields, "Status": "open & shut", "Note": MARKUP };
  });
  const [first, second] = data.folders;
  if (first !== undefined) first.name = MARKUP;
  if (second !== undefined) second.name = "   &lt;i&gt;  ";
  for (const row of data.environments) row.name = `<env> & ${row.name}`;
  scripts(data.scripts, mine);
  return datasetFromJson(JSON.parse(JSON.stringify(data)));
}

function nastyCase(row: SimCase, index: number): void {
  row.name = [
    MARKUP,
    "&amp;amp; twice",
    "[~accountid:1] name",
    "\u00a0 padded \u00a0",
    "a\nb",
  ][index] ?? row.name;
  row.objective = [MARKUP, "", null, undefined, "plain & simple < text", "<table><tr><td>x"][index];
  row.precondition = index === 0 ? "only [~jdoe]" : row.precondition;
  row.labels = index === 0 ? ["a,b", "<c>", "d&e"] : row.labels;
  row.estimatedTime = [0, 12_345, 59_999, 3_600_000, 1][index] ?? row.estimatedTime;
  row.customFields = {
    ...row.customFields,
    "Status": index % 2 === 0 ? "A & B" : "",
    "Type": index,
    "Multi": `first ${index}\nsecond & <third>`,
    "Odd mix": [1, "two", true, ["x", "y"], { a: 1 }, null][index % 6],
    "Status (Zephyr)": `other ${index}`,
    "Zero": 0,
    "Negative": -index / 3,
    "Offset date": "2024-02-29T23:30:00.999+02:00",
    "Only false": false,
    "Sets": ["p & q", "r, s", "<t>"].slice(0, index % 4),
    "With.dot/and [brackets]": `v${index} [~x]`,
  };
}

function nastyCycle(row: SimCycle, index: number): void {
  row.name = [MARKUP, "&lt;i&gt;", "Same", "Same", `${"n".repeat(255)}`][index] ?? row.name;
  row.description = [MARKUP, "a\nb", "", null, undefined][index] ?? row.description;
  row.customFields = { ...row.customFields, "Environment": "x & y", "Description": "d" };
}

function nastyExecution(row: SimExecution, index: number, cycles: SimCycle[]): void {
  row.executionTime = [0, 1, 1500, 999, 86_400_000][index % 6] ?? row.executionTime;
  if (index % 5 === 1) row.actualEndDate = "2024-03-31T01:59:59Z";
  if (index % 5 === 2) row.actualEndDate = null;
  if (index % 7 === 3) row.comment = MARKUP;
  if (index % 7 === 4) row.comment = "one\ntwo";
  // One pair with many attempts, some at the same second.
  if (index >= 20) Object.assign(row, { caseKey: "SA-T4", cycleId: cycles[0]?.id ?? null });
  row.customFields = {
    ...row.customFields,
    "List": ["a & b", "<c>"],
    "Lines": "one\ntwo",
    "Tagged": "<i>x</i>",
    "Empty list": [],
  };
}

function scripts(
  all: Record<string, { steps: SimStep[]; kind: string; text: string }>,
  cases: SimCase[],
): void {
  const blank: SimStep = {
    id: 1,
    description: null,
    testData: "",
    expectedResult: undefined,
    customFields: { "Conditional Step?": false, Tool: "" },
    call: null,
  };
  const step = (id: number, more: Partial<SimStep>): SimStep => ({ ...blank, id, ...more });
  const parameters = [
    { name: "a<b", type: "MANUAL_INPUT" as const, value: "x & [~y]\nz" },
    { name: "empty", type: "DEFAULT_VALUE" as const, value: "" },
  ];
  const steps: Record<number, SimStep[]> = {
    0: [
      step(11, { description: MARKUP, testData: MARKUP, expectedResult: MARKUP }),
      step(12, {}),
      step(13, { testData: "<ul><li>[~only] data</li></ul>" }),
      step(14, { customFields: { "<Tool>": "a < b & [~c]", List: ["x", "y"] } }),
    ],
    1: [step(21, {})],
    2: [step(31, { call: { key: "SA-T1", parameters } }), step(32, { expectedResult: " " })],
    3: [step(41, { call: { key: "SA-T12", parameters } })],
  };
  cases.forEach((row, index) => {
    const script = all[row.key];
    const own = steps[index];
    if (script !== undefined && own !== undefined) {
      Object.assign(script, { kind: "steps", steps: own, text: "" });
      row.scriptKind = "steps";
    }
  });
}
