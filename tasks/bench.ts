/**
 * Measures a whole migration from outside: requests against the floor, records per second, peak
 * memory, database bytes per record, and wall time against the rate limit. Prints one table; `--json`
 * prints the figures as a document.
 *
 *     deno task bench                     the demo project and 20,000 executions un-throttled
 *     deno task bench --executions 5000   a smaller load
 *     deno task bench --resume 100000     start of a killed migration with that many executions
 *     deno task bench --reconcile         requests to find out what became of lost answers
 *     deno task bench --sizes             lines per file and per function only
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Summary } from "../core/report/model.ts";
import { measureReconcile, type ReconcileFigures } from "./bench/reconcile.ts";
import { measureResume } from "./bench/resume.ts";
import { type BenchContent, startBench } from "./bench/world.ts";

type Job = BenchContent & { name: string };

interface Figures {
  job: string;
  records: number;
  wallMs: number;
  recordsPerSecond: number;
  requests: Record<"source" | "target", { total: number; minimum: number; ratio: number }>;
  /** Wall time ÷ (requests of the busier system ÷ rate); null when unlimited. */
  wallToBound: number | null;
  peakRssMb: number;
  databaseBytesPerRecord: number;
  exitCode: number;
}

const USAGE = "Usage: deno task bench [--executions N] [--cases N] [--json] | --sizes | " +
  "--resume N | --reconcile";
const unknown: string[] = [];
const args = parseArgs(Deno.args, {
  boolean: ["json", "sizes", "reconcile", "help"],
  string: ["executions", "cases", "resume"],
  unknown: (name: string) => {
    unknown.push(name);
    return false;
  },
});
if (args.help) {
  console.log(USAGE);
  Deno.exit(0);
}
if (unknown.length > 0) {
  console.error(`Cannot read: ${unknown.join(", ")}\n${USAGE}`);
  Deno.exit(2);
}

if (args.reconcile) await reconcile();
else if (args.resume !== undefined) await resume(Number(args.resume || 100_000));
else if (args.sizes) await printSizes();
else await migrations();

/** The default: whole migrations. */
async function migrations(): Promise<void> {
  const executions = Number(args.executions ?? 20_000);
  const cases = Number(args.cases ?? Math.max(100, Math.round(executions / 10)));
  const jobs: Job[] = [
    {
      name: "demo project",
      cases: 200,
      executions: 1_000,
      content: "demo",
      requestsPerMinute: 6_000,
    },
    {
      name: `${executions} executions, un-throttled, no steps or files`,
      cases,
      executions,
      content: "bulk",
      requestsPerMinute: 0,
      include: { executionSteps: "none", attachments: "none" },
    },
  ];
  const figures: Figures[] = [];
  for (const job of jobs) figures.push(await measure(job));
  if (args.json) return console.log(JSON.stringify(figures, null, 2));
  figures.forEach(print);
  await printSizes();
}

async function resume(records: number): Promise<void> {
  const figures = await measureResume(records);
  if (args.json) return console.log(JSON.stringify(figures, null, 2));
  console.log(`resumed with ${figures.loaded} loaded rows, median of ${figures.starts} starts`);
  console.log(`  first request        ${figures.firstRequestMs.toFixed(0)} ms`);
  console.log(`  first create         ${figures.firstCreateMs.toFixed(0)} ms`);
}

async function reconcile(): Promise<void> {
  const all: ReconcileFigures[] = [];
  await measureReconcile((figures) => {
    all.push(figures);
    if (args.json) return;
    const { kind, pattern, inDoubt, parents, extra, perRecord, exitCode } = figures;
    console.log(
      `${kind}, ${pattern}: ${extra} requests for ${inDoubt} in doubt in ${parents} containers, ` +
        `${perRecord.toFixed(2)} each (exit ${exitCode})`,
    );
  });
  if (args.json) console.log(JSON.stringify(all, null, 2));
}

