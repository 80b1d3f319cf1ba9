/** Checks after the comparison: counts balance, and differences by what they are about. @module */
import type { RunContext, Stage } from "../engine/stage.ts";
import { recordCounts } from "../engine/counts.ts";
import { DRAFT_KINDS } from "../load/adopt.ts";
import type { ValidationSummary } from "../report/model.ts";
import type { RuleFinding } from "./findings.ts";
import { ruleChanges } from "./findings.ts";
import { tallyNote } from "./tally.ts";

export function rulesStage(after: string[]): Stage {
  return { name: "validate.rules", phase: "validate", after, run: checkRules };
}

/** Loss rules that stand behind a check of the load. */
const LOSSES_OF_RULES: [string, string[]][] = [
  ["attachment_size_limit", ["attachment-too-large"]],
  ["custom_field_type", ["field-type-clash"]],
  ["custom_field_transformation", ["value-unfit", "option-missing"]],
  ["test_status_mapping", ["status-unmapped"]],
  ["testcase_folder_reference", ["missing-parent"]],
];

async function checkRules(ctx: RunContext): Promise<boolean> {
  const losses = await ctx.store.countLosses(ctx.scope.id);
  const findings = LOSSES_OF_RULES.map(([rule, names]): RuleFinding => {
    const count = names.reduce((sum, name) => sum + (losses[name] ?? 0), 0);
    return { rule, count, message: `${count} values, see the losses ${names.join(", ")}` };
  });
  findings.push(...await countFindings(ctx), ...await differenceFindings(ctx));
  await ctx.commit(ruleChanges(ctx, "validate", findings));
  return true;
}

/** Every record that was extracted ends somewhere; what is missing weighs by its share. */
async function countFindings(ctx: RunContext): Promise<RuleFinding[]> {
  const counts = await recordCounts(ctx, await ctx.store.countTargets(ctx.scope.id));
  return Object.entries(counts).map(([kind, row]) => {
    const ended = row.created + row.updated + row.unchanged + row.withoutTarget + row.setAside;
    const off = Math.abs(row.extracted - ended);
    const share = off / Math.max(1, row.extracted);
    const level = share > 0.2 ? "error" : share > 0.05 ? "warning" : "info";
    return {
      rule: "entity_count_comparison",
      count: off,
      level,
      message: `${kind}: ${row.extracted} extracted, ${ended} accounted for`,
    };
  });
}

async function differenceFindings(ctx: RunContext): Promise<RuleFinding[]> {
  const sum = { missing: 0, extra: 0 };
  const byKind: Record<string, ValidationSummary> = {};
  for (const kind of [...DRAFT_KINDS, "attachment"]) {
    const tally = await ctx.note<ValidationSummary>(tallyNote(kind));
    if (tally === null) continue;
    byKind[kind] = tally;
    sum.missing += tally.missing;
    sum.extra += tally.extra + tally.duplicate;
  }
  const different = (...kinds: string[]): number =>
    kinds.reduce((total, kind) => total + (byKind[kind]?.different ?? 0), 0);
  const finding = (rule: string, count: number): RuleFinding => ({
    rule,
    count,
    message: `${count} artefacts, see the differences of the report`,
  });
  return [
    finding("testcase_data_integrity", different("testCase")),
    finding("testcycle_data_integrity", different("testSuite", "testCycle")),
    finding("relationship_integrity_validation", different("testRun", "module", "release")),
    finding("attachment_migration_validation", different("attachment")),
    finding("missing_entities", sum.missing),
    finding("extra_entities", sum.extra),
  ];
}
