/** Credentials of one system: added per attempt, renewed once for all requests that need it. @module */
import { AccessError, type MigrationError } from "../../core/errors.ts";
import { untilAborted } from "./attempt.ts";
import type { Job } from "./job.ts";
import type { Redactor } from "./redact.ts";
import type { HttpOptions } from "./types.ts";

/** Renewals for one request: its route may refuse every token. */
const MAX_RENEWALS = 5;

/** Hands out credentials; knows when they changed. */
export class Credentials {
  readonly #options: HttpOptions;
  readonly #redactor: Redactor;
  readonly #closing = new AbortController();
  #renewing: Promise<boolean> | null = null;
  #epoch = 0;
  /** Newest epoch whose credentials were accepted. */
  #acceptedEpoch = -1;

  constructor(options: HttpOptions, redactor: Redactor) {
    this.#options = options;
    this.#redactor = redactor;
  }

  /** Changes whenever credentials were renewed. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Adds credentials to the headers of an attempt. */
  async authorize(headers: Headers, signal: AbortSignal): Promise<void> {
    try {
      const work = this.#options.authorize(headers);
      if (work !== undefined) await untilAborted(work, signal);
    } catch (error) {
      // The runtime's message about a header value may quote it.
      if (!(error instanceof TypeError)) throw error;
      throw new AccessError(
        `Cannot send the credentials of ${this.#options.name}: not a header value`,
        {
          hint: "Check the token for line breaks and quotes",
        },
      );
    }
    this.#redactor.learnHeaders(headers);
  }

  /** Notes that credentials of an epoch were accepted. */
  accepted(epoch: number): void {
    this.#acceptedEpoch = Math.max(this.#acceptedEpoch, epoch);
  }

  /** After a 401: returns when the request may go again, throws its error when it may not. */
  async renew(job: Job, usedEpoch: number, refusal: MigrationError): Promise<void> {
    if (job.spec.anonymous || this.#options.refresh === undefined) throw refusal;
    // New ones that nothing accepted are no good; ones that worked for a while ran out.
    const isHopeless = job.renewals > 0 && this.#acceptedEpoch < usedEpoch;
    if (isHopeless || job.renewals >= MAX_RENEWALS) throw refusal;
    // Somebody else's 401 renewed them while this one was on its way.
    if (this.#epoch !== usedEpoch) return;
    job.renewals++;
    if (!await untilAborted(this.#renewOnce(this.#options.refresh), job.spec.signal)) throw refusal;
  }

  /** Ends a renewal under way. */
  close(reason: unknown): void {
    this.#closing.abort(reason);
  }

  #renewOnce(refresh: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
    this.#renewing ??= refresh(this.#closing.signal).then((renewed) => {
      if (renewed) this.#epoch++;
      return renewed;
    }).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }
}
