/** Attachments: upload as raw bytes, lists in batches, download. @module */
import { InDoubtError } from "../../core/errors.ts";
import type { FileUpload, FoundFile, WriteOptions } from "../../core/ports/mod.ts";
import type { QtestApi } from "./api.ts";
import { decodeFileName, encodeFileName, isHeaderSafe } from "./file_name.ts";
import { FILE_FOLDERS } from "./kinds.ts";
import { readPages } from "./paging.ts";
import { parseOne, parseRows, type WireAttachment, wireAttachment } from "./wire.ts";

const OBJECT_ROUTE = "/{objectType}/{objectId}";
/** Keeps the URL of a batch well below 4 kB. */
const IDS_PER_REQUEST = 100;

type Slot = FileUpload["object"];

/** Targets seen to keep the header as sent; whether one decodes it is not documented. */
const verbatim = new WeakSet<QtestApi>();

/** Uploads one file. Throws {@linkcode InDoubtError} when the answer holds no id. */
export async function uploadFile(
  api: QtestApi,
  file: FileUpload,
  write: WriteOptions,
): Promise<FoundFile> {
  const header = verbatim.has(api) && isHeaderSafe(file.name)
    ? file.name
    : encodeFileName(file.name);
  const stored = await send(api, file, header, write);
  if (header === file.name || stored.storedName !== header) return stored;
  verbatim.add(api);
  if (!isHeaderSafe(file.name)) return stored;
  await removeFile(api, file.object, stored.id, write);
  return await send(api, file, file.name, write);
}

async function send(
  api: QtestApi,
  file: FileUpload,
  header: string,
  write: WriteOptions,
): Promise<FoundFile> {
  const answer = await api.write({
    method: "POST",
    to: `${OBJECT_ROUTE}/blob-handles`,
    params: paramsOf(file.object),
    headers: {
      "File-Name": header,
      "Content-Type": file.contentType,
      "Content-Length": String(file.size),
    },
    body: async () => (await file.open()).pipeThrough(exactly(file)),
  }, write);
  const wire = parseOne(wireAttachment, answer.json);
  if (wire === null) {
    throw new InDoubtError(
      `Cannot attach "${file.name}" to ${file.object.kind} "${file.object.id}": the answer holds no id`,
    );
  }
  return toFile({ ...wire, name: wire.name ?? file.name }, file.object.id);
}

/** Breaks off an upload whose bytes are not as many as announced, before it looks complete. */
function exactly(file: FileUpload): TransformStream<Uint8Array, Uint8Array> {
  let sent = 0;
  const mismatch = (): Error =>
    new RangeError(`Cannot upload "${file.name}": its bytes are not the ${file.size} announced`);
  return new TransformStream({
    transform(chunk, controller): void {
      sent += chunk.byteLength;
      if (sent > file.size) throw mismatch();
      controller.enqueue(chunk);
    },
    flush(): void {
      if (sent !== file.size) throw mismatch();
    },
  });
}

/** Lists the files of many objects. Step logs have no batch route and cost one request each. */
export async function listFiles(
  api: QtestApi,
  kind: Slot["kind"],
  objectIds: string[],
  signal: AbortSignal,
): Promise<FoundFile[]> {
  const ids = [...new Set(objectIds)];
  const found: FoundFile[] = [];
  for (let start = 0; start < ids.length; start += IDS_PER_REQUEST) {
    const chunk = ids.slice(start, start + IDS_PER_REQUEST);
    const batch = kind === "testStepLog" ? null : await listBatch(api, kind, chunk, signal);
    if (batch !== null) {
      found.push(...batch);
      continue;
    }
    for (const id of chunk) found.push(...await listObject(api, { kind, id }, signal));
  }
  return found;
}

/** Returns null when the answer does not say which object each file belongs to. */
async function listBatch(
  api: QtestApi,
  kind: Slot["kind"],
  ids: string[],
  signal: AbortSignal,
): Promise<FoundFile[] | null> {
  const only = ids.length === 1 ? ids[0] : undefined;
  const files: FoundFile[] = [];
  const pages = readPages({
    sizes: [999],
    ask: async (page, pageSize) => {
      const query = { type: FILE_FOLDERS[kind], ids: ids.join(","), page, pageSize };
      return (await api.read({ to: "/attachments", query, signal })).json;
    },
  });
  for await (const rows of pages) {
    for (const wire of parseRows(wireAttachment, rows)) {
      const objectId = wire.artifact_id ?? only;
      if (objectId === undefined) return null;
      files.push(toFile(wire, objectId));
    }
  }
  return files;
}

async function listObject(api: QtestApi, slot: Slot, signal: AbortSignal): Promise<FoundFile[]> {
  const answer = await api.read({
    to: `${OBJECT_ROUTE}/attachments`,
    params: paramsOf(slot),
    accept: [404],
    signal,
  });
  const body = answer.status === 404 ? [] : answer.json;
  const rows = Array.isArray(body) ? body : (body as { items?: unknown[] } | undefined)?.items;
  return parseRows(wireAttachment, rows ?? []).map((wire) => toFile(wire, slot.id));
}

/** Opens a stored file, also one the vendor has not scanned yet; null when it is gone. */
export async function openFile(
  api: QtestApi,
  slot: Slot,
  fileId: string,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | null> {
  const answer = await api.stream({
    to: `${OBJECT_ROUTE}/attachments/{attachmentId}`,
    params: { ...paramsOf(slot), attachmentId: fileId },
    query: { forceDownload: true },
    accept: [404],
    signal,
  });
  if (answer.status !== 404) return answer.body;
  await answer.body.cancel();
  return null;
}

/** Deletes a file; true when it is gone. */
export async function removeFile(
  api: QtestApi,
  slot: Slot,
  fileId: string,
  write: WriteOptions,
): Promise<boolean> {
  await api.write({
    method: "DELETE",
    to: `${OBJECT_ROUTE}/blob-handles/{blobHandleId}`,
    params: { ...paramsOf(slot), blobHandleId: fileId },
    accept: [404],
    textAnswer: true,
  }, write);
  return true;
}

function toFile(wire: WireAttachment, objectId: string): FoundFile {
  const stored = wire.name ?? "";
  const name = decodeFileName(stored);
  return { id: wire.id, name, objectId, ...(name === stored ? {} : { storedName: stored }) };
}

function paramsOf(slot: Slot): { objectType: string; objectId: string } {
  return { objectType: FILE_FOLDERS[slot.kind], objectId: slot.id };
}
