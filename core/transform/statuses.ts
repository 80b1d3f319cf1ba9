/** Which result an execution status stands for. @module */
import type { Mapping } from "../config/types.ts";
import type { TargetProfile } from "../ports/mod.ts";
import type { LookupRecord } from "../records/mod.ts";
import { lookUp } from "./references.ts";

const KNOWN = new Map<string, string | null>(Object.entries({
  "pass": "Passed",
  "passed": "Passed",
  "pass with warnings": "Passed",
  "conditional pass": "Passed",
  "fail": "Failed",
  "failed": "Failed",
  "blocked": "Blocked",
  "aborted": "Blocked",
  "in progress": "Incomplete",
  "wip": "Incomplete",
  "executing": "Incomplete",
  "not executed": null,
  "unexecuted": null,
  "pending": null,
  "canceled": null,
}));

/** Outcome for a status: a target status name, no log, or nothing that says. */
export type StatusRule =
  | { target: string | null; from: "mapping" | "list" | "flag" | "default" }
  | { target: undefined; from: "unknown" };

/**
 * Says what an execution status becomes: by the mapping file, else by the built-in list, else no log
 * for the status flagged default, else by the mapping file's default.
 */
export function statusRule(
  mapping: Pick<Mapping, "statuses" | "defaults">,
  name: string,
  lookup: Pick<LookupRecord, "isDefault"> | undefined,
): StatusRule {
  const mapped = lookUp(mapping.statuses.execution, name);
  if (mapped !== undefined) return { target: mapped, from: "mapping" };
  const known = KNOWN.get(name.trim().toLowerCase());
  if (known !== undefined) return { target: known, from: "list" };
  if (lookup?.isDefault === true) return { target: null, from: "flag" };
  const fallback = mapping.defaults.status;
  return fallback === undefined
    ? { target: undefined, from: "unknown" }
    : { target: fallback, from: "default" };
}

/** Names that say the same as a status of the target. */
const SAME = new Map<string, readonly string[]>(Object.entries({
  "passed": ["pass"],
  "failed": ["fail"],
  "incomplete": ["in progress"],
  "unexecuted": ["not executed"],
}));

/** Whether a status of the source says more than the target's one, which then is a loss. */
export function isStatusMerged(name: string, target: string): boolean {
  const [own, other] = [name.trim().toLowerCase(), target.trim().toLowerCase()];
  return own !== other && SAME.get(other)?.includes(own) !== true;
}

/** Finds the target's status id by name, without regard to case. */
export function statusId(profile: Pick<TargetProfile, "statuses">, name: string): string | null {
  const wanted = name.trim().toLowerCase();
  return profile.statuses.find((status) => status.name.trim().toLowerCase() === wanted)?.id ?? null;
}

/** The target's "not executed": by name, else the status it flags as default. */
export function unexecutedId(profile: Pick<TargetProfile, "statuses">): string | null {
  return statusId(profile, "Unexecuted") ??
    profile.statuses.find((status) => status.isDefault)?.id ?? null;
}

/** A guess for a status name that no rule knows, for people to confirm. */
export function guessStatus(name: string): string | null {
  const text = name.toLowerCase();
  if (/\bnot\b|\bun|\bn\/?a\b|pending|cancel|to.?do|open|planned|new|skip|park|hold/.test(text)) {
    return null;
  }
  if (/fail|error|broken|defect|\bko\b|\bnok\b/.test(text)) return "Failed";
  if (/block|abort/.test(text)) return "Blocked";
  if (/pass|success|done|\bok\b|accept/.test(text)) return "Passed";
  return "Incomplete";
}
