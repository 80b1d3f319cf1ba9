/**
 * Reading and changing rich text without re-writing it.
 * @module
 */
import { Parser } from "htmlparser2";
import { normalizeHtml } from "./normalize.ts";

const PARAMETER = /(\[|&#0*91;?|&#x0*5b;?|&lsqb;|&lbrack;)(?=~|&#0*126;?|&#x0*7e;?)/gi;

/** Puts U+200B between `[` and `~`, which would create a parameter in the target. Idempotent. */
export function neutralize(html: string): string {
  return html.replace(PARAMETER, "$1\u200b");
}

/**
 * Escapes a tag or comment that never ends: what is written after it would become part of it. To a
 * reader it was text anyway.
 */
export function sealHtml(html: string): string {
  const comment = html.lastIndexOf("<!--");
  const sealed = comment >= 0 && !html.includes("-->", comment)
    ? `${html.slice(0, comment)}&lt;${html.slice(comment + 1)}`
    : html;
  const from = sealed.lastIndexOf(">") + 1;
  return sealed.slice(0, from) + sealed.slice(from).replace(/<(?=[a-z/!?])/gi, "&lt;");
}

/** Tells whether a value of a text field has a line break or a tag. */
export function hasMarkup(text: string): boolean {
  return /[\r\n]|<\/?[a-z][^<>]*>/i.test(text);
}

/** Tells whether rich text shows nothing. */
export function isBlankHtml(html: string | null | undefined): boolean {
  return html === null || html === undefined || html.trim() === "" || normalizeHtml(html) === "";
}

const BREAKS = new Set(
  "address article blockquote br caption dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul"
    .split(" "),
);

/** Returns the text of rich text line by line: blocks and `<br>` end a line. Empty lines are left out. */
export function htmlLines(html: string): string[] {
  const lines: string[] = [];
  let line = "";
  const end = (): void => {
    const text = line.replaceAll("\u200b", "").replace(/[\s\u00a0]+/g, " ").trim();
    if (text !== "") lines.push(text);
    line = "";
  };
  const parser = new Parser({
    onopentagname: (name) => BREAKS.has(name) ? end() : undefined,
    onclosetag: (name) => {
      if (BREAKS.has(name)) end();
      // Cells stay apart on their line.
      else if (name === "td" || name === "th") line += " ";
    },
    ontext: (data) => {
      line += data;
    },
  }, { decodeEntities: true });
  parser.end(html);
  end();
  return lines;
}

/** Returns rich text as plain text with one line per block. */
export function htmlToText(html: string): string {
  return htmlLines(html).join("\n");
}

export interface EmbeddedImage {
  /** As in `src`, references decoded. */
  src: string;
  /** Alternative text, else the file name at the end of the address, else `image`. */
  name: string;
}

function nameOf(src: string, alt: string | undefined): string {
  if (alt !== undefined && alt.trim() !== "") return alt.trim();
  const last = src.split(/[?#]/)[0]?.split("/").findLast((part) => part !== "") ?? "";
  try {
    return decodeURIComponent(last) || "image";
  } catch {
    return last;
  }
}

/**
 * Replaces images for which `replace` returns rich text; null keeps one. Everything between stays
 * byte for byte.
 */
export function replaceImages(
  html: string,
  replace: (image: EmbeddedImage) => string | null,
): string {
  if (!/<ima?ge?\b/i.test(html)) return html;
  let out = "";
  let from = 0;
  const parser = new Parser({
    onopentag(name, attributes): void {
      if (name !== "img") return;
      const src = (attributes.src ?? "").trim();
      const note = replace({ src, name: nameOf(src, attributes.alt ?? attributes.title) });
      if (note === null) return;
      out += html.slice(from, parser.startIndex) + note;
      from = parser.endIndex + 1;
    },
  }, { decodeEntities: true });
  parser.end(html);
  return out + html.slice(from);
}
