/**
 * Listens in between client and server: says whether a request that may not be repeated was on the
 * wire more than once. Requests are told apart by their correlation id; the same one may come again
 * only after an answer that says nothing was done (429, 401).
 */

export interface Wiretap {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  /** Creates that left again although the first one may have been carried out. */
  readonly repeated: number;
  /** Creates seen. */
  readonly creates: number;
  close(): void;
}

const WITHOUT_EFFECT = new Set([401, 429]);
/** Reads and logins travel as POST too. */
const NOT_A_CREATE = /^POST \S*(\/search|\/oauth\/token)/;

/** Relays to the port of a server on loopback. */
export function startWiretap(port: number): Wiretap {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  /** Correlation id → whether it may come again. */
  const seen = new Map<string, boolean>();
  const count = { repeated: 0, creates: 0 };
  const request = (id: string): void => {
    count.creates++;
    if (seen.get(id) === false) count.repeated++;
    seen.set(id, false);
  };
  const relay = async (client: Deno.Conn): Promise<void> => {
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    for (const side of [client, server]) open.add(side);
    let last: string | null = null;
    await Promise.all([
      pump(client, server, (head) => {
        const isCreate = head.startsWith("POST ") && !NOT_A_CREATE.test(head);
        last = isCreate ? /^x-correlation-id: *(\S+)/mi.exec(head)?.[1] ?? null : null;
        if (last !== null) request(last);
      }),
      pump(server, client, (head) => {
        if (last !== null) seen.set(last, WITHOUT_EFFECT.has(Number(head.slice(9, 12))));
        last = null;
      }),
    ]);
    for (const side of [client, server]) open.delete(side);
  };
  const accept = async (): Promise<void> => {
    for await (const client of listener) relay(client).catch(() => close(client));
  };
  accept().catch(() => {});
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`,
    get repeated(): number {
      return count.repeated;
    },
    get creates(): number {
      return count.creates;
    },
    close(): void {
      listener.close();
      for (const side of open) close(side);
    },
  };
}

const HEAD = /(?:^|\r\n|\n|\}|^)((?:GET|POST|PUT|DELETE) \/\S* HTTP\/1\.1\r\n|HTTP\/1\.1 \d{3})/;

/** Copies until either side ends; calls `onHead` with each head that begins in what passes. */
async function pump(
  from: Deno.Conn,
  to: Deno.Conn,
  onHead: (head: string) => void,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder("latin1");
  try {
    for (;;) {
      const read = await from.read(buffer);
      if (read === null) break;
      const text = decoder.decode(buffer.subarray(0, read));
      const at = HEAD.exec(text);
      if (at !== null) onHead(text.slice(text.indexOf(at[1] ?? "", at.index)));
      for (let sent = 0; sent < read;) sent += await to.write(buffer.subarray(sent, read));
    }
  } catch {
    // A side that was cut; the other one is closed below.
  }
  close(from);
  close(to);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already by the other direction.
  }
}
