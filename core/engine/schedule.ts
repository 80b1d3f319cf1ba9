/**
 * Rates by time of day (`limits.schedule`): pure evaluation, no timers.
 *
 * ```json
 * [{ "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00",
 *    "timeZone": "Europe/Berlin", "source": { "requestsPerMinute": 60 }, "target": { "requestsPerMinute": 60 } }]
 * ```
 * @module
 */
import { ConfigError } from "../errors.ts";

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
type Day = (typeof DAYS)[number];

/** One time window and the rates inside it. */
export interface RateWindow {
  /** Days on which the window begins; default all. */
  days: readonly Day[];
  /** Minutes after midnight; `to` before or at `from` means the next day. */
  from: number;
  to: number;
  timeZone: string;
  /** null leaves the rate as configured. */
  source: number | null;
  target: number | null;
}

/** Rates that a schedule asks for at one instant. */
export interface ScheduledRates {
  source: number | null;
  target: number | null;
  /** The window in words; null outside of all windows. */
  reason: string | null;
}

/** Checks `limits.schedule`. @throws {ConfigError} naming the entry and the key */
export function parseRateWindows(entries: readonly unknown[]): RateWindow[] {
  return entries.map((entry, index) => parseWindow(entry, `limits.schedule[${index}]`));
}

function parseWindow(entry: unknown, place: string): RateWindow {
  if (typeof entry !== "object" || entry === null) throw wrong(place, "an object");
  const known = ["days", "from", "to", "timeZone", "source", "target"];
  const extra = Object.keys(entry).find((key) => !known.includes(key));
  if (extra !== undefined) throw wrong(`${place}.${extra}`, `one of ${known.join(", ")}`);
  const { days, from, to, timeZone, source, target } = entry as Record<string, unknown>;
  const window: RateWindow = {
    days: parseDays(days, `${place}.days`),
    from: parseTime(from, `${place}.from`),
    to: parseTime(to, `${place}.to`),
    timeZone: parseZone(timeZone, `${place}.timeZone`),
    source: parseRate(source, `${place}.source`),
    target: parseRate(target, `${place}.target`),
  };
  if (window.source === null && window.target === null) {
    throw wrong(place, 'a rate: "source" or "target" with "requestsPerMinute"');
  }
  return window;
}

function wrong(place: string, wanted: string): ConfigError {
  return new ConfigError(`Cannot use the configuration: ${place}; wanted ${wanted}`);
}

function parseDays(raw: unknown, place: string): readonly Day[] {
  if (raw === undefined) return DAYS;
  const list = Array.isArray(raw) ? raw : [];
  const days = DAYS.filter((day) => list.includes(day));
  if (list.length === 0 || days.length !== list.length) {
    throw wrong(place, `a list of ${DAYS.join(", ")}`);
  }
  return days;
}

function parseTime(raw: unknown, place: string): number {
  const match = typeof raw === "string" ? /^([01]\d|2[0-4]):([0-5]\d)$/.exec(raw) : null;
  const minutes = Number(match?.[1]) * 60 + Number(match?.[2]);
  if (match === null || minutes > 24 * 60) throw wrong(place, 'a time such as "08:00"');
  return minutes;
}

function parseZone(raw: unknown, place: string): string {
  const zone = raw ?? "UTC";
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: String(zone) });
    return String(zone);
  } catch {
    throw wrong(place, 'a time zone such as "Europe/Berlin"');
  }
}

function parseRate(raw: unknown, place: string): number | null {
  if (raw === undefined || raw === null) return null;
  const rate = (raw as { requestsPerMinute?: unknown }).requestsPerMinute;
  if (typeof rate === "number" && Number.isInteger(rate) && rate >= 1 && rate <= 1_000_000) {
    return rate;
  }
  throw wrong(place, '{"requestsPerMinute": a whole number from 1 to 1000000}');
}

/** The rates in force at an instant (ms); the first window that holds it wins. */
export function ratesAt(windows: readonly RateWindow[], at: number): ScheduledRates {
  for (const window of windows) {
    if (!holds(window, at)) continue;
    const { source, target, from, to, timeZone } = window;
    return { source, target, reason: `schedule ${clock(from)}–${clock(to)} ${timeZone}` };
  }
  return { source: null, target: null, reason: null };
}

function holds(window: RateWindow, at: number): boolean {
  const { day, minutes } = localTime(at, window.timeZone);
  const { from, to } = window;
  if (from < to) return minutes >= from && minutes < to && startsOn(window, day);
  // Over midnight: the early part belongs to the window that began the day before.
  if (minutes >= from) return startsOn(window, day);
  return minutes < to && startsOn(window, (day + 6) % 7);
}

function startsOn({ days }: RateWindow, day: number): boolean {
  const name = DAYS[day];
  return name !== undefined && days.includes(name);
}

function localTime(at: number, timeZone: string): { day: number; minutes: number } {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  const day = DAYS.findIndex((name) => name === part("weekday").toLowerCase());
  return { day, minutes: Number(part("hour")) * 60 + Number(part("minute")) };
}

function clock(minutes: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
