import type { HttpAnswer, HttpClient, RequestSpec } from "../../adapters/http/types.ts";
import { createQtestTarget } from "../../adapters/qtest/mod.ts";
import type { Found, Target, Traffic, WriteOptions } from "../../core/ports/mod.ts";

type Streamed = Omit<RequestSpec, "method" | "effect">;
/** What a fake request saw, in the words of a log line: `GET /api/v3/…?a=b`. */
export interface Sent {
  line: string;
  spec: RequestSpec;
}
/** Answers one request: a JSON value, `{status}` with an optional body, or an error to throw. */
export type Script = (line: string, spec: RequestSpec) => unknown;

/** An answer with a status of its own. */
export class Answer {
  readonly status: number;
  readonly json: unknown;
  constructor(status: number, json?: unknown) {
    this.status = status;
    this.json = json;
  }
}

/** A client that answers from a script and keeps what was sent. */
export function fakeHttp(script: Script): { http: HttpClient; sent: Sent[] } {
  const sent: Sent[] = [];
  async function request(spec: RequestSpec): Promise<HttpAnswer> {
    await spec.intent?.();
    const line = `${spec.method} ${spec.path}${queryOf(spec.query)}`;
    sent.push({ line, spec });
    const said = await script(line, spec);
    if (said instanceof Error) throw said;
    const { status, json } = said instanceof Answer ? said : new Answer(200, said);
    const text = json === undefined ? "" : JSON.stringify(json);
    return {
      status,
      headers: new Headers(),
      bytes: new TextEncoder().encode(text),
      text,
      json: text === "" ? undefined : JSON.parse(text),
    };
  }
  const http: HttpClient = {
    request,
    stream: async (spec: Streamed) => {
      const answer = await request({ ...spec, method: "GET", effect: "read" });
      return {
        status: answer.status,
        headers: answer.headers,
        body: new Blob([answer.text]).stream(),
      };
    },
    stats: () => ({
      total: sent.length,
      byRoute: {},
      byStatus: {},
      retried: 0,
      rateLimited: 0,
      peakPerMinute: 0,
      queued: 0,
      waiting: null,
      monthRemaining: 4_711,
    }),
    setRequestsPerMinute: () => {},
    close: () => {},
  };
  return { http, sent };
}

/** A target of project 7 on a scripted client. */
export function fakeTarget(script: Script): { target: Target & Traffic; sent: Sent[] } {
  const { http, sent } = fakeHttp(script);
  return { target: createQtestTarget({ http, projectId: "7" }), sent };
}

/** Write hooks that allow everything. */
export function writing(): WriteOptions {
  return { signal: new AbortController().signal, intent: () => Promise.resolve() };
}

export const signal: AbortSignal = new AbortController().signal;

/** All pages in one list. */
export async function collect(pages: AsyncIterable<Found[]>): Promise<Found[]> {
  const found: Found[] = [];
  for await (const page of pages) found.push(...page);
  return found;
}

function queryOf(query: RequestSpec["query"]): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return entries.length === 0
    ? ""
    : `?${entries.map(([key, value]) => `${key}=${value}`).join("&")}`;
}
