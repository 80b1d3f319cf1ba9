/** `ztoq serve` and both simulators as processes, for tests from the outside. @module */
import { spawnCli } from "./cli_process.ts";

/** A process that told an address on stdout. */
export interface Served {
  url: string;
  /** First JSON document or line of stdout. */
  told: string;
  stop(signal?: Deno.Signal): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** Starts a command that stays, and waits for its first output. */
export async function serve(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<Served> {
  const child = spawnCli(args, { env, ...(cwd === undefined ? {} : { cwd }) });
  let stdout = "";
  let stderr = "";
  const decoder = new TextDecoder();
  const errors = (async (): Promise<void> => {
    for await (const chunk of child.stderr) stderr += decoder.decode(chunk, { stream: true });
  })();
  const reader = child.stdout.getReader();
  while (!stdout.includes("}\n") && !stdout.includes("Listening")) {
    const { done, value } = await reader.read();
    if (done) {
      await errors;
      throw new Error(`ended with ${(await child.status).code}: ${stdout}${stderr}`);
    }
    stdout += decoder.decode(value, { stream: true });
  }
  const rest = (async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      stdout += decoder.decode(value, { stream: true });
    }
  })();
  return {
    told: stdout,
    url: /https?:\/\/[^\s"]+/.exec(stdout)?.[0].replace(/\/$/, "") ?? "",
    async stop(signal = "SIGTERM"): ReturnType<Served["stop"]> {
      try {
        child.kill(signal);
      } catch {
        // It ended by itself.
      }
      const { code } = await child.status;
      await Promise.all([rest, errors]);
      return { code, stdout, stderr };
    },
  };
}

/** Environment of a migration between two simulators of their own processes. */
export async function simulators(
  options: { cases: number; executions: number; rpm?: number },
): Promise<{ env: Record<string, string>; stop(): Promise<void> }> {
  const rpm = ["--rpm", String(options.rpm ?? 100_000)];
  const content = ["--cases", String(options.cases), "--executions", String(options.executions)];
  const [zephyr, qtest] = await Promise.all([
    serve(["simulate", "zephyr", "--json", "--seed", "3", ...rpm, ...content]),
    serve(["simulate", "qtest", "--json", "--seed", "3", ...rpm]),
  ]);
  const [from, to] = [zephyr, qtest].map(({ told }) =>
    JSON.parse(told) as { baseUrl: string; token: string; project: string }
  );
  return {
    env: {
      ZEPHYR_BASE_URL: from?.baseUrl ?? "",
      ZEPHYR_API_TOKEN: from?.token ?? "",
      ZEPHYR_PROJECT_KEY: from?.project ?? "",
      QTEST_BASE_URL: to?.baseUrl ?? "",
      QTEST_BEARER_TOKEN: to?.token ?? "",
      QTEST_PROJECT_ID: to?.project ?? "",
      ZEPHYR_RPM: String(options.rpm ?? 100_000),
      QTEST_RPM: String(options.rpm ?? 100_000),
    },
    async stop(): Promise<void> {
      await Promise.all([zephyr.stop(), qtest.stop()]);
    },
  };
}
