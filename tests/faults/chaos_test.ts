import { assert, assertEquals } from "@std/assert";
import { planSummary, resultLine, runPlan } from "./chaos/plan.ts";
import { startWiretap } from "./chaos/wiretap.ts";

Deno.test("a short chaos plan loses nothing, copies nothing and sends nothing twice", async () => {
  const results = await runPlan({ runs: 3, seed: 20, cases: 8, executions: 20, jobs: 3 });
  const failed = results.filter((result) => result.problems.length > 0);
  assertEquals(failed.map(resultLine), []);
  assert(results.some((result) => result.kills > 0), planSummary(results));
});

Deno.test("startWiretap() notices a create that leaves twice, unless the first was refused", async () => {
  let status = 200;
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      await request.body?.cancel();
      return new Response("{}", { status });
    },
  );
  const tap = startWiretap(server.addr.port);
  const send = async (path: string, id: string): Promise<void> => {
    const headers = { "x-correlation-id": id, "content-type": "application/json" };
    const answer = await fetch(tap.url + path, {
      method: "POST",
      headers,
      body: '{"a":"POST /x"}',
    });
    await answer.body?.cancel();
  };
  await send("/test-cases", "a");
  await send("/test-cases", "b");
  await send("/search?page=1", "c");
  await send("/search?page=1", "c");
  assertEquals([tap.creates, tap.repeated], [2, 0]);
  status = 429;
  await send("/test-cases", "d");
  status = 200;
  await send("/test-cases", "d");
  assertEquals([tap.creates, tap.repeated], [4, 0]);
  await send("/test-cases", "d");
  assertEquals([tap.creates, tap.repeated], [5, 1]);
  tap.close();
  await server.shutdown();
});
