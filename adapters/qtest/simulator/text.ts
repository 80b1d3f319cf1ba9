/**
 * Rich text as the server stores and returns it.
 * @module
 */

const ATTRIBUTE = /([^\s=>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;
const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>/g;
const ENTITIES: Record<string, string> = { nbsp: "\u00a0", quot: '"', apos: "'" };

function rewriteAttributes(text: string): string {
  const body = text.replace(/\/\s*$/, "");
  let out = "";
  for (const [, name, double, single, bare] of body.matchAll(ATTRIBUTE)) {
    if (name === undefined || name === "/") continue;
    const value = double ?? single ?? bare ?? "";
    out += ` ${name.toLowerCase()}="${value.replaceAll('"', "&quot;")}"`;
  }
  return out;
}

function rewriteText(text: string): string {
  return text
    .replace(/&(nbsp|quot|apos);/g, (all, name: string) => ENTITIES[name] ?? all)
    .replace(/&#(\d{2,6});/g, (all, code: string) => {
      const point = Number(code);
      // These three would change the markup when decoded.
      return [38, 60, 62].includes(point) || point > 0x10ffff ? all : String.fromCodePoint(point);
    })
    .replace(/&(?!(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);)/g, "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/**
 * Returns rich text as it reads back: tags lower-case, attributes in double quotes, void tags
 * without slash, quotes and no-break spaces decoded, stray `&` and `<` escaped, no white space at the end.
 */
export function normaliseHtml(html: string): string {
  if (!/[<>&]/.test(html)) return html.trimEnd();
  let out = "";
  let last = 0;
  for (const match of html.matchAll(TAG)) {
    out += rewriteText(html.slice(last, match.index));
    out += `<${match[1]}${(match[2] ?? "").toLowerCase()}${rewriteAttributes(match[3] ?? "")}>`;
    last = match.index + match[0].length;
  }
  return (out + rewriteText(html.slice(last))).trimEnd();
}

/** Returns rich text without markup, as in `plain_value_text`. */
export function plainText(html: string): string {
  return html
    .replace(/<br[^>]*>|<\/p>|<\/div>|<\/li>/gi, "\n")
    .replace(TAG, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
    .trim();
}

/** Rewrites every `[~x]` of a step text by `id`; text without one is returned as it is. */
export function rewriteParameters(text: string, rewrite: (name: string) => string): string {
  if (!text.includes("[~")) return text;
  return text.replace(/\[~([^\[\]]+)\]/g, (_all, name: string) => `[~${rewrite(name.trim())}]`);
}

/** Rich text as a tenant stores it; nothing is the empty text. */
export function storeHtml(
  tenant: { switches: { normaliseHtml: boolean } },
  text: string | undefined,
): string {
  if (text === undefined) return "";
  return tenant.switches.normaliseHtml ? normaliseHtml(text) : text;
}
