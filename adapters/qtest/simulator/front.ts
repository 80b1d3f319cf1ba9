/**
 * A listener whose connections can be cut without an answer. The HTTP server of the runtime always
 * sends a head; a relay in front of it can close the client's socket before the first byte.
 * @module
 */
import type { Listener } from "../../simulator_kit/mod.ts";

type Handler = (request: Request, cut: () => void) => Response | Promise<Response>;

/**
 * Serves `handler`; its second argument closes the connection the request came in on. Without
 * `canCut` there is no relay (faster) and cutting only breaks off the answer's body.
 */
export function listenWithCuts(
  handler: Handler,
  options: { hostname: string; port: number; canCut: boolean },
): Listener {
  const abort = new AbortController();
  const clients = new Map<number, Deno.Conn>();
  const server = Deno.serve({
    hostname: options.canCut ? "127.0.0.1" : options.hostname,
    port: options.canCut ? 0 : options.port,
    signal: abort.signal,
    onListen: () => {},
    onError: () => new Response(null, { status: 500 }),
  }, (request, info) => {
    const client = clients.get(info.remoteAddr.transport === "tcp" ? info.remoteAddr.port : 0);
    return handler(request, () => close(client));
  });
  const relay = options.canCut
    ? startRelay({ ...options, backPort: server.addr.port, clients })
    : null;
  const port = relay?.port ?? server.addr.port;
  const host = options.hostname.includes(":") ? `[${options.hostname}]` : options.hostname;
  return {
    port,
    url: `http://${host}:${port}`,
    signal: abort.signal,
    async close(): Promise<void> {
      relay?.stop();
      abort.abort();
      await server.finished;
      await relay?.finished;
    },
  };
}

function startRelay(options: {
  hostname: string;
  port: number;
  backPort: number;
  clients: Map<number, Deno.Conn>;
}): { port: number; stop: () => void; finished: Promise<void> } {
  const { clients } = options;
  const listener = Deno.listen({ hostname: options.hostname, port: options.port });
  const open = new Set<Promise<void>>();
  const serve = async (client: Deno.Conn): Promise<void> => {
    const back = await Deno.connect({ hostname: "127.0.0.1", port: options.backPort });
    const key = back.localAddr.transport === "tcp" ? back.localAddr.port : 0;
    clients.set(key, client);
    await Promise.all([pump(client, back), pump(back, client)]);
    clients.delete(key);
  };
  const accept = async (): Promise<void> => {
    for await (const client of listener) {
      const done = serve(client).catch(() => close(client));
      open.add(done);
      done.finally(() => open.delete(done));
    }
    await Promise.all(open);
  };
  return {
    port: listener.addr.transport === "tcp" ? listener.addr.port : 0,
    stop(): void {
      listener.close();
      for (const client of clients.values()) close(client);
    },
    finished: accept(),
  };
}

/** Copies until either side ends, then ends both. */
async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const read = await from.read(buffer);
      if (read === null) break;
      for (let sent = 0; sent < read;) sent += await to.write(buffer.subarray(sent, read));
    }
  } catch {
    // A side that was cut; the other one is closed below.
  }
  close(from);
  close(to);
}

function close(connection: Deno.Conn | undefined): void {
  try {
    connection?.close();
  } catch {
    // Closed already by the other direction.
  }
}
