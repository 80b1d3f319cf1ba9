/** Small tenants for tests. @module */
import { generateDataset, type ZephyrDataset } from "../../adapters/zephyr/simulator/mod.ts";

/** 12 cases, 30 executions, at least one of nearly every oddity. */
export function tinyDataset(seed = 1): ZephyrDataset {
  return generateDataset({ seed, preset: "tiny" });
}

/** 120 cases and 300 executions: the smallest with cases of 101 and 250 steps. */
export function smallDataset(seed = 1): ZephyrDataset {
  return generateDataset({ seed, cases: 120, executions: 300 });
}
