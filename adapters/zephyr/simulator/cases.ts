/** Test cases with all their oddities. @module */
import type { Random } from "../../simulator_kit/mod.ts";
import { hashNumbers } from "../../simulator_kit/mod.ts";
import { type Context, FIRST_ID, LAST_CHANGE_MS } from "./context.ts";
import { customFields } from "./custom_fields.ts";
import type { Lookups } from "./lookups.ts";
import { iso, owner, sometimes } from "./people.ts";
import { hugeHtml, NAME_TRAPS, richText, words } from "./texts.ts";
import type { SimCase, SimFolder, SimIssueLink, SimLinkType, SimWebLink } from "./types.ts";

/** Position of an archived case in every fifty. */
const ARCHIVED_AT = 9;
const LABELS = ["Smoke", "Regression", "Performance", "Automated", "UI", "safety-critical", "été"];
const RELATIONS: SimLinkType[] = ["COVERAGE", "BLOCKS", "RELATED"];

/** Id of the n-th case: ascending, with gaps. */
export function caseId(seed: number, index: number): number {
  return FIRST_ID + index * 3 + (hashNumbers(seed, 11, index) % 3);
}

/** Listed cases up to the wanted number, archived ones among them, and some of another project. */
export function makeCases(context: Context, folders: SimFolder[], lookups: Lookups): SimCase[] {
  const usable = folders.filter((folder) =>
    folder.folderType === "TEST_CASE" && folder.name !== "Empty folder"
  );
  const cases: SimCase[] = [];
  let listed = 0;
  for (let index = 0; listed < context.options.cases; index++) {
    const archived = index % 50 === ARCHIVED_AT;
    cases.push(makeCase(context, index, archived, usable, lookups));
    if (!archived) listed++;
  }
  if (!cases.some((row) => row.archived)) {
    cases.push(makeCase(context, cases.length, true, usable, lookups));
  }
  for (let n = 1; n <= 3; n++) cases.push(makeForeign(context, cases.length, n, lookups));
  return cases;
}

function makeCase(
  context: Context,
  index: number,
  archived: boolean,
  folders: SimFolder[],
  lookups: Lookups,
): SimCase {
  const random = context.random("case", index);
  const { projectId, lean } = context;
  const id = caseId(context.options.seed, index);
  const traps = lean ? 0.02 : 0.35;
  const createdMs = LAST_CHANGE_MS - random.int(1, 90_000_000) * 1000;
  return {
    id,
    projectId,
    key: `${context.options.projectKey}-T${index + 1}`,
    versionIds: versionIds(random, id, index),
    name: caseName(random, index, lean),
    folderId: caseFolder(random, index, folders),
    statusId: pickStatus(random, lookups, projectId),
    priorityId: pickPriority(random, lookups, projectId),
    owner: owner(random),
    componentId: sometimes(random, 12_020 + random.int(1, 9), 0.4),
    createdOn: iso(createdMs),
    objective: index === 13 && !lean
      ? hugeHtml(random)
      : sometimes(random, richText(random, traps), 0.15),
    precondition: sometimes(random, richText(random, traps), 0.5),
    estimatedTime: sometimes(random, random.int(1, 240) * 30_000, 0.4),
    labels: caseLabels(random, index),
    scriptKind: scriptKind(random, index),
    customFields: customFields(random, "testCase"),
    issues: issueLinks(context, random, lean ? 0 : 0.25),
    webLinks: webLinks(context, random, lean ? 0 : 0.15),
    archived,
    updatedAt: createdMs,
  };
}

/** Row ids of superseded versions come from a range of their own and never equal a case's id. */
function versionIds(random: Random, id: number, index: number): number[] {
  const older = random.chance(0.25) || index < 2 ? random.int(1, 3) : 0;
  const ids = Array.from({ length: older }, (_, n) => FIRST_ID + 400_000_000 + index * 4 + n);
  return [...ids, id];
}

function caseName(random: Random, index: number, lean: boolean): string {
  const trap = lean ? undefined : NAME_TRAPS[index % 40];
  return trap ?? `${words(random, random.int(3, 8))} ${index + 1}`;
}

function caseFolder(random: Random, index: number, folders: SimFolder[]): number | null {
  if (index % 17 === 6) return null;
  // A folder that no list names.
  if (index === 18) return FIRST_ID + 1_000_004;
  return folders.length === 0 ? null : random.pick(folders).id;
}

function caseLabels(random: Random, index: number): string[] {
  if (index === 16) return Array.from({ length: 50 }, (_, n) => `label-${n}`);
  return random.chance(0.5) ? random.pickMany(LABELS) : [];
}

function scriptKind(random: Random, index: number): SimCase["scriptKind"] {
  if (index < 5) return "steps";
  if (index === 5) return "plain";
  if (index === 6) return "bdd";
  if (index < 24) return "steps";
  return (["steps", "plain", "bdd"] as const)[random.weighted([82, 10, 8])] ?? "steps";
}

function pickStatus(random: Random, lookups: Lookups, projectId: number): number {
  const own = lookups.statuses.filter((row) =>
    row.projectId === projectId && row.type === "TEST_CASE"
  );
  return (own[random.weighted([3, 6, 1, 1, 0.3])] ?? own[0])?.id ?? FIRST_ID;
}

function pickPriority(random: Random, lookups: Lookups, projectId: number): number {
  return random.pick(lookups.priorities.filter((row) => row.projectId === projectId)).id;
}

function makeForeign(context: Context, index: number, n: number, lookups: Lookups): SimCase {
  const row = makeCase(context, index, false, [], lookups);
  const random = context.random("foreign", n);
  return {
    ...row,
    projectId: context.foreign.id,
    key: `${context.foreign.key}-T${n}`,
    scriptKind: "steps",
    statusId: pickStatus(random, lookups, context.foreign.id),
    priorityId: pickPriority(random, lookups, context.foreign.id),
  };
}

/** Issue links of a case, cycle or plan. */
export function issueLinks(context: Context, random: Random, share: number): SimIssueLink[] {
  if (!random.chance(share)) return [];
  return Array.from({ length: random.int(1, 3) }, () => ({
    id: context.linkId(),
    issueId: 305_000 + random.int(1, 500),
    type: random.pick(RELATIONS),
  }));
}

/** Web links; one in four is no URL at all. */
export function webLinks(context: Context, random: Random, share: number): SimWebLink[] {
  if (!random.chance(share)) return [];
  return Array.from({ length: random.int(1, 2) }, () => ({
    id: context.linkId(),
    url: random.chance(0.25)
      ? "see wiki page 12"
      : `https://wiki.example.org/x?p=${random.int(1, 99)}&q=a%20b`,
    description: sometimes(random, words(random, 3), 0.4),
    type: random.pick(RELATIONS),
  }));
}
