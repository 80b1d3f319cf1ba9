/** The request loop: one attempt after another until there is an answer or an error. @module */
import { BudgetError, InterruptedError } from "../../core/errors.ts";
import type { RequestStats } from "../../core/ports/mod.ts";
import type { ReadAnswer } from "./answer.ts";
import { type Outcome, sendOnce } from "./attempt.ts";
import { guardBody } from "./body.ts";
import { Breaker, type Outage } from "./breaker.ts";
import { Credentials } from "./credentials.ts";
import { Job } from "./job.ts";
import { retryAfterMs } from "./pace.ts";
import { Redactor } from "./redact.ts";
import {
  backoffMs,
  classifyAnswer,
  classifyNoAnswer,
  gaveUpError,
  inDoubt,
  type Problem,
  redirectError,
  stayedError,
  type Verdict,
} from "./retry.ts";
import { Counters } from "./stats.ts";
import { Limits } from "./limits.ts";
import type { HttpAnswer, HttpClient, HttpOptions, RequestSpec } from "./types.ts";
import { Waits } from "./waits.ts";

const MAX_REDIRECTS = 5;
/** Identical bad answers to a read after which it is not the network. */
const MAX_SAME = { html: 3, body: 6, server: 6 } as const;
/** More patience while nothing else succeeds either: it may be an outage. */
const MAX_SAME_ALONE = 8;

/** A request that may not wait long: this many tries, or two when they took so long. */
const FAST_TRIES = 5;
const FAST_MS = 5_000;

type Answered = { answer: ReadAnswer; body: ReadableStream<Uint8Array> | null };
type Step = { verdict: Verdict; answered: Answered | null };

/** One system's client. */
export class Client implements HttpClient {
  readonly #options: HttpOptions;
  readonly #baseUrl: string;
  readonly #redactor = new Redactor();
  readonly #counters = new Counters();
  readonly #breaker: Breaker;
  readonly #limits: Limits;
  readonly #credentials: Credentials;
  readonly #waits: Waits;
  #freshClient: Deno.HttpClient | null = null;

  constructor(options: HttpOptions, baseUrl: string) {
    this.#options = options;
    this.#baseUrl = baseUrl;
    this.#breaker = new Breaker(options.clock);
    this.#limits = new Limits(options, this.#counters);
    this.#credentials = new Credentials(options, this.#redactor);
    this.#waits = new Waits(options, { breaker: this.#breaker, limits: this.#limits });
  }

  async request(spec: RequestSpec): Promise<HttpAnswer> {
    const { answer } = await this.#run(this.#job(spec, false));
    const { status, headers, bytes, text, json } = answer;
    return { status, headers, bytes, text, json };
  }

  async stream(
    spec: Omit<RequestSpec, "method" | "effect">,
  ): Promise<{ status: number; headers: Headers; body: ReadableStream<Uint8Array> }> {
    const job = this.#job({ ...spec, method: "GET", effect: "read" }, true);
    const { answer, body } = await this.#run(job);
    const guarded = guardBody(body ?? new Blob([answer.bytes.slice()]).stream(), {
      idleMs: this.#timeoutMs(job),
      signal: spec.signal,
      clock: this.#options.clock,
      action: job.subject.action,
    });
    return { status: answer.status, headers: answer.headers, body: guarded };
  }

  setRequestsPerMinute(value: number): void {
    this.#limits.setRequestsPerMinute(value);
  }

  stats(): RequestStats {
    return {
      ...this.#counters.snapshot(),
      queued: this.#limits.slots.queued,
      waiting: this.#waits.describe(),
      monthRemaining: this.#limits.monthRemaining,
    };
  }

  close(): void {
    const reason = new InterruptedError(`The connection to ${this.#options.name} is closed`);
    this.#credentials.close(reason);
    this.#limits.slots.close(reason);
    this.#freshClient?.close();
    this.#freshClient = null;
  }

