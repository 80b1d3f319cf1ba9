import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkMappings } from "../../core/transform/mod.ts";
import type { MappingCheckInput } from "../../core/transform/mod.ts";
import { statusId, statusRule } from "../../core/transform/statuses.ts";
import { priorityRule } from "../../core/transform/priorities.ts";
import { LOOKUPS, mappingOf, profileOf } from "./transform_support.ts";

const STATUSES: [string, string | null][] = [
  ["Pass", "Passed"],
  ["PASSED", "Passed"],
  ["Pass with warnings", "Passed"],
  ["Conditional Pass", "Passed"],
  ["fail", "Failed"],
  ["Failed", "Failed"],
  ["Blocked", "Blocked"],
  ["Aborted", "Blocked"],
  ["In Progress", "Incomplete"],
  ["WIP", "Incomplete"],
  ["Executing", "Incomplete"],
  ["Not Executed", null],
  ["Unexecuted", null],
  ["Pending", null],
  ["Canceled", null],
];
for (const [name, target] of STATUSES) {
  Deno.test(`statusRule() turns "${name}" into ${target ?? "no log"}`, () => {
    assertEquals(statusRule(mappingOf(), name, undefined), { target, from: "list" });
  });
}

Deno.test("statusRule() asks mapping file, list, flag and default in this order", () => {
  const mapping = mappingOf({
    statuses: { execution: { "pass": "Blocked", "Parked": null } },
    defaults: { status: "Incomplete" },
  });
  assertEquals(statusRule(mapping, "Pass", undefined).target, "Blocked");
  assertEquals(statusRule(mapping, "PARKED", undefined).target, null);
  assertEquals(statusRule(mapping, "Odd", { isDefault: true }).target, null);
  assertEquals(statusRule(mapping, "Odd", undefined).target, "Incomplete");
  assertEquals(statusRule(mapping, "Fail", { isDefault: true }).target, "Failed");
  assertEquals(statusRule(mappingOf(), "Odd", undefined).target, undefined);
  assertEquals(statusRule(mappingOf(), "constructor", undefined).target, undefined);
  assertEquals(
    statusRule(mappingOf({ defaults: { status: null } }), "Odd", undefined).target,
    null,
  );
});

Deno.test("statusId() finds statuses by name whatever the case", () => {
  assertEquals(statusId(profileOf(), " passed "), "601");
  assertEquals(statusId(profileOf(), "Skipped"), null);
});

const FULL = ["Undecided", "Critical", "High", "Medium", "Low", "Trivial"];
const SHORT = ["Undecided", "Urgent", "High", "Medium", "Low"];
const PRIORITIES: [string, string[], string | null][] = [
  ["Highest", FULL, "Critical"],
  ["blocker", FULL, "Critical"],
  ["Critical", SHORT, "Urgent"],
  ["Highest", ["Medium", "Low"], "Medium"],
  ["Highest", ["Undecided"], null],
  ["High", FULL, "High"],
  ["Major", SHORT, "High"],
  ["Normal", SHORT, "Medium"],
  ["Medium", SHORT, "Medium"],
  ["Low", SHORT, "Low"],
  ["Minor", SHORT, "Low"],
  ["Lowest", FULL, "Trivial"],
  ["Trivial", SHORT, "Low"],
  ["High", ["Urgent"], null],
  ["P1", FULL, null],
];
for (const [name, allowed, label] of PRIORITIES) {
  Deno.test(`priorityRule() turns "${name}" into ${label} of ${allowed.join(", ")}`, () => {
    assertEquals(priorityRule(mappingOf(), name, allowed).label, label);
  });
}

Deno.test("priorityRule() prefers the mapping file and falls back to its default", () => {
  const mapping = mappingOf({ priorities: { "p1": "critical" }, defaults: { priority: "Low" } });
  assertEquals(priorityRule(mapping, "P1", FULL).label, "Critical");
  assertEquals(priorityRule(mapping, "P2", FULL).label, "Low");
  assertEquals(priorityRule(mapping, "P1", SHORT).label, null);
  assertEquals(priorityRule(mapping, "High", ["Low"]).label, "Low");
});

function check(part: Partial<MappingCheckInput> = {}): ReturnType<typeof checkMappings> {
  return checkMappings({
    lookups: LOOKUPS,
    executionStatuses: {},
    priorities: {},
    mapping: mappingOf(),
    profile: profileOf(),
    ...part,
  });
}

Deno.test("checkMappings() proposes what the lists decide", () => {
  const { problems, proposals } = check({
    executionStatuses: { "1": 10, "5": 2, "7": 1 },
    priorities: { "20": 3, "21": 1 },
  });
  assertEquals(problems, []);
  assertEquals(proposals, {
    statuses: { execution: { "Pass": "Passed", "Not Executed": null, "Geplant": null } },
    priorities: { "High": "High", "Highest": "Urgent" },
  });
});

Deno.test("checkMappings() refuses values without a place and never applies its guess", () => {
  const { problems, proposals, guesses } = check({
    executionStatuses: { "8": 3, "999": 1 },
    priorities: { "22": 2 },
  });
  assertEquals(problems.map((problem) => problem.kind), ["status", "status", "priority"]);
  assertStringIncludes(problems[0]?.message ?? "", '"Parked" (3 executions)');
  assertStringIncludes(problems[0]?.fix ?? "", 'statuses.execution["Parked"]');
  assertStringIncludes(problems[1]?.message ?? "", '"status 999" (1 execution)');
  assertStringIncludes(problems[2]?.fix ?? "", 'priorities["P1"]');
  assertEquals(proposals, {});
  assertEquals(guesses, {
    statuses: { execution: { "Parked": null, "status 999": "Incomplete" } },
    priorities: { "P1": "Urgent" },
  });
});

Deno.test("checkMappings() is content, when the mapping file or a default has the value", () => {
  const mapping = mappingOf({
    statuses: { execution: { Parked: null } },
    defaults: { priority: "Medium" },
  });
  const { problems } = check({ mapping, executionStatuses: { "8": 3 }, priorities: { "22": 2 } });
  assertEquals(problems, []);
});

Deno.test("checkMappings() refuses target names that the target does not have", () => {
  const mapping = mappingOf({
    statuses: { execution: { Pass: "Great" } },
    priorities: { High: "Huge" },
  });
  const { problems } = check({ mapping, executionStatuses: { "1": 1 }, priorities: { "20": 1 } });
  assertEquals(problems.length, 2);
  assert(problems.every((problem) => problem.message.includes("which the target does not")));
  const few = profileOf({ statuses: [{ id: "601", name: "Passed", isDefault: false }] });
  assertEquals(check({ profile: few, executionStatuses: { "2": 1 } }).problems.length, 1);
});

Deno.test("checkMappings() ignores values that do not occur", () => {
  assertEquals(check({ executionStatuses: { "8": 0 } }).problems, []);
});

Deno.test("checkMappings() knows the names that the mapping file gives to unread statuses", () => {
  const mapping = mappingOf({ names: { "status 999": "Pass" } });
  assertEquals(check({ mapping, executionStatuses: { "999": 1 } }).problems, []);
});
