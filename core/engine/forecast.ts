/**
 * What would keep the load from starting, told by the pre-flight before anything is read. Where the
 * lists were extracted earlier it knows what occurs; before that it goes by the mapping file alone.
 * @module
 */
import type { TargetProfile } from "../ports/mod.ts";
import type { LookupRecord } from "../records/mod.ts";
import { type Census, CENSUS_NOTE, eachRecord } from "../extract/census.ts";
import { checkMappings, type FieldPlanInput, planFields } from "../transform/mod.ts";
import { findSystemField } from "../transform/fields_own.ts";
import { userFinder } from "../transform/references.ts";
import { statusId } from "../transform/statuses.ts";
import type { MappingProblem } from "../transform/types.ts";
import { finding } from "./finding.ts";
import { noteName } from "./summary.ts";
import type { Finding, Services } from "./types.ts";

/** What earlier runs read of the project; `scopeId` null = nothing. */
interface Known {
  scopeId: number | null;
  census: Census | null;
}

/** Findings on required fields, ztoq's own fields, statuses, priorities and users. */
export async function forecast(services: Services, profile: TargetProfile): Promise<Finding[]> {
  const known = await whatIsKnown(services);
  const fields = await fieldFindings(services, profile, known);
  const values = known.census === null || known.scopeId === null
    ? []
    : await valueProblems(services, profile, known.scopeId, known.census);
  const findings = [
    ...fields,
    ...(values.length > 0 ? values : namedValues(services, profile)),
    ...userFindings(services, profile),
  ];
  if (findings.some(({ level }) => level === "error")) return findings;
  return [
    ...findings,
    finding(
      "mapping",
      "ok",
      "Required fields, statuses and priorities that are known have a place",
    ),
  ];
}

async function whatIsKnown({ store, settings }: Services): Promise<Known> {
  const { source, target } = settings;
  const scope = (await store.scopes()).find((candidate) =>
    candidate.sourceUrl === source.baseUrl && candidate.sourceProject === source.projectKey &&
    candidate.targetUrl === target.baseUrl && candidate.targetProject === target.projectId
  );
  if (scope === undefined) return { scopeId: null, census: null };
  const [run] = await store.runs(scope.id);
  const census = run === undefined
    ? null
    : await store.checkpoint(scope.id, noteName(run.id, CENSUS_NOTE)) as Census | null;
  return { scopeId: scope.id, census };
}

async function fieldFindings(
  { settings, mapping, store }: Services,
  profile: TargetProfile,
  { scopeId, census }: Known,
): Promise<Finding[]> {
  const isRead = scopeId !== null && census !== null;
  const input: FieldPlanInput = {
    profile,
    mapping,
    include: settings.include,
    marker: settings.target.marker,
    stats: {
      testCase: isRead ? await store.customFieldStats(scopeId, "testCase") : [],
      testCycle: isRead ? await store.customFieldStats(scopeId, "testCycle") : [],
      testPlan: isRead ? await store.customFieldStats(scopeId, "testPlan") : [],
    },
    accounts: new Set(census?.accounts ?? []),
    // Before the lists are read only the key fields are certain to be needed.
    occurring: usedLabels(census),
    ...(isRead ? { counts: await store.countRecords(scopeId) } : {}),
  };
  const { problems: all, warnings } = planFields(input);
  // Fields that may not be read are a finding of their own already.
  const problems = all.filter(({ message }) => !message.includes(" cannot be read: "));
  const unless = isRead ? "" : ", unless every record brings a field of that name";
  return [
    ...problems.map((problem) => toFinding("target", "error", problem, settings.mapping, unless)),
    ...warnings.map((problem) => toFinding("target", "warning", problem, settings.mapping, "")),
  ];
}

function usedLabels(census: Census | null): NonNullable<FieldPlanInput["occurring"]> {
  const labels = (object: keyof Census["ownFields"]): Set<string> =>
    new Set(census?.ownFields[object] ?? ["Zephyr Key"]);
  return {
    testCase: labels("testCase"),
    testSuite: labels("testSuite"),
    testRun: labels("testRun"),
    release: labels("release"),
  };
}

function toFinding(
  group: Finding["group"],
  level: Finding["level"],
  { kind, message, fix }: MappingProblem,
  path: string,
  unless: string,
): Finding {
  const words = kind === "required-field" ? `${message}${unless}` : message;
  return finding(group, level, words, fix.replace("the mapping file", path));
}

async function valueProblems(
  services: Services,
  profile: TargetProfile,
  scopeId: number,
  census: Census,
): Promise<Finding[]> {
  const { store, mapping, settings } = services;
  const lookups: LookupRecord[] = [];
  const scope = { store, scope: { id: scopeId } } as Parameters<typeof eachRecord>[0];
  await eachRecord(scope, "status", (record) => lookups.push(record));
  await eachRecord(scope, "priority", (record) => lookups.push(record));
  const { problems } = checkMappings({
    lookups,
    executionStatuses: census.executionStatuses,
    priorities: census.priorities,
    mapping,
    profile,
  });
  return problems.map((problem) => toFinding("mapping", "error", problem, settings.mapping, ""));
}

/** Names in the mapping file that the target does not have. */
function namedValues({ mapping, settings }: Services, profile: TargetProfile): Finding[] {
  const findings: Finding[] = [];
  const wrong = (key: string, value: string, allowed: string[]): void => {
    findings.push(finding(
      "mapping",
      "error",
      `${key} is "${value}" in ${settings.mapping}, which the target does not have`,
      `Use one of ${allowed.join(", ")}.`,
    ));
  };
  const statuses = profile.statuses.map((status) => status.name);
  const given = {
    ...prefixed("statuses.execution", mapping.statuses.execution),
    "defaults.status": mapping.defaults.status,
  };
  for (const [key, value] of Object.entries(given)) {
    if (typeof value !== "string" || statusId(profile, value) !== null) continue;
    wrong(key, value, statuses);
  }
  const field = findSystemField(profile.fields, "testCase", "system:priority");
  if (field === null) return findings;
  const allowed = field.options.map((option) => option.label);
  const priorities = {
    ...prefixed("priorities", mapping.priorities),
    "defaults.priority": mapping.defaults.priority,
  };
  for (const [key, value] of Object.entries(priorities)) {
    if (value === undefined) continue;
    const isAllowed = allowed.some((label) =>
      label.trim().toLowerCase() === value.trim().toLowerCase()
    );
    if (!isAllowed) wrong(key, value, allowed);
  }
  return findings;
}

function prefixed<T>(prefix: string, values: Record<string, T>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`${prefix}["${name}"]`, value]),
  );
}

function userFindings({ mapping, settings }: Services, profile: TargetProfile): Finding[] {
  const find = userFinder(mapping, profile);
  const unknown = Object.keys(mapping.users).filter((account) => find(account) === null);
  if (unknown.length === 0) return [];
  const names = unknown.slice(0, 5).map((account) => `"${mapping.users[account]}"`).join(", ");
  return [finding(
    "mapping",
    "warning",
    `${settings.mapping} names users that the target does not show: ${names}`,
    "Their records keep the name as text. Check the spelling, or add them to the project.",
  )];
}
