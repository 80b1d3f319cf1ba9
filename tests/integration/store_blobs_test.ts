import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createFileBlobs } from "../../adapters/files/blobs.ts";
import { safePath } from "../../adapters/files/names.ts";
import { createMemoryBlobs } from "../../adapters/memory/blobs.ts";
import { SetAsideError, StoreError } from "../../core/errors.ts";
import type { Blobs } from "../../core/ports/mod.ts";
import { inFolder } from "../helpers/folder.ts";

const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
}

function filesBelow(dir: string, found: string[] = []): string[] {
  for (const entry of Deno.readDirSync(dir)) {
    if (entry.isDirectory) filesBelow(`${dir}/${entry.name}`, found);
    else found.push(`${dir}/${entry.name}`);
  }
  return found;
}

for (const name of ["memory", "file"]) {
  const withBlobs = (body: (blobs: Blobs) => Promise<void>): Promise<void> =>
    name === "memory"
      ? body(createMemoryBlobs())
      : inFolder((dir) => body(createFileBlobs(`${dir}/blobs`, `${dir}/report`)));

  Deno.test(`${name} blobs: put() keeps bytes once under their hash`, () =>
    withBlobs(async (blobs) => {
      assertEquals(await blobs.has(ABC), false);
      assertEquals(await blobs.put(streamOf("a", "", "bc")), { sha256: ABC, size: 3 });
      assertEquals(await blobs.put(streamOf("abc")), { sha256: ABC, size: 3 });
      assertEquals(await blobs.has(ABC), true);
      assertEquals(await new Response(await blobs.open(ABC)).text(), "abc");
      assertEquals((await blobs.put(streamOf())).size, 0);
    }));

  Deno.test(`${name} blobs: put() rejects, when there is too much or the source breaks off`, () =>
    withBlobs(async (blobs) => {
      assertEquals((await blobs.put(streamOf("ab"), { maxBytes: 2 })).size, 2);
      await assertRejects(() => blobs.put(streamOf("ab", "c"), { maxBytes: 2 }), SetAsideError);
      const broken = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(new TypeError("reset")),
      });
      await assertRejects(() => blobs.put(broken), TypeError, "reset");
      await assertRejects(() => blobs.open(ABC), StoreError, ABC);
    }));
}

Deno.test("file blobs: put() leaves nothing behind, when it fails", () =>
  inFolder(async (dir) => {
    const blobs = createFileBlobs(dir);
    await assertRejects(() => blobs.put(streamOf("abc"), { maxBytes: 1 }));
    assertEquals(filesBelow(dir), []);
    await blobs.put(streamOf("abc"));
    assertEquals(filesBelow(dir), [`${dir}/ba/${ABC.slice(2)}`]);
  }));

Deno.test("file blobs: put() removes what a crash left, not what others write now", () =>
  inFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/.partial-old`, "x");
    await Deno.utime(`${dir}/.partial-old`, 1, 1);
    await Deno.writeTextFile(`${dir}/.partial-new`, "x");
    await createFileBlobs(dir).put(streamOf("abc"));
    assertEquals(filesBelow(dir).sort(), [`${dir}/.partial-new`, `${dir}/ba/${ABC.slice(2)}`]);
  }));

Deno.test("file blobs: put() works again, when its folder can be made later", () =>
  inFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/blobs`, "in the way");
    const blobs = createFileBlobs(`${dir}/blobs`);
    await assertRejects(() => blobs.put(streamOf("abc")));
    await Deno.remove(`${dir}/blobs`);
    assertEquals((await blobs.put(streamOf("abc"))).sha256, ABC);
  }));

Deno.test("file blobs: export() copies below its folder and tells equal names apart", () =>
  inFolder(async (dir) => {
    const blobs = createFileBlobs(`${dir}/blobs`, `${dir}/report`);
    const { sha256: other } = await blobs.put(streamOf("other"));
    await blobs.put(streamOf("abc"));
    const first = await blobs.export(ABC, "SA-T1/../../a b?.tar.gz");
    assertEquals(first, `${dir}/report/SA-T1/a b_.tar.gz`);
    assertEquals(await Deno.readTextFile(first), "abc");
    assertEquals(await blobs.export(ABC, "SA-T1/a b?.tar.gz"), first);
    const second = await blobs.export(other, "SA-T1/a b?.tar.gz");
    assertStringIncludes(second, "a b_.tar (2).gz");
    assertEquals(await Deno.readTextFile(second), "other");
    await assertRejects(() => blobs.export("0".repeat(64), "x"), StoreError);
    await assertRejects(() => blobs.open("../../etc/passwd"), RangeError);
  }));

Deno.test("safePath() gives harmless names, when given odd ones", () => {
  const cases: [string, string][] = [
    ["a/b.png", "a/b.png"],
    ["/etc/passwd", "etc/passwd"],
    ["..\\..\\x/./y", "x/y"],
    ["", "_"],
    ["../..", "_"],
    ["a\u0000b\n.txt", "a_b_.txt"],
    ["CON.txt", "_CON.txt"],
    ["trailing. ", "trailing"],
    [".hidden", ".hidden"],
    ["漢字 é.png", "漢字 é.png"],
  ];
  for (const [given, wanted] of cases) assertEquals(safePath(given), wanted);
  const long = safePath(`${"é".repeat(300)}.jpeg`);
  assertEquals(new TextEncoder().encode(long).byteLength <= 200 && long.endsWith(".jpeg"), true);
});
