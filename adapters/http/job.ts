/** One request on its way through its attempts: what is sent, and what was seen so far. @module */
import { type ReadAnswer, readAnswer } from "./answer.ts";
import type { Redactor } from "./redact.ts";
import type { Problem, Subject } from "./retry.ts";
import type { HttpOptions, RequestSpec } from "./types.ts";

/** Bodies of a known length up to this are held in memory, so that `content-length` is sent. */
const MAX_BUFFERED_BYTES = 8_388_608;
const MAX_WORDS = 2_000;

/** State of one request over its attempts. */
export class Job {
  readonly spec: RequestSpec;
  readonly subject: Subject;
  /** `METHOD /path/{param}` for counters. */
  readonly route: string;
  readonly correlationId: string = crypto.randomUUID();
  readonly startedMs: number;
  readonly #startUrl: string;
  #payload: Blob | null | undefined;
  url: string;
  redirects = 0;
  /** Attempts sent. */
  sends = 0;
  /** Attempts that failed by what may pass. */
  tries = 0;
  /** Times in a row that the same thing was seen. */
  sameTries = 0;
  /** When trouble began, monotonic ms; null while there is none. */
  troubleSinceMs: number | null = null;
  /** Times that its 401 renewed the credentials. */
  renewals = 0;
  #lastSeen = "";

  constructor(
    spec: RequestSpec,
    options: {
      http: HttpOptions;
      baseUrl: string;
      nowMs: number;
      redactor: Redactor;
      streamed: boolean;
    },
  ) {
    this.spec = spec;
    this.route = `${spec.method} ${spec.route}`;
    this.startedMs = options.nowMs;
    this.#startUrl = options.baseUrl + spec.path + queryOf(spec);
    this.url = this.#startUrl;
    this.subject = {
      name: options.http.name,
      action: options.redactor.scrub(`${spec.method} ${spec.path.split("?", 1)[0]}`),
      origin: new URL(options.baseUrl).origin,
      effect: spec.effect,
      accept: spec.accept ?? [],
      method: spec.method,
      words: (answer) => options.redactor.scrub(wordsOf(options.http, answer)),
      streamed: options.streamed,
      foreign: false,
    };
  }

  /** Notes one more failure and returns how often in a row exactly this was seen. */
  failedWith(problem: Problem, nowMs: number): number {
    this.tries++;
    this.troubleSinceMs ??= nowMs;
    // Not the words: they may hold the time or an id.
    const seen = `${problem.kind} ${problem.status}`;
    this.sameTries = seen === this.#lastSeen ? this.sameTries + 1 : 1;
    this.#lastSeen = seen;
    return this.sameTries;
  }

  /** The system answered sensibly, if not yet with the result. */
  troubleOver(): void {
    this.troubleSinceMs = null;
  }

  /** Forgets where redirects led. */
  startOver(): void {
    this.url = this.#startUrl;
    this.redirects = 0;
    this.subject.foreign = false;
  }

  /** Headers of an attempt, without credentials. */
  headers(correlationHeader: string): Headers {
    const streamed = this.subject.streamed;
    const headers = new Headers({ accept: streamed ? "*/*" : "application/json" });
    if (this.subject.foreign) return headers;
    headers.set(correlationHeader, this.correlationId);
    if (this.spec.json !== undefined) headers.set("content-type", "application/json");
    if (this.spec.form) headers.set("content-type", "application/x-www-form-urlencoded");
    for (const [name, value] of Object.entries(this.spec.headers ?? {})) headers.set(name, value);
    return headers;
  }

  /** Opens the body of an attempt. */
  async body(): Promise<Blob | ReadableStream<Uint8Array> | null> {
    if (this.spec.body === undefined) return this.#payload ??= payloadOf(this.spec);
    const stream = await this.spec.body();
    const length = Number(new Headers(this.spec.headers).get("content-length") ?? "x");
    if (!(length > 0 && length <= MAX_BUFFERED_BYTES)) return stream;
    return new Blob([await new Response(stream).arrayBuffer()]);
  }

  /** Decodes an answer the way this request asks for. */
  read(head: { status: number; headers: Headers; bytes: Uint8Array }): ReadAnswer {
    return readAnswer(head, this.spec.textAnswer ?? false);
  }
}

function payloadOf(spec: RequestSpec): Blob | null {
  if (spec.json !== undefined) return new Blob([JSON.stringify(spec.json)]);
  if (spec.form) return new Blob([new URLSearchParams(spec.form).toString()]);
  return null;
}

function queryOf(spec: RequestSpec): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(spec.query ?? {})) {
    if (value === undefined) continue;
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  }
  if (parts.length === 0) return "";
  return (spec.path.includes("?") ? "&" : "?") + parts.join("&");
}

function wordsOf(options: HttpOptions, answer: ReadAnswer): string {
  const said = vendorWords(options, answer);
  if (said !== null && said.trim() !== "") return said.slice(0, MAX_WORDS);
  if (answer.fault !== "html") return answer.text.trim().slice(0, MAX_WORDS);
  const plain = answer.text.slice(0, 20_000)
    .replace(/<(style|script)\b[\s\S]*?<\/\1>|<[^>]*>/gi, " ").replace(/\s+/g, " ");
  return plain.trim().slice(0, MAX_WORDS);
}

function vendorWords(options: HttpOptions, answer: ReadAnswer): string | null {
  try {
    return options.errorMessage(answer.json, answer.text);
  } catch {
    // A body of a shape nobody foresaw must not hide the status.
    return null;
  }
}
