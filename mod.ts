/**
 * ztoq as a library: the engine, its ports and its record types.
 *
 * ```ts
 * import { connect, emptyMapping, loadSettings } from "./mod.ts";
 *
 * const { settings } = loadSettings({
 *   options: {},
 *   env: (name) => Deno.env.get(name),
 *   file: null,
 *   readSecretFile: (path) => Deno.readTextFileSync(path),
 * });
 * const connection = await connect({
 *   settings,
 *   mapping: emptyMapping(),
 *   saveMapping: () => Promise.resolve(),
 *   log: (entry) => console.error(entry.level, entry.event),
 * });
 * const { exitCode, summary } = await connection.migrator.advance({ budgetMs: 20_000 });
 * await connection.close();
 * ```
 * @module
 */
export { connect, type Connection, type ConnectOptions } from "./adapters/connect.ts";
export {
  emptyMapping,
  type LoadedSettings,
  loadSettings,
  mergeMapping,
  parseMapping,
  type SettingSources,
} from "./core/config/mod.ts";
export type { Mapping, Settings } from "./core/config/types.ts";
export { createMigrator } from "./core/engine/mod.ts";
export type {
  AdvanceOptions,
  Finding,
  Host,
  Migrator,
  Outcome,
  Services,
} from "./core/engine/types.ts";
export * from "./core/errors.ts";
export * from "./core/ports/mod.ts";
export * from "./core/records/mod.ts";
export { renderReport, type ReportContent, type ReportFormat } from "./core/report/mod.ts";
export type { Summary } from "./core/report/model.ts";
export {
  type ApiToken,
  type ControlPlane,
  type ControlPlaneServices,
  createControlPlane,
  type EngineConnection,
  readTokens,
  type Role,
} from "./routes/mod.ts";
