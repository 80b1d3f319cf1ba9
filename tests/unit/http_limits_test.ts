import { assert, assertEquals } from "@std/assert";
import { createHttpClient, type HttpClient } from "../../adapters/http/mod.ts";
import { createFakeClock, type FakeClock } from "../helpers/fake_clock.ts";

interface Vendor {
  client: HttpClient;
  clock: FakeClock;
  /** Times of requests, ms since the start. */
  times: number[];
  refused: number;
  getAll: (count: number) => Promise<void>;
}

/** A vendor with a limit of its own, behind a client set to `requestsPerMinute`. */
function vendor(options: {
  startSecond: number;
  requestsPerMinute: number;
  limit: number;
  window: "calendar" | "sliding";
  headers: boolean;
  retryAfter?: string;
}): Vendor {
  const clock = createFakeClock(Date.UTC(2026, 0, 1) + options.startSecond * 1_000);
  const made: Vendor = {
    clock,
    times: [],
    refused: 0,
    client: createHttpClient({
      system: "target",
      name: "qTest",
      baseUrl: "https://qtest.example",
      requestsPerMinute: options.requestsPerMinute,
      concurrency: 16,
      authorize: () => {},
      errorMessage: () => null,
      clock,
      fetch: async () => {
        await clock.sleep(300);
        return answer();
      },
    }),
    getAll: async (count) => {
      const { signal } = new AbortController();
      const get = (): Promise<unknown> =>
        made.client.request({ method: "GET", path: "/a", route: "/a", effect: "read", signal });
      await clock.run(Promise.all(Array.from({ length: count }, get)));
    },
  };

  function answer(): Response {
    const nowMs = clock.now();
    const opened = options.window === "sliding" ? nowMs - 60_000 : nowMs - (nowMs % 60_000) - 1;
    const used = made.times.filter((time) => time > opened).length;
    const headers = new Headers();
    if (options.headers) {
      headers.set("x-ratelimit-remaining-minute", String(Math.max(0, options.limit - used - 1)));
    }
    if (used >= options.limit) {
      made.refused++;
      if (options.retryAfter) headers.set("retry-after", options.retryAfter);
      return new Response("", { status: 429, headers });
    }
    made.times.push(nowMs);
    return Response.json({}, { headers });
  }
  return made;
}

Deno.test("a limit that equals the set rate is used to the full, whatever the window", async () => {
  for (const window of ["calendar", "sliding"] as const) {
    for (const startSecond of [0, 47]) {
      const made = vendor({
        startSecond,
        requestsPerMinute: 400,
        limit: 400,
        window,
        headers: true,
      });
      await made.getAll(900);
      const idealMs = 899 * 60_000 / 396;
      const tookMs = made.clock.monotonic();
      assertEquals(made.refused, 0);
      assert(tookMs < idealMs * 1.03 + 300, `${window} from :${startSecond} took ${tookMs} ms`);
    }
  }
});

Deno.test("a lower limit told by headers is kept without running into it", async () => {
  const made = vendor({
    startSecond: 10,
    requestsPerMinute: 400,
    limit: 100,
    window: "calendar",
    headers: true,
  });
  await made.getAll(400);
  assert(made.refused <= 2, `${made.refused} answers 429`);
  assert(made.clock.monotonic() < 245_000, `took ${made.clock.monotonic()} ms`);
});

Deno.test("a lower limit that only 429 tells is found, and everything gets through", async () => {
  for (const retryAfter of ["0", "2", undefined]) {
    const made = vendor({
      startSecond: 10,
      requestsPerMinute: 400,
      limit: 200,
      window: "sliding",
      headers: false,
      retryAfter,
    });
    await made.getAll(800);
    const { rateLimited, total } = made.client.stats();
    assertEquals([made.times.length, total - rateLimited], [800, 800]);
    assert(rateLimited < 150, `${rateLimited} answers 429 with Retry-After ${retryAfter}`);
    assert(made.clock.monotonic() < 330_000, `took ${made.clock.monotonic()} ms`);
  }
});
