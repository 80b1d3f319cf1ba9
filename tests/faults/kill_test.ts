import type { Change, TargetKind, TargetState } from "../../core/ports/mod.ts";
import { startWorld } from "../helpers/world.ts";
import type { WorldOptions } from "../helpers/world.ts";
import type { InjectedFault } from "../../adapters/qtest/simulator/mod.ts";
import { assertExactlyOnce, migrateThrough, undisturbed } from "./exactly_once.ts";
import type { KillPoint } from "./killing.ts";
import { testTogether } from "./together.ts";

const OPTIONS: WorldOptions = {
  zephyr: { seed: 7, data: { cases: 12, executions: 30 } },
  qtest: { seed: 7 },
  target: { settleMs: 200, timeoutMs: 300 },
};

const row = (kind: TargetKind, state: TargetState) => (change: Change): boolean =>
  change.op === "targets" && change.rows.some((item) => item.kind === kind && item.state === state);
const checkpoint = (part: string) => (change: Change): boolean =>
  change.op === "checkpoint" && change.value !== null && change.name.includes(part);

/** The executions of one case lie on both sides of a page's end, and the later ones are older. */
const STRADDLING: WorldOptions = {
  ...OPTIONS,
  zephyr: { seed: 107, data: { cases: 20, executions: 60 } },
};

/** Steps without expected result get a dash, which the first refusal tells. */
const REFUSING: WorldOptions = {
  ...OPTIONS,
  qtest: { seed: 7, switches: { emptyExpected: "refuse" } },
};

interface KillCase {
  name: string;
  options?: WorldOptions;
  points: KillPoint[];
  faults?: InjectedFault[];
}

const lost: InjectedFault = { kind: "after-reset", route: "/test-cases", times: 3, skip: 2 };

