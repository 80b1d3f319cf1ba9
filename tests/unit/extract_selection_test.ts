import { assertEquals } from "@std/assert";
import type { Settings } from "../../core/config/types.ts";
import { stepStatusFilter } from "../../core/extract/selection.ts";
import type { LookupRecord } from "../../core/records/mod.ts";
import { mappingOf } from "./transform_support.ts";

function status(id: string, name: string): LookupRecord {
  return {
    kind: "status",
    id,
    name,
    statusType: "TEST_EXECUTION",
    index: 0,
    isDefault: false,
    isArchived: false,
  };
}

const STATUSES = [status("1", "Pass"), status("2", "Not Executed"), status("3", "Fail")];

function wanted(
  mode: Settings["include"]["executionSteps"],
  ids: (string | null)[],
  mapping = mappingOf(),
): Promise<boolean[]> {
  return stepStatusFilter({
    mapping,
    scope: { id: 1 },
    settings: { include: { executionSteps: mode } },
    // deno-lint-ignore require-await
    store: { records: async () => ({ rows: STATUSES as never[], cursor: null }) },
  }).then((wants) => ids.map(wants));
}

Deno.test("stepStatusFilter() wants the steps of each status that makes a log", async () => {
  assertEquals(await wanted("executed", ["1", "2", "3"]), [true, false, true]);
  assertEquals(await wanted("failed", ["1", "2", "3"]), [false, false, true]);
  assertEquals(await wanted("none", ["1"]), [false]);
  assertEquals(await wanted("all", ["2", "99", null]), [true, true, true]);
});

Deno.test("stepStatusFilter() asks the mapping, when the source does not tell a status", async () => {
  const byDefault = mappingOf({ defaults: { status: "Failed" } });
  assertEquals(await wanted("executed", ["99", null], byDefault), [true, true]);
  assertEquals(await wanted("failed", ["99", null], byDefault), [true, true]);
  const byId = mappingOf({ statuses: { execution: { "status 99": null } } });
  assertEquals(await wanted("executed", ["99"], byId), [false]);
  const byName = mappingOf({ names: { "status 99": "Not Executed" } });
  assertEquals(await wanted("executed", ["99"], byName), [false]);
});
