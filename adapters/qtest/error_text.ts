/** The vendor's own words out of its many shapes of error bodies. @module */

const LONGEST = 2_000;

/**
 * Returns what an error body says: `message`, `error_description`, the messages of `errors`,
 * `error`, else the text without markup. Null for an empty body.
 */
export function qtestErrorMessage(body: unknown, text: string): string | null {
  const said = fromJson(body) ?? plain(text);
  return said === null || said.trim() === "" ? null : said.trim().slice(0, LONGEST);
}

function fromJson(body: unknown): string | null {
  if (typeof body === "string") return plain(body);
  if (typeof body !== "object" || body === null) return null;
  const { message, error_description, errors, error } = body as Record<string, unknown>;
  const listed = Array.isArray(errors) ? errors.flatMap(fromEntry).join("; ") : "";
  for (const candidate of [message, error_description, listed, error]) {
    if (typeof candidate === "string" && candidate.trim() !== "") return candidate;
  }
  return null;
}

function fromEntry(entry: unknown): string[] {
  if (typeof entry === "string") return [entry];
  if (typeof entry !== "object" || entry === null) return [];
  const { message, additionalInfo } = entry as Record<string, unknown>;
  if (typeof message !== "string") return [];
  return [typeof additionalInfo === "string" ? `${message} (${additionalInfo})` : message];
}

/** Proxies answer with pages; only their text is worth showing. */
function plain(text: string): string | null {
  if (!/<[a-z!]/i.test(text)) return text;
  return text
    .replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");
}
