import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  cleanName,
  cutText,
  decodeEntities,
  escapeHtml,
  findMarkerLine,
  hasMarkup,
  htmlLines,
  isBlankHtml,
  MARKERS,
  neutralize,
  normalizeHtml,
  plainToHtml,
  replaceImages,
  sealHtml,
  splitNameMarker,
} from "../../core/text/mod.ts";

Deno.test("decodeEntities() decodes once and only what ends with a semicolon", () => {
  assertEquals(decodeEntities("R&amp;D &#39;x&#x27; &eacute; &quot;"), "R&D 'x' é \"");
  assertEquals(decodeEntities("&amp;lt;b&amp;gt;"), "&lt;b&gt;");
  assertEquals(decodeEntities("?a=1&copy=2 &nosuch; AT&T <b>"), "?a=1&copy=2 &nosuch; AT&T <b>");
});

Deno.test("decodeEntities() undoes escapeHtml(), for any text", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    assertEquals(decodeEntities(escapeHtml(text)), text);
  }));
});

Deno.test("plainToHtml() shows the text it was given, for any text", () => {
  fc.assert(fc.property(fc.stringMatching(/^[a-z<>&"' ]{0,20}$/), (text) => {
    assertEquals(
      htmlLines(plainToHtml(text)).join("\n"),
      text.replace(/\s+/g, " ").trim(),
    );
  }));
  assertEquals(plainToHtml("a\r\nb\nc"), "a<br>b<br>c");
});

Deno.test("neutralize() parts [ and ~ however they are written, once", () => {
  const once = neutralize("[~a] &#91;~b] [&#126;c] [x]");
  assertEquals(once, "[\u200b~a] &#91;\u200b~b] [\u200b&#126;c] [x]");
  assertEquals(neutralize(once), once);
});

Deno.test("neutralize() does not change what normalizeHtml() sees, for any text", () => {
  const text = fc.array(fc.constantFrom("[", "~", "a", "&#126;", "<b>", "]"), { maxLength: 8 });
  fc.assert(fc.property(text, (parts) => {
    const html = parts.join("");
    assertEquals(normalizeHtml(neutralize(html)), normalizeHtml(html));
  }));
});

Deno.test("cleanName() decodes, trims, and cuts before the suffix", () => {
  assertEquals(cleanName("&nbsp; a&amp;b "), { name: "a&b", full: "a&b", cut: false });
  const { name, cut } = cleanName("y".repeat(600), " [SA-R5]");
  assertEquals([name.length, name.endsWith("y [SA-R5]"), cut], [500, true, true]);
  assertEquals(cleanName("y".repeat(495), " [SA-R5]").cut, true);
});

Deno.test("cutText() never splits a character", () => {
  assertEquals(cutText("ab😀", 3), "ab");
  assertEquals(cutText("ab😀", 4), "ab😀");
});

Deno.test("hasMarkup() sees tags and line breaks only", () => {
  const yes = ["a<br>b", "a\nb", "</p>", "<a href='x'>"];
  const no = ["a < b", "1<2>0", "a & b", ""];
  assertEquals(yes.map(hasMarkup), yes.map(() => true));
  assertEquals(no.map(hasMarkup), no.map(() => false));
});

Deno.test("isBlankHtml() takes markup without content as blank", () => {
  assertEquals(["", null, "<p>&nbsp;</p>", "<br/>"].map(isBlankHtml), [true, true, true, true]);
  assertEquals(["x", "<img src=a>"].map(isBlankHtml), [false, false]);
});

Deno.test("replaceImages() keeps everything else byte for byte", () => {
  const html = "<P>a &amp; b<img src='x'>c<IMG\n src=y />d</P >";
  assertEquals(
    replaceImages(html, ({ src }) => src === "x" ? "[x]" : null),
    "<P>a &amp; b[x]c<IMG\n src=y />d</P >",
  );
});

Deno.test("replaceImages() leaves text without images as it is, for any text", () => {
  fc.assert(fc.property(fc.string(), (html) => {
    fc.pre(!/<im/i.test(html));
    assertEquals(replaceImages(html, () => "!"), html);
  }));
});

Deno.test("sealHtml() keeps what follows apart from an open tag or comment", () => {
  const marker = MARKERS.line("execution", "1");
  for (const text of ["x <b", "x <!-- y", "a <!-- y > z", "</", "<p>a</p><i", "a < b"]) {
    assertEquals(findMarkerLine(sealHtml(text) + marker, ["execution"])?.key, "1", text);
  }
  assertEquals(sealHtml("a < b <p>c</p>"), "a < b <p>c</p>");
});

const LINES: [string, string | null][] = [
  ["<p>zephyr:folder:12</p>", "12"],
  ["text<p>zephyr:folder:12</p>", "12"],
  ["<P>text</P>\n<p> zephyr:folder:12&nbsp;</p>", "12"],
  ["text<br/>zephyr:folder:12", "12"],
  ["<p>text zephyr:folder:12</p>", "12"],
  ["&lt;p&gt;text&lt;/p&gt;&lt;p&gt;zephyr:folder:12&lt;/p&gt;", "12"],
  ["<p>zephyr:folder:1</p><p>zephyr:folder:2</p>", "2"],
  ["<p>zephyr:folder:1</p><p>added by people</p>", "1"],
  ["<p>see zephyr:folder:1 there</p>", null],
  ["<p>zephyr:project:SA</p>", null],
  ["", null],
];
for (const [html, key] of LINES) {
  Deno.test(`findMarkerLine() finds ${key} in ${JSON.stringify(html)}`, () => {
    assertEquals(findMarkerLine(html, ["folder"])?.key ?? null, key);
  });
}

Deno.test("splitNameMarker() takes only keys of suites and runs off the end", () => {
  assertEquals(splitNameMarker("A [x] [SA-R5]"), { name: "A [x]", key: "SA-R5" });
  assertEquals(splitNameMarker("A [SA-R5/SA-T1]"), { name: "A", key: "SA-R5/SA-T1" });
  assertEquals(splitNameMarker("A [adhoc/SA-T1]"), { name: "A", key: "adhoc/SA-T1" });
  assertEquals(splitNameMarker("A [draft]"), { name: "A [draft]", key: null });
});
