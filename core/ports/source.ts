/** Where records are read from. @module */
import type {
  AttachmentOwner,
  ExecutionRecord,
  ExecutionStepRecord,
  ListKind,
  LookupRecord,
  RecordByKind,
  StatusType,
  TestCaseRecord,
  TestScript,
} from "../records/mod.ts";

/** What the first requests tell about the source. */
export interface SourceProfile {
  /** Vendor's project id and the key that list filters accept. */
  project: { id: string; key: string; enabled: boolean };
  /** API generation as probed: A (offset only), B (cursor for cases), C (cursor, updatedAfter, attachments). */
  generation: "A" | "B" | "C";
  /** Whether attachment routes answer. */
  attachments: boolean;
}

/** A list to read. Statuses are read once per type because their body has no type. */
export interface ListSpec {
  kind: ListKind;
  statusType?: StatusType;
  /** Executions only: the last one of each case and cycle. */
  onlyLast?: boolean;
}

/** A row that could not be read: kept, set aside, and never a reason to drop its page. */
export interface UnreadableRow {
  /** Position in the page's array of values. */
  ordinal: number;
  /** The vendor's key or id when at least that is there. */
  key: string | null;
  reason: string;
}

/** A value of a record that says something but not what it should: a date that is none. */
export interface UnreadValue {
  field: string;
  /** As received, as JSON. */
  value: string;
}

/** A record of a page; what it holds beside its unread values counts. */
export interface PageRecord<K extends ListKind = ListKind> {
  ordinal: number;
  record: RecordByKind[K];
  /** None when absent. */
  unread?: UnreadValue[];
}

/** One answer of a list, with everything needed to commit it and to continue after it. */
export interface SourcePage<K extends ListKind = ListKind> {
  /** Position in the list, unique per list: the cursor this page was asked with. */
  at: string;
  /** Cursor of the next page; null = this was the last one. Only the adapter reads it. */
  next: string | null;
  /** The bytes of the body exactly as received. */
  raw: Uint8Array;
  records: PageRecord<K>[];
  unreadable: UnreadableRow[];
  /** How many rows the vendor says there are in all, when it says so. */
  total: number | null;
}

/** Answer of a request for the details of one record. */
export interface Detail<T> {
  value: T;
  /** Bodies as received, in order (one per page). */
  raw: Uint8Array[];
  /** Rows of the body that could not be read. */
  unreadable: UnreadableRow[];
}

/** A file of a record, as the source streams it. */
export interface SourceFile {
  body: ReadableStream<Uint8Array>;
  contentType: string | null;
}

/**
 * The source system. Read-only by construction: it has no method that writes, and its adapter
 * sends GET only. Reads are retried inside the adapter as long as the system's outage limit
 * allows; what comes out is final: {@linkcode AccessError}, {@linkcode InterruptedError},
 * {@linkcode RefusedError} for one record, or `signal.reason`.
 */
export interface Source {
  /** Checks address, credentials and project and finds out the API generation. At most 4 requests. */
  probe(signal: AbortSignal): Promise<SourceProfile>;

  /** How many rows a list has in all, when the vendor tells: one request. */
  count(list: ListSpec, signal: AbortSignal): Promise<number | null>;

  /**
   * Yields the pages of a list in the source's own order, each once. Pass the `next` of the last
   * committed page to continue after it, null to start over. Fetches at most two pages ahead.
   */
  pages<K extends ListKind>(
    list: ListSpec & { kind: K },
    from: string | null,
    signal: AbortSignal,
  ): AsyncIterable<SourcePage<K>>;

  /** Reads the script of a case, all pages in order; null when the case is gone (404). */
  script(
    testCase: Pick<TestCaseRecord, "key" | "scriptRoute">,
    signal: AbortSignal,
  ): Promise<Detail<TestScript> | null>;

  /** Reads the steps of an execution, all pages in order; null when it is gone (404). */
  executionSteps(
    execution: Pick<ExecutionRecord, "id" | "key">,
    signal: AbortSignal,
  ): Promise<Detail<ExecutionStepRecord[]> | null>;

  /** Number of the newest version of a case; null when the case is gone. One request. */
  latestVersion(caseKey: string, signal: AbortSignal): Promise<number | null>;

  /** Reads one case that no list named; null when it cannot be read (archived, deleted). */
  testCase(key: string, signal: AbortSignal): Promise<Detail<TestCaseRecord> | null>;

  /** Reads one lookup that no list named (archived ones may be hidden); null when it is gone. */
  lookup?(
    kind: LookupRecord["kind"],
    id: string,
    signal: AbortSignal,
  ): Promise<LookupRecord | null>;

  /** Lists the files of an owner; empty when there are none (the vendor answers 404 then). */
  attachments(
    owner: AttachmentOwner,
    signal: AbortSignal,
  ): Promise<{ id: string; name: string }[]>;

  /** Opens a file; null when it is gone. The caller reads or cancels the body. */
  download(
    owner: AttachmentOwner,
    attachmentId: string,
    signal: AbortSignal,
  ): Promise<SourceFile | null>;
}
