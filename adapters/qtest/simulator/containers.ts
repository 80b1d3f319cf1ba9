/**
 * Containers of the execution tree: root, release, cycle, suite.
 * @module
 */
import { type Call, type Json, optionalId, queryInt, refuse } from "./call.ts";
import { containerKind, type QtestState } from "./state.ts";
import type { ContainerType, TestCycleEntity, TestRunEntity, TestSuiteEntity } from "./types.ts";

export interface Container {
  parentType: ContainerType;
  parentId: number;
}

/** Container named by the query; the root when nothing is named. */
export function containerOf(call: Call, allowed: readonly ContainerType[]): Container {
  const parentId = queryInt(call, "parentId") ?? 0;
  const type = call.query.get("parentType") ?? (parentId === 0 ? "root" : "");
  if (!allowed.includes(type as ContainerType)) refuse(400, "parentType is invalid");
  const parentType = parentId === 0 ? "root" : type as ContainerType;
  const kind = containerKind(parentType);
  if (kind !== null && call.state.get(kind, parentId) === undefined) {
    refuse(404, `Parent ${parentType} does not exist`);
  }
  return { parentType, parentId: kind === null ? 0 : parentId };
}

export const FOLDERS: ContainerType[] = ["root", "release", "test-cycle"];
export const ALL: ContainerType[] = [...FOLDERS, "test-suite"];

export function isMove(call: Call): boolean {
  return call.query.has("parentId") || call.query.has("parentType");
}

export function moveTo(
  state: QtestState,
  entity: TestCycleEntity | TestSuiteEntity | TestRunEntity,
  target: Container,
): void {
  for (let at = target; at.parentType === "test-cycle";) {
    if (entity.kind === "test-cycles" && at.parentId === entity.id) {
      refuse(400, "A test cycle can not be moved into itself");
    }
    const parent = state.get("test-cycles", at.parentId);
    if (parent === undefined) break;
    at = parent;
  }
  state.move(entity, () => {
    entity.parentType = target.parentType;
    entity.parentId = target.parentId;
  });
}

export function targetsOf(
  call: Call,
  body: Json,
): { targetReleaseId: number | null; targetBuildId: number | null } {
  const targetReleaseId = optionalId(body, "target_release_id") ?? null;
  const targetBuildId = optionalId(body, "target_build_id") ?? null;
  if (targetReleaseId !== null && call.state.get("releases", targetReleaseId) === undefined) {
    refuse(400, "target_release_id is invalid");
  }
  if (targetBuildId !== null && call.state.get("builds", targetBuildId) === undefined) {
    refuse(400, "target_build_id is invalid");
  }
  return { targetReleaseId, targetBuildId };
}
