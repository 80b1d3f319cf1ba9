/** Both simulators in this process and the command line as a child. @module */
import { type RunningSimulator, startSimulator } from "../../adapters/connect.ts";

/** What to measure with. */
export interface BenchContent {
  cases: number;
  executions: number;
  /** Of all three trees. @default {one per 12 cases} */
  folders?: number;
  content: "demo" | "bulk";
  /** Of both systems; 0 = unlimited. */
  requestsPerMinute: number;
  include?: Record<string, unknown>;
  /** Settings of the target beside those that follow from the simulator. */
  target?: Record<string, unknown>;
}

/** Simulators, a folder with a configuration, and the program. */
export interface BenchWorld {
  dir: string;
  zephyr: RunningSimulator;
  qtest: RunningSimulator;
  /** Starts the program in the folder. */
  start(...args: string[]): Deno.ChildProcess;
  close(): Promise<void>;
}

/** An address that stands before the target, to watch what passes. */
export type Front = (target: string) => string;

/** Starts everything; `front` may put something between the program and the target. */
export async function startBench(
  { cases, executions, folders, content, requestsPerMinute, include, target }: BenchContent,
  front: Front = (url) => url,
): Promise<BenchWorld> {
  const shared = { port: 0, seed: 1, requestsPerMinute, faults: "none" as const };
  const dir = await Deno.makeTempDir({ prefix: "ztoq-bench-" });
  const dataFile = `${dir}/data.json`;
  const data = { seed: 1, cases, executions, folders, preset: content };
  await Deno.writeTextFile(dataFile, JSON.stringify({ options: data }));
  const zephyr = await startSimulator("zephyr", { ...shared, dataFile });
  const qtest = await startSimulator("qtest", shared);
  const limits = {
    requestsPerMinute: requestsPerMinute === 0 ? 1_000_000 : requestsPerMinute,
    concurrency: 16,
  };
  const config = {
    source: {
      ...limits,
      baseUrl: zephyr.baseUrl,
      token: "env:ZEPHYR_API_TOKEN",
      projectKey: zephyr.project,
    },
    target: {
      ...limits,
      baseUrl: front(qtest.baseUrl),
      token: "env:QTEST_BEARER_TOKEN",
      projectId: Number(qtest.project),
      ...target,
    },
    store: { url: `file:${dir}/ztoq.db` },
    report: { dir: `${dir}/report` },
    mapping: `${dir}/ztoq.mapping.json`,
    include: include ?? {},
  };
  await Deno.writeTextFile(`${dir}/ztoq.json`, JSON.stringify(config));
  return {
    dir,
    zephyr,
    qtest,
    start: (...args) =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "main.ts", ...args, "--quiet", "--config", `${dir}/ztoq.json`],
        env: { ZEPHYR_API_TOKEN: zephyr.token, QTEST_BEARER_TOKEN: qtest.token },
        stdout: "piped",
        stderr: "inherit",
        stdin: "null",
      }).spawn(),
    async close(): Promise<void> {
      await zephyr.close();
      await qtest.close();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
