/** The stages of the load and what each waits for. @module */
import type { DraftKind } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import type { Settings } from "../config/types.ts";
import { adoptStage, updateStage } from "./adopt.ts";
import { approveStage } from "./approve.ts";
import { attachmentsStage } from "./attachments.ts";
import { bulkStage } from "./bulk.ts";
import { manualView } from "./bulk_view.ts";
import { fieldsStage } from "./fields.ts";
import type { LoaderOptions } from "./loader.ts";
import { Loader } from "./loader.ts";
import { recheckStage } from "./recheck.ts";
import { refreshStage } from "./refresh.ts";
import { quotaStage } from "../plan/quota.ts";
import { requirementLinksStage } from "./requirement_links.ts";
import { rootStands } from "./root_first.ts";
import { stepIdsStage } from "./step_ids.ts";
import { wellAgainStage } from "./well_again.ts";

/** Stages of the transform that plan rows of each kind. */
const PLANNERS: Record<DraftKind, string[]> = {
  module: ["transform.folder", "transform.execution"],
  testCycle: ["transform.folder"],
  release: ["transform.container"],
  testCase: ["transform.testCase", "transform.execution"],
  testSuite: ["transform.container", "transform.execution"],
  testRun: ["transform.execution"],
  testLog: ["transform.execution"],
};
/** Stages that make rows of a kind ready. */
const WAKE: Record<DraftKind, string[]> = {
  module: [],
  testCycle: [],
  release: [],
  testCase: ["load.module"],
  testSuite: ["load.testCycle", "load.release"],
  testRun: ["load.testCase", "load.testSuite"],
  testLog: ["load.testRun", "load.stepIds"],
};

/** `planned` = names of the transform stages that exist in this run. */
export function loadStages(settings: Settings, planned: Set<string>): Stage[] {
  const names = (list: string[]): string[] => list.filter((name) => planned.has(name));
  const creating = ["load.adopt", "load.field"];
  // Names of releases are told apart from those that are there before the first is made.
  const planning = settings.target.onExisting === "rename" ? ["transform.container"] : [];
  const { approve: approves, logs } = settings.target;
  const bulk = logs === "manual" ? [] : ["load.bulk"];
  const loader = (kind: DraftKind, serial: boolean, extraWake: string[] = []): Stage => {
    const sharesWithBulk = logs !== "manual" && (kind === "testRun" || kind === "testLog");
    const options: LoaderOptions = {
      stage: `load.${kind}`,
      kind,
      serial,
      planners: [...names(PLANNERS[kind]), ...(sharesWithBulk ? bulk : [])],
      wakeOn: [...WAKE[kind], ...extraWake],
    };
    return {
      name: options.stage,
      phase: "load",
      // Where few rows are left by the bulk stage, walking past all of its rows is not worth it.
      after: sharesWithBulk && logs === "bulk" ? [...creating, ...bulk] : creating,
      run: async (ctx: RunContext) => {
        if ((kind === "release" || kind === "testCycle") && !await rootStands(ctx)) return false;
        return await new Loader(sharesWithBulk ? manualView(ctx) : ctx, options).run();
      },
    };
  };
  const kinds = ["module", "testCycle", "release", "testCase", "testSuite", "testRun", "testLog"];
  const loaders = kinds.map((kind) => `load.${kind}`);
  const cases = approves ? ["load.testCase", "load.approve"] : ["load.testCase"];
  const files = settings.include.attachments === "none" ? [] : ["load.attachment"];
  return [
    quotaStage(names(["transform.mapping"])),
    adoptStage(["load.quota", ...names(["transform.mapping", "transform.folder", ...planning])]),
    fieldsStage(["load.quota", ...names(["transform.mapping"])]),
    loader("module", true),
    loader("testCycle", true),
    loader("release", true),
    loader("testCase", false),
    ...(approves ? [approveStage(creating)] : []),
    stepIdsStage(cases),
    loader("testSuite", false),
    ...(logs === "manual"
      ? []
      : [bulkStage([...creating, ...cases, "load.testSuite", ...names(PLANNERS.testLog)])]),
    loader("testRun", false, approves ? ["load.approve"] : []),
    loader("testLog", true),
    ...(files.length > 0
      ? [attachmentsStage(
        creating,
        ["load.testCase", "load.release", "load.testLog", "load.stepIds"],
        names(["transform.testCase", "transform.container", "transform.execution"]),
      )]
      : []),
    requirementLinksStage(cases),
    updateStage([...loaders, ...files]),
    recheckStage([...loaders, "load.update"]),
    refreshStage(loaders),
    wellAgainStage([...loaders, ...files]),
  ];
}
