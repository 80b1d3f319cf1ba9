import { assert, assertEquals, assertRejects } from "@std/assert";
import { SimClient } from "../helpers/qtest_simulator_client.ts";

Deno.test("each fault leaves the effect it is named for", async () => {
  await using client = await SimClient.start({ realResets: true });
  const post = (name: string): Promise<{ status: number; text: string }> =>
    client.send("POST", "~/modules", { body: { name }, isChecked: false });
  const exists = (name: string): boolean =>
    [...client.sim.state.table("modules").values()].some((item) => item.name === name);
  const answered = [
    ["500", 500, false],
    ["502-html", 502, false],
    ["429", 429, false],
    ["504-html", 504, true],
    ["after-500", 500, true],
    ["after-empty", 200, true],
    ["slow", 201, true],
  ] as const;
  for (const [kind, status, isKept] of answered) {
    client.sim.injectFault({ kind, route: "/modules" });
    const reply = await post(kind);
    assertEquals([kind, reply.status, exists(kind)], [kind, status, isKept]);
  }
  for (const [kind, isKept] of [["reset", false], ["after-reset", true]] as const) {
    client.sim.injectFault({ kind, route: "/modules" });
    await assertRejects(() => post(kind), TypeError);
    assertEquals(exists(kind), isKept);
  }
  assertEquals(client.sim.faultCounts()["after-reset"], 1);
});

Deno.test("a cut connection gives the client no byte of an answer", async () => {
  await using client = await SimClient.start({ realResets: true });
  client.sim.injectFault({ kind: "after-reset", route: "/modules" });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: client.sim.port });
  const body = `{"name":"A"}`;
  await connection.write(
    new TextEncoder().encode(
      `POST /api/v3/projects/1001/modules HTTP/1.1\r\nhost: x\r\n` +
        `authorization: Bearer ${client.sim.token}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    ),
  );
  const read = await connection.read(new Uint8Array(100)).catch(() => null);
  assertEquals(read, null);
  connection.close();
  assertEquals(client.sim.oracle().counts.modules, 1);
});

Deno.test("a naive retry after a lost answer shows up as a duplicate", async () => {
  await using client = await SimClient.start({ realResets: true });
  const send = (): Promise<unknown> =>
    client.send("POST", "~/modules", { body: { name: "A", description: "zephyr:folder:1" } });
  client.sim.injectFault({ kind: "after-reset", route: "/modules" });
  await send().catch(send);
  const { duplicates } = client.sim.oracle();
  assertEquals(duplicates.map(({ kind, key }) => [kind, key]), [["modules", "zephyr:folder:1"]]);
});

Deno.test("seeded faults repeat with the seed and hit about the planned share", async () => {
  const outcomes = async (seed: number): Promise<string[]> => {
    const plan = { rate: 0.08, kinds: { "500": 1, "after-500": 1, "502-html": 1 } };
    await using client = await SimClient.start({ seed, faults: plan, realResets: false });
    const seen: string[] = [];
    for (let n = 0; n < 150; n++) {
      const reply = await client.send("POST", "~/modules", {
        body: { name: `M${n}` },
        isChecked: false,
      });
      seen.push(String(reply.status));
    }
    return seen;
  };
  const [first, again, other] = [await outcomes(5), await outcomes(5), await outcomes(6)];
  assertEquals(first, again);
  assert(first.join() !== other.join());
  const share = first.filter((status) => status !== "201").length / first.length;
  assert(share > 0.02 && share < 0.18, String(share));
});

Deno.test("the minute's budget answers 429 with the remainder, and the month's as well", async () => {
  let now = Date.UTC(2026, 0, 1);
  await using client = await SimClient.start({
    now: () => now,
    requestsPerMinute: 3,
    monthLimit: 5,
    switches: { retryAfter: "seconds", rateWindow: "fixed" },
  });
  const read = (): ReturnType<SimClient["send"]> => client.send("GET", "~/modules");
  const remaining: (string | null)[] = [];
  for (let n = 0; n < 3; n++) {
    remaining.push((await read()).headers.get("x-ratelimit-remaining-minute"));
  }
  assertEquals(remaining, ["2", "1", "0"]);
  const refused = await read();
  assertEquals([refused.status, refused.json], [429, { message: "API rate limit exceeded" }]);
  assertEquals(refused.headers.get("retry-after"), "60");
  now += 60_000;
  assertEquals((await read()).headers.get("x-ratelimit-remaining-month"), "1");
  assertEquals((await read()).status, 200);
  now += 60_000;
  assertEquals((await read()).status, 429);
  const stats = client.sim.requestLog.stats();
  assertEquals([stats.total, stats.rateLimited, stats.peakPerMinute], [7, 2, 7]);
});

Deno.test("admin routes stand outside the API and need no token", async () => {
  await using client = await SimClient.start();
  await client.module("A");
  const read = async (path: string): Promise<Record<string, unknown>> =>
    await (await fetch(client.sim.url + path)).json();
  assertEquals((await read("/__sim/stats")).total, 1);
  assertEquals((await read("/__sim/oracle")).orphans, []);
  assertEquals(((await read("/__sim/dump")).modules as unknown[]).length, 1);
});

Deno.test("two simulators run side by side and close twice without complaint", async () => {
  await using one = await SimClient.start();
  await using two = await SimClient.start();
  await one.module("A");
  assertEquals(two.sim.oracle().counts.modules, 0);
  assert(one.sim.url !== two.sim.url);
  await two.sim.close();
});
