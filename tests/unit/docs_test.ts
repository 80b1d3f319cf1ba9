import { assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

async function pages(): Promise<[string, string][]> {
  const names = ["README.md"];
  for await (const entry of Deno.readDir(new URL("docs/", ROOT))) {
    if (entry.name.endsWith(".md")) names.push(`docs/${entry.name}`);
  }
  return await Promise.all(
    names.map(async (name): Promise<[string, string]> => [
      name,
      await Deno.readTextFile(new URL(name, ROOT)),
    ]),
  );
}

Deno.test("every task that the pages name exists and is described", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const missing: string[] = [];
  for (const [page, text] of await pages()) {
    for (const [, name = ""] of text.matchAll(/deno task ([a-z]+)/g)) {
      if (!(name in tasks)) missing.push(`${page}: ${name}`);
    }
  }
  assertEquals(missing, []);
  for (const name of ["demo", "ztoq", "test", "bench", "chaos", "compile", "nightly", "ok"]) {
    assertEquals(typeof tasks[name]?.description, "string", name);
  }
});

Deno.test("every link between the pages leads somewhere", async () => {
  const broken: string[] = [];
  for (const [page, text] of await pages()) {
    for (const [, link = ""] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      await Deno.stat(new URL(link, new URL(page, ROOT))).catch(() =>
        broken.push(`${page}: ${link}`)
      );
    }
  }
  assertEquals(broken, []);
});
