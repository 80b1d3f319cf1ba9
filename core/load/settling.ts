/**
 * How long a write whose answer was lost may still land. Within a process this counts on the
 * monotonic clock, since the wall clock may jump; a later process knows only the wall time of the send.
 * @module
 */
import type { TargetRow } from "../ports/mod.ts";
import type { RunContext } from "../engine/stage.ts";
import { isBulk } from "./bulk_view.ts";

/** How long a job may wait before it writes, unless told otherwise. */
export const BULK_SETTLE_MS = 3_600_000;

type Times = Pick<RunContext, "clock" | "settings">;

/** Monotonic times of what this process sent. */
const sentHere = new WeakMap<TargetRow, number>();

/** Notes that the row is about to be sent; the caller commits its `sentAt`. */
export function noteSent(
  { clock, nowIso }: Pick<RunContext, "clock" | "nowIso">,
  row: TargetRow,
): void {
  row.sentAt = nowIso();
  sentHere.set(row, clock.monotonic());
}

/** Monotonic time after which absence is proof. */
export function settledAtOf({ clock, settings }: Times, row: TargetRow): number {
  const { target } = settings;
  // A job may wait for long before it writes, whichever way logs are to go from now on.
  const landMs = isBulk(row) ? target.bulkSettleMs ?? BULK_SETTLE_MS : target.settleMs;
  const settleMs = target.timeoutMs + landMs;
  const sentMs = sentHere.get(row);
  if (sentMs !== undefined) return sentMs + settleMs;
  // A wall clock that jumped back must not stretch the wait: it counts from now at the latest.
  const ageMs = Math.max(
    0,
    clock.now() - (row.sentAt === null ? Infinity : Date.parse(row.sentAt)),
  );
  return clock.monotonic() - ageMs + settleMs;
}

/** Sleeps until absence is proof. */
export async function untilSettled(ctx: RunContext, row: TargetRow): Promise<void> {
  const waitMs = settledAtOf(ctx, row) - ctx.clock.monotonic();
  if (waitMs > 0) await ctx.clock.sleep(waitMs, ctx.readSignal);
}
