/**
 * Names of artefacts.
 * @module
 */
import { decodeEntities } from "./entities.ts";

/** Longest name the target takes, in UTF-16 units. */
export const MAX_NAME = 500;

/** Cuts a text to at most `max` UTF-16 units without splitting a character. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}

/** Decodes references once, trims, and cuts so that `suffix` fits within {@linkcode MAX_NAME}. */
export function cleanName(
  raw: string | null,
  suffix = "",
): { name: string; full: string; cut: boolean } {
  const full = decodeEntities(raw ?? "").trim();
  const kept = cutText(full, MAX_NAME - suffix.length).trimEnd();
  return { name: kept + suffix, full, cut: kept !== full };
}
