/** One migration by the real program in processes of its own, killed at random instants. */
import { createRandom, type Random } from "../../../adapters/simulator_kit/mod.ts";
import { openLibsqlStore } from "../../../adapters/libsql/mod.ts";
import type { Summary } from "../../../core/report/model.ts";
import { startWorld, type World, type WorldOptions } from "../../helpers/world.ts";
import { contentOf, type Expected, undisturbed } from "../exactly_once.ts";
import { killHard } from "../../helpers/kill.ts";
import { startWiretap, type Wiretap } from "./wiretap.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const MAX_STARTS = 40;
const MAX_MS = 240_000;
/** What may be answered to by starting again: interrupted, pre-flight failed, quota. */
const AGAIN = [5, 6, 8];

export interface ChaosOptions {
  seed: number;
  cases: number;
  executions: number;
}

export interface ChaosResult {
  seed: number;
  /** What was drawn: presets, faults, marker, login, logs. */
  plan: string;
  kills: number;
  starts: number;
  faults: number;
  creates: number;
  lost: number;
  duplicate: number;
  wrong: number;
  resent: number;
  durationMs: number;
  /** Why it counts as failed; empty when all is well. */
  problems: string[];
}

interface Plan {
  preset: "generous" | "strict";
  faults: "mild" | "harsh";
  marker: "field" | "text";
  login: boolean;
  kills: number;
  logs: "manual" | "bulk";
}

function draw(random: Random): Plan {
  return {
    preset: random.chance(0.5) ? "strict" : "generous",
    faults: random.chance(0.25) ? "harsh" : "mild",
    marker: random.chance(0.25) ? "text" : "field",
    login: random.chance(0.5),
    kills: random.int(1, 10),
    logs: random.chance(0.2) ? "bulk" : "manual",
  };
}

/** Runs one seed to its end and looks the target through. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const random = createRandom(options.seed);
  const plan = draw(random);
  const { seed, cases, executions } = options;
  const { preset, faults } = plan;
  const world: WorldOptions = {
    zephyr: { seed, preset, data: { cases, executions } },
    qtest: { seed, preset },
    target: { marker: plan.marker, logs: plan.logs },
  };
  const startedAt = performance.now();
  const expected = await undisturbed(world);
  await using chaos = await startWorld({
    ...world,
    zephyr: { ...world.zephyr, faults },
    qtest: { ...world.qtest, faults },
  });
  const tap = startWiretap(chaos.qtest.port);
  const folder = await Deno.makeTempDir({ prefix: "ztoq-chaos-" });
  try {
    const lives = await liveOn({ world: chaos, tap, folder, plan, random });
    return {
      seed,
      plan: [preset, faults, plan.marker, plan.login ? "login" : "", plan.logs].filter(Boolean)
        .join(" "),
      kills: lives.kills,
      starts: lives.starts,
      faults: Object.values(chaos.qtest.faultCounts()).reduce((sum, count) => sum + count, 0),
      creates: tap.creates,
      ...judge(chaos, tap, expected, lives),
      durationMs: Math.round(performance.now() - startedAt),
    };
  } finally {
    tap.close();
    await Deno.remove(folder, { recursive: true });
  }
}

interface Lives {
  kills: number;
  starts: number;
  summary: Summary | null;
  problem: string | null;
}

interface Stage {
  world: World;
  tap: Wiretap;
  folder: string;
  plan: Plan;
  random: Random;
}

/** Starts the program again and again until it says that it is done. */
async function liveOn(stage: Stage): Promise<Lives> {
  const { world, folder, plan, random } = stage;
  await Deno.writeTextFile(`${folder}/ztoq.json`, JSON.stringify(configOf(stage)));
  const lives: Lives = { kills: 0, starts: 0, summary: null, problem: null };
  const endAt = performance.now() + MAX_MS;
  while (lives.starts < MAX_STARTS && performance.now() < endAt) {
    lives.starts++;
    // A start takes about a second; most kills shall come in the middle of the work.
    const killMs = lives.kills < plan.kills ? random.int(600, 4_500) : endAt - performance.now();
    const expireMs = plan.login ? random.int(500, 4_000) : 0;
    const ended = await liveOnce(stage, { killMs, expireMs });
    if (ended === null) {
      lives.kills++;
      continue;
    }
    if (AGAIN.includes(ended.code)) continue;
    const summary = summaryOf(ended.out);
    const problem = ended.code === 0
      ? null
      : `exit ${ended.code}: ${ended.err.slice(-600)}${await findings(folder)}`;
    return { ...lives, summary, problem };
  }
  await world.zephyr.close();
  return { ...lives, problem: `did not end after ${lives.starts} starts` };
}

