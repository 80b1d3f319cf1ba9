import { assert, assertEquals } from "@std/assert";
import { isSampled } from "../../core/validate/sample.ts";

Deno.test("isSampled() takes about the share asked for, and the same keys each time", () => {
  const keys = Array.from({ length: 10_000 }, (_, index) => `SA-T${index + 1}`);
  for (const share of [0.05, 0.5]) {
    const taken = keys.filter((key) => isSampled(key, share));
    assert(Math.abs(taken.length / keys.length - share) < 0.02, `${share}: ${taken.length}`);
    assertEquals(keys.filter((key) => isSampled(key, share)), taken);
  }
  assertEquals(keys.filter((key) => isSampled(key, 1)).length, keys.length);
});
