/** Whether every status and priority that occurs has a place, before the first write. @module */
import type { Mapping } from "../config/types.ts";
import type { TargetProfile } from "../ports/mod.ts";
import type { LookupRecord } from "../records/mod.ts";
import type { MappingProblem } from "./types.ts";
import { lookupName } from "./references.ts";
import { guessPriority, priorityRule } from "./priorities.ts";
import { guessStatus, statusId, statusRule } from "./statuses.ts";
import { findSystemField } from "./fields_own.ts";

/** What {@linkcode checkMappings} looks at. */
export interface MappingCheckInput {
  /** Statuses and priorities of the project. */
  lookups: Iterable<LookupRecord>;
  /** Number of executions per status id. */
  executionStatuses: Record<string, number>;
  /** Number of cases per priority id. */
  priorities: Record<string, number>;
  mapping: Mapping;
  profile: TargetProfile;
}

export interface MappingCheck {
  problems: MappingProblem[];
  /** What the built-in lists decide for values that occur: safe to write into the mapping file. */
  proposals: Partial<Mapping>;
  /** Best guesses for values of {@linkcode problems}: for people to confirm, never to be applied unasked. */
  guesses: Partial<Mapping>;
}

/** Checks statuses of executions and priorities of cases against the mapping and the target. */
export function checkMappings(input: MappingCheckInput): MappingCheck {
  const lookups = new Map<string, LookupRecord>();
  for (const record of input.lookups) lookups.set(`${record.kind}/${record.id}`, record);
  const occurring = valuesByName(input.mapping, lookups);
  const statuses = checkStatuses(input, occurring(input.executionStatuses, "status"));
  const priorities = checkPriorities(input, occurring(input.priorities, "priority"));
  return {
    problems: [...statuses.problems, ...priorities.problems],
    proposals: {
      ...only("statuses", statuses.known, (known) => ({ execution: known })),
      ...only("priorities", priorities.known, (known) => known),
    },
    guesses: {
      ...only("statuses", statuses.guesses, (guesses) => ({ execution: guesses })),
      ...only("priorities", priorities.guesses, (guesses) => guesses),
    },
  };
}

function only<T, V>(
  key: keyof Mapping,
  values: Record<string, T>,
  shape: (values: Record<string, T>) => V,
): Partial<Mapping> {
  return Object.keys(values).length === 0 ? {} : { [key]: shape(values) };
}

interface Occurring {
  name: string;
  count: number;
  lookup: LookupRecord | undefined;
}

/** Values by the names they are mapped under, most frequent first: several ids may share a name. */
function valuesByName(
  mapping: Mapping,
  lookups: Map<string, LookupRecord>,
): (counts: Record<string, number>, kind: "status" | "priority") => Occurring[] {
  return (counts, kind) => {
    const byName = new Map<string, Occurring>();
    for (const [id, count] of Object.entries(counts)) {
      if (count <= 0) continue;
      const lookup = lookups.get(`${kind}/${id}`);
      const name = lookupName(mapping, lookup, kind, id);
      const key = name.toLowerCase();
      const known = byName.get(key);
      if (known === undefined) byName.set(key, { name, count, lookup });
      else {
        known.count += count;
        // A name counts as the flagged default only when all its ids are.
        if (lookup?.isDefault !== true) known.lookup = lookup;
      }
    }
    return [...byName.values()].sort((a, b) => b.count - a.count);
  };
}

function times(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function checkStatuses(
  { mapping, profile }: MappingCheckInput,
  values: Occurring[],
): {
  problems: MappingProblem[];
  known: Record<string, string | null>;
  guesses: Record<string, string | null>;
} {
  const problems: MappingProblem[] = [];
  const known: Record<string, string | null> = {};
  const guesses: Record<string, string | null> = {};
  const targets = profile.statuses.map((status) => status.name).join(", ");
  for (const { name, count, lookup } of values) {
    const rule = statusRule(mapping, name, lookup);
    if (rule.target === undefined) {
      const guess = guessStatus(name);
      guesses[name] = guess;
      problems.push({
        kind: "status",
        message: `Execution status "${name}" (${times(count, "execution")}) has no mapping`,
        fix: `Set statuses.execution["${name}"] to one of ${targets} or null (no log)` +
          ` in the mapping file, or defaults.status; ${JSON.stringify(guess)} looks likely`,
      });
    } else if (rule.target !== null && statusId(profile, rule.target) === null) {
      problems.push({
        kind: "status",
        message: `Execution status "${name}" (${times(count, "execution")}) maps to` +
          ` "${rule.target}", which the target does not have`,
        fix: `Set statuses.execution["${name}"] to one of ${targets} or null (no log)` +
          ` in the mapping file`,
      });
    } else if (rule.from === "list" || rule.from === "flag") known[name] = rule.target;
  }
  return { problems, known, guesses };
}

function checkPriorities(
  { mapping, profile }: MappingCheckInput,
  values: Occurring[],
): {
  problems: MappingProblem[];
  known: Record<string, string>;
  guesses: Record<string, string>;
} {
  const problems: MappingProblem[] = [];
  const known: Record<string, string> = {};
  const guesses: Record<string, string> = {};
  const field = findSystemField(profile.fields, "testCase", "system:priority");
  // Without the field there is nothing to map to; its absence is a loss of every case.
  if (field === null) return { problems, known, guesses };
  const allowed = field.options.map((option) => option.label);
  for (const { name, count } of values) {
    const rule = priorityRule(mapping, name, allowed);
    if (rule.label !== null) {
      if (rule.from === "list") known[name] = rule.label;
      continue;
    }
    const guess = guessPriority(name, allowed);
    if (guess !== null) guesses[name] = guess;
    const why = rule.wanted === null || rule.from === "list"
      ? "has no mapping"
      : `maps to "${rule.wanted}", which the target does not allow`;
    problems.push({
      kind: "priority",
      message: `Priority "${name}" (${times(count, "case")}) ${why}`,
      fix: `Set priorities["${name}"] to one of ${allowed.join(", ")} in the mapping file,` +
        ` or defaults.priority${guess === null ? "" : `; "${guess}" looks likely`}`,
    });
  }
  return { problems, known, guesses };
}
