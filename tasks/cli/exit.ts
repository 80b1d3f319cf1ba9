/** From thrown values to exit codes, and errors that bring their JSON document along. @module */
import { EXIT, type ExitCode, StopError } from "../../core/errors.ts";

/** An error of a run that has a summary all the same: `document` is what `--json` prints. */
export class DocumentedError extends Error {
  override name = "DocumentedError";
  readonly reason: unknown;
  readonly document: Record<string, unknown>;
  constructor(reason: unknown, document: Record<string, unknown>) {
    super("The run stopped", { cause: reason });
    this.reason = reason;
    this.document = document;
  }
}

/** Exit code of any thrown value. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof StopError) return error.exitCode;
  if (error instanceof DOMException && error.name === "AbortError") return EXIT.interrupted;
  return EXIT.failed;
}
