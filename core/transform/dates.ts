/** Instants and dates as the records have them. @module */

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ].*)?$/;
const ZONED = /(?:Z|[+-]\d{2}:?\d{2})$/i;

/** Milliseconds of an ISO text; without zone it is UTC. Null when it is none. */
export function instantMs(text: string | null): number | null {
  const trimmed = text?.trim() ?? "";
  if (!DATE.test(trimmed)) return null;
  const iso = trimmed.replace(" ", "T");
  const ms = Date.parse(iso.length > 10 && !ZONED.test(iso) ? `${iso}Z` : iso);
  return Number.isNaN(ms) ? null : ms;
}

/** `2026-01-02T03:04:05Z`, floored to the second. */
export function isoSeconds(ms: number): string {
  return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/** An ISO date-time in UTC with seconds, null when the text is no date. */
export function isoInstant(text: string | null): string | null {
  const ms = instantMs(text);
  return ms === null ? null : isoSeconds(ms);
}

/** The UTC day of an ISO text, null when it is no date. */
export function isoDate(text: string | null): string | null {
  return isoInstant(text)?.slice(0, 10) ?? null;
}
