/** The published descriptions of the Zephyr Scale API, and where the live API differs. @module */
import { loadSpec, type SpecCheck } from "./spec_check.ts";

/** Null where the description has no `nullable`: recorded answers and the newest description agree. */
const NULL_IN_REALITY = [
  "PagedList.next",
  "TestCase.objective",
  "TestCase.precondition",
  "TestCase.estimatedTime",
  "TestCase.component",
  "TestCase.folder",
  "TestCase.owner",
  "JiraUserLink.accountId",
  "TestCycle.jiraProjectVersion",
  "TestCycle.folder",
  "TestCycle.description",
  "TestCycle.plannedStartDate",
  "TestCycle.plannedEndDate",
  "TestCycle.owner",
  "TestPlan.objective",
  "TestPlan.folder",
  "TestPlan.owner",
  "TestExecution.environment",
  "TestExecution.jiraProjectVersion",
  "TestExecution.actualEndDate",
  "TestExecution.estimatedTime",
  "TestExecution.executionTime",
  "TestExecution.executedById",
  "TestExecution.assignedToId",
  "TestExecution.comment",
  "TestExecution.testCycle",
  "TestStep.inline",
  "TestStep.inline.description",
  "TestStep.inline.testData",
  "TestStep.inline.expectedResult",
  "TestStep.inline.reflectRef",
  "TestStep.testCase",
  "TestExecutionStep.inline.description",
  "TestExecutionStep.inline.testData",
  "TestExecutionStep.inline.expectedResult",
  "TestExecutionStep.inline.actualResult",
  "TestExecutionStep.inline.testDataRowNumber",
  "TestExecutionStep.inline.reflectRef",
  "Folder.parentId",
  "OptionValue.description",
  "WebLinkInput.description",
];

/** The description of one generation. Custom field values are described as objects, which no one sends. */
export function zephyrSpec(generation: "A" | "B"): SpecCheck {
  return loadSpec(`zephyr-scale-cloud-v2.${generation}.yml`, {
    nullable: NULL_IN_REALITY,
    free: ["CustomFields"],
  });
}
