/** The command line: argv → one command → exit code. @module */
import { processIo } from "./tasks/cli/io.ts";
import { runCli } from "./tasks/cli/run.ts";

if (import.meta.main) Deno.exit(await runCli(Deno.args, processIo()));
