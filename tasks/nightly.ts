/**
 * One pass for system cron or a systemd timer: `deno task nightly [options of migrate]`.
 *
 * Continues an unfinished run; after a completed one, brings over what changed since. Two passes
 * never overlap: the second one ends with exit code 7. Examples stand in docs/api.md.
 * @module
 */
import { processIo } from "./cli/io.ts";
import { runCli } from "./cli/run.ts";
import { COMMANDS } from "./commands/mod.ts";

const QUIET = "--quiet";

/** Whether the newest run of the configured project is completed. */
async function isCompleted(args: readonly string[]): Promise<boolean> {
  let text = "";
  const io = { ...processIo(), out: (part: string) => void (text += part), err: () => undefined };
  const known = args.filter((arg, index) =>
    [arg, args[index - 1] ?? ""].some((word) => /^--(config|store|project)(=|$)/.test(word))
  );
  if (await runCli(["status", "--json", ...known], io) !== 0) return false;
  return (JSON.parse(text) as { state: string | null }).state === "completed";
}

if (import.meta.main) {
  const hasSync = COMMANDS.some(({ name }) => name === "sync");
  const command = hasSync && await isCompleted(Deno.args) ? "sync" : "migrate";
  Deno.exit(await runCli([command, QUIET, ...Deno.args], processIo()));
}