  #job(spec: RequestSpec, streamed: boolean): Job {
    this.#redactor.learnFields(spec.form ?? {});
    this.#redactor.learnFields(spec.query ?? {});
    return new Job(spec, {
      http: this.#options,
      baseUrl: this.#baseUrl,
      nowMs: this.#options.clock.monotonic(),
      redactor: this.#redactor,
      streamed,
    });
  }

  async #run(job: Job): Promise<Answered> {
    for (;;) {
      job.spec.signal.throwIfAborted();
      const epoch = this.#credentials.epoch;
      const step = await this.#attempt(job, epoch);
      if (step === null) continue;
      const { verdict, answered } = step;
      if (verdict.kind === "done" && answered !== null) {
        if (!job.spec.anonymous && !job.subject.foreign) this.#credentials.accepted(epoch);
        return answered;
      }
      if (verdict.kind === "failed") throw verdict.error;
      if (verdict.kind === "redirect") this.#follow(job, verdict.location, answered);
      if (verdict.kind === "unauthorized") {
        await this.#credentials.renew(job, epoch, verdict.error);
      }
      if (verdict.kind === "limited") {
        job.troubleOver();
        // The limiter may hold the request longer than a fresh token lives.
        job.renewals = 0;
      }
      if (verdict.kind === "transient") await this.#pause(job, verdict.problem, answered);
    }
  }

  /** Null: nothing was sent, go again. */
  async #attempt(job: Job, epoch: number): Promise<Step | null> {
    const headers = job.headers(this.#options.correlationHeader ?? "x-correlation-id");
    if (job.subject.foreign) return await this.#send(job, headers);
    // Before any place in a queue is taken: getting credentials may take a request of its own.
    if (!job.spec.anonymous) await this.#credentials.authorize(headers, job.spec.signal);
    const pass = await this.#enter(job);
    try {
      this.#checkBudget();
      const release = await this.#limits.slots.acquire(job.spec.signal);
      try {
        this.#checkBudget();
        if (!job.spec.anonymous && this.#credentials.epoch !== epoch) return null;
        const down = this.#breaker.outage !== null;
        if (down && !pass.probe && !job.spec.failFast) return null;
        return await this.#send(job, headers);
      } finally {
        release();
      }
    } finally {
      pass.leave();
    }
  }

  async #enter(job: Job): Promise<{ probe: boolean; leave: () => void }> {
    if (job.spec.failFast) return { probe: false, leave: () => {} };
    const limitMs = this.#maxOutageMs;
    const pass = await this.#breaker.enter(
      job.spec.signal,
      (outage: Outage) => Math.max(outage.sinceMs, job.startedMs) + limitMs,
    );
    if (pass === null) throw this.#interrupted(this.#breaker.outage?.problem ?? "is unreachable");
    return pass;
  }

  async #send(job: Job, headers: Headers): Promise<Step> {
    const { spec, subject } = job;
    const body = await job.body();
    try {
      spec.signal.throwIfAborted();
      await spec.intent?.();
      spec.signal.throwIfAborted();
    } catch (error) {
      if (body instanceof ReadableStream) body.cancel().catch(() => {});
      throw error;
    }
    const sentMs = this.#options.clock.monotonic();
    const sentWallMs = this.#options.clock.now();
    if (!subject.foreign) this.#counters.sent(job.route, sentMs, job.sends++ > 0);
    const outcome = await sendOnce({
      method: spec.method,
      url: job.url,
      headers,
      once: spec.effect === "create",
      body,
      signal: spec.signal,
      timeoutMs: this.#timeoutMs(job),
      keepsBody: (status) =>
        subject.streamed && ((status >= 200 && status < 300) || subject.accept.includes(status)),
      fetch: this.#options.fetch ?? globalThis.fetch,
      freshClient: () => this.#freshClient ??= Deno.createHttpClient({ poolMaxIdlePerHost: 0 }),
      clock: this.#options.clock,
    });
    return this.#classify(job, outcome, { sentMs, sentWallMs });
  }

  #classify(job: Job, outcome: Outcome, sent: { sentMs: number; sentWallMs: number }): Step {
    const { spec, subject } = job;
    const status = outcome.kind === "answer" ? outcome.status : "error";
    if (!subject.foreign) this.#counters.ended(job.route, status);
    this.#logAttempt(job, outcome, sent.sentMs);
    if (outcome.kind === "aborted") {
      if (spec.effect === "create") throw inDoubt(subject, "interrupted while it was sent");
      throw spec.signal.reason;
    }
    if (outcome.kind === "none") {
      const verdict = classifyNoAnswer(subject, outcome.reason);
      const problem = verdict.kind === "transient" ? verdict.problem.seen : null;
      this.#failed(job, problem ?? `is unreachable (${outcome.reason.detail})`);
      return { verdict, answered: null };
    }
    const answer = job.read(outcome);
    if (!subject.foreign) {
      this.#limits.answered(outcome, sent);
      if (outcome.status >= 500 && !subject.accept.includes(outcome.status)) {
        this.#failed(job, `answers ${outcome.status}`);
      } else if (outcome.status !== 408) this.#succeeded();
    }
    return { verdict: classifyAnswer(subject, answer), answered: { answer, body: outcome.body } };
  }

  #failed(job: Job, problem: string): void {
    if (job.subject.foreign) return;
    if (this.#breaker.failed(problem)) {
      this.#log("warning", "http.down", { problem });
    }
  }

  #succeeded(): void {
    if (this.#breaker.outage !== null) this.#log("info", "http.up", {});
    this.#breaker.succeeded();
  }

  #follow(job: Job, location: string, answered: Answered | null): void {
    const status = answered?.answer.status ?? 302;
    const { subject } = job;
    const next = URL.canParse(location, job.url) ? new URL(location, job.url) : null;
    const web = next !== null && /^https?:$/.test(next.protocol);
    const leaves = next !== null && next.origin !== subject.origin;
    if (!web || ++job.redirects > MAX_REDIRECTS || (leaves && !subject.streamed)) {
      throw redirectError(subject, location, status);
    }
    // Once elsewhere it stays without credentials: another host does not choose where they go.
    subject.foreign ||= leaves;
    job.url = next.href;
  }

  /** Waits before the next try, or throws what the problem amounts to. */
  async #pause(job: Job, problem: Problem, answered: Answered | null): Promise<void> {
    const { spec, subject } = job;
    const nowMs = this.#options.clock.monotonic();
    const before = job.troubleSinceMs;
    const same = job.failedWith(problem, nowMs);
    this.#checkStays(job, problem, { same, since: before ?? nowMs });
    if (spec.failFast && isTriedEnough(job, nowMs)) throw gaveUpError(subject, problem);
    if (spec.maxAttempts !== undefined && job.tries >= spec.maxAttempts) {
      throw gaveUpError(subject, problem);
    }
    const leftMs = (job.troubleSinceMs ?? nowMs) + this.#maxOutageMs - nowMs;
    if (leftMs <= 0) throw this.#interrupted(problem.seen);
    job.startOver();
    // The breaker does the waiting while the system is down.
    if (this.#breaker.outage !== null && !spec.failFast) return;
    const told = answered && retryAfterMs(answered.answer.headers, this.#options.clock.now());
    const waitMs = Math.min(leftMs, Math.max(backoffMs(job.tries), told ?? 0));
    const reason = `${this.#options.name} ${problem.seen}`;
    this.#log("info", "http.retry", {
      ...this.#about(job),
      problem: problem.seen,
      waitMs: Math.round(waitMs),
    });
    await this.#waits.sleep(spec.failFast ? Math.min(waitMs, 500) : waitMs, reason, spec.signal);
  }

  #checkStays(job: Job, problem: Problem, seen: { same: number; since: number }): void {
    const { kind } = problem;
    if (kind === "network" || kind === "outage") return;
    const alone = this.#breaker.lastSuccessMs < seen.since;
    const limit = kind === "server" && alone ? MAX_SAME_ALONE : MAX_SAME[kind];
    const fast = job.spec.failFast === true && kind === "html" && seen.same >= 2;
    if (seen.same >= limit || fast) throw stayedError(job.subject, problem, seen.same);
  }

  #checkBudget(): void {
    const remaining = this.#limits.monthRemaining;
    const reserve = this.#options.monthReserve ?? 100;
    if (remaining === null || remaining > reserve) return;
    throw new BudgetError(
      `${this.#options.name} has ${remaining} requests left this month; the reserve is ${reserve}`,
      { hint: "Run again next month, raise the quota, or lower monthReserve" },
    );
  }

  #interrupted(problem: string): InterruptedError {
    const seconds = this.#maxOutageMs / 1_000;
    const limit = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 6) / 10} minutes`;
    return new InterruptedError(
      `${this.#options.name} ${problem} for longer than ${limit}`,
      { hint: "Run the same command again when it is back: it continues where it stopped" },
    );
  }

  get #maxOutageMs(): number {
    return this.#options.maxOutageMs ?? 3_600_000;
  }

  #timeoutMs(job: Job): number {
    return job.spec.timeoutMs ?? this.#options.timeoutMs ?? 30_000;
  }

  #logAttempt(job: Job, outcome: Outcome, sentMs: number): void {
    if (this.#options.log === undefined) return;
    const result = outcome.kind === "answer"
      ? { status: outcome.status }
      : { problem: outcome.kind === "none" ? outcome.reason.detail : "interrupted" };
    const durationMs = Math.round(this.#options.clock.monotonic() - sentMs);
    this.#log("debug", "http.request", { ...this.#about(job), ...result, durationMs });
  }

  #about(job: Job): Record<string, unknown> {
    return {
      route: job.route,
      request: job.subject.action,
      attempt: job.sends,
      correlationId: job.correlationId,
    };
  }

  #log(
    level: "debug" | "info" | "warning",
    event: string,
    data: Record<string, unknown>,
  ): void {
    const { log, system } = this.#options;
    log?.({ level, event, data: { system, ...data } });
  }
}

function isTriedEnough(job: Job, nowMs: number): boolean {
  return job.tries >= FAST_TRIES || (job.tries >= 2 && nowMs - job.startedMs > FAST_MS);
}
