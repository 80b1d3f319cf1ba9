import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { normalizeHtml, normalizeText } from "../../core/text/mod.ts";

const EQUAL: [string, string | null][] = [
  ["<p>a<br/>b</p>", "<P>a<br>b</P>"],
  ["a&nbsp;b", "a\u00a0b"],
  ["a&nbsp; b", "a b"],
  ["it&#39;s", "it's"],
  ["it&apos;s &quot;q&quot;", 'it\'s "q"'],
  ["a &lt; b", "a < b"],
  ["R&D", "R&amp;D"],
  ["&eacute;&#x1F600;", "é😀"],
  ["[\u200b~accountid:1]", "[~accountid:1]"],
  ["<a target=_blank href='x?a=1&amp;b=2'>l</a>", '<A HREF="x?a=1&b=2" TARGET="_blank">l</A>'],
  ["<ul>\n  <li>a</li>\n  <li>b</li>\n</ul>", "<ul><li>a</li><li>b</li></ul>"],
  ["<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"],
  ["  <p> a  b\r\n c </p> ", "<p>a b c</p>"],
  ["a<!-- note -->b", "ab"],
  ["", null],
  ["<p></p>", ""],
  ["<p>&nbsp;</p><br>", ""],
  ["<input checked>", '<input checked="">'],
  ["x <b", "x &lt;b"],
];

for (const [a, b] of EQUAL) {
  Deno.test(`normalizeHtml() makes ${JSON.stringify(a)} and ${JSON.stringify(b)} equal`, () => {
    assertEquals(normalizeHtml(a), normalizeHtml(b));
  });
}

const DIFFERENT: [string, string][] = [
  ["a b", "ab"],
  ["<p>a</p>", "<p>A</p>"],
  ["&amp;lt;", "&lt;"],
  ["a<br>b", "a b"],
  ["<b>a</b>", "<i>a</i>"],
  ['<a href="x">l</a>', '<a href="y">l</a>'],
  ['<img src="a.png">', ""],
  ["a\u2060b", "ab"],
  ["1 2", "1  3"],
  ["&lt;b&gt;x&lt;/b&gt;", "<b>x</b>"],
];

for (const [a, b] of DIFFERENT) {
  Deno.test(`normalizeHtml() keeps ${JSON.stringify(a)} and ${JSON.stringify(b)} apart`, () => {
    assertNotEquals(normalizeHtml(a), normalizeHtml(b));
  });
}

const PIECES = [
  "<p>",
  "</p>",
  "<br>",
  "<br/>",
  "</br>",
  "<b>",
  "</b>",
  "<td>",
  "<li>",
  "<ul>",
  "</ul>",
  "<table>",
  "<a href='",
  "'>",
  '"',
  ">",
  "<",
  "&",
  "&amp;",
  "&lt;",
  "&nbsp;",
  "&copy",
  ";",
  " ",
  "\n",
  "\u200b",
  "x",
  "<script>",
  "</script>",
  "<style>",
  "</style>",
  "<title>",
  "<textarea>",
  "<svg>",
  "</svg>",
  "<math>",
  "<!--",
  "-->",
  "<![CDATA[",
  "]]>",
  "<?",
  "/",
  "=",
  "<plaintext>",
  "<option>",
  "<select>",
  "<button>",
  "<image src=1>",
  "<h1>",
  "<form>",
];
const soup = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 3 })), { maxLength: 14 })
    .map((parts) => parts.join("")),
);

Deno.test("normalizeHtml() is idempotent and never throws, for any text", () => {
  fc.assert(
    fc.property(soup, (html) => {
      const once = normalizeHtml(html);
      assertEquals(normalizeHtml(once), once);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("normalizeHtml() keeps different words apart, when wrapped alike", () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  fc.assert(fc.property(word, word, (a, b) => {
    assertEquals(
      normalizeHtml(`<p>${a} <b>x</b></p>`) === normalizeHtml(`<p>${b} <b>x</b></p>`),
      a === b,
    );
  }));
});

Deno.test("normalizeText() folds white space, drops U+200B and takes null as empty", () => {
  assertEquals(normalizeText(" a\u00a0 b\n\u200bc "), "a b c");
  assertEquals(normalizeText(null), "");
  assertEquals(normalizeText("a &amp; <b>"), "a &amp; <b>");
});
