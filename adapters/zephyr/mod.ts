/**
 * Zephyr Scale Cloud (API v2) as a source.
 *
 * ```ts
 * const http = createHttpClient(createZephyrHttp({ baseUrl, token, requestsPerMinute: 400, clock }));
 * const source = createZephyrSource({ http, baseUrl, projectKey: "SA" });
 * const profile = await source.probe(signal);
 * ```
 * @module
 */
export { checkZephyrBaseUrl } from "./address.ts";
export { createZephyrHttp, readZephyrError, type ZephyrHttpSettings } from "./http_options.ts";
export { createZephyrSource, type ZephyrSource, type ZephyrSourceOptions } from "./source.ts";
