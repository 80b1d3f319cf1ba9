/** The stages of the load and what each waits for. @module */
import type { DraftKind } from "../ports/mod.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import type { Settings } from "../config/types.ts";
import { adoptStage, updateStage } from "./adopt.ts";
import { approveStage } from "./approve.ts";
import { attachmentsStage } from "./attachments.ts";
import { fieldsStage } from "./fields.ts";
import type { LoaderOptions } from "./loader.ts";
import { Loader } from "./loader.ts";
import { recheckStage } from "./recheck.ts";
import { requirementLinksStage } from "./requirement_links.ts";
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
  const loader = (kind: DraftKind, serial: boolean, extraWake: string[] = []): Stage => {
    const options: LoaderOptions = {
      stage: `load.${kind}`,
      kind,
      serial,
      planners: names(PLANNERS[kind]),
      wakeOn: [...WAKE[kind], ...extraWake],
    };
    return {
      name: options.stage,
      phase: "load",
      after: creating,
      run: (ctx: RunContext) => new Loader(ctx, options).run(),
    };
  };
  const approves = settings.target.approve;
  const kinds = ["module", "testCycle", "release", "testCase", "testSuite", "testRun", "testLog"];
  const loaders = kinds.map((kind) => `load.${kind}`);
  const cases = approves ? ["load.testCase", "load.approve"] : ["load.testCase"];
  const files = settings.include.attachments === "none" ? [] : ["load.attachment"];
  return [
    adoptStage(names(["transform.mapping", "transform.folder"])),
    fieldsStage(names(["transform.mapping"])),
    loader("module", true),
    loader("testCycle", true),
    loader("release", true),
    loader("testCase", false),
    ...(approves ? [approveStage(creating)] : []),
    stepIdsStage(cases),
    loader("testSuite", false),
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
    wellAgainStage([...loaders, ...files]),
  ];
}
