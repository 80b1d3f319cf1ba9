/** Scripts of test cases; made when asked for. @module */
import type { Random } from "../../simulator_kit/mod.ts";
import type { Context } from "./context.ts";
import { customFields } from "./custom_fields.ts";
import { sometimes } from "./people.ts";
import { HTML_TRAPS, richText, sentence, words } from "./texts.ts";
import type { SimCall, SimCase, SimScript, SimStep } from "./types.ts";

const FIRST_STEP_ID = 6_000_000_000;

/** Makes the script of the case at `index`; the first two dozen cases are special ones. */
export function makeScript(context: Context, row: SimCase, index: number): SimScript {
  const random = context.random("script", index);
  const script: SimScript = { id: row.id + 7, kind: row.scriptKind, text: "", steps: [] };
  if (row.scriptKind === "plain") return { ...script, text: plainText(random, index) };
  if (row.scriptKind === "bdd") return { ...script, text: gherkin(random) };
  const count = stepCount(context, random, index);
  for (let n = 0; n < count; n++) script.steps.push(makeStep(context, random, index, n));
  for (const [n, call] of calls(context, random, row, index)) {
    script.steps.splice(Math.min(n, script.steps.length), 0, callStep(index, script.steps, call));
  }
  return script;
}

function stepCount(context: Context, random: Random, index: number): number {
  if (index === 1) return 0;
  if (index === 2) return 1;
  if (context.options.cases >= 100 && !context.lean) {
    if (index === 3) return 101;
    if (index === 4) return 250;
  }
  return context.lean ? 5 : random.weighted([0.5, 8, 10, 10, 9, 7, 6, 5, 4, 3, 2, 2, 1, 1, 1, 1]);
}

function makeStep(context: Context, random: Random, index: number, n: number): SimStep {
  const id = FIRST_STEP_ID + index * 1000 + n;
  // What the vendor's own API creates: a single step with nothing in it.
  if (index === 2) {
    const empty = { description: null, testData: "", expectedResult: null };
    return { id, ...empty, customFields: undefined, call: null };
  }
  const traps = context.lean ? 0 : 0.2;
  return {
    id,
    description: index === 0 && n === 0 ? HTML_TRAPS[8] : richText(random, traps),
    testData: sometimes(random, richText(random, traps), 0.6),
    expectedResult: sometimes(random, sentence(random), 0.2),
    customFields: context.lean ? undefined : customFields(random, "step"),
    call: null,
  };
}

function callStep(index: number, steps: SimStep[], call: SimCall): SimStep {
  return {
    id: FIRST_STEP_ID + index * 1000 + 500 + steps.length,
    description: undefined,
    testData: undefined,
    expectedResult: undefined,
    customFields: undefined,
    call,
  };
}

/** Calls to other cases with the position they go to. */
function calls(
  context: Context,
  random: Random,
  row: SimCase,
  index: number,
): [number, SimCall][] {
  const prefix = row.key.slice(0, row.key.lastIndexOf("-"));
  const own = (number: number): string => `${prefix}-T${number}`;
  const call = (key: string, parameters: SimCall["parameters"] = []): [number, SimCall] => [
    random.int(0, 2),
    { key, parameters },
  ];
  const manual = { name: "user", type: "MANUAL_INPUT", value: "admin & <root>" } as const;
  const given = { name: "retries", type: "DEFAULT_VALUE", value: "3" } as const;
  const special: Record<number, () => [number, SimCall][]> = {
    7: () => [call(own(1), [manual, given])],
    8: () => [call(own(12))],
    10: () => [call(`${context.foreign.key}-T1`)],
    11: () => [call(own(10))],
    14: () => [call(own(16))],
    15: () => [call(own(15))],
    17: () => [call(own(99_999)), call(own(1)), call(own(1))],
    20: () => [call(own(8)), call(own(4))],
  };
  if (special[index] !== undefined) return special[index]();
  if (context.lean || index < 24 || !random.chance(0.05)) return [];
  return [call(own(random.int(1, index)), random.chance(0.5) ? [manual] : [])];
}

function plainText(random: Random, index: number): string {
  if (index > 24 && random.chance(0.1)) return "";
  return `${richText(random, 0.4)}<br>1. ${sentence(random)}<br>2. ${sentence(random)}`;
}

function gherkin(random: Random): string {
  return `Given ${words(random, 4)}\nAnd a table\n  | a | b |\n  | 1 | <b> & "c" |\n` +
    `When ${words(random, 5)}\nThen ${words(random, 4)}\n  """\n  done > 90 %\n  """`;
}
