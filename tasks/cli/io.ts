/** The terminal as a parameter, so that commands can be tested without one. @module */

/** What a command may say, ask and know about its surroundings. */
export interface Io {
  /** Writes to stdout, whole, before returning. */
  out(text: string): void;
  /** Writes to stderr. */
  err(text: string): void;
  env(name: string): string | undefined;
  /** Asks a question on the terminal; null when there is none or the answer is empty. */
  ask(question: string): string | null;
  stdinTty: boolean;
  stdoutTty: boolean;
  stderrTty: boolean;
  /** Columns of the terminal; 100 when unknown. */
  columns: number;
  /** Whether the terminal shows characters beyond ASCII. */
  unicode: boolean;
}

/** The reader of our output went away (`ztoq report | head`): not an error of ours. */
export class PipeClosed extends Error {
  override name = "PipeClosed";
}

/** Prints as long as somebody reads: what was done keeps its exit code when the reader has left. */
export function whileRead(print: () => void): void {
  try {
    print();
  } catch (error) {
    if (!(error instanceof PipeClosed)) throw error;
  }
}

/** The terminal of this process. */
export function processIo(): Io {
  const encoder = new TextEncoder();
  const write = (stream: typeof Deno.stdout, text: string): void => {
    const bytes = encoder.encode(text);
    let written = 0;
    while (written < bytes.length) {
      try {
        written += stream.writeSync(bytes.subarray(written));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) throw new PipeClosed();
        // A pipe set to non-blocking by its other end: the reader is only slow.
        if (!(error instanceof Deno.errors.WouldBlock)) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  };
  const locale = Deno.env.get("LC_ALL") ?? Deno.env.get("LC_CTYPE") ?? Deno.env.get("LANG") ?? "";
  return {
    out: (text) => write(Deno.stdout, text),
    // Work goes on when nobody reads the progress any more.
    err: (text) => whileRead(() => write(Deno.stderr, text)),
    env: (name) => Deno.env.get(name),
    ask: (question) => (Deno.stdin.isTerminal() ? prompt(question) : null),
    stdinTty: Deno.stdin.isTerminal(),
    stdoutTty: Deno.stdout.isTerminal(),
    stderrTty: Deno.stderr.isTerminal(),
    columns: columnsOf(),
    unicode: Deno.build.os === "windows" || locale === "" || /utf-?8/i.test(locale),
  };
}

function columnsOf(): number {
  try {
    // A terminal that does not know its size says 0.
    return Deno.consoleSize().columns || 100;
  } catch {
    return 100;
  }
}
