/** Zephyr Scale Cloud as a source. @module */
import type {
  Detail,
  ListSpec,
  RequestStats,
  Source,
  SourceFile,
  SourcePage,
  SourceProfile,
  Traffic,
} from "../../core/ports/mod.ts";
import type {
  AttachmentOwner,
  ExecutionRecord,
  ExecutionStepRecord,
  ListKind,
  LookupRecord,
  TestCaseRecord,
  TestScript,
} from "../../core/records/mod.ts";
import type { HttpClient } from "../http/types.ts";
import { checkZephyrBaseUrl } from "./address.ts";
import { AttachmentReader } from "./attachments.ts";
import { ZephyrClient } from "./client.ts";
import { DetailReader } from "./details.ts";
import { type CursorSupport, LIST_ROUTES, listQuery, ListReader, readAhead } from "./lists.ts";
import { readOffsetAnswer } from "./paging.ts";
import { probeSource } from "./probe.ts";

/** Where to read and with what. */
export interface ZephyrSourceOptions {
  /** Client whose base URL is `baseUrl`; see `createZephyrHttp`. */
  http: HttpClient;
  /** `https://api.zephyrscale.smartbear.com/v2` or the address of another region. */
  baseUrl: string;
  /** Key that list filters accept: after a rename in Jira the previous one. */
  projectKey: string;
}

/** The source, its traffic, and reads beyond the port. */
export interface ZephyrSource extends Source, Traffic {
  /**
   * Reads a lookup that records refer to although no list names it (archived ones); null when it
   * is gone. A status comes without its type, which only its list tells.
   */
  lookup(
    kind: LookupRecord["kind"],
    id: string,
    signal: AbortSignal,
  ): Promise<LookupRecord | null>;
}

/**
 * Creates the source. It sends GET only. Throws {@linkcode ConfigError} for an address that is not
 * Zephyr Scale Cloud.
 */
export function createZephyrSource(options: ZephyrSourceOptions): ZephyrSource {
  checkZephyrBaseUrl(options.baseUrl);
  return new CloudSource(options);
}

class CloudSource implements ZephyrSource {
  readonly #client: ZephyrClient;
  readonly #details: DetailReader;
  readonly #attachments: AttachmentReader;
  readonly #cursors: CursorSupport = new Map();
  /** As configured; the probe replaces it when the lists accept another one. */
  #projectKey: string;

  constructor(options: ZephyrSourceOptions) {
    this.#client = new ZephyrClient(options.http);
    this.#details = new DetailReader(this.#client);
    this.#attachments = new AttachmentReader(this.#client);
    this.#projectKey = options.projectKey;
  }

  stats(): RequestStats {
    return this.#client.http.stats();
  }

  setRequestsPerMinute(value: number): void {
    this.#client.http.setRequestsPerMinute(value);
  }

  async probe(signal: AbortSignal): Promise<SourceProfile> {
    const profile = await probeSource({
      client: this.#client,
      attachments: this.#attachments,
      cursors: this.#cursors,
      projectKey: this.#projectKey,
      signal,
    });
    this.#projectKey = profile.project.key;
    return profile;
  }

  async count(list: ListSpec, signal: AbortSignal): Promise<number | null> {
    const route = LIST_ROUTES[list.kind];
    const answer = await this.#client.get({
      path: route,
      route,
      query: { ...listQuery(list, this.#projectKey), maxResults: 1 },
      signal,
    });
    const { total, values, isLast, next } = readOffsetAnswer(answer.json, `count of ${list.kind}`);
    if (total !== null) return total;
    return isLast === true || (next === null && isLast === null) ? values.length : null;
  }

  pages<K extends ListKind>(
    list: ListSpec & { kind: K },
    from: string | null,
    signal: AbortSignal,
  ): AsyncIterable<SourcePage<K>> {
    const createReader = (reading: AbortSignal): ListReader<K> =>
      new ListReader(this.#client, list, {
        projectKey: this.#projectKey,
        cursors: this.#cursors,
        signal: reading,
      });
    return readAhead(createReader, from, signal);
  }

  async script(
    testCase: Pick<TestCaseRecord, "key" | "scriptRoute">,
    signal: AbortSignal,
  ): Promise<Detail<TestScript> | null> {
    return await this.#details.script(testCase, signal);
  }

  async executionSteps(
    execution: Pick<ExecutionRecord, "id" | "key">,
    signal: AbortSignal,
  ): Promise<Detail<ExecutionStepRecord[]> | null> {
    return await this.#details.executionSteps(execution, signal);
  }

  async latestVersion(caseKey: string, signal: AbortSignal): Promise<number | null> {
    return await this.#details.latestVersion(caseKey, signal);
  }

  async testCase(key: string, signal: AbortSignal): Promise<Detail<TestCaseRecord> | null> {
    return await this.#details.testCase(key, signal);
  }

  async lookup(
    kind: LookupRecord["kind"],
    id: string,
    signal: AbortSignal,
  ): Promise<LookupRecord | null> {
    return await this.#details.lookup(kind, id, signal);
  }

  async attachments(
    owner: AttachmentOwner,
    signal: AbortSignal,
  ): Promise<{ id: string; name: string }[]> {
    return await this.#attachments.list(owner, signal);
  }

  async download(
    owner: AttachmentOwner,
    attachmentId: string,
    signal: AbortSignal,
  ): Promise<SourceFile | null> {
    return await this.#attachments.download(owner, attachmentId, signal);
  }
}
