/** What every part of the generator shares. @module */
import { createRandom, hashNumbers, hashText, type Random } from "../../simulator_kit/mod.ts";
import type { DatasetOptions } from "./types.ts";

/** First id of every kind: ids of different kinds overlap and do not fit 32 bits. */
export const FIRST_ID = 2_200_000_000;

/** Everything "before now" in a generated project ends here: 2025-06-01. */
export const LAST_CHANGE_MS = Date.UTC(2025, 5, 1);

export interface Context {
  options: Required<DatasetOptions>;
  projectId: number;
  /** Project whose cases executions and calls refer to as well. */
  foreign: { id: number; key: string };
  /** Whether `preset` is the lean one. */
  lean: boolean;
  hostile: boolean;
  /** Random values of one thing: independent of how many other things were made before. */
  random(label: string, index?: number): Random;
  /** Next id for links of cases, cycles and plans. */
  linkId(): number;
}

/** Fills in the defaults of the options. */
export function completeOptions(options: DatasetOptions): Required<DatasetOptions> {
  const preset = options.preset ?? "demo";
  const cases = options.cases ?? (preset === "tiny" ? 12 : 200);
  return {
    seed: options.seed,
    preset,
    cases,
    executions: options.executions ?? (preset === "tiny" ? 30 : 1000),
    projectKey: options.projectKey ?? "SA",
    folders: options.folders ?? Math.max(26, Math.ceil(cases / 12)),
  };
}

/** Creates the context of one generation. */
export function createContext(options: Required<DatasetOptions>): Context {
  let link = FIRST_ID;
  return {
    options,
    projectId: FIRST_ID + 5,
    foreign: { id: FIRST_ID + 9, key: options.projectKey === "XP" ? "XQ" : "XP" },
    lean: options.preset === "bulk",
    hostile: options.preset === "hostile",
    random: (label, index = 0) => createRandom(hashNumbers(options.seed, hashText(label), index)),
    linkId: () => (link += 2),
  };
}
