/** Configuration: one table, one loader, the mapping file, schemas. @module */
export * from "./load.ts";
export * from "./mapping.ts";
export * from "./nearest.ts";
export * from "./rules.ts";
export * from "./schema.ts";
export * from "./starter.ts";
export * from "./table.ts";
export type { Mapping, Settings } from "./types.ts";
export { describeType, valueWord } from "./values.ts";
