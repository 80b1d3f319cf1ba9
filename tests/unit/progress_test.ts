import { assertEquals } from "@std/assert";
import { ProgressTracker } from "../../core/engine/progress.ts";
import type { Progress, Traffic } from "../../core/ports/mod.ts";
import { createFakeClock } from "../helpers/fake_clock.ts";

Deno.test("update() tells a new reason to wait at once, and other news a few times a second", () => {
  const heard: Pick<Progress, "done" | "waiting">[] = [];
  const idle = { stats: () => ({ waiting: null }) } as unknown as Traffic;
  const tracker = new ProgressTracker(
    createFakeClock(),
    { source: idle, target: idle },
    ({ done, waiting }) => heard.push({ done, waiting }),
  );
  tracker.update("load.adopt", { done: 1 });
  tracker.update("load.adopt", { done: 2 });
  tracker.update("load.adopt", { waiting: "reading" });
  tracker.update("load.adopt", { waiting: "reading" });
  tracker.update("load.adopt", { waiting: null });
  assertEquals(heard, [
    { done: 1, waiting: null },
    { done: 2, waiting: "reading" },
    { done: 2, waiting: null },
  ]);
});
