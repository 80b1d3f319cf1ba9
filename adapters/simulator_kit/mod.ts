/** What both vendors' simulators share: chance, limits, faults, a log and a listener. @module */
export * from "./random.ts";
export * from "./rate_limit.ts";
export * from "./faults.ts";
export * from "./request_log.ts";
export * from "./listen.ts";
