/** Structured log lines on stderr, through LogTape, redacted at the sink. @module */
import { configureSync, getLogger, type LogRecord, resetSync } from "@logtape/logtape";
import type { Services } from "../../core/engine/types.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Redactor } from "./redact.ts";

const LEVELS = ["debug", "info", "warning", "error"] as const;
type Level = (typeof LEVELS)[number];

export interface LogOptions {
  env: (name: string) => string | undefined;
  verbose: boolean;
  quiet: boolean;
  /** Whether a person reads stderr: log lines below `warning` then stay out of the way of progress. */
  interactive: boolean;
  redactor: Redactor;
  write: (line: string) => void;
}

/**
 * Sets up logging for this process and returns the engine's sink.
 * @throws {ConfigError} for an unknown level or format in the environment
 */
export function setUpLog(options: LogOptions): Services["log"] {
  const format = choice(options, "ZTOQ_LOG_FORMAT", ["text", "json"], "text");
  const level = levelOf(options, format);
  const sink = (record: LogRecord): void => {
    const line = format === "json" ? jsonLine(record) : textLine(record);
    options.write(`${options.redactor.redact(line)}\n`);
  };
  resetSync();
  configureSync({
    sinks: { stderr: sink },
    loggers: [
      { category: ["ztoq"], sinks: ["stderr"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "error" },
    ],
  });
  const logger = getLogger(["ztoq"]);
  return ({ level, event, data }) => logger[level](event, data);
}

function levelOf(options: LogOptions, format: string): Level {
  if (options.verbose) return "debug";
  if (options.quiet) return "error";
  const usual = options.interactive && format === "text" ? "warning" : "info";
  return choice(options, "ZTOQ_LOG_LEVEL", LEVELS, usual);
}

function choice<T extends string>(
  { env }: LogOptions,
  name: string,
  values: readonly T[],
  usual: T,
): T {
  const raw = env(name)?.trim().toLowerCase();
  if (raw === undefined || raw === "") return usual;
  const wanted = raw === "warn" ? "warning" : raw;
  const found = values.find((value) => value === wanted);
  if (found !== undefined) return found;
  throw new ConfigError(
    `Cannot use the configuration: ${name} is "${raw}"; wanted one of ${values.join(", ")}`,
  );
}

function jsonLine(record: LogRecord): string {
  return JSON.stringify({
    at: new Date(record.timestamp).toISOString(),
    level: record.level,
    event: String(record.rawMessage),
    ...record.properties,
  }, plainErrors);
}

function textLine(record: LogRecord): string {
  const time = new Date(record.timestamp).toISOString().slice(11, 19);
  const data = Object.entries(record.properties).map(([key, value]) =>
    `${key}=${JSON.stringify(value, plainErrors) ?? "-"}`
  );
  return [time, record.level.toUpperCase().padEnd(7), String(record.rawMessage), ...data].join(" ");
}

/** Errors have no enumerable members; their message is what matters, never their cause or request. */
function plainErrors(_key: string, value: unknown): unknown {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return typeof value === "bigint" ? String(value) : value;
}
