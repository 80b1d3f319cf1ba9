/** The engine behind the command line, the control plane and cron. @module */
export { createMigrator } from "./migrator.ts";
export { nextStep } from "./summary.ts";
export type * from "./types.ts";
