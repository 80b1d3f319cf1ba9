import { assertEquals, assertRejects } from "@std/assert";
import { createMemoryBlobs } from "../../adapters/memory/blobs.ts";
import { storedHash } from "../../core/load/stored_hash.ts";
import { createFakeClock } from "../helpers/fake_clock.ts";

const OBJECT = { kind: "testCase", id: "12" } as const;
/** Of "abc". */
const SHA = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** A target whose bodies break off so many times before one comes whole. */
function world(broken: number): Parameters<typeof storedHash>[0] & { opened: () => number } {
  let opened = 0;
  const whole = new TextEncoder().encode("abc");
  return {
    blobs: createMemoryBlobs(),
    clock: { ...createFakeClock(), sleep: () => Promise.resolve() },
    readSignal: new AbortController().signal,
    opened: () => opened,
    target: {
      file: () => {
        const breaks = ++opened <= broken;
        return Promise.resolve(
          new ReadableStream<Uint8Array>({
            pull(controller): void {
              if (breaks) controller.error(new Error("the body broke off"));
              else {
                controller.enqueue(whole);
                controller.close();
              }
            },
          }),
        );
      },
    },
  };
}

Deno.test("storedHash() opens a file again whose body breaks off", async () => {
  const ctx = world(3);
  assertEquals(await storedHash(ctx, OBJECT, "7"), SHA);
  assertEquals(ctx.opened(), 4);
});

Deno.test("storedHash() gives up on a body that always breaks off", async () => {
  const ctx = world(99);
  await assertRejects(() => storedHash(ctx, OBJECT, "7"), Error, "broke off");
  assertEquals(ctx.opened(), 5);
});
