/** Both simulators in this process, behind a switch for the target, for tests of the command line. @module */
import { startQtestSimulator } from "../../adapters/qtest/simulator/mod.ts";
import { startZephyrSimulator } from "../../adapters/zephyr/simulator/mod.ts";

type ZephyrData = NonNullable<NonNullable<Parameters<typeof startZephyrSimulator>[0]>["data"]>;
type Switches = NonNullable<NonNullable<Parameters<typeof startQtestSimulator>[0]>["switches"]>;

/** How the way to the target behaves. */
export type Way = "open" | "gone" | "unauthorized" | "html";

export interface Sites extends AsyncDisposable {
  zephyr: Awaited<ReturnType<typeof startZephyrSimulator>>;
  qtest: Awaited<ReturnType<typeof startQtestSimulator>>;
  /** Settings of both for the command line; the target goes through the switch. */
  env: Record<string, string>;
  /** An address where nobody listens. */
  closed: string;
  /** Sets what the target does from now on. */
  setWay(way: Way): void;
  /** Resolves when so many requests have passed to the target in all. */
  passed(count: number): Promise<void>;
  /** Starts a site with one answer to everything; returns its address. */
  page(body: string, status: number): string;
}

/** Starts everything on free ports. */
export async function startSites(
  data: ZephyrData,
  switches: Switches = {},
  requestsPerMinute = 60_000,
): Promise<Sites> {
  const zephyr = await startZephyrSimulator({ data });
  const qtest = await startQtestSimulator({ switches });
  const servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  let way: Way = "open";
  let count = 0;
  const waiting: { count: number; resolve: () => void }[] = [];
  const relay = (request: Request): Promise<Response> | Response => {
    if (way === "unauthorized") return Response.json({ message: "expired" }, { status: 401 });
    if (way === "html") return html("<html>Sign in</html>", 200);
    if (way === "gone") return html("<html>Bad gateway</html>", 502);
    count++;
    for (const entry of waiting) if (entry.count <= count) entry.resolve();
    return forward(request, qtest.url);
  };
  const serve = (handler: Deno.ServeHandler): string => {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
    servers.push(server);
    return `http://127.0.0.1:${server.addr.port}`;
  };
  const front = serve(relay);
  return {
    zephyr,
    qtest,
    closed: await closedAddress(),
    env: {
      ZEPHYR_BASE_URL: zephyr.url,
      ZEPHYR_API_TOKEN: zephyr.token,
      ZEPHYR_PROJECT_KEY: zephyr.projectKey,
      ZEPHYR_RPM: String(requestsPerMinute),
      QTEST_BASE_URL: front,
      QTEST_BEARER_TOKEN: qtest.token,
      QTEST_PROJECT_ID: String(qtest.projectId),
      QTEST_RPM: String(requestsPerMinute),
    },
    setWay: (next) => way = next,
    passed: (wanted) =>
      new Promise((resolve) => {
        if (count >= wanted) resolve();
        else waiting.push({ count: wanted, resolve });
      }),
    page: (body, status) => serve(() => html(body, status)),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all(servers.map((server) => server.shutdown()));
      await zephyr.close();
      await qtest.close();
    },
  };
}

function html(body: string, status: number): Response {
  return new Response(body, { status, headers: { "content-type": "text/html" } });
}

async function forward(request: Request, to: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.delete("host");
  const body = request.body === null ? null : await request.arrayBuffer();
  return await fetch(`${to}${pathname}${search}`, {
    method: request.method,
    headers,
    body,
    redirect: "manual",
  });
}

async function closedAddress(): Promise<string> {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(),
  );
  await server.shutdown();
  return `http://127.0.0.1:${server.addr.port}`;
}
