/**
 * What the transform produces: drafts whose references to other artefacts are still source keys.
 * The loader puts target ids in when it sends them. Everything here is pure: same input, same output.
 * @module
 */
import type { Mapping } from "../config/types.ts";
import type {
  DraftField,
  FieldObject,
  FieldType,
  LossRow,
  ReleaseDraft,
  StepLogDraft,
  TargetField,
  TargetProfile,
  TestCaseDraft,
  TestLogDraft,
  TestRunDraft,
  TestSuiteDraft,
} from "../ports/mod.ts";
import type {
  FolderRecord,
  LookupRecord,
  StatusType,
  TestCycleRecord,
  TestPlanRecord,
} from "../records/mod.ts";
import type { AutomationCases } from "./automation.ts";

/** One of ztoq's own fields or a custom field of the source, and the target field that holds it. */
export interface PlannedField {
  object: FieldObject;
  /** `own:Zephyr Key`, `own:Owner`, `custom:<display name>`, `system:priority` … */
  source: string;
  label: string;
  type: FieldType;
  options: string[];
  /** The existing field; null when it must be created. */
  existing: TargetField | null;
  /** Options to add to the existing field. */
  missingOptions: string[];
  /** Rule when the wanted label or type could not be taken: `label-taken`, `field-type-clash`. */
  rule: "label-taken" | "field-type-clash" | null;
}

export interface FieldPlan {
  fields: PlannedField[];
}

/** A problem that keeps the load from starting (exit 6 before the first write). */
export interface MappingProblem {
  /** `status`, `priority`, `required-field`, `field-permission` */
  kind: string;
  message: string;
  fix: string;
}

/** Lookup data of the whole project that fits in memory (cases and executions do not belong here). */
export interface TransformContext {
  projectKey: string;
  rootName: string;
  /** `kind/id` of artefacts with a marker of ours that are not to be touched (`onExisting: rename`). */
  leftAlone?: ReadonlySet<string>;
  marker: "field" | "text" | "none";
  include: {
    testPlans: boolean;
    testCycles: boolean;
    testCases: boolean;
    folders: boolean;
    links: boolean;
  };
  mapping: Mapping;
  profile: TargetProfile;
  fieldPlan: FieldPlan;
  /** Fields with their ids, after creation; by `object` + `source` of {@linkcode PlannedField}. */
  field: (object: FieldObject, source: string) => TargetField | null;
  lookups: Map<string, LookupRecord>; // key: `${kind}/${id}`, statuses: `status/${id}`
  folders: Map<string, FolderRecord>;
  plans: Map<string, TestPlanRecord>;
  cycles: Map<string, TestCycleRecord>;
  /** Whether a case key is migrated as a case (listed and not set aside). */
  isMigratedCase: (key: string) => boolean;
  /** Origins (scheme + host) that embedded images may be read from with the API token; others are unreachable. */
  sourceOrigin: string;
  /** Stands in for executions without any date; constant for a run. ISO seconds UTC. */
  runStartedAt: string;
  /** Cases whose logs go in bulk; null or absent = none. */
  automation?: AutomationCases | null;
  /** The step a tenant refuses to take empty: replace "" by "-" (learned from a refusal). */
  emptyExpectedRefused: boolean;
}
export type StatusOf = (type: StatusType, id: string) => LookupRecord | null;

export interface Transformed<D> {
  draft: D;
  losses: LossRow[];
  /** Number of links carried or lost by this record. */
  links: number;
}
export type CasePlan =
  & Transformed<
    & Omit<TestCaseDraft, "parentId" | "steps" | "attachments">
    & { steps: { descriptionHtml: string; expectedHtml: string; callKey: string | null }[] }
  >
  & {
    /** Module key in the target map: folder id, `root` or `archived`. */
    parentKey: string;
    /** Requirements to link: Jira keys the mapping file names. */
    requirementKeys: string[];
  };
export type PlanPlan = Transformed<Omit<ReleaseDraft, "kind"> & { kind: "release" }>;
export type CyclePlan = Transformed<Omit<TestSuiteDraft, "parent" | "targetReleaseId">> & {
  /** Cycle key in the target map: folder id or `root`. */
  parentKey: string;
  /** Key of the plan whose release is the target release; null = none. */
  releaseKey: string | null;
};
export type RunPlan = Transformed<
  Omit<TestRunDraft, "parent" | "testCaseId" | "testCaseVersionId">
>;
export interface LogPlan {
  /** null when the status maps to no log. */
  draft:
    | (Omit<TestLogDraft, "runId" | "testCaseVersionId" | "attachments" | "steps"> & {
      /** null: no step logs (none extracted, or they stand in the note). */
      steps: Omit<StepLogDraft, "testStepId" | "calledTestCaseId" | "parentTestStepId">[] | null;
    })
    | null;
  losses: LossRow[];
  links: number;
  /** Execution steps that travel as step logs. */
  stepLogs: number;
  /** Execution steps that stand in the note or are lost with the log. */
  stepsAsText: number;
}
/** What the loader knows of the case a log belongs to. */
export interface CaseShape {
  stepCount: number;
  hasCall: boolean;
}
export type DraftFieldList = DraftField[];