function summaryOf(out: string): Summary | null {
  try {
    const document = JSON.parse(out) as Partial<Summary>;
    return document.counts === undefined ? null : document as Summary;
  } catch {
    return null;
  }
}

/** What the database says of a run that did not end well. */
async function findings(folder: string): Promise<string> {
  const store = await openLibsqlStore({ url: `file:${folder}/ztoq.db`, readOnly: true });
  try {
    const page = { after: null, limit: 5 };
    const runId = (await store.runs(null))[0]?.id ?? "";
    const found = [
      ...(await store.differences(runId, page)).rows,
      ...(await store.issues(1, page, { setAside: true })).rows,
    ];
    return found.map((row) => `\n    ${JSON.stringify(row).slice(0, 700)}`).join("");
  } finally {
    await store.close();
  }
}

function configOf({ plan }: Stage): unknown {
  return {
    source: { timeoutMs: 3_000, requestsPerMinute: 60_000 },
    target: {
      timeoutMs: 1_500,
      settleMs: 600,
      bulkSettleMs: 1_000,
      logs: plan.logs,
      requestsPerMinute: 60_000,
      marker: plan.marker,
    },
    store: { url: "file:./ztoq.db" },
  };
}

/** One process; null when it was killed. */
async function liveOnce(
  { world, tap, folder, plan }: Stage,
  times: { killMs: number; expireMs: number },
): Promise<{ code: number; out: string; err: string } | null> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", `${ROOT}main.ts`, "migrate", "--json", "--quiet"],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: {
      ZEPHYR_BASE_URL: world.zephyr.url,
      ZEPHYR_API_TOKEN: world.zephyr.token,
      ZEPHYR_PROJECT_KEY: world.zephyr.projectKey,
      QTEST_BASE_URL: tap.url,
      QTEST_PROJECT_ID: String(world.qtest.projectId),
      ...(plan.login
        ? { QTEST_USERNAME: world.qtest.username, QTEST_PASSWORD: world.qtest.password }
        : { QTEST_BEARER_TOKEN: world.qtest.token }),
    },
  }).spawn();
  let killed = false;
  const kill = setTimeout(() => {
    killed = true;
    killHard(child);
  }, times.killMs);
  const expire = times.expireMs > 0
    ? setTimeout(() => world.qtest.expireTokens(), times.expireMs)
    : undefined;
  const output = await child.output();
  clearTimeout(kill);
  clearTimeout(expire);
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  // It may have ended by itself in the same instant.
  if (killed && output.signal === "SIGKILL") return null;
  return { code: output.code, out: text(output.stdout), err: text(output.stderr) };
}

/** Compares the target with what an undisturbed migration leaves. */
function judge(
  world: World,
  tap: Wiretap,
  expected: Expected,
  lives: Lives,
): Pick<ChaosResult, "lost" | "duplicate" | "wrong" | "resent" | "problems"> {
  const oracle = world.qtest.oracle();
  const content = contentOf(world);
  const problems: string[] = lives.problem === null ? [] : [lives.problem];
  let lost = 0;
  for (const [kind, count] of Object.entries(expected.content.counts)) {
    const found = content.counts[kind] ?? 0;
    if (found < count) lost += count - found;
    if (found !== count) problems.push(`${found} ${kind} instead of ${count}`);
  }
  const copies = [...oracle.duplicates, ...oracle.duplicateAttachments];
  const duplicate = copies.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  for (const copy of copies) problems.push(`copies: ${JSON.stringify(copy)}`);
  let wrong = oracle.orphans.length + oracle.runsOutOfOrder.length;
  if (wrong > 0) problems.push(`${wrong} orphans or runs whose logs are out of order`);
  if (JSON.stringify(content.logs) !== JSON.stringify(expected.content.logs)) {
    wrong++;
    problems.push("logs of runs differ");
  }
  for (const [name, isSame] of Object.entries(sameResult(lives.summary, expected.summary))) {
    if (isSame) continue;
    wrong++;
    problems.push(`${name} differ: ${JSON.stringify(lives.summary)?.slice(0, 1_500)}`);
  }
  if (tap.repeated > 0) problems.push(`${tap.repeated} creates left twice`);
  return { lost, duplicate, wrong, resent: tap.repeated, problems };
}

function sameResult(summary: Summary | null, expected: Summary): Record<string, boolean> {
  if (summary === null) return {};
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  return {
    counts: same(summary.counts, expected.counts),
    validation: same(summary.validation, expected.validation),
  };
}
