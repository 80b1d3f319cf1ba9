/**
 * Kills an engine at an exact point, as SIGKILL would: from then on nothing it does has an effect,
 * neither on the store nor on the wire. Its requests in flight lose their connection.
 */
import type { Services } from "../../core/engine/mod.ts";
import type { Change, DraftKind, Source, Store, Target, Traffic } from "../../core/ports/mod.ts";
import type { WriteOptions } from "../../core/ports/mod.ts";

/** Kinds of writes to the target. */
export type WriteKind =
  | DraftKind
  | "field"
  | "options"
  | "upload"
  | "update"
  | "approve"
  | "link";

/** Where an engine dies: at the `nth` time (default 1) that the point is reached. */
export type KillPoint =
  & (
    /** A transaction that holds such a change: before it, or durable but not yet answered. */
    | { at: "beforeCommit" | "afterCommit"; when: (change: Change) => boolean }
    /** The intent is durable, no byte has left. */
    | { at: "beforeSend"; kind: WriteKind }
    /** The target has answered, the answer is not read. */
    | { at: "afterSend"; kind: WriteKind }
    /** A look-up by list: before it, or after its first page. */
    | { at: "beforeLook" | "afterLook"; kind: DraftKind }
    /** Reading back the kind: after its first page. */
    | { at: "afterSweep"; kind: DraftKind }
    /** Half of a file's bytes have come from the source, or have gone to the target. */
    | { at: "midDownload" | "midUpload" }
    /** A page of the source has arrived and is not stored. */
    | { at: "afterPage" }
  )
  & { nth?: number };

/** One engine's life and its end. */
export class Killing {
  readonly #point: KillPoint | null;
  #left: number;
  #dead = false;
  readonly #force = new AbortController();

  constructor(point: KillPoint | null) {
    this.#point = point;
    this.#left = point?.nth ?? 1;
  }

  /** Whether the point was reached. */
  get dead(): boolean {
    return this.#dead;
  }

  /** Fires with the kill and cuts what is in flight. */
  get force(): AbortSignal {
    return this.#force.signal;
  }

  /** Ends the engine now. */
  kill(): void {
    this.#dead = true;
    this.#force.abort(new Error("killed"));
  }

  /** The services of an engine that can be killed. */
  wrap(services: Services): Services {
    return {
      ...services,
      store: this.#store(services.store),
      source: this.#source(services.source),
      target: this.#target(services.target),
      blobs: guarded(services.blobs, () => this.#check()),
    };
  }

  #check(): void {
    if (this.#dead) throw new Error("killed");
  }

  /** Dies when this is the point, and throws when dead. */
  #reach(at: KillPoint["at"], fits: (point: KillPoint) => boolean = () => true): void {
    this.#check();
    if (this.#point?.at !== at || !fits(this.#point) || --this.#left > 0) return;
    this.kill();
    this.#check();
  }

  #store(store: Store): Store {
    const holds = (changes: Change[]) => (point: KillPoint): boolean =>
      "when" in point && changes.some(point.when);
    return {
      ...guarded(store, () => this.#check()),
      apply: async (lease, changes) => {
        this.#reach("beforeCommit", holds(changes));
        await store.apply(lease, changes);
        this.#reach("afterCommit", holds(changes));
      },
      // A process that is gone closes nothing and gives nothing back.
      close: () => Promise.resolve(),
    };
  }

  #source(source: Source & Traffic): Source & Traffic {
    return {
      ...guarded(source, () => this.#check()),
      pages: (list, from, signal) => {
        this.#check();
        return passOn(source.pages(list, from, signal), () => this.#reach("afterPage"));
      },
      download: async (owner, id, signal) => {
        this.#check();
        const file = await source.download(owner, id, signal);
        return file && { ...file, body: halved(file.body, () => this.#reach("midDownload")) };
      },
    };
  }

  #target(target: Target & Traffic): Target & Traffic {
    const reach = this.#reach.bind(this);
    const write = this.#write.bind(this);
    const fits = (kind: DraftKind) => (point: KillPoint): boolean =>
      "kind" in point && point.kind === kind;
    return {
      ...guarded(target, () => this.#check()),
      create: (draft, options) => write(draft.kind, options, (hook) => target.create(draft, hook)),
      createField: (draft, options) =>
        write("field", options, (hook) => target.createField(draft, hook)),
      addOptions: (field, labels, options) =>
        write("options", options, (hook) => target.addOptions(field, labels, hook)),
      update: (id, draft, options) =>
        write("update", options, (hook) => target.update(id, draft, hook)),
      approve: (id, options) => write("approve", options, (hook) => target.approve(id, hook)),
      linkRequirement: (id, ids, options) =>
        write("link", options, (hook) => target.linkRequirement(id, ids, hook)),
      upload: (file, options) =>
        write("upload", options, (hook) =>
          target.upload({
            ...file,
            open: async () => halved(await file.open(), () => reach("midUpload")),
          }, hook)),
      children: (kind, parent, signal) => {
        reach("beforeLook", fits(kind));
        const pages = target.children(kind, parent, signal);
        return passOn(pages, () => reach("afterLook", fits(kind)));
      },
      sweep: (kind, signal) => {
        this.#check();
        return passOn(target.sweep(kind, signal), () => reach("afterSweep", fits(kind)));
      },
    };
  }

  async #write<T>(
    kind: WriteKind,
    options: WriteOptions,
    send: (options: WriteOptions) => Promise<T>,
  ): Promise<T> {
    const fits = (point: KillPoint): boolean => "kind" in point && point.kind === kind;
    const answer = await send({
      ...options,
      intent: async () => {
        await options.intent();
        this.#reach("beforeSend", fits);
      },
    });
    this.#reach("afterSend", fits);
    return answer;
  }
}

/** The same items, each after a check. */
async function* passOn<T>(items: AsyncIterable<T>, check: () => void): AsyncGenerator<T> {
  for await (const item of items) {
    check();
    yield item;
  }
}

/** The object with a check before each method; methods of classes keep their `this`. */
function guarded<T extends object>(inner: T, check: () => void): T {
  const copy: Record<string, unknown> = {};
  for (const name of methodsOf(inner)) {
    const method = (inner as Record<string, unknown>)[name];
    if (typeof method !== "function") continue;
    copy[name] = (...args: unknown[]): unknown => {
      if (name !== "stats" && name !== "setRequestsPerMinute") {
        try {
          check();
        } catch (error) {
          return Promise.reject(error);
        }
      }
      return method.apply(inner, args);
    };
  }
  return copy as T;
}

function methodsOf(object: object): Set<string> {
  const names = new Set<string>();
  for (
    let at: object | null = object;
    at && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
  }
  names.delete("constructor");
  return names;
}

/** Hands on half of the first chunk and asks `reach` before the rest. */
function halved(
  body: ReadableStream<Uint8Array>,
  reach: () => void,
): ReadableStream<Uint8Array> {
  let isFirst = true;
  return body.pipeThrough(
    new TransformStream({
      transform(chunk, controller): void {
        if (!isFirst) return controller.enqueue(chunk);
        isFirst = false;
        const middle = chunk.length >> 1;
        controller.enqueue(chunk.subarray(0, middle));
        reach();
        controller.enqueue(chunk.subarray(middle));
      },
    }),
  );
}
