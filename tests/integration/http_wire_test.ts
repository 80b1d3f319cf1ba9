import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHttpClient, GaveUpError, type HttpClient } from "../../adapters/http/mod.ts";
import { createSystemClock } from "../../adapters/system.ts";
import { InDoubtError, InterruptedError } from "../../core/errors.ts";

const signal = new AbortController().signal;

function clientFor(
  baseUrl: string,
  more: { timeoutMs?: number; maxOutageMs?: number } = {},
): HttpClient {
  return createHttpClient({
    system: "target",
    name: "qTest",
    baseUrl,
    requestsPerMinute: 0,
    authorize: (headers) => headers.set("authorization", "Bearer wire-secret"),
    errorMessage: () => null,
    clock: createSystemClock(),
    ...more,
  });
}

interface RawServer extends AsyncDisposable {
  url: string;
  /** Requests read whole, as "METHOD body". */
  seen: string[];
  heads: string[];
  connections: number;
}

/** Answers GET and keeps the connection; reads any other request whole, then closes without an answer. */
function dropWrites(): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const server: RawServer = {
    url: `http://127.0.0.1:${listener.addr.port}`,
    seen: [],
    heads: [],
    connections: 0,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      listener.close();
      for (const connection of open) close(connection);
      await accepting;
    },
  };
  const accepting = (async (): Promise<void> => {
    for await (const connection of listener) {
      server.connections++;
      open.add(connection);
      serve(connection, server).catch(() => {}).finally(() => {
        open.delete(connection);
        close(connection);
      });
    }
  })();
  return server;
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed from the other side before.
  }
}

async function serve(connection: Deno.Conn, server: RawServer): Promise<void> {
  let rest = "";
  for await (const chunk of connection.readable) {
    rest += new TextDecoder().decode(chunk);
    for (let found = takeRequest(rest); found !== null; found = takeRequest(rest)) {
      rest = found.rest;
      const method = found.head.split(" ", 1)[0] ?? "";
      server.seen.push(`${method} ${found.body}`.trim());
      server.heads.push(found.head.toLowerCase());
      if (method !== "GET") return;
      const answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
      await connection.write(new TextEncoder().encode(answer));
    }
  }
}

function takeRequest(text: string): { head: string; body: string; rest: string } | null {
  const end = text.indexOf("\r\n\r\n") + 4;
  if (end < 4) return null;
  const head = text.slice(0, end);
  if (/transfer-encoding: chunked/i.test(head)) {
    const last = text.indexOf("0\r\n\r\n", end);
    return last < 0 ? null : { head, body: text.slice(end, last), rest: text.slice(last + 5) };
  }
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  if (text.length < end + length) return null;
  return { head, body: text.slice(end, end + length), rest: text.slice(end + length) };
}

const get = { method: "GET", path: "/a", route: "/a", effect: "read", signal } as const;
const post = { method: "POST", path: "/a", route: "/a", effect: "create", signal } as const;

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream();
}

const BODIES = [
  ["JSON", { json: { name: "x" } }, "content-length: 12"],
  ["a form", { form: { a: "b" } }, "content-length: 3"],
  ["no body", {}, "content-length: 0"],
  ["a stream", { body: () => streamOf("bytes") }, "transfer-encoding: chunked"],
  [
    "a stream of known length",
    { body: () => streamOf("bytes"), headers: { "content-length": "5" } },
    "content-length: 5",
  ],
] as const;

for (const [name, body, head] of BODIES) {
  Deno.test(`request() sends a create with ${name} exactly once to a server that drops it`, async () => {
    await using server = dropWrites();
    const fresh = clientFor(server.url);
    await assertRejects(() => fresh.request({ ...post, ...body }), InDoubtError, "connection lost");
    assertEquals(server.seen.length, 1);
    assert(server.heads[0]?.includes(head), server.heads[0]);

    // Several times: whether the runtime repeats a request depends on who notices the close first.
    for (let round = 0; round < 5; round++) {
      await fresh.request(get);
      server.seen.length = 0;
      await assertRejects(() => fresh.request({ ...post, ...body }), InDoubtError);
      assertEquals(server.seen.filter((one) => one.startsWith("POST")).length, 1);
    }
    fresh.close();
  });
}

Deno.test("request() reuses its connection for reads and creates", async () => {
  await using server = dropWrites();
  const client = clientFor(server.url);
  await client.request(get);
  await client.request(get);
  await assertRejects(() => client.request({ ...post, json: {} }), InDoubtError);
  assertEquals(server.connections, 1);
});

Deno.test("request() times out in the headers and in the body, and reads what breaks off again", async () => {
  let count = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
    count++;
    if (count === 1) await new Promise((resolve) => setTimeout(resolve, 400));
    if (count === 2) return new Response(brokenBody());
    if (count === 3) return new Response(hangingBody());
    return Response.json({ count });
  });
  const client = clientFor(`http://127.0.0.1:${server.addr.port}`, { timeoutMs: 150 });
  assertEquals((await client.request(get)).json, { count: 4 });
  assertEquals(client.stats().byStatus, { "GET /a": { error: 3, 200: 1 } });
  await server.shutdown();
});

function brokenBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller): void {
      controller.enqueue(new TextEncoder().encode('{"values": ['));
      controller.error(new Error("reset"));
    },
  });
}

function hangingBody(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller): void => controller.enqueue(new TextEncoder().encode("{")),
  });
}

Deno.test("request() names a refused connection and a host that does not exist", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const origin = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  const refused = clientFor(origin);
  await assertRejects(
    () => refused.request({ ...get, failFast: true }),
    GaveUpError,
    `Cannot reach qTest at ${origin}: connection refused`,
  );
  const outage = clientFor(origin, { maxOutageMs: 300 });
  await assertRejects(() => outage.request({ ...post, json: {} }), InterruptedError);
  const unknown = clientFor("http://no-such-host.invalid");
  await assertRejects(
    () => unknown.request({ ...get, failFast: true }),
    GaveUpError,
    "host name not found",
  );
});

Deno.test("stream() passes a file on and errors one that breaks off", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => new Response(request.url.endsWith("/whole") ? bytes : brokenBody()),
  );
  const client = clientFor(`http://127.0.0.1:${server.addr.port}`);
  const whole = await client.stream({ path: "/whole", route: "/f", signal });
  assertEquals(new Uint8Array(await new Response(whole.body).arrayBuffer()), bytes);
  const half = await client.stream({ path: "/half", route: "/f", signal });
  await assertRejects(() => new Response(half.body).arrayBuffer(), Error, "broke off");
  await server.shutdown();
});
