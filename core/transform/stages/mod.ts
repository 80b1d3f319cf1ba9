/** The stages of the transform of a run. @module */
import type { Settings } from "../../config/types.ts";
import type { Stage } from "../../engine/stage.ts";
import { readsExecutions } from "../../extract/selection.ts";
import { casesStage } from "./cases.ts";
import { executionsStage } from "./executions.ts";
import { mappingStage } from "./mapping.ts";
import { containersStage, foldersStage } from "./structure.ts";

/** `extracting` = names of the extract stages of this run. */
export function transformStages(settings: Settings, extracting: Set<string>): Stage[] {
  const { include } = settings;
  const names = (list: string[]): string[] => list.filter((name) => extracting.has(name));
  const mapping = ["transform.mapping"];
  const files = names(["extract.attachments.testPlan", "extract.attachments.testCycle"]);
  return [
    mappingStage(["extract.census"]),
    foldersStage(mapping),
    containersStage([...mapping, ...files]),
    ...(include.testCases ? [casesStage(mapping)] : []),
    ...(readsExecutions(include) ? [executionsStage(mapping)] : []),
  ];
}