const CASES: KillCase[] = [
  // The extraction.
  { name: "with the first page read and not stored", points: [{ at: "afterPage" }] },
  {
    name: "between two pages",
    points: [{ at: "afterCommit", when: checkpoint("list/execution") }],
  },
  {
    name: "before a page's checkpoint",
    points: [{ at: "beforeCommit", when: checkpoint("list/") }],
  },
  {
    name: "in the middle of a download",
    points: [{ at: "midDownload" }, { at: "midDownload", nth: 2 }],
  },
  {
    name: "before and after the census",
    points: [
      { at: "beforeCommit", when: checkpoint("census") },
      { at: "afterCommit", when: checkpoint("census") },
    ],
  },
  {
    name: "before a stage's checkpoint",
    points: [
      { at: "beforeCommit", when: checkpoint("stage/load.adopt") },
      { at: "beforeCommit", when: checkpoint("stage/transform.execution") },
      { at: "beforeCommit", when: checkpoint("stage/load.testCase") },
    ],
  },
  {
    name: "after a stage's checkpoint",
    points: [
      { at: "afterCommit", when: checkpoint("stage/load.adopt") },
      { at: "afterCommit", when: checkpoint("stage/load.module") },
      { at: "afterCommit", when: checkpoint("stage/load.testLog") },
    ],
  },
  {
    name: "between two pages of planned executions",
    options: STRADDLING,
    points: [{ at: "afterCommit", when: checkpoint("plan/execution") }],
  },
  {
    name: "after the last page of planned executions",
    options: STRADDLING,
    points: [{ at: "afterCommit", when: checkpoint("plan/execution"), nth: 2 }],
  },
  // Every kind of create, at every boundary.
  ...(["module", "testCycle", "testCase", "testSuite", "testRun", "testLog"] as const).flatMap(
    (kind): KillCase[] => [
      {
        name: `before the intent of a ${kind}`,
        points: [{ at: "beforeCommit", when: row(kind, "sending"), nth: 2 }],
      },
      {
        name: `after the intent of a ${kind}, before the request`,
        points: [{ at: "beforeSend", kind, nth: 2 }],
      },
      {
        name: `after the request of a ${kind}, before its answer`,
        points: [{ at: "afterSend", kind }],
      },
      {
        name: `after the answer for a ${kind}, before its commit`,
        points: [{ at: "beforeCommit", when: row(kind, "loaded") }],
      },
      {
        name: `after the commit of a ${kind}`,
        points: [{ at: "afterCommit", when: row(kind, "loaded") }],
      },
    ],
  ),
  // Plans are few: one life after another through all boundaries.
  {
    name: "at every boundary of a release",
    points: [
      { at: "beforeSend", kind: "release" },
      { at: "afterSend", kind: "release" },
      { at: "beforeCommit", when: row("release", "loaded") },
    ],
  },
  {
    name: "at every boundary of a field",
    points: [
      { at: "beforeSend", kind: "field" },
      { at: "afterSend", kind: "field" },
      { at: "beforeCommit", when: row("field", "loaded") },
      { at: "afterCommit", when: row("field", "loaded"), nth: 2 },
    ],
  },
  {
    name: "over and over between request and answer",
    points: Array.from({ length: 6 }, (): KillPoint => ({ at: "afterSend", kind: "testLog" })),
  },
  // Doubt and what settles it.
  {
    name: "while a lost answer is noted",
    points: [{ at: "beforeCommit", when: row("testCase", "inDoubt") }],
    faults: [lost],
  },
  {
    name: "before a look-up",
    points: [{ at: "beforeLook", kind: "testCase" }],
    faults: [lost],
  },
  {
    name: "in a look-up",
    points: [{ at: "afterLook", kind: "testCase" }, { at: "afterLook", kind: "testCase" }],
    faults: [lost],
  },
  {
    name: "after a look-up, before the adoption is kept",
    points: [
      { at: "afterSend", kind: "testCase", nth: 3 },
      { at: "beforeCommit", when: row("testCase", "loaded") },
    ],
    faults: [lost],
  },
  {
    name: "before an absent record is opened again",
    points: [{ at: "beforeCommit", when: row("testCase", "pending") }],
    faults: [{ kind: "reset", route: "/test-cases", times: 2, skip: 1 }],
  },
  {
    name: "as it learns that the tenant refuses empty texts",
    options: REFUSING,
    points: [
      { at: "beforeCommit", when: checkpoint("emptyExpectedRefused") },
      { at: "afterCommit", when: checkpoint("emptyExpectedRefused") },
    ],
  },
  // Files.
  {
    name: "in the middle of an upload",
    points: [{ at: "midUpload" }, { at: "midUpload", nth: 2 }],
  },
  {
    name: "at every boundary of an upload",
    points: [
      { at: "beforeSend", kind: "upload" },
      { at: "afterSend", kind: "upload" },
      { at: "beforeCommit", when: row("attachment", "loaded") },
      { at: "afterCommit", when: row("attachment", "loaded") },
    ],
  },
  // The validation.
  {
    name: "in the validation",
    points: [
      { at: "beforeCommit", when: checkpoint("validate/pass") },
      { at: "afterSweep", kind: "testCase" },
      { at: "afterCommit", when: (change) => change.op === "seen" },
      { at: "beforeCommit", when: checkpoint("validate/testLog") },
      { at: "afterCommit", when: checkpoint("validate/testRun") },
    ],
  },
  {
    name: "before and after the run's end is kept",
    points: [
      {
        at: "beforeCommit",
        when: (change) => change.op === "run" && change.set.state === "completed",
      },
    ],
  },
];

const named = CASES.map((item) => ({
  ...item,
  name: `advance() leaves everything once, killed ${item.name}`,
}));

testTogether(named, async ({ points, options = OPTIONS, faults = [] }) => {
  const expected = await undisturbed(options);
  await using world = await startWorld(options);
  for (const fault of faults) world.qtest.injectFault(fault);
  const outcome = await migrateThrough(world, points);
  assertExactlyOnce(world, outcome, expected);
});
