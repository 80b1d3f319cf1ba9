/**
 * A run's artefacts are compared with what the run sent, so drafts are built with the settings and
 * the mapping that it used, not with what people changed since.
 * @module
 */
import type { Mapping, Settings } from "../config/types.ts";
import type { RunContext } from "../engine/stage.ts";
import type { TargetKind, TargetRow } from "../ports/mod.ts";

/** Note of a run: the mapping it works with. */
export const MAPPING_NOTE = "mapping";

/** The same context with the settings and the mapping of the run. */
export async function withBasis(ctx: RunContext): Promise<RunContext> {
  const mapping = await ctx.note<Mapping>(MAPPING_NOTE) ?? ctx.mapping;
  return { ...ctx, mapping, settings: settingsOf(ctx) };
}

/** Only what shapes drafts is taken from the run; addresses, rates and times are today's. */
function settingsOf({ run, settings }: RunContext): Settings {
  const stored = run.config as Partial<Settings> | null;
  const { marker, approve } = stored?.target ?? settings.target;
  return {
    ...settings,
    include: { ...settings.include, ...stored?.include },
    target: { ...settings.target, marker, approve },
  };
}

/** Rows of the target map of one kind, page by page. */
export async function* targetPages(
  ctx: Pick<RunContext, "store" | "scope">,
  kind: TargetKind,
  limit = 500,
): AsyncGenerator<TargetRow[]> {
  let after: string | null = null;
  do {
    const page: { rows: TargetRow[]; cursor: string | null } = await ctx.store.targets(
      ctx.scope.id,
      kind,
      { after, limit },
    );
    if (page.rows.length > 0) yield page.rows;
    after = page.cursor;
  } while (after !== null);
}

/** Name of a row in sets. */
export function rowName(row: { kind: TargetKind; key: string }): string {
  return `${row.kind}/${row.key}`;
}

/** An artefact in the words of people. */
export function shown(row: TargetRow): string {
  return `${row.kind} ${row.detail.pid ?? row.targetId ?? row.key}`;
}
