/** Links cases to the requirements that carry their Jira keys: one request per requirement. @module */
import type { Change, LossRow, TargetRow } from "../ports/mod.ts";
import { InDoubtError, RefusedError } from "../errors.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { targetRow } from "../transform/stages/rows.ts";

const MAX_PER_REQUEST = 100;

export function requirementLinksStage(after: string[]): Stage {
  return { name: "load.requirementLink", phase: "load", after, run: linkAll };
}

async function linkAll(ctx: RunContext): Promise<boolean> {
  const losses = new LinkLosses();
  const open: OpenRequirement[] = [];
  for (const [jiraKey, cases] of await wantedLinks(ctx)) {
    if (ctx.stopping()) return false;
    const known = await ctx.store.targetsByKey(ctx.scope.id, "requirementLink", [jiraKey]);
    const row = known.get(jiraKey);
    if (row?.state === "loaded") {
      losses.missed(jiraKey, Array.isArray(row.detail.missed) ? row.detail.missed : []);
      continue;
    }
    const requirement = await ctx.target.findRequirement(jiraKey, ctx.readSignal);
    if (requirement === null) losses.unknown(jiraKey, cases);
    else open.push({ jiraKey, id: requirement.id, cases });
  }
  // What a process that died, or people, linked already: a target may keep a second link as such.
  const there = await linkedAlready(ctx, open.map(({ id }) => id));
  for (const requirement of open) {
    if (ctx.stopping()) return false;
    const missed = await linkOne(ctx, requirement, new Set(there.get(requirement.id)));
    losses.missed(requirement.jiraKey, missed);
  }
  await ctx.commit(losses.changes());
  return true;
}

/** A requirement that is not linked yet, and the cases that cover it. */
interface OpenRequirement {
  jiraKey: string;
  id: string;
  cases: TargetRow[];
}

async function linkedAlready(ctx: RunContext, ids: string[]): Promise<Map<string, string[]>> {
  if (ids.length === 0) return new Map();
  try {
    return await ctx.target.linkedTestCases(ids, ctx.readSignal);
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    ctx.log({ level: "warning", event: "load.linksUnread", data: { message: error.message } });
    return new Map();
  }
}

/** Rows of all requirements of a case together: the ledger replaces them as one. */
class LinkLosses {
  readonly #rows = new Map<string, LossRow[]>();

  unknown(jiraKey: string, cases: TargetRow[]): void {
    const after = "no requirement carries this key as External Id";
    for (const { key } of cases) this.#add(key, jiraKey, "issue-key-unknown", after);
  }

  missed(jiraKey: string, caseKeys: string[]): void {
    for (const key of caseKeys) {
      this.#add(key, jiraKey, "requirement-not-linked", "the target left the case out");
    }
  }

  #add(key: string, jiraKey: string, rule: string, after: string): void {
    const row = { kind: "link", key, field: "requirement", rule, before: jiraKey, after };
    this.#rows.set(key, [...this.#rows.get(key) ?? [], row]);
  }

  changes(): Change[] {
    return Array.from(
      this.#rows,
      ([key, rows]) => ({ op: "losses", phase: "load", kind: "link", key, rows }),
    );
  }
}

/** Loaded cases by the Jira key they cover. */
async function wantedLinks(ctx: RunContext): Promise<Map<string, TargetRow[]>> {
  const wanted = new Map<string, TargetRow[]>();
  if (!ctx.settings.include.links || Object.keys(ctx.mapping.issues).length === 0) return wanted;
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      "testCase",
      { after, limit: 500, states: ["loaded"] },
    );
    for (const row of page.rows) {
      const keys = Array.isArray(row.detail.requirements) ? row.detail.requirements : [];
      for (const key of keys.map(String)) wanted.set(key, [...wanted.get(key) ?? [], row]);
    }
    after = page.cursor;
  } while (after !== null);
  return wanted;
}

/** Links the cases that are not linked yet; returns the keys of those that the target left out. */
async function linkOne(
  ctx: RunContext,
  { jiraKey, id: requirementId, cases }: OpenRequirement,
  linked: Set<string>,
): Promise<string[]> {
  const ids = cases.flatMap((row) => row.targetId ?? []);
  const row = targetRow({ kind: "requirementLink", key: jiraKey, ord: 0 });
  const open = ids.filter((id) => !linked.has(id));
  // Nothing was to be linked, and none of the cases is ours: the link is older than this run.
  const isOlder = open.length === 0 && cases.every(({ origin }) => origin !== "created");
  for (let start = 0; start < open.length; start += MAX_PER_REQUEST) {
    const chunk = open.slice(start, start + MAX_PER_REQUEST);
    for (const id of await linkChunk(ctx, row.key, requirementId, chunk)) linked.add(id);
  }
  const missed = cases.filter((item) => !linked.has(item.targetId ?? "")).map((item) => item.key);
  await ctx.commit([
    {
      op: "planTargets",
      rows: [{
        ...row,
        state: "loaded",
        targetId: requirementId,
        origin: isOlder ? "unchanged" : "created",
        runId: ctx.run.id,
        detail: { testCaseIds: ids, missed },
      }],
    },
  ]);
  return missed;
}

/** Links are a set: after a lost answer what is missing is sent again. */
async function linkChunk(
  ctx: RunContext,
  key: string,
  requirementId: string,
  ids: string[],
): Promise<string[]> {
  let open = ids;
  for (let attempt = 1;; attempt++) {
    try {
      const linked = await ctx.target.linkRequirement(requirementId, open, {
        signal: ctx.signal,
        intent: () => Promise.resolve(ctx.assertMayWrite()),
      });
      return [...ids.filter((id) => !open.includes(id)), ...linked];
    } catch (error) {
      if (!(error instanceof InDoubtError) || attempt >= 5) throw error;
      await ctx.clock.sleep(1_000 * attempt, ctx.readSignal);
      const known = await ctx.target.linkedTestCases([requirementId], ctx.readSignal);
      const there = new Set(known.get(requirementId) ?? []);
      open = ids.filter((id) => !there.has(id));
      ctx.log({ level: "warning", event: "load.linkInDoubt", data: { key, open: open.length } });
      if (open.length === 0) return ids;
    }
  }
}
