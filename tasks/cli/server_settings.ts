/** Settings that only `serve` uses, looked at beforehand. @module */
import { createNotifier } from "../../adapters/connect.ts";
import type { Settings } from "../../core/config/mod.ts";
import { ConfigError } from "../../core/errors.ts";
import type { CommandContext } from "./spec.ts";

/** Returns what `ztoq serve` would refuse, one text for each of schedules, tokens and webhooks. */
export async function serverProblems(
  { io }: CommandContext,
  settings: Settings,
): Promise<string[]> {
  const { schedules, webhooks, controlPlane: { tokens } } = settings;
  if (schedules.length + webhooks.length + tokens.length === 0) return [];
  const { parseSchedules, readTokens } = await import("../../routes/mod.ts");
  const secrets = {
    env: io.env,
    readSecretFile: (path: string): string => Deno.readTextFileSync(path),
  };
  const store = (): Promise<never> => Promise.reject(new TypeError("only read, never told"));
  const checks: (() => unknown)[] = [
    () => parseSchedules(schedules),
    () => readTokens(settings, secrets),
    () => createNotifier({ webhooks, ...secrets, store, log: () => undefined }),
  ];
  const problems: string[] = [];
  for (const check of checks) {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message.replace(/^Cannot use the configuration: /, ""));
    }
  }
  return problems;
}
