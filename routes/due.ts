/** Work that is due: runs whose owner is gone, and schedules whose time has come. @module */
import { readControl } from "../core/engine/control.ts";
import { isHeld, WORKING } from "../core/engine/steer.ts";
import type { Settings } from "../core/config/mod.ts";
import { describeError } from "../core/errors.ts";
import type { Run } from "../core/ports/mod.ts";
import { keepAudit, type Plane } from "./context.ts";
import { baseSettings, settingsOfRun, settingsWith } from "./overrides.ts";
import { Problem } from "./problem.ts";
import type { Started, Work } from "./pool.ts";
import type { WorkOutcome } from "./services.ts";
import { lastTime, nextTime, parseSchedules, type Schedule } from "./schedules.ts";

/** Newest run of each pair that should be worked on and is not, oldest first. */
export async function interruptedRuns({ services, pool }: Plane): Promise<Run[]> {
  const store = await services.store();
  const found: Run[] = [];
  for (const scope of await store.scopes()) {
    const [run] = await store.runs(scope.id);
    if (run === undefined || !WORKING.includes(run.state) || pool.has(run.id)) continue;
    if (isHeld(await store.leaseOf(scope.id), services)) continue;
    if ((await readControl(store, run.id)).desired === "running") found.push(run);
  }
  return found.sort((a, b) => (a.updatedAt < b.updatedAt ? -1 : 1));
}

/** A schedule that is due, with the settings of its run. */
interface Due {
  schedule: Schedule;
  settings: Settings;
}

interface DueProblem {
  runId: string;
  message: string;
}

/**
 * Schedules whose last time has passed since anything was last started; one that the server is not
 * set up for goes to `problems`.
 */
async function dueSchedules({ services }: Plane, problems: DueProblem[]): Promise<Due[]> {
  const schedules = parseSchedules(baseSettings(services.config).schedules);
  if (schedules.length === 0) return [];
  const store = await services.store();
  const runs = await store.runs(null);
  const scopes = await store.scopes();
  const isDue = ({ schedule, settings: { source, target } }: Due): boolean => {
    const scope = scopes.find((one) =>
      one.sourceProject === source.projectKey && one.sourceUrl === source.baseUrl &&
      one.targetUrl === target.baseUrl && one.targetProject === target.projectId &&
      one.rootName === target.rootName
    );
    const touched = runs.find((run) => run.scopeId === scope?.id)?.updatedAt ?? null;
    const time = lastTime(schedule, services.clock.now());
    return time !== null && (touched === null || Date.parse(touched) < time);
  };
  return schedules.flatMap((schedule): Due[] => {
    try {
      return [{ schedule, settings: settingsWith(services.config, schedule.config) }];
    } catch (error) {
      problems.push({ runId: schedule.name, message: describeError(error).message });
      return [];
    }
  }).filter(isDue);
}

const MIN_SLICE_MS = 500;

/**
 * Works on everything that is due until the budget is over, one run after another. What is left goes
 * on with the next call; a second call meanwhile finds the runs held and returns.
 */
export async function workOnDue(
  plane: Plane,
  budgetMs: number,
): Promise<{ outcomes: WorkOutcome[]; problems: DueProblem[] }> {
  const { clock } = plane.services;
  const end = clock.monotonic() + budgetMs;
  const outcomes: WorkOutcome[] = [];
  const problems: DueProblem[] = [];
  const slice: Work = (migrator, options) =>
    migrator.advance({ ...options, budgetMs: Math.max(MIN_SLICE_MS, end - clock.monotonic()) });
  const attempt = async (name: string, start: () => Promise<Started>): Promise<void> => {
    if (end - clock.monotonic() < MIN_SLICE_MS) return;
    try {
      const { outcome } = await start();
      if (outcome !== null) outcomes.push(await outcome);
    } catch (error) {
      problems.push({ runId: name, message: describeError(error).message });
    }
  };
  for (const run of await interruptedRuns(plane)) {
    await attempt(
      run.id,
      // Settings that do not fit are this run's problem, not the tick's.
      async () =>
        await plane.pool.start(settingsOfRun(plane.services.config, run.config), { work: slice }),
    );
  }
  for (const { schedule, settings } of await dueSchedules(plane, problems)) {
    await attempt(schedule.name, async () => await plane.pool.start(settings, { work: slice }));
  }
  return { outcomes, problems };
}

/** Longest a timer waits before it looks at the clock again: clocks jump, laptops sleep. */
const MAX_NAP_MS = 30_000;

/** Starts the runs of `schedules` at their times until the signal; a run that is active is left alone. */
export async function followSchedules(plane: Plane, signal: AbortSignal): Promise<void> {
  const { clock, config, log } = plane.services;
  const schedules = parseSchedules(baseSettings(config).schedules);
  let from = clock.now();
  while (schedules.length > 0 && !signal.aborted) {
    const times = schedules.map((schedule) => nextTime(schedule, from))
      .filter((time) => time !== null);
    if (times.length === 0) return;
    const napMs = Math.min(Math.min(...times) - clock.now(), MAX_NAP_MS);
    if (napMs > 0) await clock.sleep(napMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    // After a long sleep a schedule is due once, however many of its times have passed.
    const now = clock.now();
    const due = schedules.filter((schedule) => (nextTime(schedule, from) ?? Infinity) <= now);
    for (const schedule of due) {
      const data = { schedule: schedule.name };
      try {
        const { run, started } = await plane.pool.start(settingsWith(config, schedule.config));
        const event = started ? "schedule.started" : "schedule.nothingToDo";
        log({ level: "info", event, data: { ...data, runId: run.id } });
        if (!started) continue;
        const who = { action: "start", by: `schedule ${schedule.name}` };
        await keepAudit(plane, await plane.services.store(), run.id, who);
      } catch (error) {
        const isActive = error instanceof Problem && error.status === 409;
        const { message } = describeError(error);
        log({
          level: isActive ? "info" : "error",
          event: isActive ? "schedule.skipped" : "schedule.failed",
          data: { ...data, message },
        });
      }
    }
    from = now;
  }
}
