import { assertEquals, assertRejects } from "@std/assert";
import { readPages } from "../../adapters/qtest/paging.ts";
import { RefusedError, RetryError } from "../../core/errors.ts";

type Ask = (page: number, size: number, maxAttempts?: number) => unknown;

async function ids(ask: Ask, sizes: number[] = [10]): Promise<number[]> {
  const found: number[] = [];
  const pages = readPages({ sizes, ask: (...args) => Promise.resolve().then(() => ask(...args)) });
  for await (const rows of pages) found.push(...rows.map((row) => (row as { id: number }).id));
  return found;
}

function rows(...numbers: number[]): { id: number }[] {
  return numbers.map((id) => ({ id }));
}

Deno.test("readPages() goes on past a short page of a bare array, until one is empty", async () => {
  const pages = [rows(1, 2), rows(3), []];
  assertEquals(await ids((page) => pages[page - 1] ?? []), [1, 2, 3]);
});

Deno.test("readPages() ends when a server ignores the page number", async () => {
  assertEquals(await ids(() => rows(1, 2)), [1, 2]);
});

Deno.test("readPages() believes the page_size of the answer, not the one asked for", async () => {
  const asked: number[] = [];
  const found = await ids((page) => {
    asked.push(page);
    return { page, page_size: 2, total: 3, items: page === 1 ? rows(1, 2) : rows(3) };
  }, [999]);
  assertEquals([found, asked], [[1, 2, 3], [1, 2]]);
});

Deno.test("readPages() follows rel next, when there is no total", async () => {
  const found = await ids((page) => ({
    items: rows(page),
    links: page < 3 ? [{ rel: "next", href: "x" }] : [{ rel: "self", href: "x" }],
  }));
  assertEquals(found, [1, 2, 3]);
});

Deno.test("readPages() reads again what moved between pages, and repeats no row", async () => {
  let reads = 0;
  const found = await ids((page) => {
    reads++;
    const order = reads <= 2 ? [rows(1, 2), rows(2, 3)] : [rows(4, 1), rows(2, 3)];
    return { page, page_size: 2, total: 4, items: order[page - 1] };
  });
  assertEquals(found.toSorted(), [1, 2, 3, 4]);
});

Deno.test("readPages() asks for smaller pages from the start, when a large one fails", async () => {
  const found = await ids((page, size, maxAttempts) => {
    if (size === 10 && page === 2) {
      assertEquals(maxAttempts, 4);
      throw new RetryError("slow");
    }
    const all = rows(...Array.from({ length: 12 }, (_, index) => index));
    return all.slice((page - 1) * size, page * size);
  }, [10, 5]);
  assertEquals(found.toSorted((a, b) => a - b), Array.from({ length: 12 }, (_, index) => index));
});

Deno.test("readPages() passes on a refusal that size cannot mend", async () => {
  const refused = new RefusedError("gone", { status: 404, answer: "" });
  await assertRejects(() => ids(() => Promise.reject(refused), [10, 5]), RefusedError, "gone");
});
