/**
 * One pass for system cron or a systemd timer: `deno task nightly [options of migrate]`.
 *
 * Starts a run or continues an unfinished one; a completed one has nothing to do. Two passes never
 * overlap: the second one ends with exit code 7. Examples stand in docs/api.md.
 * @module
 */
import { processIo } from "./cli/io.ts";
import { runCli } from "./cli/run.ts";

if (import.meta.main) Deno.exit(await runCli(["migrate", "--quiet", ...Deno.args], processIo()));
