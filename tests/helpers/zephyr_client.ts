/** A bare client of the Zephyr simulator for tests: no retries, no logic. @module */
import type { ZephyrSimulator } from "../../adapters/zephyr/simulator/mod.ts";

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Parsed body; undefined when it is no JSON. */
  // deno-lint-ignore no-explicit-any
  json: any;
}

/** Sends one GET with the simulator's key, to a path below its base or to a full URL. */
export async function get(simulator: ZephyrSimulator, path: string): Promise<Answer> {
  const response = await fetch(path.startsWith("http") ? path : `${simulator.url}${path}`, {
    headers: { authorization: `Bearer ${simulator.token}` },
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Follows a cursor list to its end and gives the pages. Throws after 1,000 pages. */
export async function cursorPages(simulator: ZephyrSimulator, path: string): Promise<Answer[]> {
  const pages: Answer[] = [];
  for (let next: string | null = path; next !== null; next = pages.at(-1)?.json.next ?? null) {
    if (pages.length > 1000) throw new Error(`${path} does not end`);
    pages.push(await get(simulator, next));
  }
  return pages;
}

/** Reads an offset list the careful way until an empty page, and gives the pages. */
export async function offsetPages(simulator: ZephyrSimulator, path: string): Promise<Answer[]> {
  const pages: Answer[] = [];
  for (let startAt = 0;;) {
    const page = await get(simulator, `${path}${path.includes("?") ? "&" : "?"}startAt=${startAt}`);
    if ((page.json.values ?? []).length === 0 || pages.length > 1000) return pages;
    pages.push(page);
    startAt = page.json.startAt + page.json.maxResults;
  }
}

/** Ids of all rows of some pages, in their order. */
export function idsOf(pages: Answer[]): number[] {
  return pages.flatMap((page) => (page.json.values ?? []).map((row: { id: number }) => row.id));
}
