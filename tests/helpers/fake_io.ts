/** The outside of the command line, kept in memory. @module */
import type { Io } from "../../tasks/cli/io.ts";

export interface FakeIo extends Io {
  stdout: string;
  stderr: string;
}

/** No terminal, no answers; what is printed stands in `stdout` and `stderr`. */
export function fakeIo(env: Record<string, string> = {}): FakeIo {
  const io: FakeIo = {
    stdout: "",
    stderr: "",
    out: (text) => void (io.stdout += text),
    err: (text) => void (io.stderr += text),
    env: (name) => env[name],
    ask: () => null,
    stdinTty: false,
    stdoutTty: false,
    stderrTty: false,
    columns: 80,
    unicode: true,
  };
  return io;
}
