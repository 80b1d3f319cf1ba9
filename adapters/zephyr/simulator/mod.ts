/**
 * A simulator of the Zephyr Scale Cloud API as a real HTTP server, with seeded content. It shares
 * no logic with the adapter that reads it.
 *
 * ```ts
 * const simulator = await startZephyrSimulator({ seed: 7, data: { cases: 50 }, preset: "strict" });
 * await fetch(`${simulator.url}/projects`, { headers: { authorization: `Bearer ${simulator.token}` } });
 * await simulator.close();
 * ```
 * @module
 */
export { allAttachments, listedCases } from "./counts.ts";
export type { ZephyrControl } from "./control.ts";
export { generateDataset } from "./dataset.ts";
export { startZephyrSimulator } from "./server.ts";
export type { ZephyrSimulator, ZephyrSimulatorStats } from "./server.ts";
export type { ZephyrSimulatorOptions } from "./settings.ts";
export { datasetFromJson, type DatasetSnapshot, snapshotDataset } from "./snapshot.ts";
export type * from "./types.ts";
