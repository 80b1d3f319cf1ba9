/** The stages of the extraction of a run. @module */
import type { Settings } from "../config/types.ts";
import type { Stage } from "../engine/stage.ts";
import { censusStage } from "./census.ts";
import { detailStages } from "./details.ts";
import { listStages } from "./lists.ts";

/**
 * All lists first: they are cheap, and every status and custom field value is known after them, so
 * that the mapping is checked before the first record is written. Then what costs a request a record.
 */
export function extractStages(settings: Settings): Stage[] {
  const lists = listStages(settings.include);
  const census = censusStage(lists.map((stage) => stage.name));
  return [...lists, census, ...detailStages(settings, [census.name])];
}
