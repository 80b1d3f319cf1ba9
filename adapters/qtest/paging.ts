/** Reading lists to their true end, whichever of the target's envelopes they come in. @module */
import { RefusedError, RetryError } from "../../core/errors.ts";
import { parseOne, wirePage } from "./wire.ts";

export interface PagePlan {
  /** Rows per page, largest first; a page the target cannot serve is asked for smaller. */
  sizes: readonly number[];
  /** Sends one request; `maxAttempts` is set while a smaller page is left to try. */
  ask: (page: number, size: number, maxAttempts?: number) => Promise<unknown>;
}

interface Envelope {
  items: unknown[];
  total: number | null;
  /** null: the answer does not tell. */
  more: boolean | null;
}

/** Attempts at a page before a smaller one is tried. */
const ATTEMPTS_PER_SIZE = 4;
/** Rows may move between pages while they are read; this often the list is gone through again. */
const MAX_PASSES = 3;

/**
 * Yields the rows of a paged list, each id once. Ends where the answer says so (`links` rel next,
 * `page * page_size < total`); where it says nothing, at the first page that is empty or repeats.
 * When fewer rows came than the target counts, the list is read again for the missing ones.
 */
export async function* readPages(plan: PagePlan): AsyncGenerator<unknown[]> {
  const seen = new Set<string>();
  let sizeIndex = 0;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const inPass = new Set<string>();
    let total: number | null = null;
    let page = 1;
    while (true) {
      const envelope = await tryPage(plan, page, sizeIndex);
      if (envelope === null) {
        sizeIndex++;
        page = 1;
        inPass.clear();
        continue;
      }
      total = envelope.total;
      const fresh = takeFresh(envelope.items, seen);
      if (fresh.length > 0) yield fresh;
      const isRepeat = takeFresh(envelope.items, inPass).length === 0;
      if (isRepeat || envelope.more === false) break;
      page++;
    }
    if (page === 1 || total === null || seen.size >= total) return;
  }
}

/** Returns null when the page should be asked for smaller. */
async function tryPage(plan: PagePlan, page: number, sizeIndex: number): Promise<Envelope | null> {
  const size = plan.sizes[sizeIndex] ?? 100;
  const isSmallest = sizeIndex >= plan.sizes.length - 1;
  try {
    const json = await plan.ask(page, size, isSmallest ? undefined : ATTEMPTS_PER_SIZE);
    return toEnvelope(json, page, size);
  } catch (error) {
    const isTooLarge = error instanceof RetryError ||
      (error instanceof RefusedError && (error.status === 400 || error.status === 413));
    if (isSmallest || !isTooLarge) throw error;
    return null;
  }
}

function toEnvelope(json: unknown, page: number, size: number): Envelope {
  if (Array.isArray(json)) return { items: json, total: null, more: null };
  const wire = parseOne(wirePage, json);
  const items = wire?.items ?? [];
  const total = wire?.total ?? null;
  const hasNext = wire?.links?.some((link) => link.rel === "next") ?? false;
  const below = total === null ? null : (wire?.page ?? page) * (wire?.page_size || size) < total;
  const more = hasNext || (below ?? (wire?.links?.length ? false : null));
  return { items, total, more };
}

/** Rows whose id is new; a row without an id is nothing that could be matched. */
function takeFresh(items: unknown[], seen: Set<string>): unknown[] {
  return items.filter((item) => {
    const id = String((item as { id?: unknown } | null)?.id ?? "");
    if (id === "" || seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
