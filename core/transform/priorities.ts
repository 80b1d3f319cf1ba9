/** Which priority of the target a priority of the source becomes. @module */
import type { Mapping } from "../config/types.ts";
import { lookUp } from "./references.ts";

type Wanted = "highest" | "High" | "Medium" | "Low" | "lowest";
const WANTED = new Map<string, Wanted>(Object.entries(
  {
    highest: "highest",
    blocker: "highest",
    critical: "highest",
    high: "High",
    major: "High",
    normal: "Medium",
    medium: "Medium",
    low: "Low",
    minor: "Low",
    lowest: "lowest",
    trivial: "lowest",
  } as const,
));
const RANK = new Map(
  Object.entries({ critical: 5, urgent: 5, high: 4, medium: 3, low: 2, trivial: 1 }),
);

function find(allowed: readonly string[], label: string): string | null {
  const wanted = label.trim().toLowerCase();
  return allowed.find((option) => option.trim().toLowerCase() === wanted) ?? null;
}

/** The allowed label that ranks highest or lowest by name; labels without a rank are never chosen. */
function extreme(allowed: readonly string[], end: "highest" | "lowest"): string | null {
  const exact = find(allowed, end === "highest" ? "Critical" : "Trivial");
  if (exact !== null) return exact;
  let best: { label: string; rank: number } | null = null;
  for (const label of allowed) {
    const rank = RANK.get(label.trim().toLowerCase());
    if (rank === undefined) continue;
    if (best === null || (end === "highest" ? rank > best.rank : rank < best.rank)) {
      best = { label, rank };
    }
  }
  return best?.label ?? null;
}

/** Outcome for a priority; `label` is null when the target does not allow what is wanted. */
export type PriorityRule =
  | { label: string | null; wanted: string; from: "mapping" | "list" | "default" }
  | { label: null; wanted: null; from: "unknown" };

/** Says which of the allowed labels a priority becomes: mapping file, built-in list, default. */
export function priorityRule(
  mapping: Pick<Mapping, "priorities" | "defaults">,
  name: string,
  allowed: readonly string[],
): PriorityRule {
  const mapped = lookUp(mapping.priorities, name);
  if (mapped !== undefined) {
    return { label: find(allowed, mapped), wanted: mapped, from: "mapping" };
  }
  const wanted = WANTED.get(name.trim().toLowerCase());
  const label = wanted === undefined
    ? null
    : wanted === "highest" || wanted === "lowest"
    ? extreme(allowed, wanted)
    : find(allowed, wanted);
  if (wanted !== undefined && label !== null) return { label, wanted, from: "list" };
  const fallback = mapping.defaults.priority;
  if (fallback !== undefined) {
    return { label: find(allowed, fallback), wanted: fallback, from: "default" };
  }
  return wanted === undefined
    ? { label: null, wanted: null, from: "unknown" }
    : { label: null, wanted, from: "list" };
}

/** Whether a priority of the source says more than the target's label, which then is a loss. */
export function isPriorityMerged(name: string, label: string): boolean {
  const [own, other] = [name.trim().toLowerCase(), label.trim().toLowerCase()];
  const same = WANTED.get(own);
  const meant = other === "urgent" ? "highest" : WANTED.get(other);
  return own !== other && (same === undefined || same !== meant);
}

/** A guess for a priority that no rule knows, for people to confirm; null when nothing is ranked. */
export function guessPriority(name: string, allowed: readonly string[]): string | null {
  const text = name.toLowerCase();
  const number = /^p(?:rio(?:rity)?)?\s*-?(\d)$/.exec(text)?.[1];
  if (/urgent|blocker|critical/.test(text) || number === "0" || number === "1") {
    return extreme(allowed, "highest");
  }
  if (/high|major|important/.test(text) || number === "2") return find(allowed, "High");
  if (/trivial|none/.test(text)) return extreme(allowed, "lowest");
  if (/low|minor/.test(text) || number === "4" || number === "5") return find(allowed, "Low");
  return find(allowed, "Medium") ?? extreme(allowed, "lowest");
}
