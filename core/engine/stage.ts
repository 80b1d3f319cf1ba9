/** A stage: one kind of work in one phase, run by the engine when what it stands on is done. @module */
import type {
  Change,
  Lease,
  Phase,
  Run,
  Scope,
  SourceProfile,
  TargetProfile,
} from "../ports/mod.ts";
import type { Services } from "./types.ts";
import type { Topics } from "./topics.ts";
import type { Progress } from "../ports/mod.ts";

/** Facts that stages of one process share; rebuilt from the store by every process. */
export interface RunContext extends Services {
  run: Run;
  scope: Scope;
  lease: Lease;
  sourceProfile: SourceProfile;
  targetProfile: TargetProfile;
  topics: Topics;
  /** Durable when it resolves. */
  commit: (changes: Change[]) => Promise<void>;
  /** Throws when this process may no longer write to the target. */
  assertMayWrite: () => void;
  /** Throws when the lease went stale while the intent was being committed. */
  assertStillHeld: () => void;
  /** The load may start although the month's quota is smaller than the plan. */
  spendQuota: boolean;
  /** True once no further unit may start (Ctrl-C, pause, budget, an error elsewhere). */
  stopping: () => boolean;
  /** True when no further create may start: the last seconds of a budget. */
  noMoreCreates: () => boolean;
  /** Aborts requests in flight; only for the second Ctrl-C and for fatal errors. */
  signal: AbortSignal;
  /** For reads: aborts as soon as the run is asked to stop, since a read that is dropped costs nothing. */
  readSignal: AbortSignal;
  isDone: (stage: string) => boolean;
  progress: (stage: string, update: Partial<Pick<Progress, "done" | "total" | "waiting">>) => void;
  /** Reads and writes a JSON note of this run. */
  note: <T>(name: string) => Promise<T | null>;
  noteChange: (name: string, value: unknown) => Change;
  /** Wall time now, ISO with milliseconds. */
  nowIso: () => string;
}

export interface Stage {
  /** `extract.testCase`; the part before the dot is the phase. */
  name: string;
  phase: Phase;
  /** Stages that must be done before this one starts. */
  after: string[];
  /**
   * Works until everything is done or `ctx.stopping()`. Returns true when done: the engine then
   * writes the checkpoint. Must be safe to start again after any interruption.
   */
  run: (ctx: RunContext) => Promise<boolean>;
}

/** Runs a unit of work, inside a span where there is somebody to see it. */
export function unit<T>(
  ctx: Pick<RunContext, "span" | "run">,
  name: string,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  if (ctx.span === undefined) return work();
  return ctx.span(name, { "ztoq.run": ctx.run.id, "ztoq.key": key }, work);
}

/**
 * Runs `work` over items with at most `limit` at a time; starts nothing new once `stop()` is true.
 * Items may come from a generator that reads pages: workers go on while it reads.
 */
export async function pool<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  stop: () => boolean,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items
    ? items[Symbol.asyncIterator]()
    : items[Symbol.iterator]();
  let failed = false;
  let failure: unknown;
  async function worker(): Promise<void> {
    while (!failed && !stop()) {
      try {
        const next = await iterator.next();
        if (next.done || failed || stop()) return;
        await work(next.value);
      } catch (error) {
        if (!failed) failure = error;
        failed = true;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, limit) }, worker));
  if (failed) throw failure;
}
