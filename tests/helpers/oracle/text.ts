/**
 * Rich text for comparison: entities decoded, white space folded, tags by name. Written from the
 * mapping's words alone; shares nothing with `core/text`.
 * @module
 */

const TAG = /<!--[\s\S]*?-->|<\/?[a-zA-Z](?:[^<>"']|"[^"]*"|'[^']*')*>/g;
const NAMED: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  euro: "€",
  copy: "©",
};
const BLOCKS = "p|br|div|ul|ol|li|table|tbody|thead|tr|td|th|pre|hr|h[1-6]";

/** Entities decoded once; unknown ones stay. */
export function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi, (all, hex, number, name) => {
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    if (number !== undefined) return String.fromCodePoint(Number(number));
    return NAMED[name] ?? all;
  });
}

/** Plain text as it stands in rich text. */
export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** White space folded, U+200B ignored. */
export function fold(text: string): string {
  return text.replaceAll("\u200b", "").replace(/\s+/g, " ").trim();
}

function canonicalTag(tag: string): string {
  if (tag.startsWith("<!--")) return "";
  const name = /^<\/?([a-zA-Z0-9]+)/.exec(tag)?.[1]?.toLowerCase() ?? "";
  const link = /\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(tag);
  const target = decode(link?.[1] ?? link?.[2] ?? link?.[3] ?? "");
  return `⟨${tag.startsWith("</") ? "/" : ""}${name}${target === "" ? "" : ` ${target}`}⟩`;
}

/** Rich text as one comparable line: `⟨p⟩text⟨/p⟩`. */
export function rich(html: string): string {
  let out = "";
  let last = 0;
  for (const match of html.matchAll(TAG)) {
    out += decode(html.slice(last, match.index)) + canonicalTag(match[0]);
    last = match.index + match[0].length;
  }
  out += decode(html.slice(last));
  const folded = fold(out);
  return folded.replace(new RegExp(`\\s*(⟨/?(?:${BLOCKS})⟩)\\s*`, "g"), "$1");
}

/** Every embedded picture: its source and what stands for it once it cannot be kept. */
export function pictures(html: string): string[] {
  return Array.from(html.matchAll(/<img\b(?:[^<>"']|"[^"]*"|'[^']*')*>/gi), ([tag]) => {
    const src = /\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(tag);
    return decode(src?.[1] ?? src?.[2] ?? "");
  });
}

/** Key number: `SA-T12` → 12. */
export function numberOf(key: string): number {
  return Number(/(\d+)$/.exec(key)?.[1] ?? 0);
}

const IMAGE_NOTE = /\[Image: .*?, ([^\]]*)\]/g;

/** As {@linkcode rich}, pictures and the notes that stand for them made equal. */
export function richWithPictures(html: string): string {
  const noted = html.replace(
    /<img\b(?:[^<>"']|"[^"]*"|'[^']*')*>/gi,
    (tag) => `⟦${escape(pictures(tag)[0] ?? "")}⟧`,
  );
  return rich(noted).replace(IMAGE_NOTE, "⟦$1⟧");
}
