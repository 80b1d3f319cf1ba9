/** Builds what the stages of one run see of it. @module */
import type { Lease, Run, Scope } from "../ports/mod.ts";
import type { Committer } from "./committer.ts";
import type { preflight } from "./doctor.ts";
import { instant } from "./lease_keeper.ts";
import { NoteCache } from "./note_cache.ts";
import type { ProgressTracker } from "./progress.ts";
import type { RunContext } from "./stage.ts";
import { noteName } from "./summary.ts";
import { Topics } from "./topics.ts";
import type { AdvanceOptions, Services } from "./types.ts";

/** No create starts in the last part of a budget: its answer would come after the end. */
const NO_CREATE_MS = 3_000;

export interface ContextParts {
  services: Services;
  scope: Scope;
  run: Run;
  options: AdvanceOptions;
  committer: Committer;
  checks: Awaited<ReturnType<typeof preflight>>;
  lease: Lease;
  tracker: ProgressTracker;
  /** Aborts at the hard end: requests in flight too. */
  signal: AbortSignal;
  /** Throws when this process may no longer hold the run. */
  assertHeld: () => void;
  /** Somebody asked for a stop, or the work has failed. */
  isEnding: () => boolean;
}

export function buildContext(parts: ContextParts): RunContext {
  const { services, scope, run, options, committer, checks, tracker, signal } = parts;
  const { clock, store } = services;
  const { budgetMs = Infinity } = options;
  const deadline = clock.monotonic() + budgetMs;
  // A budget shorter than twice that would never create anything.
  const noCreateMs = Math.min(NO_CREATE_MS, budgetMs / 2);
  const notes = new NoteCache();
  const readSignal = options.signal === undefined
    ? signal
    : AbortSignal.any([signal, options.signal]);
  return {
    ...services,
    run,
    scope,
    lease: parts.lease,
    sourceProfile: checks.source ??
      { project: { id: "", key: "", enabled: true }, generation: "A", attachments: false },
    targetProfile: checks.target ?? EMPTY_PROFILE,
    spendQuota: options.spendQuota === true,
    topics: new Topics(),
    commit: async (changes) => {
      await committer.commit(changes);
      notes.learn(changes);
    },
    assertMayWrite: () => {
      // A create that still waits for its slot is not sent any more once the run is to stop.
      if (options.signal?.aborted) throw readSignal.reason;
      parts.assertHeld();
    },
    assertStillHeld: parts.assertHeld,
    stopping: () =>
      parts.isEnding() || options.signal?.aborted === true || signal.aborted ||
      clock.monotonic() >= deadline,
    noMoreCreates: () => clock.monotonic() >= deadline - noCreateMs,
    signal,
    readSignal,
    isDone: () => false,
    progress: (stage, update) => tracker.update(stage, update),
    note: async <T>(name: string): Promise<T | null> => {
      const key = noteName(run.id, name);
      if (!notes.has(key)) notes.set(key, await store.checkpoint(run.scopeId, key));
      return notes.get(key) as T | null;
    },
    noteChange: (name, value) => ({ op: "checkpoint", name: noteName(run.id, name), value }),
    nowIso: () => instant(clock.now()),
  };
}

const EMPTY_PROFILE: RunContext["targetProfile"] = {
  version: null,
  site: null,
  project: { id: "", name: "", automation: false },
  user: { id: "", username: "" },
  fields: [],
  fieldsHidden: [],
  statuses: [],
  users: [],
  permissions: { manageFields: false, missing: [] },
  maxAttachmentBytes: 50 * 1024 * 1024,
  monthRemaining: null,
};
