/** Links cases to the requirements that carry their Jira keys: one request per requirement. @module */
import type { Change, TargetRow } from "../ports/mod.ts";
import { InDoubtError } from "../errors.ts";
import type { RunContext, Stage } from "../engine/stage.ts";
import { targetRow } from "../transform/stages/rows.ts";

const MAX_PER_REQUEST = 100;

export function requirementLinksStage(after: string[]): Stage {
  return { name: "load.requirementLink", phase: "load", after, run: linkAll };
}

async function linkAll(ctx: RunContext): Promise<boolean> {
  const wanted = await wantedLinks(ctx);
  for (const [jiraKey, cases] of wanted) {
    if (ctx.stopping()) return false;
    const known = await ctx.store.targetsByKey(ctx.scope.id, "requirementLink", [jiraKey]);
    if (known.get(jiraKey)?.state === "loaded") continue;
    const requirement = await ctx.target.findRequirement(jiraKey, ctx.readSignal);
    if (requirement === null) await reportUnknown(ctx, jiraKey, cases);
    else await linkOne(ctx, jiraKey, requirement.id, cases);
  }
  return true;
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

async function reportUnknown(ctx: RunContext, jiraKey: string, cases: TargetRow[]): Promise<void> {
  const after = "no requirement carries this key as External Id";
  await ctx.commit(cases.map((row) => linkLoss(row, jiraKey, "issue-key-unknown", after)));
}

/** A row of its own per case and requirement: one case may miss several. */
function linkLoss(row: TargetRow, jiraKey: string, rule: string, after: string): Change {
  const key = `${row.key} ${jiraKey}`;
  return {
    op: "losses",
    phase: "load",
    kind: "link",
    key,
    rows: [{ kind: "link", key, field: "requirement", rule, before: jiraKey, after }],
  };
}

async function linkOne(
  ctx: RunContext,
  jiraKey: string,
  requirementId: string,
  cases: TargetRow[],
): Promise<void> {
  const ids = cases.flatMap((row) => row.targetId ?? []);
  const row = targetRow({ kind: "requirementLink", key: jiraKey, ord: 0 });
  const linked = new Set<string>();
  for (let start = 0; start < ids.length; start += MAX_PER_REQUEST) {
    const chunk = ids.slice(start, start + MAX_PER_REQUEST);
    for (const id of await linkChunk(ctx, row.key, requirementId, chunk)) linked.add(id);
  }
  const missed = cases.filter((item) => !linked.has(item.targetId ?? ""));
  await ctx.commit([
    {
      op: "planTargets",
      rows: [{
        ...row,
        state: "loaded",
        targetId: requirementId,
        origin: "created",
        runId: ctx.run.id,
        detail: { testCaseIds: ids },
      }],
    },
    ...missed.map((item) =>
      linkLoss(item, jiraKey, "requirement-not-linked", "the target left the case out")
    ),
  ]);
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
