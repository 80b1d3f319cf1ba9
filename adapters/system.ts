/** The machine's own clock. @module */
import type { Clock } from "../core/ports/mod.ts";

/** Longest delay a timer takes; above it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Creates the clock of this machine: wall time, time since start, and timers. */
export function createSystemClock(): Clock {
  return {
    now: (): number => Date.now(),
    monotonic: (): number => performance.now(),
    sleep,
  };
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  let leftMs = Math.max(0, Math.ceil(ms));
  while (leftMs > MAX_TIMER_MS) {
    await sleepOnce(MAX_TIMER_MS, signal);
    leftMs -= MAX_TIMER_MS;
  }
  await sleepOnce(leftMs, signal);
}

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
