/**
 * From records of the source to drafts for the target, as `mapping.md` says. Pure: no network, no
 * files, no clock.
 * @module
 */
export { checkMappings } from "./check.ts";
export type { MappingCheck, MappingCheckInput } from "./check.ts";
export { createTransform } from "./create.ts";
export type { Transform } from "./create.ts";
export type { VersionInfo } from "./execution.ts";
export { customSource, OWN_FIELDS, ownSource } from "./fields_own.ts";
export { planFields } from "./fields_plan.ts";
export type { FieldKind, FieldPlanInput, FieldPlanning } from "./fields_plan.ts";
export type { ContainerDraft, FolderPlan } from "./folders.ts";
export { payloadHash } from "./payload_hash.ts";
export { compareIds } from "./references.ts";
export { ADHOC_KEY } from "./roots.ts";
export type { RootPlans } from "./roots.ts";
export { placeholderName } from "./test_case.ts";
export { runKey } from "./test_run.ts";
export { MARKERS } from "../text/mod.ts";
export type * from "./types.ts";
