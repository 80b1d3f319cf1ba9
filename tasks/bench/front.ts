/** Stands before the target: counts and times what passes, and loses answers when told to. @module */

/** A request as it passes. */
export interface Passing {
  method: string;
  /** `/test-cases`: the last part of the path that is not an id. */
  route: string;
  isCreate: boolean;
  /** What a create goes into, as far as the request tells. */
  parent: string;
}

/** What becomes of a request: passed on, carried out with its answer lost, or lost on the way. */
export type Fate = "pass" | "lose-answer" | "lose-request";

export interface WatchedFront {
  /** Address for the program; set by {@linkcode WatchedFront.before}. */
  before(target: string): string;
  close(): Promise<void>;
}

/** Starts it; `decide` hears of each request and says what becomes of it. */
export function startFront(decide: (request: Passing) => Fate): WatchedFront {
  let target = "";
  const listen = { hostname: "127.0.0.1", port: 0, onListen: (): void => {} };
  const server = Deno.serve(listen, async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method } = request;
    const body = method === "GET" ? null : await request.bytes();
    const route = pathname.replace(/\/\d+(?=\/|$)/g, "").replace(/^.*(?=\/)/, "");
    const isCreate = method === "POST" && !/search|token/.test(route);
    const parent = isCreate ? parentOf(pathname + search, body) : "";
    const fate = decide({ method, route, isCreate, parent });
    return await passOn({ request, body, url: `${target}${pathname}${search}`, fate });
  });
  return {
    before(url): string {
      target = url;
      return `http://127.0.0.1:${server.addr.port}`;
    },
    close: () => server.shutdown(),
  };
}

/** Containers stand in the address or in the body. */
function parentOf(address: string, body: Uint8Array<ArrayBuffer> | null): string {
  const text = body === null ? "" : new TextDecoder().decode(body);
  return /"parent_id":"?(\d+)/.exec(text)?.[1] ?? address;
}

interface Passage {
  request: Request;
  body: Uint8Array<ArrayBuffer> | null;
  url: string;
  fate: Fate;
}

async function passOn({ request, body, url, fate }: Passage): Promise<Response> {
  const { method, headers } = request;
  const lost = new Response(null, { status: 504 });
  if (fate === "lose-request") return lost;
  const answer = await fetch(url, { method, headers, body, redirect: "manual" });
  const bytes = await answer.bytes();
  if (fate === "lose-answer") return lost;
  const kept = new Headers(answer.headers);
  kept.delete("content-length");
  return new Response(bytes.length === 0 ? null : bytes, { status: answer.status, headers: kept });
}
