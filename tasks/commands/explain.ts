/** `ztoq explain`: one source record from end to end. @module */
import { EXIT, type ExitCode } from "../../core/errors.ts";
import {
  type IssueRow,
  type LossRow,
  type Store,
  TARGET_KINDS,
  type TargetKind,
  type TargetRow,
} from "../../core/ports/mod.ts";
import { type ListKind, recordKey } from "../../core/records/mod.ts";
import { allRows } from "../../core/report/rows.ts";
import { findRecords, type FoundRecord, shownKey } from "../cli/lookup.ts";
import { needRun, withStore } from "../cli/reading.ts";
import type { CommandContext } from "../cli/spec.ts";
import { table } from "../cli/style.ts";
import { issueText } from "./errors.ts";
import { notFound } from "./records.ts";

/** Artefacts under whose source key a record of a kind may stand. */
const TARGETS_OF: Partial<Record<ListKind, readonly TargetKind[]>> = {
  testCase: ["testCase"],
  testCycle: ["testSuite"],
  testPlan: ["release"],
  execution: ["testLog"],
  folder: ["module", "testCycle", "planFolder"],
};

/** Prints everything known about a record. */
export async function run(context: CommandContext): Promise<ExitCode> {
  return await withStore(context, async (reading) => {
    const { scope } = await needRun(context, reading);
    const [key = ""] = context.args;
    const found = await findRecords(reading.store, scope.id, key);
    const entities = found.filter(({ kind }) => TARGETS_OF[kind] !== undefined);
    const chosen = entities.length > 0 ? entities : found;
    const stories = await Promise.all(
      chosen.map((record) => tell(reading.store, scope.id, record)),
    );
    if (stories.length === 0) {
      const rest = await tellUnread(reading.store, scope.id, key);
      if (rest === null) throw notFound(key);
      stories.push(rest);
    }
    if (context.globals.json) context.printJson(stories.length === 1 ? stories[0] : stories);
    else for (const story of stories) context.say(storyText(story));
    return EXIT.done;
  });
}

interface Story {
  kind: string;
  key: string;
  id: string;
  /** Bodies as received. */
  source: unknown;
  details: Record<string, unknown>;
  targets: TargetRow[];
  losses: LossRow[];
  issues: IssueRow[];
}

async function tell(store: Store, scopeId: number, { kind, record }: FoundRecord): Promise<Story> {
  const id = recordKey(record);
  const key = shownKey(record);
  const names = [...new Set([key, id])];
  const details: Record<string, unknown> = {};
  if (kind === "testCase") details.script = json(await store.raw(scopeId, "script", id));
  if (kind === "execution") details.steps = json(await store.raw(scopeId, "executionSteps", id));
  return {
    kind,
    key,
    id,
    source: json(await store.raw(scopeId, kind, id)),
    details,
    targets: await targetsOf(store, scopeId, TARGETS_OF[kind] ?? [], names),
    ...await ledgers(store, scopeId, names),
  };
}

/** A record that could not be read has no row of its own; its issue tells the story. */
async function tellUnread(store: Store, scopeId: number, key: string): Promise<Story | null> {
  const targets = await targetsOf(store, scopeId, TARGET_KINDS, [key]);
  const rest = await ledgers(store, scopeId, [key]);
  if (targets.length + rest.issues.length + rest.losses.length === 0) return null;
  return { kind: "unknown", key, id: key, source: null, details: {}, targets, ...rest };
}

async function targetsOf(
  store: Store,
  scopeId: number,
  kinds: readonly TargetKind[],
  keys: string[],
): Promise<TargetRow[]> {
  const maps = await Promise.all(kinds.map((kind) => store.targetsByKey(scopeId, kind, keys)));
  return maps.flatMap((map) => [...map.values()]);
}

async function ledgers(
  store: Store,
  scopeId: number,
  keys: readonly string[],
): Promise<{ losses: LossRow[]; issues: IssueRow[] }> {
  const losses: LossRow[] = [];
  const issues: IssueRow[] = [];
  for (const key of keys) {
    for await (const row of allRows((page) => store.losses(scopeId, page, { key }))) {
      losses.push(row);
    }
    for await (const row of allRows((page) => store.issues(scopeId, page, { key }))) {
      issues.push(row);
    }
  }
  return { losses, issues };
}

function json(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function storyText(story: Story): string {
  const parts = [
    `${story.kind} ${story.key}${story.id === story.key ? "" : ` (id ${story.id})`}\n`,
  ];
  parts.push(`Source:\n${JSON.stringify(story.source, null, 2)}\n`);
  for (const [name, value] of Object.entries(story.details)) {
    if (value !== null) parts.push(`Source, ${name}:\n${JSON.stringify(value, null, 2)}\n`);
  }
  parts.push(
    story.targets.length === 0 ? "Target: nothing planned yet\n" : `Target:\n${
      table(
        ["Kind", "State", "Id", "Number", "How", "Attempts", "Sent", "Last answer"],
        story.targets.map((row) => [
          row.kind,
          row.state,
          row.targetId ?? "",
          row.detail.pid ?? "",
          row.origin ?? "",
          row.attempt,
          row.sentAt ?? "",
          (row.lastError ?? "").slice(0, 100),
        ]),
      )
    }`,
  );
  if (story.losses.length > 0) {
    parts.push(`Losses:\n${
      table(
        ["Rule", "Field", "Before", "After"],
        story.losses.map((row) => [
          row.rule,
          row.field,
          (row.before ?? "").slice(0, 60),
          (row.after ?? "").slice(0, 60),
        ]),
      )
    }`);
  }
  if (story.issues.length > 0) parts.push(`Problems:\n${story.issues.map(issueText).join("")}`);
  return `${parts.join("\n")}\n`;
}
