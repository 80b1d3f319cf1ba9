/** One line of the pre-flight. @module */
import type { Finding } from "./types.ts";

/** Longest a finding and its fix may be together. */
const MAX_LINE = 390;

/** Makes a finding that fits a line: the message is cut before its fix. */
export function finding(
  group: Finding["group"],
  level: Finding["level"],
  message: string,
  fix: string | null = null,
): Finding {
  const room = MAX_LINE - (fix?.length ?? 0);
  const short = message.length > room ? `${message.slice(0, Math.max(60, room - 1))}…` : message;
  return { group, level, message: short, fix: fix === null ? null : fix.slice(0, MAX_LINE - 60) };
}
