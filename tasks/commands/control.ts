/** Commands of the control plane; `mod.ts` lists them with the others. @module */
import type { SettingType } from "../../core/config/mod.ts";
import type { CommandSpec, OptionSpec } from "../cli/spec.ts";

const TEXT: SettingType = { name: "text" };

const RUN: OptionSpec = {
  name: "run",
  type: TEXT,
  word: "ID",
  default: "the newest run",
  help: "Run to look at",
};
/** Asks a server instead of the database. */
export const SERVER: OptionSpec = {
  name: "server",
  type: { name: "url", schemes: ["http", "https"] },
  word: "URL",
  default: "the local database",
  help: "Control plane to ask instead; its token comes from ZTOQ_API_TOKEN",
};
const REASON: OptionSpec = {
  name: "reason",
  type: TEXT,
  word: "TEXT",
  help: "Why, for `status` and the dashboard",
};

function verb(name: string, summary: string, options: readonly OptionSpec[]): CommandSpec {
  return {
    name,
    summary,
    args: [],
    options: [RUN, SERVER, ...options],
    settings: "store",
    examples: [`ztoq ${name}`, `ztoq ${name} --server http://127.0.0.1:8787`],
    load: () => import("./steer.ts"),
  };
}

function rate(system: string): OptionSpec {
  return {
    name: system,
    type: { name: "integer", min: 0, max: 1_000_000 },
    word: "RPM",
    help: `Requests per minute to the ${system}; 0 returns to the configured rate`,
  };
}

/** serve, watch, pause, resume, cancel, limits. */
export const CONTROL_COMMANDS: readonly CommandSpec[] = [
  {
    name: "serve",
    summary: "The HTTP control plane and the dashboard",
    details:
      "Serves until Ctrl-C or SIGTERM; runs then finish the work in hand and can be resumed. Without\n" +
      "a token (ZTOQ_API_TOKEN, controlPlane.tokens) it listens on loopback only.",
    args: [],
    options: [
      {
        name: "host",
        type: TEXT,
        word: "HOST",
        default: "127.0.0.1",
        help: "Address to listen on",
      },
      {
        name: "port",
        type: { name: "integer", min: 0, max: 65_535 },
        word: "N",
        default: "8787",
        help: "Port to listen on; 0 takes a free one",
      },
    ],
    settings: "migration",
    examples: ["ztoq serve", "ZTOQ_API_TOKEN=… ztoq serve --host 0.0.0.0 --port 8080"],
    load: () => import("./serve.ts"),
  },
  {
    name: "watch",
    summary: "Follow a run until it is over",
    details: "Prints NDJSON with --json. Ends with the exit code of the run.",
    args: [],
    options: [RUN, SERVER],
    settings: "store",
    examples: ["ztoq watch", "ztoq watch --json --server http://127.0.0.1:8787"],
    load: () => import("./watch.ts"),
  },
  verb("pause", "Hold a running migration still", [REASON]),
  verb("resume", "Go on with a paused migration", []),
  verb("cancel", "End a migration for good; what was written stays", [REASON]),
  {
    name: "limits",
    summary: "Show or change the request rates of a running migration",
    details: "Effective on the next request. Without options, shows the rates in force.",
    args: [],
    options: [RUN, SERVER, rate("source"), rate("target")],
    settings: "store",
    examples: ["ztoq limits", "ztoq limits --source 120 --target 60"],
    load: () => import("./limits.ts"),
  },
];
