/** What a store on a server does when the line is bad. */
import { assertEquals, assertRejects } from "@std/assert";
import { openLibsqlStore } from "../../adapters/libsql/mod.ts";
import { LeaseLostError, StoreError } from "../../core/errors.ts";
import type { Rows } from "../../core/ports/mod.ts";
import type { TestCaseRecord } from "../../core/records/mod.ts";
import { aCase, isoAt, pageOf } from "../contracts/store_samples.ts";
import { ownScope } from "../helpers/owned_scope.ts";
import { startSqld, whySqldIsMissing } from "../helpers/sqld.ts";

const missing = await whySqldIsMissing();
if (missing !== null) console.log(`store tests on a server skipped: ${missing}`);
const ignore = missing !== null;

/** Forwards to a server; while `lose` is above 0, requests are carried out but their answers lost. */
function lossyProxy(target: string): { url: string; lose: number; stop: () => Promise<void> } {
  const state = { url: "", lose: 0, stop: () => server.shutdown() };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const url = new URL(request.url);
      const body = request.method === "POST" ? await request.text() : undefined;
      const answer = await fetch(target + url.pathname, {
        method: request.method,
        headers: { "content-type": request.headers.get("content-type") ?? "application/json" },
        body,
      });
      const bytes = await answer.arrayBuffer();
      if (state.lose > 0 && body?.includes("INSERT")) {
        state.lose--;
        return new Response("bad gateway", { status: 502 });
      }
      const type = answer.headers.get("content-type") ?? "application/json";
      return new Response(bytes, { status: answer.status, headers: { "content-type": type } });
    },
  );
  state.url = `http://127.0.0.1:${server.addr.port}`;
  return state;
}

Deno.test({
  name: "apply() takes place once, when the answer of the server is lost",
  ignore,
  fn: async () => {
    const server = await startSqld();
    const proxy = lossyProxy(server.url);
    const store = await openLibsqlStore({ url: proxy.url });
    try {
      await store.migrate();
      const { lease } = await ownScope(store);
      proxy.lose = 2;
      const event = { op: "event", runId: "r", type: "t", at: isoAt(0), data: {} } as const;
      const counted = { system: "source", route: "GET /a", status: "200", count: 1 } as const;
      await store.apply(lease, [event, { op: "requests", runId: "r", rows: [counted] }]);
      assertEquals(proxy.lose, 0);
      assertEquals((await store.events("r", 0, 9)).length, 1);
      assertEquals(await store.requestCounts("r"), [counted]);
      proxy.lose = 1;
      await assertRejects(() => store.apply({ ...lease, epoch: 9 }, [event]), LeaseLostError);
    } finally {
      await store.close();
      await proxy.stop();
      await server.stop();
    }
  },
});

Deno.test({
  name: "what was acknowledged is there, when the server is killed",
  ignore,
  fn: async () => {
    const server = await startSqld();
    const store = await openLibsqlStore({ url: server.url, busyTimeoutMs: 100 });
    try {
      await store.migrate();
      await store.requestControl("r", "pause", true);
      await server.restart();
      assertEquals(await store.controls("r"), { pause: true });
    } finally {
      await store.close();
      await server.kill();
    }
    const error = await assertRejects(
      () => openLibsqlStore({ url: server.url, busyTimeoutMs: 50, authToken: "s3cret" }),
      StoreError,
    );
    assertEquals(error.state, "unreachable");
    assertEquals(Deno.inspect(error).includes("s3cret"), false);
  },
});

Deno.test({
  name: "records() gives smaller pages, when the answer is larger than the server sends",
  ignore,
  fn: async () => {
    const server = await startSqld();
    const store = await openLibsqlStore({ url: server.url });
    try {
      await store.migrate();
      const { scopeId, lease } = await ownScope(store);
      const cases = Array.from({ length: 40 }, (_, n) => ({
        ...aCase(`A-T${n + 1}`),
        objective: "x".repeat(400_000),
      }));
      for (let at = 0; at < 40; at += 10) {
        await store.apply(lease, pageOf("testCase", String(at), cases.slice(at, at + 10)));
      }
      const keys: string[] = [];
      for (let after: string | null = null;;) {
        const page: Rows<TestCaseRecord> = await store.records(scopeId, "testCase", {
          after,
          limit: 100,
        });
        keys.push(...page.rows.map((row) => row.key));
        after = page.cursor;
        if (after === null) break;
      }
      assertEquals(keys, cases.map((row) => row.key));
      assertEquals((await store.recordsByKey(scopeId, "testCase", keys)).size, 40);
    } finally {
      await store.close();
      await server.stop();
    }
  },
});
