/**
 * Normal forms for comparing what was sent with what is read back.
 * @module
 */
import { Parser } from "htmlparser2";
import { escapeAttribute, escapeHtml } from "./entities.ts";

const VOID = new Set(
  "area base basefont bgsound br col embed frame hr image img input isindex keygen link meta param source track wbr"
    .split(" "),
);
/** White space at the edges of these is not shown, so it carries no meaning. */
const BLOCK = new Set(
  "address article aside blockquote body br caption center col colgroup dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hr html legend li main menu nav ol optgroup option p pre section select summary table tbody td tfoot th thead tr ul"
    .split(" "),
);
/** Elements whose content the parser reads differently; renamed so that the normal form parses alike. */
const RAW = new Set(
  "script style title textarea xmp iframe noembed noframes noscript plaintext svg math template image"
    .split(" "),
);
/** Elements that show something without text. */
const MEDIA = new Set(
  "audio canvas embed hr iframe img input object svg video".split(" "),
);
const WHITE = /[\s\u00a0]+/g;
const ZERO_WIDTH = /\u200b/g;

/** Folds white space and drops U+200B; null is the empty text. */
export function normalizeText(text: string | null | undefined): string {
  return (text ?? "").replace(ZERO_WIDTH, "").replace(WHITE, " ").trim();
}

class Writer {
  #out = "";
  /** The last thing written is white space or the edge of a block. */
  #afterSpace = true;
  #pending = false;
  visible = false;

  text(data: string): void {
    const folded = data.replace(ZERO_WIDTH, "").replace(WHITE, " ");
    if (folded === "") return;
    if (folded.startsWith(" ") && !this.#afterSpace) this.#pending = true;
    const body = folded.trim();
    if (body === "") return;
    this.#flush();
    this.#out += escapeHtml(body);
    this.visible = true;
    this.#afterSpace = false;
    this.#pending = folded.endsWith(" ");
  }

  tag(name: string, markup: string): void {
    if (MEDIA.has(name)) this.visible = true;
    if (BLOCK.has(name)) {
      this.#pending = false;
      this.#afterSpace = true;
    } else {
      this.#flush();
      if (MEDIA.has(name)) this.#afterSpace = false;
    }
    this.#out += markup;
  }

  #flush(): void {
    if (this.#pending) this.#out += " ";
    if (this.#pending) this.#afterSpace = true;
    this.#pending = false;
  }

  end(): string {
    return this.visible ? this.#out : "";
  }
}

function safeName(name: string): string {
  const lower = name.toLowerCase();
  const safe = lower.replace(/[^a-z0-9:_-]/g, (c) => `_${c.charCodeAt(0)}_`);
  return RAW.has(safe) ? `x-${safe}` : safe;
}

function attributesOf(attributes: Record<string, string>): string {
  return Object.keys(attributes)
    .filter((name) => /^[a-z_:][\w:.-]*$/i.test(name))
    .map((name) => ({ name: name.toLowerCase(), value: attributes[name] ?? "" }))
    .sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
    .map(({ name, value }) => ` ${name}="${escapeAttribute(normalizeText(value))}"`)
    .join("");
}

/** A tag that never ends would swallow the rest of the text; targets show it as text. */
function escapeOpenEnd(html: string): string {
  const from = html.lastIndexOf(">") + 1;
  return html.indexOf("<", from) < 0
    ? html
    : html.slice(0, from) + html.slice(from).replaceAll("<", "&lt;");
}

/**
 * Returns rich text in a normal form that is equal for equal content: tag and attribute names in
 * lower case, attributes sorted and in double quotes, void tags without slash, elements closed,
 * character references decoded, white space (U+00A0 too) folded and dropped at block edges, U+200B
 * and comments dropped. Content that shows nothing is "". Idempotent; never throws.
 */
export function normalizeHtml(html: string | null | undefined): string {
  if (html === null || html === undefined || html === "") return "";
  const writer = new Writer();
  // The parser also closes an element whose opening tag it dropped as incomplete.
  const open: string[] = [];
  const parser = new Parser({
    onopentag(name, attributes): void {
      const safe = safeName(name);
      writer.tag(safe, `<${safe}${attributesOf(attributes)}>`);
      if (!VOID.has(safe)) open.push(safe);
    },
    onclosetag(name): void {
      const safe = safeName(name);
      if (open.at(-1) !== safe) return;
      open.pop();
      writer.tag(safe, `</${safe}>`);
    },
    ontext: (data) => writer.text(data),
  }, { decodeEntities: true });
  parser.end(escapeOpenEnd(html));
  return writer.end();
}
