/** `ztoq pause`, `resume` and `cancel`. @module */
import type { RunControl } from "../../core/engine/types.ts";
import { EXIT, type ExitCode } from "../../core/errors.ts";
import type { CommandContext } from "../cli/spec.ts";
import { steer } from "../cli/steering.ts";

const WORDS = {
  pause: { desired: "paused", done: "pauses after the work in hand" },
  resume: { desired: "running", done: "goes on" },
  cancel: { desired: "cancelled", done: "ends after the work in hand" },
} as const;

/** Asks for it and says what the run does next. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const { name } = context.command;
  const { desired, done } = WORDS[name as keyof typeof WORDS];
  const given = context.options.reason;
  const reason = typeof given === "string"
    ? given
    : desired === "running"
    ? null
    : `${name} by hand`;
  const change: Partial<RunControl> = { desired, reason };
  const body = reason === null ? {} : { reason };
  const steered = await steer(context, change, { method: "POST", path: name, body });
  const { runId, state, interrupted } = steered;
  if (context.globals.json) context.printJson({ runId, state, desired, reason });
  else if (interrupted) {
    context.say(`Run ${runId} is ${state}; no process holds it. \`ztoq migrate\` continues it.\n`);
  } else if (state === desired) context.say(`Run ${runId} is ${state}.\n`);
  else context.say(`Run ${runId} (${state}) ${done}.\n`);
  return EXIT.done;
}
