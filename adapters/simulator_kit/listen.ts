/** Starts and stops a loopback HTTP server. @module */

export interface Listener {
  port: number;
  /** `http://HOST:PORT`, no slash at the end. */
  url: string;
  /** Aborted when the server closes. */
  signal: AbortSignal;
  /** Stops listening and drops what is in flight; safe to call twice. */
  close(): Promise<void>;
}

/** Serves `handler`; port 0 takes a free one. Throws when the port is taken. */
export function listen(
  handler: (request: Request) => Response | Promise<Response>,
  options: { hostname?: string; port?: number } = {},
): Listener {
  const hostname = options.hostname ?? "127.0.0.1";
  const abort = new AbortController();
  const server = Deno.serve({
    hostname,
    port: options.port ?? 0,
    signal: abort.signal,
    onListen: () => {},
    onError: () => new Response(null, { status: 500 }),
  }, handler);
  const port = server.addr.port;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return {
    port,
    url: `http://${host}:${port}`,
    signal: abort.signal,
    async close(): Promise<void> {
      abort.abort();
      await server.finished;
    },
  };
}
