/** What a reviewer sees at a glance in the target, whatever the source holds. @module */
import type { Scope } from "./scope.ts";
import { escape } from "./text.ts";

const FORBIDDEN: [RegExp, string][] = [
  [/\[object \w+\]/, "an object as text"],
  [/\b(?:undefined|NaN)\b/, "a missing value as text"],
  [/(?:: |^|>)null(?:$|<)/, "null as text"],
  [/&amp;(?:amp|lt|gt|quot|nbsp|#\d+);/, "escaped twice"],
  [/&lt;\/?(?:p|br|strong|div|span|ul|li)\b/, "markup shown as text"],
  [/\d{2}:\d{2}:\d{2}\.\d+/, "a fraction of a second"],
];

/** Looks through every text of the target. */
export function checkLooks(scope: Scope, dump: Record<string, unknown[]>): void {
  const { environments, statuses } = scope.dataset;
  // Plain names that hold an entity by themselves: escaping them once looks like twice.
  const odd = [...environments, ...statuses].map((row) => row.name)
    .filter((name) => name.includes("&")).map(escape);
  for (const [kind, rows] of Object.entries(dump)) {
    for (const row of rows) walk(scope, kind, row, odd);
  }
  scope.findings.same("parameters", [...scope.state.parameters.keys()], []);
}

function walk(scope: Scope, path: string, value: unknown, odd: string[]): void {
  if (typeof value === "string") {
    const text = odd.reduce((rest, name) => rest.replaceAll(name, ""), value);
    // Names and text boxes take plain values as they are.
    if (!/\.properties\.|name$/.test(path) && value.includes("[~")) {
      scope.findings.fail(path, `would create a parameter: ${value.slice(0, 300)}`);
    }
    for (const [pattern, what] of FORBIDDEN) {
      const at = pattern.exec(text);
      if (at !== null) {
        const around = text.slice(Math.max(0, at.index - 60), at.index + 60);
        scope.findings.fail(path, `${what}: …${around}…`);
      }
    }
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) walk(scope, `${path}.${key}`, item, odd);
}
