/**
 * Events of runs for any number of listeners. One reader of the event table serves all of them, and
 * each event is encoded once: a listener more costs a queue entry, not a query.
 * @module
 */
import { outlook } from "../core/engine/status.ts";
import { OVER, WORKING } from "../core/engine/steer.ts";
import type { EventRow, Progress, Run, Store } from "../core/ports/mod.ts";
import { Problem } from "./problem.ts";
import type { ControlPlaneServices } from "./services.ts";

const HEARTBEAT_MS = 15_000;
const POLL_MS = 500;
/** Progress is the bulk of the bytes; nobody reads faster. */
const PROGRESS_MS = 1_000;
/** Progress of a run in another process costs aggregate queries. */
const FOREIGN_MS = 2_000;
const PAGE_ROWS = 500;
const MAX_LISTENERS = 1_000;
/** Pieces that may wait for a slow listener before it is let go; it resumes by its last id. */
const MAX_WAITING = 256;
/** A listener that reads nothing for so long, while there is more for it, is let go. */
const STALLED_MS = 60_000;
const WARNING_MS = 1_000;
const MAX_WARNED = 1_000;

interface Frame {
  /** Null for what is not kept: progress, heartbeats. */
  id: number | null;
  bytes: Uint8Array;
}

interface Listener {
  /** Newest id sent or asked for. */
  lastId: number;
  /** The past is still being read; what comes meanwhile is read with it. */
  isCatchingUp: boolean;
  /** Called when there is room for more. */
  onRoom: () => void;
  controller: ReadableStreamDefaultController<Uint8Array>;
}

interface Channel {
  runId: string;
  lastId: number;
  listeners: Set<Listener>;
  /** When progress may be sent again, monotonic ms. */
  progressAt: number;
  /** Records finished when that was last looked at, for a run in another process. */
  seen: { at: number; done: number } | null;
}

/** What the feed asks about runs. */
export interface RunWatch {
  /** This process still works on the run, whatever its state says. */
  isBusy(runId: string): boolean;
  /** Records that are finished. */
  finished(store: Store, run: Run): Promise<number>;
}

const encoder = new TextEncoder();
const HEARTBEAT: Frame = { id: null, bytes: encoder.encode(": heartbeat\n\n") };

export class EventFeed {
  readonly #services: ControlPlaneServices;
  readonly #runs: RunWatch;
  readonly #channels = new Map<string, Channel>();
  readonly #progress = new Map<string, Map<string, Progress>>();
  /** Stages whose progress moved since it was last sent, by run. */
  readonly #moved = new Map<string, Set<string>>();
  readonly #warned = new Map<string, number>();
  readonly #stop = new AbortController();
  #loop: Promise<void> | null = null;
  #listenerCount = 0;

  constructor(services: ControlPlaneServices, runs: RunWatch) {
    this.#services = services;
    this.#runs = runs;
  }

  get listeners(): number {
    return this.#listenerCount;
  }

  /** Takes live progress of a run in this process. */
  progress(runId: string, progress: Progress): void {
    const stages = this.#progress.get(runId) ?? new Map<string, Progress>();
    stages.set(progress.stage, progress);
    this.#progress.set(runId, stages);
    const moved = this.#moved.get(runId) ?? new Set<string>();
    this.#moved.set(runId, moved.add(progress.stage));
  }

