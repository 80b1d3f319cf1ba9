/** Ctrl-C and SIGTERM: once to finish the unit in hand, twice to leave at once. @module */
import { EXIT } from "../../core/errors.ts";

export interface Interrupt extends Disposable {
  /** Aborts at the first signal. */
  signal: AbortSignal;
}

/** Listens until disposed. `say` tells people what happens next. */
export function listenForInterrupt(say: (text: string) => void): Interrupt {
  const controller = new AbortController();
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      say("\nLeft at once; what was committed is kept. The same command continues.\n");
      Deno.exit(EXIT.interrupted);
    }
    say("Stopping after the work in hand; press Ctrl-C again to leave at once.\n");
    controller.abort(new DOMException("interrupted by the operator", "AbortError"));
  };
  for (const name of signals) Deno.addSignalListener(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose](): void {
      for (const name of signals) Deno.removeSignalListener(name, onSignal);
    },
  };
}
