/** Errors of the file system in our words: what, which path, what was seen, what to do. @module */
import { fileFault } from "../../core/config/file_fault.ts";
import { ConfigError, EXIT, StopError, StoreError } from "../../core/errors.ts";

/**
 * Turns what reading a file threw into a {@linkcode ConfigError}; any other error comes back as it
 * is. `what` completes "Cannot read": `the mapping file`.
 */
export function readError(error: unknown, what: string, path: string): unknown {
  const fault = fileFault(error);
  if (fault === null) return error;
  const hint = fault.kind === "denied" ? "Give this user permission to read it." : fault.hint;
  return new ConfigError(`Cannot read ${what} "${path}": ${fault.seen}`, { hint });
}

/** Turns what writing a file threw into an error of ours (exit 1); any other error comes back as it is. */
export function writeError(error: unknown, what: string, path: string): unknown {
  const fault = fileFault(error);
  if (fault === null) return error;
  const message = `Cannot write ${what} "${path}": ${fault.seen}`;
  const options = { cause: error, hint: fault.hint };
  return fault.kind === "full"
    ? new StoreError("disk-full", message, options)
    : new StopError(EXIT.failed, message, options);
}

/**
 * Makes sure that files can be written below a folder, and leaves nothing behind.
 * @throws {ConfigError} so that it is told before hours of work, not after
 */
export function assertWritableFolder(what: string, path: string): void {
  const existed = exists(path);
  const probe = `${path.replace(/(.)\/+$/, "$1")}/.ztoq-${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(path, { recursive: true });
    Deno.writeTextFileSync(probe, "", { createNew: true });
    Deno.removeSync(probe);
    if (!existed) Deno.removeSync(path);
  } catch (error) {
    const fault = fileFault(error);
    if (fault === null) throw error;
    throw new ConfigError(`Cannot write to ${what} "${path}": ${fault.seen}`, {
      hint: fault.hint,
    });
  }
}

/** Whether something is there; what cannot be looked at counts as not there. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
