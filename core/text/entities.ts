/**
 * Characters between plain text and HTML.
 * @module
 */
import { Parser } from "htmlparser2";

const REFERENCE = /&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});/gi;

function decodeReference(reference: string): string {
  let out = "";
  const parser = new Parser({ ontext: (text) => out += text }, { decodeEntities: true });
  parser.end(reference);
  return out;
}

/**
 * Decodes character references once: `&amp;lt;` becomes `&lt;`. Only references that end with a
 * semicolon count, so that `a&copy=1` in a name stays what it is; unknown ones stay as they are.
 */
export function decodeEntities(text: string): string {
  return text.includes("&") ? text.replace(REFERENCE, decodeReference) : text;
}

/** Escapes plain text for the place between tags. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Escapes plain text for an attribute in double quotes. */
export function escapeAttribute(text: string): string {
  return escapeHtml(text).replaceAll('"', "&quot;");
}

/** Turns a plain value into rich text: escaped, line breaks kept. */
export function plainToHtml(text: string): string {
  return escapeHtml(text).replace(/\r\n?|\n/g, "<br>");
}
