/** Listing and opening attachments, for every kind of owner. @module */
import { RefusedError, RetryError } from "../../core/errors.ts";
import type { SourceFile } from "../../core/ports/source.ts";
import { type AttachmentOwner, ownerKey } from "../../core/records/mod.ts";
import type { HttpAnswer } from "../http/types.ts";
import { part, refused, type ZephyrClient } from "./client.ts";
import { asArray, asObject, toId, toText } from "./values.ts";

/** Attempts of a list whose route has never answered: old tenants say 503 for good. */
const UNPROVEN_ATTEMPTS = 5;
/** Attempts of the question that tells one troubled record from a route that is not there. */
const CONTROL_ATTEMPTS = 3;

const OWNER_ROUTES: Record<AttachmentOwner["kind"], { path: string; route: string }> = {
  testCase: { path: "/testcases", route: "/testcases/{testCaseKey}" },
  testStep: { path: "/testcases", route: "/testcases/{testCaseKey}/teststeps/{stepId}" },
  testCycle: { path: "/testcycles", route: "/testcycles/{testCycleIdOrKey}" },
  testPlan: { path: "/testplans", route: "/testplans/{testPlanIdOrKey}" },
  execution: { path: "/testexecutions", route: "/testexecutions/{testExecutionIdOrKey}" },
  executionStep: {
    path: "/testexecutions",
    route: "/testexecutions/{testExecutionIdOrKey}/teststeps/{stepId}",
  },
};

/** Reads the attachments of owners; remembers which kinds of owner have a route that answers. */
export class AttachmentReader {
  readonly #client: ZephyrClient;
  readonly #routes = new Map<AttachmentOwner["kind"], "answers" | "refuses">();

  constructor(client: ZephyrClient) {
    this.#client = client;
  }

  /**
   * Finds out with one request whether attachments can be listed: 200 and 404 (= none) say yes;
   * 403 and a lasting 503 say no, unless the route answers for an owner that does not exist.
   */
  async probe(caseKey: string, signal: AbortSignal): Promise<boolean> {
    const owner: AttachmentOwner = { kind: "testCase", key: caseKey, stepId: null };
    try {
      await this.list(owner, signal);
      return true;
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const known = this.#routes.get(owner.kind);
      return known === undefined ? await this.#isThere(owner, signal) : known === "answers";
    }
  }

  /** Asks for an owner that cannot exist: a route that is there says so, whatever ails one record. */
  async #isThere(owner: AttachmentOwner, signal: AbortSignal): Promise<boolean> {
    const key = owner.key.replace(/\d+$/, "0");
    const nobody = { ...owner, key, stepId: owner.stepId === null ? null : "0" };
    try {
      const answer = await this.#client.get({
        ...address(nobody),
        accept: [400, 403, 404],
        signal,
        maxAttempts: CONTROL_ATTEMPTS,
      });
      if (answer.status === 403) return false;
    } catch (error) {
      if (error instanceof RetryError) return false;
      throw error;
    }
    this.#routes.set(owner.kind, "answers");
    return true;
  }

  /**
   * Lists the files of an owner in the vendor's order; 404 means there are none. Throws
   * {@linkcode RefusedError} when the route refuses (403), or answers nothing but 5xx although it
   * never answered before: an old tenant, for which waiting out an outage makes no sense.
   */
  async list(
    owner: AttachmentOwner,
    signal: AbortSignal,
  ): Promise<{ id: string; name: string }[]> {
    const what = `attachments of "${ownerKey(owner)}"`;
    const known = this.#routes.get(owner.kind);
    if (known === "refuses") {
      throw refused(what, { status: 503, text: "the route does not answer on this tenant" });
    }
    const answer = known === "answers"
      ? await this.#get(owner, signal)
      : await this.#firstAnswer(owner, what, signal);
    if (answer.status === 403) throw refused(what, answer);
    this.#routes.set(owner.kind, "answers");
    return answer.status === 404 ? [] : readFiles(answer.json, what);
  }

  async #get(owner: AttachmentOwner, signal: AbortSignal, attempts?: number): Promise<HttpAnswer> {
    return await this.#client.get({
      ...address(owner),
      accept: [403, 404],
      signal,
      ...(attempts === undefined ? {} : { maxAttempts: attempts }),
    });
  }

  /** Tells an outage, which is waited for, from a route that fails while the others answer. */
  async #firstAnswer(
    owner: AttachmentOwner,
    what: string,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    for (let round = 1;; round++) {
      try {
        return await this.#get(owner, signal, UNPROVEN_ATTEMPTS);
      } catch (error) {
        if (!(error instanceof RetryError)) throw error;
        if (round === 2) {
          if (!await this.#isThere(owner, signal)) this.#routes.set(owner.kind, "refuses");
          const options = { status: 503, answer: error.message, cause: error };
          throw new RefusedError(`Cannot read ${what}: ${error.message}`, options);
        }
        await this.#client.get({
          path: "/projects",
          route: "/projects",
          query: { maxResults: 1 },
          signal,
        });
      }
    }
  }

  /** Opens a file; null when it is gone. Throws {@linkcode RefusedError} when it is not permitted. */
  async download(
    owner: AttachmentOwner,
    attachmentId: string,
    signal: AbortSignal,
  ): Promise<SourceFile | null> {
    const { path, route } = address(owner);
    const answer = await this.#client.stream({
      path: `${path}/${part(attachmentId)}`,
      route: `${route}/{attachmentId}`,
      accept: [403, 404],
      signal,
    });
    if (answer.status >= 400) {
      await answer.body.cancel();
      if (answer.status === 404) return null;
      throw refused(`attachment "${attachmentId}" of "${ownerKey(owner)}"`, {
        status: answer.status,
        text: "",
      });
    }
    return { body: answer.body, contentType: answer.headers.get("content-type") };
  }
}

function address(owner: AttachmentOwner): { path: string; route: string } {
  const { path, route } = OWNER_ROUTES[owner.kind];
  const step = owner.stepId === null ? "" : `/teststeps/${part(owner.stepId)}`;
  return {
    path: `${path}/${part(owner.key)}${step}/attachments`,
    route: `${route}/attachments`,
  };
}

function readFiles(json: unknown, what: string): { id: string; name: string }[] {
  const rows = Array.isArray(json) ? json : asObject(json)?.attachments;
  return asArray(rows).map((row) => {
    const file = asObject(row);
    const id = toId(file?.id);
    if (id === null) {
      throw new RefusedError(`Cannot read ${what}: a file has no id`, {
        status: 200,
        answer: JSON.stringify(row) ?? "",
      });
    }
    return { id, name: toText(file?.name) || `attachment-${id}` };
  });
}
