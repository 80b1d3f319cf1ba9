/** `ztoq doctor`: the pre-flight, grouped. @module */
import type { Finding } from "../../core/engine/types.ts";
import { EXIT, type ExitCode } from "../../core/errors.ts";
import type { CommandContext } from "../cli/spec.ts";
import { type Colour, marks } from "../cli/style.ts";
import { withConnection } from "../cli/working.ts";

const MAX_LINE = 399;
const COLOURS: Record<Finding["level"], Colour> = {
  ok: "green",
  info: "dim",
  warning: "yellow",
  error: "red",
};

/** Prints the findings; exit 6 when one of them is an error. */
export async function run(context: CommandContext): Promise<ExitCode> {
  const settings = context.loadSettings("migration");
  const findings = await withConnection(
    context,
    settings,
    ({ migrator }, signal) => migrator.doctor(signal),
  );
  const failed = findings.filter(({ level }) => level === "error").length;
  const warned = findings.filter(({ level }) => level === "warning").length;
  if (context.globals.json) context.printJson({ ok: failed === 0, findings });
  else context.say(findingsText(findings, context) + verdict(failed, warned));
  return failed > 0 ? EXIT.preflight : EXIT.done;
}

function findingsText(findings: readonly Finding[], { io, paint }: CommandContext): string {
  const mark = marks(io.unicode);
  const groups = [...new Set(findings.map(({ group }) => group))];
  return groups.map((group) => {
    const lines = findings.filter((finding) => finding.group === group).map((finding) => {
      const fix = finding.fix === null ? "" : ` → ${finding.fix}`;
      const line = `  ${mark[finding.level]} ${finding.message}${
        io.unicode ? fix : fix.replace("→", "->")
      }`
        .replace(/\s*\n\s*/g, " ");
      const short = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE - 1)}…` : line;
      return `${
        short.replace(mark[finding.level], paint(COLOURS[finding.level], mark[finding.level]))
      }\n`;
    });
    return `${paint("bold", group)}\n${lines.join("")}`;
  }).join("");
}

function verdict(failed: number, warned: number): string {
  const warnings = warned === 0 ? "" : `, ${warned} warning${warned === 1 ? "" : "s"}`;
  if (failed === 0) return `\nReady to migrate${warnings}.\n`;
  return `\nNot ready: ${failed} problem${failed === 1 ? "" : "s"}${warnings}.\n`;
}
