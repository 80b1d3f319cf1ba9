/**
 * Checks at the phase edges. Each rule yields at most one finding per phase: how many records it is
 * about, and a few of them. `validation.rules` turns a rule off or changes its level; a finding of
 * level `critical` stops the run at that edge.
 * @module
 */
import type { Change, IssueLevel, Phase } from "../ports/mod.ts";
import type { Settings } from "../config/types.ts";
import { EXIT, StopError } from "../errors.ts";
import type { RunContext } from "../engine/stage.ts";

/** Levels where `validation.rules` says nothing. */
const DEFAULT_LEVELS: Readonly<Record<string, IssueLevel>> = {
  test_case_required_fields: "warning",
  test_case_name_length: "warning",
  test_case_key_pattern: "warning",
  test_case_steps_validation: "error",
  test_cycle_required_fields: "warning",
  test_execution_required_fields: "error",
  test_status_mapping: "warning",
  attachment_size_limit: "warning",
  custom_field_type: "warning",
  custom_field_transformation: "warning",
  testcase_folder_reference: "warning",
  execution_testcase_reference: "info",
  execution_cycle_reference: "warning",
  testcase_data_integrity: "error",
  testcycle_data_integrity: "error",
  relationship_integrity_validation: "error",
  custom_field_migration_validation: "error",
  attachment_migration_validation: "error",
  missing_entities: "error",
  extra_entities: "warning",
};

export interface RuleFinding {
  rule: string;
  count: number;
  message: string;
  /** Wins over the default level (counts that differ by more weigh more). */
  level?: IssueLevel;
}

/** Issues for findings; throws when one of them is critical. */
export function ruleChanges(
  ctx: Pick<RunContext, "run" | "settings" | "nowIso">,
  phase: Phase,
  findings: RuleFinding[],
): Change[] {
  const changes: Change[] = [];
  for (const { rule, count, message, level: own } of findings) {
    const setting: Settings["validation"]["rules"][string] = ctx.settings.validation.rules[rule] ??
      {};
    if (count === 0 || setting.enabled === false) continue;
    const level = setting.level ?? own ?? DEFAULT_LEVELS[rule] ?? "warning";
    if (level === "critical") {
      throw new StopError(EXIT.failed, `Stopped after ${phase} by the rule ${rule}: ${message}`, {
        hint: `Put it right, or change validation.rules.${rule} in the configuration.`,
      });
    }
    changes.push({
      op: "issue",
      runId: ctx.run.id,
      row: {
        phase,
        kind: rule,
        key: rule,
        level,
        reason: rule,
        message,
        payload: null,
        setAside: false,
        attempts: 1,
        at: ctx.nowIso(),
      },
    });
  }
  return changes;
}
