import { assertEquals } from "@std/assert";
import { readControl, writeControl } from "../../core/engine/control.ts";
import { ControlWatch } from "../../core/engine/control_watch.ts";
import type { Services } from "../../core/engine/types.ts";
import type { Run, Store } from "../../core/ports/mod.ts";
import { createMemoryStore } from "../../adapters/memory/store.ts";
import { createFakeClock, type FakeClock } from "../helpers/fake_clock.ts";

const RUN = { id: "run-1" } as Run;
const HOUR_MS = 3_600_000;

/** A run under a window from 08:00 to 18:00 UTC, in which the source is asked 60 times a minute. */
function officeHours(): { store: Store; clock: FakeClock; services: Services } {
  const store = createMemoryStore();
  const clock = createFakeClock(Date.UTC(2026, 0, 5, 17, 0));
  const system = { requestsPerMinute: 400 };
  const schedule = [{ from: "08:00", to: "18:00", source: { requestsPerMinute: 60 } }];
  const services = {
    store,
    clock,
    settings: { source: system, target: system, limits: { schedule } },
    source: { setRequestsPerMinute: () => undefined },
    target: { setRequestsPerMinute: () => undefined },
    log: () => undefined,
  } as unknown as Services;
  return { store, clock, services };
}

/** One process works on the run for a moment. */
async function slice({ services, clock }: ReturnType<typeof officeHours>): Promise<void> {
  const stop = new ControlWatch(services).start(RUN);
  await clock.flush();
  await stop();
}

Deno.test("ControlWatch takes back the rates of a window that ended while nothing worked on the run", async () => {
  const world = officeHours();
  await slice(world);
  assertEquals((await readControl(world.store, RUN.id)).limits.source, 60);
  await world.clock.tick(2 * HOUR_MS);
  await slice(world);
  assertEquals((await readControl(world.store, RUN.id)).limits.source, null);
});

Deno.test("ControlWatch leaves rates set by hand until the window changes, across processes", async () => {
  const world = officeHours();
  await slice(world);
  await writeControl(world.store, RUN.id, { limits: { source: 240, target: null } });
  await slice(world);
  assertEquals((await readControl(world.store, RUN.id)).limits.source, 240);
  await world.clock.tick(2 * HOUR_MS);
  await slice(world);
  assertEquals((await readControl(world.store, RUN.id)).limits.source, null);
});