/** Runs the command line as a child against simulators in this process. */
async function measure(job: Job): Promise<Figures> {
  const world = await startBench(job);
  const { requestsPerMinute } = job;
  const startedAt = performance.now();
  const child = world.start("migrate", "--json");
  const memory = watchMemory(child.pid);
  const { stdout, code } = await child.output();
  const wallMs = performance.now() - startedAt;
  const peakRssMb = memory.stop();
  const summary = JSON.parse(new TextDecoder().decode(stdout)) as Summary;
  const bytes = await databaseBytes(world.dir);
  await world.close();
  const { folder, testCase, testPlan, testCycle, execution } = summary.counts;
  const records = [folder, testCase, testPlan, testCycle, execution]
    .reduce((sum, row) => sum + row.extracted, 0);
  const ratio = (system: "source" | "target"): Figures["requests"]["source"] => {
    const { total, minimum } = summary.requests[system];
    return { total, minimum, ratio: total / minimum };
  };
  const requests = { source: ratio("source"), target: ratio("target") };
  const most = Math.max(requests.source.total, requests.target.total);
  return {
    job: job.name,
    records,
    wallMs,
    recordsPerSecond: records / (wallMs / 1000),
    requests,
    wallToBound: requestsPerMinute === 0 ? null : wallMs / (most / requestsPerMinute * 60_000),
    peakRssMb,
    databaseBytesPerRecord: bytes / records,
    exitCode: code,
  };
}

/** Peak resident memory of a process, as the kernel keeps it. */
function watchMemory(pid: number): { stop: () => number } {
  let peak = 0;
  const read = (): void => {
    try {
      const status = Deno.readTextFileSync(`/proc/${pid}/status`);
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // The process is gone, or there is no /proc here.
    }
  };
  const timer = setInterval(read, 100);
  return {
    stop: () => {
      clearInterval(timer);
      return peak;
    },
  };
}

async function databaseBytes(dir: string): Promise<number> {
  let total = 0;
  for await (const entry of Deno.readDir(dir)) {
    if (entry.name.startsWith("ztoq.db") && entry.isFile) {
      total += (await Deno.stat(`${dir}/${entry.name}`)).size;
    }
  }
  return total;
}

function print(figures: Figures): void {
  const { source, target } = figures.requests;
  const round = (value: number, digits = 0): string => value.toFixed(digits);
  console.log(`\n${figures.job} (exit ${figures.exitCode})`);
  console.log(`  records              ${figures.records}`);
  console.log(`  wall                 ${round(figures.wallMs / 1000, 1)} s`);
  console.log(`  records/s            ${round(figures.recordsPerSecond)}`);
  console.log(
    `  requests, source     ${source.total} of ${source.minimum} (${round(source.ratio, 3)}×)`,
  );
  console.log(
    `  requests, target     ${target.total} of ${target.minimum} (${round(target.ratio, 3)}×)`,
  );
  if (figures.wallToBound !== null) {
    console.log(`  wall ÷ rate bound    ${round(figures.wallToBound, 3)}`);
  }
  console.log(`  peak RSS             ${round(figures.peakRssMb)} MB`);
  console.log(`  database per record  ${round(figures.databaseBytesPerRecord)} B`);
}

/** Lines per file and per function, median and 90th percentile, of everything but tests. */
async function printSizes(): Promise<void> {
  const files: number[] = [];
  const functions: number[] = [];
  for (const root of ["core", "adapters", "routes", "tasks"]) {
    for await (const path of sourceFiles(root)) {
      const lines = (await Deno.readTextFile(path)).split("\n");
      files.push(lines.length);
      functions.push(...functionSizes(lines));
    }
  }
  const at = (values: number[], share: number): number =>
    values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;
  console.log(`\nlines per file       median ${at(files, 0.5)}, p90 ${at(files, 0.9)}`);
  console.log(`lines per function   median ${at(functions, 0.5)}, p90 ${at(functions, 0.9)}`);
}

async function* sourceFiles(dir: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(dir)) {
    const path = `${dir}/${entry.name}`;
    if (entry.isDirectory) yield* sourceFiles(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

/** Sizes of declared functions and methods, by their indentation. */
function functionSizes(lines: string[]): number[] {
  const sizes: number[] = [];
  const head =
    /^( *)(?:export )?(?:default )?(?:async )?(?:function\*? |(?:static |async |get )*[#\w]+\()/;
  lines.forEach((line, start) => {
    const match = head.exec(line);
    const isControl = /^ *(if|for|while|switch|return|await|throw|super|catch)\b/.test(line);
    if (match === null || isControl) return;
    const indent = match[1] ?? "";
    const end = lines.findIndex((other, index) => index > start && other === `${indent}}`);
    const opens = lines.slice(start, start + 12).some((other) => other.endsWith("{"));
    if (end > start && opens) sizes.push(end - start + 1);
  });
  return sizes;
}