  /** Keeps a warning of the engine among the events of its run; one of a kind per second. */
  warn(runId: string, event: string, data: Record<string, unknown>): void {
    const { clock, log, redact, store } = this.#services;
    const key = `${runId} ${event}`;
    if (clock.monotonic() - (this.#warned.get(key) ?? -Infinity) < WARNING_MS) return;
    if (this.#warned.size > MAX_WARNED) this.#warned.clear();
    this.#warned.set(key, clock.monotonic());
    // What is kept holds no secret either.
    const safe = JSON.parse(redact(JSON.stringify(data))) as Record<string, unknown>;
    const row = { runId, type: "warning", at: this.#now(), data: { ...safe, event } };
    store().then((open) => open.appendEvent?.(row)).catch((error) => {
      const message = error instanceof Error ? error.message : String(error);
      log({ level: "debug", event: "events.notKept", data: { message } });
    });
  }

  /** The newest state of every stage, in order of their start. */
  stagesOf(runId: string): Progress[] {
    return [...this.#progress.get(runId)?.values() ?? []];
  }

  forget(runId: string): void {
    this.#progress.delete(runId);
    this.#moved.delete(runId);
  }

  /** Streams the events after `afterId`, then what comes, until the run is over. */
  open(run: Run, afterId: number): ReadableStream<Uint8Array> {
    if (this.#listenerCount >= (this.#services.maxListeners ?? MAX_LISTENERS)) {
      throw new Problem(503, "Too many listeners", { headers: { "retry-after": "30" } });
    }
    let listener: Listener | null = null;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        listener = { lastId: afterId, isCatchingUp: true, onRoom: () => undefined, controller };
        this.#add(run.id, listener);
        this.#replay(run.id, listener).catch((error) => this.#drop(run.id, listener, error));
      },
      pull: () => listener?.onRoom(),
      cancel: () => this.#drop(run.id, listener),
    }, { highWaterMark: MAX_WAITING });
  }

  /** Ends all streams; they can be resumed elsewhere. */
  async close(): Promise<void> {
    this.#stop.abort();
    for (const { runId, listeners } of this.#channels.values()) {
      for (const listener of [...listeners]) this.#end(runId, listener);
    }
    await this.#loop;
  }

  #add(runId: string, listener: Listener): void {
    const channel = this.#channels.get(runId) ??
      { runId, lastId: Infinity, listeners: new Set<Listener>(), progressAt: 0, seen: null };
    channel.listeners.add(listener);
    this.#channels.set(runId, channel);
    this.#listenerCount++;
    this.#loop ??= this.#run().finally(() => this.#loop = null);
  }

  /** Sends the past as fast as the listener takes it, and joins the channel. */
  async #replay(runId: string, listener: Listener): Promise<void> {
    const store = await this.#services.store();
    this.#send(runId, listener, { id: null, bytes: encoder.encode("retry: 3000\n\n") }, true);
    // The last one seen is read too: an id that was never given (another database, a restored one)
    // would hide all that comes.
    let after = Math.max(0, listener.lastId - 1);
    for (;;) {
      const rows = await store.events(runId, after, PAGE_ROWS);
      if (rows.length === 0 && after < listener.lastId) after = listener.lastId = 0;
      else {
        for (const row of rows) {
          if (!await this.#hasRoom(listener)) return this.#end(runId, listener);
          this.#send(runId, listener, this.#frameOf(row), true);
        }
        if (rows.length < PAGE_ROWS) break;
        after = listener.lastId;
      }
    }
    const channel = this.#channels.get(runId);
    if (channel === undefined || !channel.listeners.has(listener)) return;
    // The channel goes on from its slowest newcomer; the others skip what they have.
    channel.lastId = Math.min(channel.lastId, listener.lastId);
    listener.isCatchingUp = false;
    this.#send(runId, listener, this.#progressFrame(runId));
    const run = await store.run(runId);
    if (run !== null && this.#isOver(run)) await this.#finish(store, channel, run, listener);
  }

  /** Waits for a listener that reads slowly; false when it does not read at all. */
  async #hasRoom(listener: Listener): Promise<boolean> {
    if ((listener.controller.desiredSize ?? 0) > 0) return true;
    const stop = AbortSignal.any([this.#stop.signal, onceRoom(listener)]);
    await this.#services.clock.sleep(STALLED_MS, stop).catch(() => undefined);
    return (listener.controller.desiredSize ?? 0) > 0;
  }

  /** Reads new rows for all channels until nobody listens. */
  async #run(): Promise<void> {
    const { clock, pollMs = POLL_MS, log } = this.#services;
    let beatAt = clock.monotonic() + HEARTBEAT_MS;
    while (this.#listenerCount > 0 && !this.#stop.signal.aborted) {
      await clock.sleep(pollMs, this.#stop.signal).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      const isBeat = clock.monotonic() >= beatAt;
      if (isBeat) beatAt = clock.monotonic() + HEARTBEAT_MS;
      for (const channel of [...this.#channels.values()]) {
        try {
          await this.#poll(channel);
          if (isBeat) this.#broadcast(channel, [HEARTBEAT]);
        } catch (error) {
          // The listeners stay: a store that is away for a moment loses them nothing.
          const message = error instanceof Error ? error.message : String(error);
          log({ level: "warning", event: "events.unreadable", data: { message } });
        }
      }
    }
  }

  async #poll(channel: Channel): Promise<void> {
    if (channel.lastId === Infinity) return; // everybody is still reading the past
    const { runId } = channel;
    const store = await this.#services.store();
    const from = channel.lastId;
    const rows = await store.events(runId, from, PAGE_ROWS);
    // A newcomer joined meanwhile, further back: the next look begins there.
    if (channel.lastId !== from) return;
    channel.lastId = rows.at(-1)?.id ?? from;
    this.#broadcast(channel, rows.map((row) => this.#frameOf(row)));
    const { clock } = this.#services;
    if (this.#moved.has(runId) && clock.monotonic() >= channel.progressAt) {
      channel.progressAt = clock.monotonic() + PROGRESS_MS;
      this.#broadcast(channel, [this.#progressFrame(runId, this.#moved.get(runId))]);
      this.#moved.delete(runId);
    }
    if (rows.length === PAGE_ROWS) return;
    const run = await store.run(runId);
    if (run !== null && !this.#runs.isBusy(runId)) await this.#pollForeign(store, channel, run);
    if (run !== null && this.#isOver(run)) {
      for (const listener of [...channel.listeners]) {
        if (!listener.isCatchingUp) await this.#finish(store, channel, run, listener);
      }
    }
  }

  /** Another process works on the run: its stages are its own, what it finished is in the store. */
  async #pollForeign(store: Store, channel: Channel, run: Run): Promise<void> {
    const at = this.#services.clock.monotonic();
    if (!WORKING.includes(run.state) || at < channel.progressAt) return;
    channel.progressAt = at + FOREIGN_MS;
    const done = await this.#runs.finished(store, run);
    const before = channel.seen;
    channel.seen = { at, done };
    if (before === null || before.done === done) return;
    const rate = Math.max(0, (done - before.done) * 1_000 / (at - before.at));
    this.#broadcast(channel, [this.#encode(null, "progress", {
      runId: run.id,
      at: this.#now(),
      type: "progress",
      rate: Math.round(rate * 100) / 100,
      etaMs: null,
      waiting: null,
      stages: [],
    })]);
  }

  #isOver(run: Run): boolean {
    return OVER.includes(run.state) && !this.#runs.isBusy(run.id);
  }

  /** Sends what was written last, then the final state, and ends the stream. */
  async #finish(store: Store, channel: Channel, run: Run, listener: Listener): Promise<void> {
    for (const row of await store.events(run.id, listener.lastId, PAGE_ROWS)) {
      this.#send(run.id, listener, this.#frameOf(row));
    }
    const { state, result, reason } = run;
    const data = {
      runId: run.id,
      at: this.#now(),
      type: "state",
      state,
      result,
      reason,
      final: true,
    };
    this.#send(run.id, listener, this.#encode(null, "state", data));
    this.#end(channel.runId, listener);
  }

  /** Hands frames to everybody; who needs all of them gets them in one piece. */
  #broadcast(channel: Channel, frames: readonly (Frame | null)[]): void {
    const [first] = frames;
    if (first === undefined) return;
    const all = merged(frames.filter((frame) => frame !== null));
    for (const listener of [...channel.listeners]) {
      const isBehind = !listener.isCatchingUp && (first?.id ?? Infinity) > listener.lastId;
      for (const frame of isBehind ? [all] : frames) this.#send(channel.runId, listener, frame);
    }
  }

  #send(runId: string, listener: Listener, frame: Frame | null, isPast = false): void {
    if (frame === null || (frame.id !== null && frame.id <= listener.lastId)) return;
    if (listener.isCatchingUp && !isPast) return;
    if (!isPast && (listener.controller.desiredSize ?? 0) <= 0) {
      this.#end(runId, listener);
      return;
    }
    if (frame.id !== null) listener.lastId = frame.id;
    try {
      listener.controller.enqueue(frame.bytes);
    } catch {
      this.#drop(runId, listener);
    }
  }

  #end(runId: string, listener: Listener): void {
    this.#drop(runId, listener);
    try {
      listener.controller.close();
    } catch {
      // The other side was faster.
    }
  }

  #drop(runId: string, listener: Listener | null, error?: unknown): void {
    const channel = this.#channels.get(runId);
    if (listener === null || channel?.listeners.delete(listener) !== true) return;
    this.#listenerCount--;
    listener.onRoom();
    if (channel.listeners.size === 0) this.#channels.delete(runId);
    if (error === undefined) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#services.log({ level: "warning", event: "events.failed", data: { runId, message } });
    listener.controller.error(new Error("the events cannot be read"));
  }

  /** Speed and outlook of the whole run, and the stages that moved; all stages without `moved`. */
  #progressFrame(runId: string, moved?: ReadonlySet<string>): Frame | null {
    const all = this.stagesOf(runId);
    if (all.length === 0) return null;
    const stages = all.filter(({ stage }) => moved?.has(stage) ?? true);
    const data = { runId, at: this.#now(), type: "progress", ...outlook(all), stages };
    return this.#encode(null, "progress", data);
  }

  #frameOf(row: EventRow): Frame {
    return this.#encode(row.id, row.type, eventDocument(row));
  }

  #encode(id: number | null, event: string, data: unknown): Frame {
    const text = this.#services.redact(JSON.stringify(data));
    const head = id === null ? "" : `id: ${id}\n`;
    return { id, bytes: encoder.encode(`${head}event: ${event}\ndata: ${text}\n\n`) };
  }

  #now(): string {
    return new Date(this.#services.clock.now()).toISOString();
  }
}

/** Aborts when the listener has read something. */
function onceRoom(listener: Listener): AbortSignal {
  const room = new AbortController();
  listener.onRoom = () => room.abort();
  return room.signal;
}

/** Several frames as one piece; its id is the last one's. */
function merged(frames: readonly Frame[]): Frame | null {
  const [first] = frames;
  if (first === undefined || frames.length === 1) return first ?? null;
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.bytes.length, 0));
  let at = 0;
  for (const frame of frames) {
    bytes.set(frame.bytes, at);
    at += frame.bytes.length;
  }
  return { id: frames.at(-1)?.id ?? null, bytes };
}

/** An event as clients see it. `state` is always the state of the run. */
export function eventDocument({ id, runId, type, at, data }: EventRow): Record<string, unknown> {
  const { state, ...rest } = data;
  const own = type === "state"
    ? data
    : { ...rest, ...(state === undefined ? {} : { done: state === "done" }) };
  return { ...own, id, runId, at, type };
}
