/** Sets a record aside during the load: it and its reason are kept, the run goes on. @module */
import type { TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";

export async function setAsideRow(
  ctx: RunContext,
  row: TargetRow,
  reason: string,
  message: string,
  payload: string | null,
): Promise<void> {
  await ctx.commit([
    {
      op: "targets",
      rows: [{ kind: row.kind, key: row.key, state: "setAside", lastError: message }],
    },
    {
      op: "issue",
      runId: ctx.run.id,
      row: {
        phase: "load",
        kind: row.recordKind ?? row.kind,
        key: row.key,
        level: "error",
        reason,
        message,
        payload: payload === null ? null : payload.slice(0, 64_000),
        setAside: true,
        attempts: row.attempt,
        at: ctx.nowIso(),
      },
    },
  ]);
}
