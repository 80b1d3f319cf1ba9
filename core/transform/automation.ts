/**
 * Bulk logs: what the project's automation settings call a result, which cases become automation
 * cases, and which runs go in bulk.
 * @module
 */
import type { DraftField, TargetField, TargetProfile } from "../ports/mod.ts";
import type { ExecutionRecord } from "../records/mod.ts";
import type { LogPlan, MappingProblem, TransformContext } from "./types.ts";
import { findSystemField } from "./fields_own.ts";
import { lookUp } from "./references.ts";

type Names = Pick<TransformContext, "mapping" | "profile">;

/** What vendors' examples map out of the box. */
const RESULTS: Record<string, string> = {
  passed: "PASSED",
  failed: "FAILED",
  incomplete: "INCOMPLETE",
  blocked: "BLOCKED",
};

/**
 * Name of a status in the project's automation settings: by the mapping file, else one of PASSED,
 * FAILED, INCOMPLETE, BLOCKED; null when no job knows the status.
 */
export function automationResult({ mapping, profile }: Names, statusId: string): string | null {
  const name = profile.statuses.find((status) => status.id === statusId)?.name.trim();
  if (name === undefined) return null;
  return lookUp(mapping.automationStatuses, name) ?? RESULTS[name.toLowerCase()] ?? null;
}

/** Names of the statuses that become a result, as the mapping file's `automationStatuses` has them. */
export function statusesOfResult(names: Names, result: string): string[] {
  return names.profile.statuses
    .filter((status) => automationResult(names, status.id) === result)
    .map((status) => status.name);
}

/** Ids of all statuses that a log and its steps have. */
export function statusIdsOf(draft: NonNullable<LogPlan["draft"]>): string[] {
  return [...new Set([draft.statusId, ...(draft.steps ?? []).map((step) => step.statusId)])];
}

/**
 * Whether all logs of a run can go in bulk. A run goes one way as a whole, so that its logs keep
 * their order; one without logs cannot be made by a job.
 */
export function goesInBulk(
  context: TransformContext,
  caseKey: string,
  logs: { execution: ExecutionRecord; plan: LogPlan | null }[],
): boolean {
  const { automation } = context;
  if (automation == null || !automation.takesCase(caseKey)) return false;
  const sent = logs.filter(({ plan }) => plan !== null && plan.draft !== null);
  if (sent.length === 0) return false;
  if (automation.mode === "auto" && !sent.every(({ execution }) => execution.automated)) {
    return false;
  }
  return sent.every(({ plan }) =>
    plan?.draft != null &&
    statusIdsOf(plan.draft).every((id) => automationResult(context, id) !== null)
  );
}

/** Values that make a case findable by its automation content: its key. Empty in manual mode. */
export function automationValues(
  context: Pick<TransformContext, "automation" | "field">,
  caseKey: string,
): DraftField[] {
  if (context.automation == null || !context.automation.takesCase(caseKey)) return [];
  const content = context.field("testCase", "system:automationContent");
  const flag = context.field("testCase", "system:automation");
  const values: DraftField[] = [];
  if (flag !== null) {
    const value = yesOf(flag);
    if (value !== null) values.push({ field: flag, value });
  }
  if (content !== null) {
    const isRich = content.type === "richText";
    values.push({
      field: content,
      value: isRich ? { type: "richText", html: caseKey } : { type: "text", text: caseKey },
    });
  }
  return values;
}

function yesOf(field: TargetField): DraftField["value"] | null {
  if (field.type === "checkbox" && field.options.length === 0) {
    return { type: "boolean", value: true };
  }
  const yes = field.options.find((option) => /^(yes|true|automat\w*)$/i.test(option.label.trim()));
  return yes === undefined ? null : { type: "options", labels: [yes.label] };
}

/** What keeps bulk logs from working, before the first write. */
export function automationProblems(
  profile: Pick<TargetProfile, "fields">,
  mode: "manual" | "bulk" | "auto" | undefined,
): MappingProblem[] {
  if (mode === undefined || mode === "manual") return [];
  const find = (source: "system:automation" | "system:automationContent"): TargetField | null =>
    findSystemField(profile.fields, "testCase", source);
  const problem = (what: string): MappingProblem => ({
    kind: "automation-field",
    message: `target.logs is ${mode}, but ${what}`,
    fix: "Activate the field for test cases in the project, or set target.logs to manual",
  });
  const problems: MappingProblem[] = [];
  if (find("system:automationContent") === null) {
    problems.push(problem('test cases have no field "Automation Content"'));
  }
  const flag = find("system:automation");
  if (flag === null) problems.push(problem('test cases have no field "Automation"'));
  else if (yesOf(flag) === null) {
    problems.push(problem(`the field "${flag.label}" of test cases has no value "Yes"`));
  }
  return problems;
}

/** Cases that become automation cases, by the mode of `target.logs`. */
export interface AutomationCases {
  mode: "bulk" | "auto";
  takesCase: (caseKey: string) => boolean;
}

/**
 * Collects the cases with at least one run whose logs are all of automated executions. Takes
 * executions in the order of cases and, within a case, of cycles.
 */
export class AutomatedCases {
  readonly #keys = new Set<string>();
  #group = "";
  #caseKey: string | null = null;
  #isAutomated = false;

  add(record: ExecutionRecord, hasLog: boolean): void {
    const group = `${record.testCaseKey}\n${record.cycleId}`;
    if (group !== this.#group) this.#close();
    this.#group = group;
    if (!hasLog) return;
    this.#isAutomated = record.automated && (this.#caseKey === null || this.#isAutomated);
    this.#caseKey = record.testCaseKey;
  }

  #close(): void {
    if (this.#caseKey !== null && this.#isAutomated) this.#keys.add(this.#caseKey);
    this.#caseKey = null;
  }

  /** All of them, once every execution was added. */
  keys(): Set<string> {
    this.#close();
    return this.#keys;
  }
}
