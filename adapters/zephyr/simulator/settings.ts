/** What a simulator can be told to do. @module */
import { type FaultPlan, READ_FAULTS } from "../../simulator_kit/mod.ts";
import type { DatasetOptions, ZephyrDataset } from "./types.ts";

/** Options of {@linkcode startZephyrSimulator}. Anything not given follows from `preset`. */
export interface ZephyrSimulatorOptions {
  /** Content; wins over `dataFile` and `data`. */
  dataset?: ZephyrDataset;
  /** Path of a JSON file: a snapshot as `GET /__sim/dataset` gives it, or dataset options. */
  dataFile?: string;
  /** Content to generate. @default {{ seed }} */
  data?: Partial<DatasetOptions>;
  /** Of content, faults and everything else that varies. @default {1} */
  seed?: number;
  /** 0 takes a free port. @default {0} */
  port?: number;
  /** @default {"127.0.0.1"} */
  hostname?: string;
  /** The one accepted key; by default one that follows from the seed. */
  token?: string;
  /** 0 = unlimited. @default {0} */
  requestsPerMinute?: number;
  rateWindow?: "fixed" | "sliding" | "bucket";
  /** Capacity of the bucket. */
  rateBurst?: number;
  /** What `Retry-After` says on 429. */
  retryAfter?: "seconds" | "zero" | "absent";
  /** A: offset lists only. B: cursor for cases. C: cursors, `updatedAfter`, files. @default {"C"} */
  generation?: "A" | "B" | "C";
  /** `generous`: plain. `strict`: every trap of paging, limits and downloads. @default {"generous"} */
  preset?: "generous" | "strict";
  /** @default {"none"} */
  faults?: "none" | "mild" | "harsh" | FaultPlan;
  /** Added to every answer, ms. @default {0} */
  latencyMs?: number;
  /** Most rows a page may have; steps never exceed 100. */
  pageCap?: number;
  /** Leave out `isLast`, `total`, `next` now and then, never so that the end cannot be found. */
  dropOptionalPagingKeys?: boolean;
  /** Offset lists in a stable order that is not that of ids. */
  hashOrder?: boolean;
  /** Cursor pages that are short or empty although more follows. */
  shortCursorPages?: boolean;
  /** Archived statuses and environments are only found by id. */
  hideArchivedLookups?: boolean;
  /** Downloads answer 302 to another host, which must not see the token. */
  downloadRedirect?: boolean;
  /** Whether edits of steps and files count as changes for `updatedAfter`. @default {true} */
  stepEditsBump?: boolean;
  /** Larger answers fail with 502, as the vendor's gateway does. @default {6,000,000} */
  maxAnswerBytes?: number;
  /** The server's clock, ms since the epoch. */
  now?: () => number;
}

/** Options with everything decided. */
export type Settings =
  & Required<
    Omit<ZephyrSimulatorOptions, "dataset" | "dataFile" | "data" | "rateBurst" | "faults">
  >
  & { rateBurst: number | undefined; faultPlan: FaultPlan };

/** Fills in what the preset implies. */
export function completeSettings(options: ZephyrSimulatorOptions): Settings {
  const preset = options.preset ?? "generous";
  const strict = preset === "strict";
  const seed = options.seed ?? options.dataset?.options.seed ?? 1;
  const faults = options.faults ?? "none";
  return {
    seed,
    preset,
    port: options.port ?? 0,
    hostname: options.hostname ?? "127.0.0.1",
    token: options.token ?? makeToken(seed),
    requestsPerMinute: options.requestsPerMinute ?? 0,
    rateWindow: options.rateWindow ?? (strict ? "sliding" : "bucket"),
    rateBurst: options.rateBurst,
    retryAfter: options.retryAfter ?? (strict ? "absent" : "seconds"),
    generation: options.generation ?? "C",
    faultPlan: typeof faults === "string" ? READ_FAULTS[faults] : faults,
    latencyMs: options.latencyMs ?? 0,
    pageCap: options.pageCap ?? (strict ? 100 : 1000),
    dropOptionalPagingKeys: options.dropOptionalPagingKeys ?? strict,
    hashOrder: options.hashOrder ?? strict,
    shortCursorPages: options.shortCursorPages ?? strict,
    hideArchivedLookups: options.hideArchivedLookups ?? strict,
    downloadRedirect: options.downloadRedirect ?? strict,
    stepEditsBump: options.stepEditsBump ?? true,
    maxAnswerBytes: options.maxAnswerBytes ?? 6_000_000,
    now: options.now ?? Date.now,
  };
}

/** A key in the shape of the vendor's: three dot-separated parts. */
function makeToken(seed: number): string {
  const part = (value: unknown): string =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const head = part({ alg: "HS256", typ: "JWT" });
  const body = part({ context: { baseUrl: "https://site.atlassian.net" }, iss: "sim", seed });
  return `${head}.${body}.simulated-signature-${seed}`;
}
