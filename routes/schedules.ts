/** `schedules`: runs at set times. Evaluation without timers, so that `tick` and `serve` share it. @module */
import { Cron } from "croner";
import { ConfigError } from "../core/errors.ts";
import { readOverrides } from "./overrides.ts";

/** One entry: `{"cron": "0 2 * * 1-5", "timeZone": "Europe/Berlin", "config": {…overrides}}`. */
export interface Schedule {
  name: string;
  cron: string;
  timeZone: string;
  /** Overrides as in `POST /v1/migrations`. */
  config: Record<string, unknown>;
}

/** Checks `schedules`. @throws {ConfigError} naming the entry and the key */
export function parseSchedules(entries: readonly unknown[]): Schedule[] {
  return entries.map((entry, index) => parseSchedule(entry, `schedules[${index}]`));
}

function parseSchedule(entry: unknown, place: string): Schedule {
  if (!isObject(entry)) throw wrong(place, "an object");
  const { cron, timeZone = "UTC", config = {}, name = place, ...rest } = entry;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) throw wrong(`${place}.${extra}`, "cron, timeZone, name or config");
  if (typeof cron !== "string") {
    throw wrong(`${place}.cron`, 'a cron expression such as "0 2 * * *"');
  }
  if (typeof timeZone !== "string") throw wrong(`${place}.timeZone`, "a time zone");
  if (typeof name !== "string") throw wrong(`${place}.name`, "a name");
  if (!isObject(config)) throw wrong(`${place}.config`, "an object with settings");
  // Found now, not at two in the morning.
  const [error] = readOverrides(config).errors;
  if (error !== undefined) {
    throw new ConfigError(`Cannot use the configuration: ${place}.config: ${error.message}`);
  }
  const schedule = { name, cron, timeZone, config };
  try {
    job(schedule).nextRun();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw wrong(`${place}.cron`, `a cron expression and a time zone that exist (${detail})`);
  }
  return schedule;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(place: string, wanted: string): ConfigError {
  return new ConfigError(`Cannot use the configuration: ${place}; wanted ${wanted}`);
}

function job({ cron, timeZone }: Schedule): Cron {
  return new Cron(cron, { paused: true, timezone: timeZone });
}

/** The next time of a schedule after an instant, ms; null when there is none. */
export function nextTime(schedule: Schedule, after: number): number | null {
  return job(schedule).nextRun(new Date(after))?.getTime() ?? null;
}

/** The last time of a schedule at or before an instant, ms; null when there was none. */
export function lastTime(schedule: Schedule, at: number): number | null {
  // The reference itself does not count as past.
  return job(schedule).previousRuns(1, new Date(at + 1_000))[0]?.getTime() ?? null;
}
