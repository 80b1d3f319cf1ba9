/** Instants between ISO UTC seconds (ours) and the target's offsets. @module */
import { SetAsideError } from "../../core/errors.ts";

/** Epoch milliseconds below this are more likely a plain number than a time. */
const SMALLEST_EPOCH_MS = 100_000_000_000;

/**
 * Reads an instant in any offset and returns it as `YYYY-MM-DDTHH:MM:SSZ`, floored to seconds.
 * A value without an offset counts as UTC; null for what is no instant.
 */
export function toUtcSeconds(raw: unknown): string | null {
  const epochMs = toEpochMs(raw);
  return epochMs === null ? null : formatSeconds(epochMs, "Z");
}

/** Returns an ISO date or instant as the target wants it written: UTC, `+00:00`, no fraction. */
export function toWireInstant(iso: string): string {
  const epochMs = toEpochMs(iso);
  if (epochMs === null) {
    throw new SetAsideError("bad-date", `Cannot write date "${iso}": it is no ISO date`);
  }
  // A fraction of a second makes the target refuse the whole body with an unspecific 400.
  return formatSeconds(epochMs, "+00:00");
}

function toEpochMs(raw: unknown): number | null {
  if (typeof raw === "number") return raw >= SMALLEST_EPOCH_MS ? raw : null;
  if (typeof raw !== "string") return null;
  const text = raw.trim();
  if (/^\d{12,14}$/.test(text)) return Number(text);
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?\s*(.*))?$/.exec(
    text,
  );
  if (match === null) return null;
  const [, day, time = "00:00:00", zone = ""] = match;
  const epochMs = Date.parse(`${day}T${time}${normalZone(zone)}`);
  return Number.isNaN(epochMs) ? null : epochMs;
}

function normalZone(zone: string): string {
  if (zone === "" || zone === "Z" || zone === "z") return "Z";
  const match = /^([+-]\d{2}):?(\d{2})?$/.exec(zone);
  return match === null ? zone : `${match[1]}:${match[2] ?? "00"}`;
}

function formatSeconds(epochMs: number, suffix: string): string {
  const floored = Math.floor(epochMs / 1_000) * 1_000;
  return new Date(floored).toISOString().slice(0, 19) + suffix;
}
