/**
 * Attachments: inline, uploaded, listed, downloaded.
 * @module
 */
import {
  type Answer,
  type Call,
  created,
  isRecord,
  ok,
  pagedAnswer,
  pathId,
  queryFlag,
  queryInt,
  refuse,
  type Route,
} from "./call.ts";
import type { QtestState } from "./state.ts";
import type { Attachment } from "./types.ts";
import { attachmentView } from "./views.ts";

const UPLOAD_TYPES = new Set([
  "releases",
  "builds",
  "requirements",
  "test-cases",
  "test-logs",
  "test-steps",
  "test-step-logs",
  "defects",
]);

/** True when an object of the type exists. */
export function objectExists(state: QtestState, type: string, id: number): boolean {
  switch (type) {
    case "releases":
    case "builds":
    case "requirements":
    case "test-cases":
    case "test-runs":
    case "test-logs":
    case "defects":
      return state.get(type, id) !== undefined;
    case "test-steps":
      return state.caseOfStep.has(id);
    case "test-step-logs":
      return state.logOfStepLog.has(id);
    default:
      return false;
  }
}

/**
 * Stores the inline attachments of a body at an object; with `objectType` null they are only checked,
 * so that a refusal comes before anything is stored.
 */
export function storeInline(
  call: Call,
  objectType: string | null,
  objectId: number,
  items: unknown[],
): void {
  for (const item of items) {
    if (!isRecord(item)) refuse(400, "Could not read JSON: attachments holds something else");
    const { name, content_type: contentType, data } = item;
    if (typeof name !== "string" || name === "" || typeof contentType !== "string") {
      refuse(400, "name and content_type of an attachment are required");
    }
    if (typeof data !== "string") refuse(400, "data of an attachment is required");
    if (data.length > call.state.switches.maxAttachmentBytes) {
      refuse(413, "Attachment is too large");
    }
    const bytes = decodeBase64(data);
    if (objectType !== null) addFile(call, { objectType, objectId, name, contentType, bytes });
  }
}

function decodeBase64(data: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(data) as Uint8Array<ArrayBuffer>;
  } catch {
    refuse(400, "data of an attachment is not base64");
  }
}

function addFile(
  call: Call,
  file: Pick<Attachment, "objectType" | "objectId" | "name" | "contentType" | "bytes">,
): Attachment {
  const attachment: Attachment = {
    ...file,
    id: call.state.nextId(),
    createdAt: call.nowMs,
    authorId: call.user.id,
  };
  call.state.addAttachment(attachment);
  return attachment;
}

function objectOf(call: Call): { objectType: string; objectId: number } {
  const objectType = call.params.objectType ?? "";
  if (!UPLOAD_TYPES.has(objectType)) refuse(404, `"${objectType}" have no attachments`);
  const objectId = pathId(call, "objectId");
  if (!objectExists(call.state, objectType, objectId)) refuse(404, "Object does not exist");
  return { objectType, objectId };
}

function upload(call: Call): Answer {
  const raw = call.headers.get("file-name");
  const contentType = call.headers.get("content-type");
  if (raw === null || raw.trim() === "") refuse(400, "File-Name header is required");
  if (contentType === null) refuse(400, "Content-Type header is required");
  const object = objectOf(call);
  if (call.bytes.length > call.state.switches.maxAttachmentBytes) {
    refuse(413, "Attachment is too large");
  }
  const name = call.state.switches.filenamePercentDecoded ? decodeName(raw) : raw;
  const file = addFile(call, { ...object, name, contentType, bytes: call.bytes });
  return created(attachmentView(call.state, file));
}

function decodeName(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

function list(call: Call): Answer {
  const { objectType, objectId } = objectOf(call);
  const items = call.state.attachmentsOf(objectType, objectId);
  return ok(items.map((item) => attachmentView(call.state, item)));
}

function listMany(call: Call): Answer {
  const type = call.query.get("type") ?? "";
  if (!UPLOAD_TYPES.has(type) || type === "test-step-logs") refuse(400, "type is invalid");
  const ids = call.query.getAll("ids").flatMap((part) => part.split(",")).filter(Boolean);
  if (ids.some((id) => !/^\d+$/.test(id.trim()))) refuse(400, "ids are invalid");
  const author = queryInt(call, "author");
  const found =
    (ids.length === 0
      ? [...call.state.attachments.values()].filter((item) => item.objectType === type)
      : ids.flatMap((id) => call.state.attachmentsOf(type, Number(id))))
      .filter((item) => author === undefined || item.authorId === author);
  return pagedAnswer(call, found, (item) => attachmentView(call.state, item));
}

function fileOf(call: Call, param: string): Attachment {
  const { objectType, objectId } = objectOf(call);
  const file = call.state.attachments.get(pathId(call, param));
  if (file === undefined || file.objectType !== objectType || file.objectId !== objectId) {
    refuse(404, "Attachment does not exist");
  }
  return file;
}

function download(call: Call): Answer {
  const file = fileOf(call, "attachmentId");
  const isScanned = call.nowMs - file.createdAt >= call.state.switches.scanDelayMs;
  if (!isScanned && !queryFlag(call, "forceDownload")) {
    refuse(400, "The attachment has not been scanned yet");
  }
  const headers = {
    "content-type": file.contentType,
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
  };
  return { status: 200, bytes: file.bytes, headers };
}

const PROJECT = "/api/v3/projects/{projectId}";
const OBJECT = `${PROJECT}/{objectType}/{objectId}`;

export const FILE_ROUTES: Route[] = [
  { method: "GET", path: `${PROJECT}/attachments`, run: listMany },
  { method: "GET", path: `${OBJECT}/attachments`, run: list },
  { method: "GET", path: `${OBJECT}/attachments/{attachmentId}`, run: download },
  { method: "POST", path: `${OBJECT}/blob-handles`, run: upload },
  {
    method: "DELETE",
    path: `${OBJECT}/blob-handles/{blobHandleId}`,
    run: (call) => {
      call.state.removeAttachment(fileOf(call, "blobHandleId"));
      return ok({ message: "Attachment was deleted" });
    },
  },
];
