/** Custom fields of every type, by display name, on every row. @module */
import type { Random } from "../../simulator_kit/mod.ts";
import type { SimCustomFields } from "./types.ts";
import { richText, words } from "./texts.ts";
import { ACCOUNTS } from "./people.ts";

type FieldValue = (random: Random) => unknown;

const BROWSERS = ["Chrome", "Firefox", "Safari", "Edge"];
const LAYERS = ["UI", "API", "Data & storage", "Hardware"];

const isoDay = (random: Random): string =>
  `20${random.int(20, 25)}-${pad(random.int(1, 12))}-${pad(random.int(1, 28))}`;
const pad = (value: number): string => String(value).padStart(2, "0");
const blankable = (value: FieldValue, share = 0.3): FieldValue => (random) => {
  const filled = !random.chance(share);
  const result = value(random);
  return filled ? result : random.chance(0.5) ? "" : null;
};
const nullable = (value: FieldValue, share = 0.3): FieldValue => (random) => {
  const result = value(random);
  return random.chance(share) ? null : result;
};

const CASE_FIELDS: Record<string, FieldValue> = {
  "Browser": nullable((r) => r.pick(BROWSERS)),
  "Critical Event": (r) => (r.chance(0.2) ? "true" : "false"),
  "Passed?": (r) => r.chance(0.5),
  "Pre-Condition(s)": blankable((r) => `${richText(r, 0.2)}<br>${words(r, 3)}`),
  "A/B group": nullable((r) => r.pickMany(LAYERS)),
  "Größe (mm)": nullable((r) => r.int(1, 900) / 4),
  "Build Number": nullable((r) => r.int(1, 5000)),
  "Release Date": nullable(isoDay),
  "Reviewed At": nullable((r) => `${isoDay(r)}T00:00:00Z`),
  "Tester": nullable((r) => r.pick(ACCOUNTS)),
  "Unit Under Test": () => null,
  "Reference": blankable((r) => `REF-${r.int(1, 100000)} & ${words(r, 2)}`),
  "Mixed bag": (r) => (r.chance(0.5) ? r.int(1, 9) : words(r, 1)),
  "Labels": blankable((r) => words(r, 2), 0.6),
};

const CYCLE_FIELDS: Record<string, FieldValue> = {
  "Configuration": blankable((r) => words(r, 3)),
  "Regression run": (r) => r.chance(0.5),
  "Sites": nullable((r) => r.pickMany(["Bern", "Zürich", "Genève"])),
};

const PLAN_FIELDS: Record<string, FieldValue> = {
  "Budget (h)": nullable((r) => r.int(1, 400)),
  "Sign-off date": nullable(isoDay),
  "Scope/Notes": blankable((r) => richText(r, 0.2)),
};

const EXECUTION_FIELDS: Record<string, FieldValue> = {
  "Include in report": (r) => r.chance(0.5),
  "Versions": blankable((r) => `v${r.int(1, 9)}.${r.int(0, 20)}`),
  "Station #": nullable((r) => r.int(1, 12)),
  "Defect class": nullable((r) => r.pick(["None", "Minor", "true"])),
};

const STEP_FIELDS: Record<string, FieldValue> = {
  "Conditional Step?": (r) => r.chance(0.2),
  "Tool": blankable((r) => r.pick(["Multimeter", "Oscilloscope"]), 0.6),
};

const FIELDS = {
  testCase: CASE_FIELDS,
  testCycle: CYCLE_FIELDS,
  testPlan: PLAN_FIELDS,
  execution: EXECUTION_FIELDS,
  step: STEP_FIELDS,
};

/** Values of all fields defined for a kind; empty ones are null, "" or false. */
export function customFields(random: Random, kind: keyof typeof FIELDS): SimCustomFields {
  const values: SimCustomFields = {};
  for (const [name, value] of Object.entries(FIELDS[kind])) values[name] = value(random);
  return values;
}
