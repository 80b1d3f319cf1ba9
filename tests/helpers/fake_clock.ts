import { setImmediate } from "node:timers";
import type { Clock } from "../../core/ports/mod.ts";

/** A clock that moves only when told. */
export interface FakeClock extends Clock {
  /** Moves time on by `ms`, waking sleepers in the order of their due times. */
  tick(ms: number): Promise<void>;
  /**
   * Wakes one sleeper after another, as soon as nothing else can go on, until the promise settles.
   * Returns its value or throws its error; throws when nobody sleeps any more and it is still open.
   */
  run<T>(promise: Promise<T>): Promise<T>;
  /** Lets everything that needs no time go on; moves no time. */
  flush(): Promise<void>;
  /** Moves wall time only, as a clock adjustment or a laptop's sleep does. */
  jump(ms: number): void;
  /** Delays asked for so far, in order of asking. */
  readonly slept: readonly number[];
  /** Sleepers right now. */
  readonly sleeping: number;
}

interface Sleeper {
  due: number;
  order: number;
  wake: () => void;
}

/** Creates a clock that stands still at `startMs` (wall time; default 2026-01-01T00:00:00Z). */
export function createFakeClock(startMs: number = Date.UTC(2026, 0, 1)): FakeClock {
  const sleepers = new Set<Sleeper>();
  const slept: number[] = [];
  let mono = 0;
  let wallOffset = startMs;
  let order = 0;

  function next(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const one of sleepers) {
      const sooner = first === undefined || one.due < first.due ||
        (one.due === first.due && one.order < first.order);
      if (sooner) first = one;
    }
    return first;
  }

  function wake(sleeper: Sleeper): void {
    sleepers.delete(sleeper);
    mono = Math.max(mono, sleeper.due);
    sleeper.wake();
  }

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    slept.push(ms);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        due: mono + Math.max(0, ms),
        order: order++,
        wake: (): void => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      sleepers.add(sleeper);
    });
  }

  async function tick(ms: number): Promise<void> {
    const end = mono + ms;
    await flush();
    for (let one = next(); one !== undefined && one.due <= end; one = next()) {
      wake(one);
      await flush();
    }
    mono = end;
    await flush();
  }

  async function run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await flush();
    while (!settled) {
      const one = next();
      if (one === undefined) throw new Error("Nobody sleeps and the promise is still open");
      wake(one);
      await flush();
    }
    return await promise;
  }

  return {
    now: (): number => wallOffset + mono,
    monotonic: (): number => mono,
    sleep,
    tick,
    run,
    flush,
    jump: (ms): void => {
      wallOffset += ms;
    },
    slept,
    get sleeping(): number {
      return sleepers.size;
    },
  };
}

/** Several macrotasks, because streams and responses need more than one turn to settle. */
async function flush(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
