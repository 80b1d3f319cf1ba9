/** Bodies: bytes first, then text, then JSON. Login pages and half answers are expected. @module */
import type { HttpAnswer } from "./types.ts";

/** What is wrong with a body; null when nothing. */
export type BodyFault = "html" | "empty" | "broken" | null;

/** An answer with what was found out about its body. */
export interface ReadAnswer extends HttpAnswer {
  fault: BodyFault;
}

/** Statuses that have no body by definition. */
const BODILESS = new Set([204, 205, 304]);

/** Decodes a body. `textAnswer`: text and nothing are fine too, but a page of HTML never is. */
export function readAnswer(
  head: { status: number; headers: Headers; bytes: Uint8Array },
  textAnswer: boolean,
): ReadAnswer {
  const text = new TextDecoder().decode(head.bytes);
  if (text.trim() === "") {
    const fine = textAnswer || BODILESS.has(head.status);
    return { ...head, text, json: undefined, fault: fine ? null : "empty" };
  }
  try {
    return { ...head, text, json: JSON.parse(text) as unknown, fault: null };
  } catch {
    return { ...head, text, json: undefined, fault: faultOf(head.headers, text, textAnswer) };
  }
}

function faultOf(headers: Headers, text: string, textAnswer: boolean): BodyFault {
  const page = /^\s*<(?:!doctype|html|head|body|\?xml|!--)/i.test(text);
  const named = /\bhtml\b/i.test(headers.get("content-type") ?? "");
  if (page || (named && !textAnswer)) return "html";
  return textAnswer ? null : "broken";
}
