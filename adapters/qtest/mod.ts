/** qTest Manager as the target of a migration. @module */
export { createQtestHttp, type QtestHttpOptions, type QtestHttpSettings } from "./http.ts";
export { createQtestTarget, type QtestTargetOptions } from "./target.ts";
