import { assert, assertEquals } from "@std/assert";
import { PhaseTimer } from "../../core/engine/phase_timer.ts";
import type { Run } from "../../core/ports/mod.ts";

function runOf(...states: string[]): Run {
  const [extract, transform, load, validate] = states;
  return { phases: { extract, transform, load, validate } } as unknown as Run;
}

Deno.test("PhaseTimer gives the time to the phases that were open during it", () => {
  const start = runOf("pending", "pending", "pending", "pending");
  const timer = new PhaseTimer({ extract: 100 }, start);
  assert(!timer.hasMoved(start));
  const extracted = runOf("done", "pending", "pending", "pending");
  assert(timer.hasMoved(extracted));
  // The first phase ended within this span: the span is its own, not the next one's.
  assertEquals(timer.take(extracted, 400), { extract: 500 });
  assertEquals(timer.take(runOf("done", "active", "active", "pending"), 500), {
    extract: 500,
    transform: 100,
  });
  assertEquals(timer.take(runOf("done", "done", "done", "done"), 700), {
    extract: 500,
    transform: 300,
    load: 200,
  });
});
